/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/digicert-one.h"

#include <string.h>

#include "authority/digicert-one-private.h"
#include "authority/issued.h"
#include "common/alloc.h"

#define API_KEY_MAX 512 /* bytes */

static bool check(const char *document, struct error *error)
{
	struct digicert_one_settings settings = {0};
	bool good = digicert_one_settings_parse(&settings, document, error);

	digicert_one_settings_clear(&settings);
	return good;
}

static const char *secret_at(size_t index)
{
	static const char *const names[] = {DIGICERT_ONE_API_KEY, IDENTITY_CLIENT_CERTIFICATE};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

static bool check_secret(struct authority *authority, const char *name, const struct secret *secret,
	struct error *error)
{
	const struct digicert_one *one = authority->data;

	return strcmp(name, DIGICERT_ONE_API_KEY) == 0
		       ? identity_check_visible(secret, "an API key", API_KEY_MAX, error)
		       : identity_check_certificate(
				 secret, one->settings.client_key == NULL, error);
}

static bool one_open(struct authority *authority, const char *document, struct error *error)
{
	struct digicert_one *one = xnew(struct digicert_one);

	authority->data = one;
	if (!digicert_one_settings_parse(&one->settings, document, error))
		return false;
	authority->revocation = one->settings.revocation;
	one->settings.revocation = (struct revocation_settings){0};
	return true;
}

static void one_close(struct authority *authority)
{
	struct digicert_one *one = authority->data;

	if (!one)
		return;
	identity_close(&one->identity, authority->services);
	digicert_one_settings_clear(&one->settings);
	free(one);
	authority->data = NULL;
}

const struct authority_driver digicert_one_driver = {
	.kind = "digicert-one",
	.check = check,
	.secret_at = secret_at,
	.check_secret = check_secret,
	.open = one_open,
	.test = digicert_one_test,
	.profiles = digicert_one_profiles,
	.update = digicert_one_fetch,
	.enroll = digicert_one_enroll,
	.collect = digicert_one_collect,
	.renew = digicert_one_renew,
	.revoke = digicert_one_revoke,
	.suspend = digicert_one_suspend,
	.resume = digicert_one_resume,
	.status = digicert_one_status,
	.ca_certificate = issued_ca_certificate,
	.close = one_close,
};

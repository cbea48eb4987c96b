/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/pki-platform.h"

#include "authority/issued.h"
#include "authority/pki-platform-private.h"
#include "common/alloc.h"

static bool check(const char *document, struct error *error)
{
	struct pki_platform_settings settings = {0};
	bool good = pki_platform_settings_parse(&settings, document, error);

	pki_platform_settings_clear(&settings);
	return good;
}

static const char *secret_at(size_t index)
{
	return index == 0 ? IDENTITY_CLIENT_CERTIFICATE : NULL;
}

static bool check_secret(struct authority *authority, const char *name, const struct secret *secret,
	struct error *error)
{
	const struct pki_platform *platform = authority->data;

	(void)name;
	return identity_check_certificate(secret, platform->settings.client_key == NULL, error);
}

static bool platform_open(struct authority *authority, const char *document, struct error *error)
{
	struct pki_platform *platform = xnew(struct pki_platform);

	authority->data = platform;
	if (!pki_platform_settings_parse(&platform->settings, document, error))
		return false;
	authority->revocation = platform->settings.revocation;
	platform->settings.revocation = (struct revocation_settings){0};
	return true;
}

static void platform_close(struct authority *authority)
{
	struct pki_platform *platform = authority->data;

	if (!platform)
		return;
	identity_close(&platform->identity, authority->services);
	pki_platform_settings_clear(&platform->settings);
	free(platform);
	authority->data = NULL;
}

const struct authority_driver pki_platform_driver = {
	.kind = "digicert-pki-platform",
	.check = check,
	.secret_at = secret_at,
	.check_secret = check_secret,
	.open = platform_open,
	.test = pki_platform_test,
	.profiles = pki_platform_profiles,
	.update = pki_platform_fetch,
	.enroll = pki_platform_enroll,
	.collect = pki_platform_collect,
	.revoke = pki_platform_revoke,
	.suspend = pki_platform_suspend,
	.resume = pki_platform_resume,
	.status = pki_platform_status,
	.ca_certificate = issued_ca_certificate,
	.close = platform_close,
};

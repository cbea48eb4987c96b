/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/ms-cs.h"

#include <string.h>

#include "authority/ms-cs-private.h"
#include "common/alloc.h"

#define PASSWORD_MAX 256 /* bytes */

static bool check(const char *document, struct error *error)
{
	struct ms_cs_settings settings = {0};
	bool good = ms_cs_settings_parse(&settings, document, error);

	ms_cs_settings_clear(&settings);
	return good;
}

static const char *secret_at(size_t index)
{
	static const char *const names[] = {
		MS_CS_PASSWORD_SECRET, IDENTITY_CLIENT_CERTIFICATE, MS_CS_AGENT_SECRET};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

/* It is text of an XML document, and nobody's password has a line end. */
static bool check_password(const struct secret *secret, struct error *error)
{
	bool good = secret->length >= 1 && secret->length <= PASSWORD_MAX;

	for (size_t i = 0; good && i < secret->length; i++)
		good = secret->data[i] >= 0x20 && secret->data[i] != 0x7f;
	return good || error_set_field(error, ERROR_INVALID_ARGUMENT, "secret",
			       "a password is 1 to %d bytes of UTF-8 without control characters",
			       PASSWORD_MAX);
}

static bool check_secret(struct authority *authority, const char *name, const struct secret *secret,
	struct error *error)
{
	const struct ms_cs *cs = authority->data;

	if (strcmp(name, MS_CS_AGENT_SECRET) == 0)
		return ms_cs_agent_check_secret(&cs->settings.agent, secret, error);
	return strcmp(name, MS_CS_PASSWORD_SECRET) == 0
		       ? check_password(secret, error)
		       : identity_check_certificate(secret, cs->settings.client_key == NULL, error);
}

static bool cs_open(struct authority *authority, const char *document, struct error *error)
{
	struct ms_cs *cs = xnew(struct ms_cs);

	authority->data = cs;
	if (!ms_cs_settings_parse(&cs->settings, document, error))
		return false;
	authority->revocation = cs->settings.revocation_check;
	cs->settings.revocation_check = (struct revocation_settings){0};
	return true;
}

static void cs_close(struct authority *authority)
{
	struct ms_cs *cs = authority->data;

	if (!cs)
		return;
	identity_close(&cs->identity, authority->services);
	ms_cs_settings_clear(&cs->settings);
	free(cs);
	authority->data = NULL;
}

const struct authority_driver ms_cs_driver = {
	.kind = "ms-cs",
	.check = check,
	.secret_at = secret_at,
	.check_secret = check_secret,
	.open = cs_open,
	.test = ms_cs_test,
	.profiles = ms_cs_profiles,
	.update = ms_cs_fetch,
	.request_extensions = ms_cs_request_extensions,
	.enroll = ms_cs_enroll,
	.collect = ms_cs_collect,
	.check_issued = ms_cs_check_certificate,
	.revoke = ms_cs_revoke,
	.suspend = ms_cs_suspend,
	.resume = ms_cs_resume,
	.ca_certificate = ms_cs_ca_certificate,
	.close = cs_close,
};

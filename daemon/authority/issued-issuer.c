/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has signed what profiles give. */
#include <string.h>

#include <jansson.h>

#include "authority/issued.h"

static const char *issuer_of(const struct authority_profile *profile)
{
	return json_string_value(json_object_get(profile->settings, ISSUED_ISSUER));
}

bool issued_check_issuer(
	const struct authority_profile *profile, const struct buffer *der, struct error *error)
{
	const char *text = issuer_of(profile);
	_cleanup_buffer_ struct buffer issuer_der = BUFFER_INIT;

	if (!text || !issued_decode(text, &issuer_der, NULL))
		return true;
	return issued_is_signed_by(der, &issuer_der) ||
	       error_set(error, ERROR_AUTHORITY_FAILED,
		       "the certificate that came is not signed by the issuer of the profile "
		       "\"%s\": if its issuer was changed, run tessera connection profiles "
		       "--update",
		       profile->name);
}

bool issued_ca_certificate(struct authority *authority, struct buffer *der, struct error *error)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	const char *issuer = NULL;

	if (!authority_kept_profiles(authority, &profiles, error))
		return false;
	for (size_t i = 0; i < profiles.count; i++) {
		const char *own = issuer_of(&profiles.items[i]);
		if (!own || !profiles.items[i].is_usable)
			continue;
		if (issuer && strcmp(issuer, own) != 0)
			return error_set(
				error, ERROR_NOT_SUPPORTED, "the profiles have several issuers");
		issuer = own;
	}
	if (!issuer)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"the issuer is not known: tessera connection profiles %s --update",
			authority->name);
	return issued_decode(issuer, der, error);
}

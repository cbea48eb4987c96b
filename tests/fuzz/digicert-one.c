/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What DigiCert ONE may answer: profiles, certificates, and the list that is kept of them. */
#include <stdlib.h>
#include <string.h>

#include "authority/digicert-one-private.h"
#include "authority/issued.h"
#include "common/alloc.h"
#include "fuzz/fuzz.h"

/* What is kept of a profile is read the same again. */
static void check_profile(json_t *json)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	_cleanup_profiles_ struct authority_profiles again = AUTHORITY_PROFILES_INIT;
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;

	digicert_one_read_fields(authority_profiles_add(&profiles, "id", "name"), json);
	_cleanup_free_ char *text = authority_profiles_text(&profiles);
	buffer_append_string(&buffer, text);
	if (!authority_profiles_parse(&again, &buffer, NULL))
		abort();
	_cleanup_free_ char *second = authority_profiles_text(&again);
	if (strcmp(text, second) != 0)
		abort();
}

/* What can be decoded is a certificate. */
static void check_certificate(const char *text)
{
	_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;
	bool done = issued_decode(text, &der, &error);

	if (done != (error.code == ERROR_NONE) ||
		(done && !certificate_from_der(&certificate, der.data, der.length, NULL)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	json_t *json _cleanup_json_ =
		json_loadb((const char *)data, length, JSON_REJECT_DUPLICATES, NULL);
	_cleanup_free_ char *text = xasprintf("%.*s", (int)length, (const char *)data);

	check_certificate(text);
	if (json)
		check_profile(json);
	return 0;
}

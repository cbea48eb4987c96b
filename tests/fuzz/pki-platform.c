/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What PKI Platform 8 may answer: envelopes, faults, policies, tokens, and lists of certificates.
 */
#include <stdlib.h>
#include <string.h>

#include "authority/issued.h"
#include "authority/pki-platform-private.h"
#include "fuzz/fuzz.h"

/* What is kept of a list of profiles is read the same again. */
static void check_policies(const struct xml_element *answer)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	_cleanup_profiles_ struct authority_profiles again = AUTHORITY_PROFILES_INIT;
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	bool done = pki_platform_read_policies(answer, &profiles, &error);

	if (done != (error.code == ERROR_NONE))
		abort();
	_cleanup_free_ char *text = authority_profiles_text(&profiles);
	buffer_append_string(&buffer, text);
	if (!authority_profiles_parse(&again, &buffer, NULL))
		abort();
	_cleanup_free_ char *second = authority_profiles_text(&again);
	if (strcmp(text, second) != 0)
		abort();
}

static void check_token(const struct xml_element *answer)
{
	_cleanup_token_ struct pki_platform_token token = {0};
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	pki_platform_read_token(&token, answer);
	if (token.certificate)
		issued_decode(token.certificate, &der, NULL);
}

static bool visit(void *context, const char *certificate, const char *serial, const char *status)
{
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	(void)context, (void)serial, (void)status;
	return !certificate || issued_decode(certificate, &der, NULL);
}

/* An answer of every operation, and a fault of none. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static const char *const answers[] = {
		"getPoliciesResponse", "RequestSecurityTokenResponse", "searchCertificateResponse"};
	_cleanup_xml_ struct xml_document *document = xml_parse(data, length, NULL);

	for (size_t i = 0; document && i < ARRAY_SIZE(answers); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		bool is_refusal, more;
		size_t count;
		const struct xml_element *answer =
			pki_platform_open(document, answers[i], &is_refusal, &error);
		if ((answer == NULL) != (error.code != ERROR_NONE))
			abort();
		if (!answer)
			continue;
		check_policies(answer);
		check_token(answer);
		pki_platform_read_page(answer, visit, NULL, &count, &more);
	}
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the services of Microsoft CS may answer: certificates, faults, policies, and the kept list.
 */
#include <stdlib.h>
#include <string.h>

#include "authority/issued.h"
#include "authority/ms-cs-private.h"
#include "common/alloc.h"
#include "fuzz/fuzz.h"

#define DIGEST "00"

static void check_token(const struct xml_element *element)
{
	_cleanup_ms_cs_token_ struct ms_cs_token token = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	bool done = ms_cs_token_read(&token, element, DIGEST, &error);

	/* A failure has a reason, and no key has that digest: nothing is a certificate. */
	if (done != (error.code == ERROR_NONE) || token.der.length > 0 || (done && !token.id))
		abort();
}

static void check_fault(const struct xml_element *element)
{
	struct ms_cs_fault fault = {0};

	ms_cs_fault_read(&fault, element);
	if (!fault.words || strchr(fault.words, '\n'))
		abort();
	ms_cs_fault_clear(&fault);
}

/* What is kept of the templates is read the same again. */
static void check_policies(const struct xml_element *element)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	_cleanup_profiles_ struct authority_profiles again = AUTHORITY_PROFILES_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;

	if (ms_cs_policies_read(&profiles, element, &error) != (error.code == ERROR_NONE))
		abort();
	_cleanup_free_ char *text = authority_profiles_text(&profiles);
	buffer_append_string(&buffer, text);
	if (!authority_profiles_parse(&again, &buffer, NULL))
		abort();
	_cleanup_free_ char *second = authority_profiles_text(&again);
	if (strcmp(text, second) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	_cleanup_xml_ struct xml_document *document = xml_parse(data, length, NULL);

	if (!document)
		return 0;
	check_token(xml_root(document));
	check_fault(xml_root(document));
	check_policies(xml_root(document));
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What certificates the service has. */
#include <string.h>

#include "authority/pki-platform-private.h"
#include "common/alloc.h"

#define SPACE	  "http://schemas.verisign.com/pkiservices/2009/07/management"
#define ITEMS_MAX 1000
#define PAGES_MAX 100

static void put_optional(struct xml_writer *writer, const char *name, const char *text)
{
	if (text)
		xml_put_element(writer, name, text);
}

static void write_request(
	struct xml_writer *writer, const struct pki_platform_criteria *criteria, size_t start)
{
	_cleanup_free_ char *index = xasprintf("%zu", start);

	pki_platform_begin(writer, "m:searchCertificateRequest", "m", SPACE);
	put_optional(writer, "m:seatId", criteria->seat);
	put_optional(writer, "m:profileOID", criteria->profile);
	put_optional(writer, "m:serialNumber", criteria->serial);
	xml_put_element(writer, "m:startIndex", index);
	xml_put_element(writer, "m:version", "1.0");
}

bool pki_platform_search(struct authority *authority, const struct pki_platform_criteria *criteria,
	pki_platform_visit *visit, void *context, struct error *error)
{
	static const struct pki_platform_operation operation = {"certificateManagementService",
		SPACE "/searchCertificate", "searchCertificateResponse", true};
	size_t start = 0, count = 0;
	bool more = true;

	for (size_t page = 0; more && page < PAGES_MAX && start < ITEMS_MAX; page++) {
		_cleanup_xml_writer_ struct xml_writer writer = XML_WRITER_INIT;
		_cleanup_reply_ struct pki_platform_reply reply = {0};
		write_request(&writer, criteria, start);
		if (!pki_platform_call(authority, &operation, &writer, &reply, error))
			return false;
		if (!pki_platform_read_page(reply.answer, visit, context, &count, &more))
			return true;
		start += count;
		more = more && count > 0;
	}
	return true;
}

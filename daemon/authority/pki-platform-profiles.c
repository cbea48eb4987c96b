/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The profiles that the service has policies for. */
#include "authority/pki-platform-private.h"

#define SPACE "http://schemas.verisign.com/pkiservices/2009/07/policy"

bool pki_platform_fetch(
	struct authority *authority, struct authority_profiles *profiles, struct error *error)
{
	static const struct pki_platform_operation operation = {
		"policyService", SPACE "/requestPolicies", "getPoliciesResponse", true};
	_cleanup_xml_writer_ struct xml_writer writer = XML_WRITER_INIT;
	_cleanup_reply_ struct pki_platform_reply reply = {0};

	pki_platform_begin(&writer, "p:getPolicies", "p", SPACE);
	xml_put_element(&writer, "p:version", "2.0");
	xml_start(&writer, "p:requestFilter"); /* required, and nil for all of them */
	xml_put_attribute(&writer, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
	xml_put_attribute(&writer, "xsi:nil", "true");
	xml_end(&writer);
	return pki_platform_call(authority, &operation, &writer, &reply, error) &&
	       pki_platform_read_policies(reply.answer, profiles, error);
}

bool pki_platform_profiles(
	struct authority *authority, struct authority_profiles *profiles, struct error *error)
{
	const struct pki_platform *platform = authority->data;
	const struct pki_platform_settings *settings = &platform->settings;

	if (!authority_kept_profiles(authority, profiles, error))
		return false;
	for (size_t i = 0; i < profiles->count; i++) {
		struct authority_profile *profile = &profiles->items[i];
		const struct mapping *mapping = mapping_find(&settings->mappings, profile);
		profile_fill(profile, PKI_PLATFORM_SEAT, settings->seat_id, NULL);
		if (mapping)
			mapping_fill(mapping, profile);
	}
	return true;
}

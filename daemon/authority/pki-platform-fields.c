/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The values that a request gives, as a policy names them. In the schema an attribute has a name, a
 * value and a property; what stands where is not described. "$common_name" as the value is read as
 * the name of a request's value, like "$overrideValidityDays" is one, any other value as a fixed
 * one, and without a value the attribute's name is the request's.
 */
#include <string.h>
#include <strings.h>

#include "authority/pki-platform-private.h"
#include "common/alloc.h"

#define FIELDS_MAX     200
#define NAME_MAX_BYTES 128

/* Which of a template's names fills a value; another one where it stands in the san. */
static const struct known_name {
	const char *name, *subject_type, *san_type;
} known_names[] = {
	{"common_name", "CN", NULL},
	{"commonName", "CN", NULL},
	{"CN", "CN", NULL},
	{"org_unit", "OU", NULL},
	{"organization_unit", "OU", NULL},
	{"organizational_unit", "OU", NULL},
	{"OU", "OU", NULL},
	{"organization", "O", NULL},
	{"organization_name", "O", NULL},
	{"O", "O", NULL},
	{"country", "C", NULL},
	{"C", "C", NULL},
	{"locality", "L", NULL},
	{"L", "L", NULL},
	{"state", "ST", NULL},
	{"ST", "ST", NULL},
	{"serialNumber", "serialNumber", NULL},
	{"serial_number", "serialNumber", NULL},
	{"uid", "UID", NULL},
	{"user_id", "UID", NULL},
	{"domain_component", "DC", NULL},
	{"DC", "DC", NULL},
	{"given_name", "GN", NULL},
	{"givenName", "GN", NULL},
	{"mail_firstName", "GN", NULL},
	{"surname", "SN", NULL},
	{"mail_lastName", "SN", NULL},
	{"mail", "emailAddress", "email"},
	{"mail_email", "emailAddress", "email"},
	{"email", "emailAddress", "email"},
	{"emailAddress", "emailAddress", "email"},
	{"rfc822Name", NULL, "email"},
	{"otherNameUPN", NULL, "upn"},
	{"userPrincipalName", NULL, "upn"},
	{"upn", NULL, "upn"},
	{"dnsName", NULL, "dns"},
	{"dNSName", NULL, "dns"},
	{"uniformResourceIdentifier", NULL, "uri"},
	{"uri", NULL, "uri"},
};

bool pki_platform_is_field(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++) {
		if (name[i] <= 0x20 || name[i] >= 0x7f)
			return false;
	}
	return length >= 1 && length <= NAME_MAX_BYTES;
}

static void set_type(struct authority_field *field, const char *name, bool is_san)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_names); i++) {
		const struct known_name *known = &known_names[i];
		if (strcasecmp(known->name, name) != 0)
			continue;
		if (is_san)
			field->san_type = known->san_type;
		else
			field->subject_type = known->subject_type;
		return;
	}
}

/* What an attribute says of itself. */
struct attribute {
	char *name;  /* of the request's value, or of what is fixed */
	char *fixed; /* or NULL */
	bool is_required, is_from_request;
};

static void attribute_clear(struct attribute *attribute)
{
	free(attribute->name);
	free(attribute->fixed);
}

static bool says_true(const struct xml_element *element, const char *attribute)
{
	_cleanup_free_ char *text = xml_attribute(element, NULL, attribute);

	return text && (strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

/* The words of "source" are not documented; those for a request's value say neither of these. */
static void read_source(struct attribute *attribute, const struct xml_element *property)
{
	_cleanup_free_ char *source = pki_platform_text(property, "source");
	_cleanup_free_ char *value = pki_platform_text(property, "value");

	attribute->is_required |= pki_platform_is_true(property, "mandatory");
	attribute->is_from_request = source && strcasestr(source, "CSR");
	if (!attribute->fixed && value && !pki_platform_is_true(property, "overridable") &&
		!attribute->is_from_request)
		attribute->fixed = steal_pointer(&value);
}

static void read_attribute(struct attribute *attribute, const struct xml_element *pair)
{
	const struct xml_element *value = pki_platform_child(pair, "attributeNameValue");
	_cleanup_free_ char *text = pki_platform_text(pair, "attributeNameValue");

	attribute->is_required = says_true(value, "mandatory");
	if (text && text[0] == '$')
		attribute->name = xstrdup(text + 1);
	else {
		attribute->name = pki_platform_text(pair, "attributeName");
		attribute->fixed = steal_pointer(&text);
	}
	read_source(attribute, pki_platform_child(pair, "attributeNameValueProperty"));
}

/* The same value may go to the subject and the san. */
static void add_attribute(
	struct authority_profile *profile, const struct attribute *attribute, bool is_san)
{
	struct authority_field *field = authority_profile_field(profile, attribute->name);

	if (!field && profile->field_count < FIELDS_MAX)
		field = authority_profile_add_field(profile, attribute->name);
	if (!field)
		return;
	field->is_required |= attribute->is_required;
	field->is_from_request |= attribute->is_from_request;
	if (attribute->fixed && !field->fixed)
		field->fixed = xstrdup(attribute->fixed);
	if (!attribute->fixed)
		set_type(field, attribute->name, is_san);
}

static void read_pairs(struct authority_profile *profile, const struct xml_element *parent,
	const char *name, bool is_san)
{
	for (const struct xml_element *pair = pki_platform_child(parent, name); pair;
		pair = pki_platform_next(pair, name)) {
		struct attribute attribute _cleanup_(attribute_clear) = {0};
		read_attribute(&attribute, pair);
		bool is_named = attribute.name && pki_platform_is_field(attribute.name);
		if (is_named)
			add_attribute(profile, &attribute, is_san);
		else if (attribute.is_required && !attribute.fixed)
			authority_profile_refuse(
				profile, "it requires a value that has no name for a request");
		if (is_san && attribute.is_required && attribute.is_from_request)
			authority_profile_refuse(profile,
				"it takes the san from the certificate request, which has "
				"none: let the web service give it");
	}
}

void pki_platform_read_fields(struct authority_profile *profile,
	const struct xml_element *attributes, const char *san_reference)
{
	const struct xml_element *subject = pki_platform_child(attributes, "subjectNameInfo");
	const struct xml_element *extensions = pki_platform_child(attributes, "extensions");

	authority_profile_add_field(profile, PKI_PLATFORM_SEAT)->is_required = true;
	for (const struct xml_element *each = pki_platform_child(subject, "subjectNameAttribute");
		each; each = pki_platform_next(each, "subjectNameAttribute"))
		read_pairs(profile, each, "subjectNameAttributeNameValuePair", false);
	for (const struct xml_element *each = pki_platform_child(extensions, "Extension"); each;
		each = pki_platform_next(each, "Extension")) {
		_cleanup_free_ char *reference = pki_platform_text(each, "extensionOIDReference");
		bool is_san = reference && san_reference && strcmp(reference, san_reference) == 0;
		read_pairs(profile, pki_platform_child(each, "extensionSyntax"),
			"extensionAttributeNameValuePair", is_san);
	}
}

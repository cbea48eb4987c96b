/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields of subject and san: as a profile names them, and where a request has them. */
#include <string.h>
#include <strings.h>

#include "authority/digicert-one-private.h"
#include "common/alloc.h"

#define SUBJECT	 "subject"
#define SAN	 "san"
#define SEAT	 "seat"
#define SEAT_ID	 "seat.id"
#define CERT_KEY "certificate"

/*
 * What a profile calls a field (in one of several spellings, with capitals or not), and what a
 * request does; `type` is that of a template's name.
 */
static const struct field_name {
	const char *profile, *request, *type;
	bool is_list;
} subject_names[] =
	{
		{"common_name", "common_name", "CN", false},
		{"organization_name", "organization_name", "O", false},
		{"organization_units", "organization_units", "OU", true},
		{"organization_unit", "organization_units", "OU", true},
		{"organizational_unit", "organization_units", "OU", true},
		{"country", "country", "C", false},
		{"locality", "locality", "L", false},
		{"state", "state", "ST", false},
		{"serial_number", "serial_number", "serialNumber", false},
		{"user_id", "user_id", "UID", false},
		{"domain_component", "domain_component", "DC", true},
		{"email", "email", "emailAddress", false},
		{"given_name", "given_name", "GN", false},
		{"surname", "surname", "SN", false},
		{"description", "description", NULL, true},
		{"dn_qualifier", "dn_qualifier", NULL, false},
		{"title", "title", NULL, false},
		{"organization_identifier", "organization_identifier", NULL, false},
		{"postal_code", "postal_code", NULL, false},
		{"street_address", "street_address", NULL, true},
		{"unique_identifier", "unique_identifier", NULL, false},
		{"unstructured_address", "unstructured_address", NULL, true},
		{"unstructured_name", "unstructured_name", NULL, true},
		{"pseudonym", "pseudonym", NULL, false},
},
  san_names[] = {
	  {"email", "emails", "email", true},
	  {"emails", "emails", "email", true},
	  {"rfc822_name", "emails", "email", true},
	  {"user_principal_name", "user_principal_names", "upn", true},
	  {"user_principal_names", "user_principal_names", "upn", true},
	  {"upn", "user_principal_names", "upn", true},
	  {"dns_name", "dns_names", "dns", true},
	  {"dns_names", "dns_names", "dns", true},
	  {"uri", "uris", "uri", true},
	  {"uris", "uris", "uri", true},
	  {"uniform_resource_identifier", "uris", "uri", true},
	  {"ip_address", "ip_addresses", NULL, true},
	  {"ip_addresses", "ip_addresses", NULL, true},
	  {"registered_id", "registered_ids", NULL, true},
	  {"registered_ids", "registered_ids", NULL, true},
	  {"directory_name", "directory_name", NULL, false},
	  {"guid", "guid", NULL, true},
	  {"other_name_guid", "guid", NULL, true},
};

static const struct field_name *find(
	const struct field_name *names, size_t count, const char *name, bool by_request)
{
	for (size_t i = 0; name && i < count; i++) {
		const char *known = by_request ? names[i].request : names[i].profile;
		if (by_request ? strcmp(known, name) == 0 : strcasecmp(known, name) == 0)
			return &names[i];
	}
	return NULL;
}

/* --- profiles --- */

/* The value of "sources" or "source": an object, or the first of an array. */
static const json_t *source_of(const json_t *attribute)
{
	const json_t *sources = json_object_get(attribute, "sources");

	if (!sources)
		sources = json_object_get(attribute, "source");
	return json_is_array(sources) ? json_array_get(sources, 0) : sources;
}

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* Spellings of the API's sources are not documented but for FIXED_VALUE. */
static void read_source(struct authority_field *field, const json_t *attribute)
{
	const json_t *entry = source_of(attribute);
	const char *source = text_of(entry, "source");
	const char *value = text_of(entry, "value");

	if (!source)
		source = json_string_value(entry);
	if (source && strcasecmp(source, "FIXED_VALUE") == 0)
		field->fixed = xstrdup(value ? value : "");
	else if (source && strcasestr(source, "CSR"))
		field->is_from_request = true;
	if (json_is_true(json_object_get(entry, "mandatory")))
		field->is_required = true;
}

static void read_attribute(struct authority_profile *profile, const json_t *attribute, bool is_san)
{
	const char *type = text_of(attribute, "type");
	const char *part = is_san ? SAN : SUBJECT;
	const struct field_name *known =
		is_san ? find(san_names, ARRAY_SIZE(san_names), type, false)
		       : find(subject_names, ARRAY_SIZE(subject_names), type, false);

	if (!type)
		return;
	_cleanup_free_ char *name = xasprintf("%s.%s", part, known ? known->request : type);
	if (authority_profile_field(profile, name))
		return;
	struct authority_field *field = authority_profile_add_field(profile, name);
	field->is_required = json_is_true(json_object_get(attribute, "mandatory"));
	field->is_multiple = json_is_true(json_object_get(attribute, "multiple"));
	read_source(field, attribute);
	if (known && !field->fixed)
		*(is_san ? &field->san_type : &field->subject_type) = known->type;
	if (!known && field->is_required && !field->fixed)
		authority_profile_refuse(
			profile, "it requires %s, which Tessera does not know", name);
	if (is_san && field->is_required && field->is_from_request)
		authority_profile_refuse(profile,
			"it takes %s from the certificate request, which has none: let "
			"the REST request give it",
			name);
}

static void read_attributes(
	struct authority_profile *profile, const json_t *attributes, bool is_san)
{
	const json_t *attribute;
	size_t index;

	json_array_foreach(attributes, index, attribute)
	{
		read_attribute(profile, attribute, is_san);
	}
}

void digicert_one_read_fields(struct authority_profile *profile, const json_t *json)
{
	const json_t *certificate = json_object_get(json, CERT_KEY);
	const json_t *subject = json_object_get(certificate, "subject");
	const json_t *san = json_object_get(json_object_get(certificate, "extensions"), "san");
	struct authority_field *seat = authority_profile_add_field(profile, SEAT_ID);

	seat->is_required = true;
	read_attributes(profile, json_object_get(subject, "attributes"), false);
	read_attributes(profile, json_object_get(san, "attributes"), true);
}

/* --- requests --- */

/* The member object, made when it is not there. */
static json_t *inside(json_t *object, const char *member)
{
	json_t *found = json_object_get(object, member);

	if (found)
		return found;
	json_object_set_new(object, member, json_object());
	return json_object_get(object, member);
}

static void put_value(json_t *object, const struct field_name *name, const char *value)
{
	json_t *list;

	if (!name->is_list) {
		json_object_set_new(object, name->request, json_string(value));
		return;
	}
	list = json_object_get(object, name->request);
	if (!list) {
		json_object_set_new(object, name->request, json_array());
		list = json_object_get(object, name->request);
	}
	json_array_append_new(list, json_string(value));
}

static bool put_seat(json_t *body, const char *member, const char *value)
{
	static const char *const members[][2] = {
		{"id", "seat_id"}, {"email", "email"}, {"name", "seat_name"}};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (strcmp(members[i][0], member) == 0)
			return json_object_set_new(
				       inside(body, SEAT), members[i][1], json_string(value)) == 0;
	}
	return false;
}

bool digicert_one_put(json_t *body, const char *field, const char *value)
{
	const char *dot = strchr(field, '.');
	const struct field_name *name;

	if (!dot)
		return false;
	_cleanup_free_ char *part = xasprintf("%.*s", (int)(dot - field), field);
	if (strcmp(part, SEAT) == 0)
		return put_seat(body, dot + 1, value);
	json_t *attributes = inside(body, "attributes");
	if (strcmp(part, SUBJECT) == 0) {
		name = find(subject_names, ARRAY_SIZE(subject_names), dot + 1, true);
		if (name)
			put_value(inside(attributes, SUBJECT), name, value);
		return name != NULL;
	}
	name = strcmp(part, SAN) == 0 ? find(san_names, ARRAY_SIZE(san_names), dot + 1, true)
				      : NULL;
	if (!name)
		return false;
	json_t *san = inside(inside(attributes, "extensions"), SAN);
	put_value(
		strcmp(name->request, "guid") == 0 ? inside(san, "other_names") : san, name, value);
	return true;
}

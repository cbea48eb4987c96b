/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kept list of profiles as text. */
#include <string.h>

#include "authority/profile.h"
#include "common/alloc.h"
#include "model/document.h"

static json_t *field_to_json(const struct authority_field *field)
{
	return json_pack("{s:s, s:b, s:b, s:b, s:s*, s:s*, s:s*}", "name", field->name, "required",
		field->is_required, "multiple", field->is_multiple, "from-request",
		field->is_from_request, "fixed", field->fixed, "subject-type", field->subject_type,
		"san-type", field->san_type);
}

static json_t *profile_to_json(const struct authority_profile *profile)
{
	json_t *fields = json_array();

	for (size_t i = 0; i < profile->field_count; i++)
		json_array_append_new(fields, field_to_json(&profile->fields[i]));
	return json_pack("{s:s, s:s, s:b, s:s, s:o, s:O*}", "id", profile->id, "name",
		profile->name, "usable", profile->is_usable, "reason", profile->reason, "fields",
		fields, "settings", profile->settings);
}

char *authority_profiles_text(const struct authority_profiles *profiles)
{
	json_t *list = json_array();

	for (size_t i = 0; i < profiles->count; i++)
		json_array_append_new(list, profile_to_json(&profiles->items[i]));
	char *text = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	return text;
}

/* The types that templates have; these strings stay for good, as the fields only point to them. */
static const char *known_type(const char *type)
{
	static const char *const types[] = {"CN", "O", "OU", "C", "L", "ST", "serialNumber", "UID",
		"DC", "emailAddress", "GN", "SN", "email", "upn", "dns", "uri"};

	for (size_t i = 0; type && i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i], type) == 0)
			return types[i];
	}
	return NULL;
}

static bool read_field(struct authority_profile *profile, json_t *value)
{
	const char *name, *fixed = NULL, *subject_type = NULL, *san_type = NULL;
	int required, multiple, from_request;

	if (json_unpack(value, "{s:s, s:b, s:b, s:b, s?s, s?s, s?s}", "name", &name, "required",
		    &required, "multiple", &multiple, "from-request", &from_request, "fixed",
		    &fixed, "subject-type", &subject_type, "san-type", &san_type) != 0)
		return false;
	struct authority_field *field = authority_profile_add_field(profile, name);
	field->is_required = required;
	field->is_multiple = multiple;
	field->is_from_request = from_request;
	field->fixed = xstrdup(fixed);
	field->subject_type = known_type(subject_type);
	field->san_type = known_type(san_type);
	return true;
}

static bool read_profile(struct authority_profiles *profiles, json_t *value)
{
	const char *id, *name, *reason;
	json_t *fields, *settings = NULL, *field;
	int usable;
	size_t index;

	if (json_unpack(value, "{s:s, s:s, s:b, s:s, s:o, s?o}", "id", &id, "name", &name, "usable",
		    &usable, "reason", &reason, "fields", &fields, "settings", &settings) != 0)
		return false;
	struct authority_profile *profile = authority_profiles_add(profiles, id, name);
	profile->is_usable = usable;
	free(profile->reason);
	profile->reason = xstrdup(reason);
	profile->settings = json_incref(settings);
	json_array_foreach(fields, index, field)
	{
		if (!read_field(profile, field))
			return false;
	}
	return true;
}

bool authority_profiles_parse(
	struct authority_profiles *profiles, const struct buffer *text, struct error *error)
{
	json_t *list _cleanup_json_ = json_loadb((const char *)text->data, text->length, 0, NULL);
	bool good = json_is_array(list);
	json_t *value;
	size_t index;

	json_array_foreach(list, index, value)
	{
		good = good && read_profile(profiles, value);
	}
	return good || error_set(error, ERROR_STORE_FAILED,
			       "the kept list of profiles is damaged: fetch it again");
}

/* --- as a step of a test --- */

static size_t count_usable(const struct authority_profiles *profiles)
{
	size_t count = 0;

	for (size_t i = 0; i < profiles->count; i++)
		count += profiles->items[i].is_usable;
	return count;
}

bool authority_profiles_step(const struct authority_profiles *profiles, const char *connection,
	struct connection_steps *steps)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	size_t usable = count_usable(profiles);

	if (usable > 0) {
		connection_step_passed(steps, "profiles", "%zu of %zu profiles can be used", usable,
			profiles->count);
		return true;
	}
	error_set(&error, ERROR_AUTHORITY_FAILED,
		"none of %zu profiles can be used: see tessera connection profiles %s "
		"--update for the reasons",
		profiles->count, connection);
	return connection_step_failed(steps, "profiles", &error);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/mapping.h"

#include <string.h>

#include "connection/settings.h"
#include "common/alloc.h"
#include "model/holder.h"
#include "model/template.h"

#define PROFILE_NAME_MAX 128
#define PROFILES_MAX	 64
#define FIELDS_MAX	 64

#define VALIDITY_DAYS_MAX 10957 /* 30 years */

static void mapping_clear(struct mapping *mapping)
{
	for (size_t i = 0; i < mapping->count; i++) {
		free(mapping->fillings[i].field);
		free(mapping->fillings[i].pattern);
		free(mapping->fillings[i].prompt);
	}
	free(mapping->fillings);
	free(mapping->profile);
	free(mapping->oid);
	json_decref(mapping->purposes);
}

void mappings_clear(struct mappings *mappings)
{
	for (size_t i = 0; i < mappings->count; i++)
		mapping_clear(&mappings->items[i]);
	free(mappings->items);
	*mappings = (struct mappings){0};
}

const struct mapping *mapping_find(
	const struct mappings *mappings, const struct authority_profile *profile)
{
	for (size_t i = 0; i < mappings->count; i++) {
		const char *name = mappings->items[i].profile;
		if (strcmp(name, profile->id) == 0 || strcmp(name, profile->name) == 0)
			return &mappings->items[i];
	}
	return NULL;
}

/* --- reading --- */

/* {"prompt": "Badge number", "field": "badge"} */
static bool read_prompt(
	const struct document_node *node, struct filling *filling, struct error *error)
{
	static const char *const members[] = {"prompt", "field"};
	struct document_node prompt, field;
	const char *question, *name;

	if (!document_check_members(node, members, ARRAY_SIZE(members), error) ||
		!document_member(node, "prompt", &prompt, error) ||
		!document_string(&prompt, 1, SETTINGS_TEXT_MAX, &question, error) ||
		!document_member(node, "field", &field, error) ||
		!document_string(&field, 1, FIELD_NAME_MAXIMUM, &name, error))
		return false;
	if (!field_name_is_valid(name, strlen(name)))
		return document_fail(&field, error, "the name of a holder's field is expected");
	filling->prompt = xstrdup(question);
	filling->pattern = xasprintf("{%s}", name);
	return true;
}

static bool read_filling(
	const struct document_node *node, struct filling *filling, struct error *error)
{
	const char *pattern, *why;

	if (json_is_object(node->value))
		return read_prompt(node, filling, error);
	if (!document_string(node, 1, SETTINGS_TEXT_MAX, &pattern, error))
		return false;
	if (!pattern_check(pattern, &why))
		return document_fail(node, error, "%s", why);
	filling->pattern = xstrdup(pattern);
	return true;
}

static bool read_fields(const struct document_node *fields, const struct mapping_kind *kind,
	struct mapping *mapping, struct error *error)
{
	const char *name;
	json_t *value;

	if (!json_is_object(fields->value) || json_object_size(fields->value) > FIELDS_MAX)
		return document_fail(
			fields, error, "an object of at most %d fields is expected", FIELDS_MAX);
	mapping->fillings =
		xcalloc(json_object_size(fields->value) + 1, sizeof(*mapping->fillings));
	json_object_foreach(fields->value, name, value)
	{
		struct document_node node = document_child(fields, name, value);
		if (!kind->is_field(name))
			return document_fail(&node, error,
				"no request has such a field: see tessera connection fields");
		struct filling *filling = &mapping->fillings[mapping->count++];
		filling->field = xstrdup(name);
		if (!read_filling(&node, filling, error))
			return false;
	}
	return true;
}

static bool read_mapping(const struct document_node *node, const struct mapping_kind *kind,
	struct mapping *mapping, struct error *error)
{
	struct document_node fields;

	if (!document_check_members(node, kind->members, kind->member_count, error))
		return false;
	if (document_find(node, "fields", &fields) && !read_fields(&fields, kind, mapping, error))
		return false;
	return kind->read(node, mapping, error);
}

bool mapping_read_days(
	const struct document_node *node, struct mapping *mapping, struct error *error)
{
	struct document_node days;

	return !document_find(node, "validity-days", &days) ||
	       document_integer(&days, 1, VALIDITY_DAYS_MAX, &mapping->validity_days, error);
}

bool mappings_read(const struct document_node *root, const struct mapping_kind *kind,
	struct mappings *mappings, struct error *error)
{
	struct document_node profiles;
	const char *name;
	json_t *value;

	if (!document_find(root, "profiles", &profiles))
		return true;
	if (!json_is_object(profiles.value) || json_object_size(profiles.value) > PROFILES_MAX)
		return document_fail(&profiles, error,
			"an object of at most %d profiles is expected", PROFILES_MAX);
	mappings->items = xcalloc(json_object_size(profiles.value) + 1, sizeof(*mappings->items));
	json_object_foreach(profiles.value, name, value)
	{
		struct document_node node = document_child(&profiles, name, value);
		if (strlen(name) == 0 || strlen(name) > PROFILE_NAME_MAX)
			return document_fail(&node, error, "a profile's name has 1 to %d bytes",
				PROFILE_NAME_MAX);
		struct mapping *mapping = &mappings->items[mappings->count++];
		mapping->profile = xstrdup(name);
		if (!read_mapping(&node, kind, mapping, error))
			return false;
	}
	return true;
}

/* --- filling --- */

void profile_fill(struct authority_profile *profile, const char *name, const char *pattern,
	const char *prompt)
{
	struct authority_field *field = authority_profile_field(profile, name);

	if (!field)
		field = authority_profile_add_field(profile, name);
	free(field->pattern);
	free(field->prompt);
	field->pattern = xstrdup(pattern);
	field->prompt = xstrdup(prompt);
}

void mapping_fill(const struct mapping *mapping, struct authority_profile *profile)
{
	for (size_t i = 0; i < mapping->count; i++)
		profile_fill(profile, mapping->fillings[i].field, mapping->fillings[i].pattern,
			mapping->fillings[i].prompt);
}

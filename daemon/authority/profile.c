/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/profile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"

static void field_clear(struct authority_field *field)
{
	free(field->name);
	free(field->fixed);
	free(field->pattern);
	free(field->prompt);
}

void authority_profile_clear(struct authority_profile *profile)
{
	for (size_t i = 0; i < profile->field_count; i++)
		field_clear(&profile->fields[i]);
	free(profile->fields);
	free(profile->id);
	free(profile->name);
	free(profile->reason);
	json_decref(profile->settings);
	*profile = (struct authority_profile){0};
}

void authority_profiles_clear(struct authority_profiles *profiles)
{
	for (size_t i = 0; i < profiles->count; i++)
		authority_profile_clear(&profiles->items[i]);
	free(profiles->items);
	*profiles = (struct authority_profiles)AUTHORITY_PROFILES_INIT;
}

struct authority_profile *authority_profiles_add(
	struct authority_profiles *profiles, const char *id, const char *name)
{
	profiles->items =
		xreallocarray(profiles->items, profiles->count + 1, sizeof(*profiles->items));
	struct authority_profile *profile = &profiles->items[profiles->count++];
	*profile = (struct authority_profile){
		.id = xstrdup(id), .name = xstrdup(name), .is_usable = true, .reason = xstrdup("")};
	return profile;
}

void authority_profile_refuse(struct authority_profile *profile, const char *format, ...)
{
	va_list arguments;

	if (!profile->is_usable)
		return;
	va_start(arguments, format);
	char *reason = xvasprintf(format, arguments);
	va_end(arguments);
	profile->is_usable = false;
	free(profile->reason);
	profile->reason = reason;
}

struct authority_field *authority_profile_add_field(
	struct authority_profile *profile, const char *name)
{
	profile->fields =
		xreallocarray(profile->fields, profile->field_count + 1, sizeof(*profile->fields));
	struct authority_field *field = &profile->fields[profile->field_count++];
	*field = (struct authority_field){.name = xstrdup(name)};
	return field;
}

struct authority_field *authority_profile_field(
	const struct authority_profile *profile, const char *name)
{
	for (size_t i = 0; i < profile->field_count; i++) {
		if (strcmp(profile->fields[i].name, name) == 0)
			return &profile->fields[i];
	}
	return NULL;
}

/* --- finding --- */

static const struct authority_profile *find_by_name(
	const struct authority_profiles *profiles, const char *name, bool usable, size_t *count)
{
	const struct authority_profile *found = NULL;

	*count = 0;
	for (size_t i = 0; i < profiles->count; i++) {
		const struct authority_profile *profile = &profiles->items[i];
		if (profile->is_usable != usable || strcmp(profile->name, name) != 0)
			continue;
		found = profile;
		(*count)++;
	}
	return found;
}

static const struct authority_profile *find_by_id(
	const struct authority_profiles *profiles, const char *id)
{
	for (size_t i = 0; i < profiles->count; i++) {
		if (strcmp(profiles->items[i].id, id) == 0)
			return &profiles->items[i];
	}
	return NULL;
}

const struct authority_profile *authority_profiles_find(
	const struct authority_profiles *profiles, const char *name, struct error *error)
{
	size_t usable, unusable;
	const struct authority_profile *found = find_by_id(profiles, name);

	if (!found)
		found = find_by_name(profiles, name, true, &usable);
	else
		usable = found->is_usable;
	if (!found)
		found = find_by_name(profiles, name, false, &unusable);
	if (!found) {
		error_set(error, ERROR_NOT_FOUND, "there is no profile \"%s\"", name);
		return NULL;
	}
	if (usable == 1)
		return found;
	if (usable > 1)
		error_set(error, ERROR_NOT_FOUND,
			"%zu profiles are called \"%s\": name one by its id (%s)", usable, name,
			found->id);
	else
		error_set(error, ERROR_NOT_SUPPORTED, "the profile \"%s\" cannot be used: %s", name,
			found->reason);
	return NULL;
}

/* --- filling fields --- */

static const char *find_rule(const struct name_rule *rules, size_t count, const char *type)
{
	for (size_t i = 0; type && i < count; i++) {
		if (strcmp(rules[i].type, type) == 0)
			return rules[i].pattern;
	}
	return NULL;
}

const char *authority_field_pattern(
	const struct authority_field *field, const struct template_key *key)
{
	const char *pattern = field->pattern;

	if (!pattern)
		pattern = find_rule(key->subject, key->subject_count, field->subject_type);
	return pattern ? pattern : find_rule(key->san, key->san_count, field->san_type);
}

static bool has_place(const struct authority_profile *profile, const char *type, bool is_san)
{
	for (size_t i = 0; i < profile->field_count; i++) {
		const struct authority_field *field = &profile->fields[i];
		const char *takes = is_san ? field->san_type : field->subject_type;
		if (takes && strcmp(takes, type) == 0)
			return true;
	}
	return false;
}

static bool check_places(const struct authority_profile *profile, const struct name_rule *rules,
	size_t count, bool is_san, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		if (!has_place(profile, rules[i].type, is_san))
			return error_set(error, ERROR_INVALID_TEMPLATE,
				"the profile \"%s\" has no place for %s in the %s: leave it out",
				profile->name, rules[i].type, is_san ? "san" : "subject");
	}
	return true;
}

bool authority_profile_check(const struct authority_profile *profile,
	const struct template_key *key, struct error *error)
{
	for (size_t i = 0; i < profile->field_count; i++) {
		const struct authority_field *field = &profile->fields[i];
		if (field->is_required && !field->fixed && !authority_field_pattern(field, key))
			return error_set(error, ERROR_INVALID_TEMPLATE,
				"the profile \"%s\" requires %s, which nothing fills: see tessera "
				"connection fields %s \"%s\"",
				profile->name, field->name, key->authority, profile->name);
	}
	/* Authorities that say nothing of fields take whatever names there are. */
	return profile->field_count == 0 ||
	       (check_places(profile, key->subject, key->subject_count, false, error) &&
		       check_places(profile, key->san, key->san_count, true, error));
}

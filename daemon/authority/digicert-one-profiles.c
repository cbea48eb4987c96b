/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The profiles that the API lists. */
#include <string.h>
#include <strings.h>

#include "authority/digicert-one-private.h"
#include "authority/issued.h"
#include "common/alloc.h"

#define PATH	  "/profile"
#define PAGES_MAX 100

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* --- one profile --- */

/* What a profile that can be used has to say; what it does not say is taken as it should be. */
static const struct {
	const char *member, *wanted, *reason;
} conditions[] = {
	{"status", "Active", "it is not active"},
	{"enrollment_method", "rest_api", "its enrollment method is not REST API"},
	{"authentication_method", "third_party_app",
		"its authentication method is not third-party app"},
};

static void check_usable(struct authority_profile *profile, const json_t *json,
	const struct digicert_one_settings *settings)
{
	const char *unit = text_of(json, "business_unit_id");

	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
		const char *value = text_of(json, conditions[i].member);
		if (value && strcasecmp(value, conditions[i].wanted) != 0)
			authority_profile_refuse(
				profile, "%s (%.64s)", conditions[i].reason, value);
	}
	if (unit && settings->business_unit && strcasecmp(unit, settings->business_unit) != 0)
		authority_profile_refuse(
			profile, "it belongs to another business unit (%.64s)", unit);
}

/* "2048" */
static json_int_t key_bits(const json_t *json)
{
	const json_t *attributes = json_object_get(json, "private_key_attributes");
	const char *size = text_of(attributes, "key_size");

	return size ? strtol(size, NULL, 10) : 0;
}

static void read_settings(struct authority_profile *profile, const json_t *json)
{
	const json_t *issuer = json_object_get(json_object_get(json, "certificate"), "issuer");

	profile->settings = json_pack("{s:b, s:I, s:I, s:s*}", "override-validity",
		json_is_true(json_object_get(json, "override_cert_validity_via_api")),
		"renewal-days", json_integer_value(json_object_get(json, "renewal_period_days")),
		"key-bits", key_bits(json), ISSUED_ISSUER, text_of(issuer, "certificate"));
}

/* A list may hold little of each: the profile itself is asked for then. */
static bool complete(
	struct authority *authority, const char *id, json_t **json, struct error *error)
{
	_cleanup_reply_ struct digicert_one_reply reply = {0};

	if (json_is_object(json_object_get(*json, "certificate")))
		return true;
	_cleanup_free_ char *escaped = http_escape(id);
	_cleanup_free_ char *path = xasprintf(PATH "/%s", escaped);
	if (!digicert_one_call(authority, HTTP_GET, path, NULL, &reply, error) ||
		!digicert_one_need_object(&reply, error))
		return false;
	json_object_update(*json, reply.json);
	return true;
}

static bool add(struct authority *authority, struct authority_profiles *profiles, json_t *item,
	struct error *error)
{
	struct digicert_one *one = authority->data;
	const char *id = text_of(item, "id"), *name = text_of(item, "name");

	if (!id || !id[0])
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"DigiCert ONE lists a profile without an id");
	struct authority_profile *profile =
		authority_profiles_add(profiles, id, name && name[0] ? name : id);
	check_usable(profile, item, &one->settings);
	if (profile->is_usable && !complete(authority, profile->id, &item, error))
		return false;
	check_usable(profile, item, &one->settings);
	digicert_one_read_fields(profile, item);
	read_settings(profile, item);
	return true;
}

/* --- the list --- */

/* [...], [[...]] or {"items": [...]}; NULL for anything else. */
static json_t *items_of(json_t *json)
{
	json_t *items = json_is_object(json) ? json_object_get(json, "items") : json;

	if (json_is_array(items) && json_is_array(json_array_get(items, 0)))
		items = json_array_get(items, 0);
	return json_is_array(items) ? items : NULL;
}

/* Adds one page; *next: where the next one begins, 0 at the end. */
static bool add_page(struct authority *authority, struct authority_profiles *profiles, json_t *json,
	size_t offset, size_t *next, struct error *error)
{
	json_t *items = items_of(json), *item;
	size_t total = (size_t)json_integer_value(json_object_get(json, "total")), index;

	if (!items)
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"DigiCert ONE's list of profiles is not one");
	json_array_foreach(items, index, item)
	{
		if (!add(authority, profiles, item, error))
			return false;
	}
	size_t end = offset + json_array_size(items);
	*next = json_array_size(items) > 0 && end < total ? end : 0;
	return true;
}

bool digicert_one_fetch(
	struct authority *authority, struct authority_profiles *profiles, struct error *error)
{
	size_t next = 0;

	for (size_t page = 0; page < PAGES_MAX; page++) {
		_cleanup_reply_ struct digicert_one_reply reply = {0};
		_cleanup_free_ char *path =
			next ? xasprintf(PATH "?offset=%zu&limit=100", next) : xstrdup(PATH);
		if (!digicert_one_call(authority, HTTP_GET, path, NULL, &reply, error))
			return false;
		if (!reply.json)
			return digicert_one_need_object(&reply, error);
		if (!add_page(authority, profiles, reply.json, next, &next, error))
			return false;
		if (next == 0)
			return true;
	}
	return error_set(
		error, ERROR_AUTHORITY_FAILED, "DigiCert ONE's list of profiles does not end");
}

/* --- what the document fills in --- */

static void fill_profile(
	struct authority_profile *profile, const struct digicert_one_settings *settings)
{
	const struct mapping *mapping = mapping_find(&settings->mappings, profile);

	profile_fill(profile, "seat.id", settings->seat_id, NULL);
	if (settings->seat_email)
		profile_fill(profile, "seat.email", settings->seat_email, NULL);
	if (settings->seat_name)
		profile_fill(profile, "seat.name", settings->seat_name, NULL);
	if (mapping)
		mapping_fill(mapping, profile);
}

bool digicert_one_profiles(
	struct authority *authority, struct authority_profiles *profiles, struct error *error)
{
	struct digicert_one *one = authority->data;

	if (!authority_kept_profiles(authority, profiles, error))
		return false;
	for (size_t i = 0; i < profiles->count; i++)
		fill_profile(&profiles->items[i], &one->settings);
	return true;
}

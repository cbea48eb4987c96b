/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection document of DigiCert ONE. */
#include <string.h>

#include "authority/digicert-one-private.h"
#include "authority/revocation-check.h"
#include "common/alloc.h"
#include "model/holder.h"
#include "model/template.h"

#define API_PATH	  "/mpki/api/v1"
#define SCHEME		  "https://"
#define CERTIFICATE_HOST  "clientauth."
#define SEAT_ID_DEFAULT	  "{email}"
#define TEXT_MAX	  1024
#define PROFILE_NAME_MAX  128
#define PROFILES_MAX	  64
#define FIELDS_MAX	  64
#define SECONDS_MAX	  600
#define SECONDS_TIMEOUT	  60
#define SECONDS_RETRY	  60
#define SECONDS_PICKUP	  30
#define VALIDITY_DAYS_MAX 10957 /* 30 years */

static const char *authentication_at(size_t index)
{
	static const char *const names[] = {"api-key", "client-certificate"};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

static const char *seat_type_at(size_t index)
{
	static const char *const names[] = {"USER_SEAT", "DEVICE_SEAT", "SERVER_SEAT"};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

static void mapping_clear(struct digicert_one_mapping *mapping)
{
	for (size_t i = 0; i < mapping->count; i++) {
		free(mapping->fillings[i].field);
		free(mapping->fillings[i].pattern);
		free(mapping->fillings[i].prompt);
	}
	free(mapping->fillings);
	free(mapping->profile);
}

void digicert_one_settings_clear(struct digicert_one_settings *settings)
{
	for (size_t i = 0; i < settings->mapping_count; i++)
		mapping_clear(&settings->mappings[i]);
	free(settings->mappings);
	free(settings->base);
	free(settings->host);
	free(settings->ca_file);
	free(settings->client_key);
	free(settings->business_unit);
	free(settings->seat_id);
	free(settings->seat_email);
	free(settings->seat_name);
	free(settings->seat_type);
	revocation_settings_clear(&settings->revocation);
	*settings = (struct digicert_one_settings){0};
}

const struct digicert_one_mapping *digicert_one_mapping_find(
	const struct digicert_one_settings *settings, const struct authority_profile *profile)
{
	for (size_t i = 0; i < settings->mapping_count; i++) {
		const char *name = settings->mappings[i].profile;
		if (strcmp(name, profile->id) == 0 || strcmp(name, profile->name) == 0)
			return &settings->mappings[i];
	}
	return NULL;
}

/* --- pieces --- */

/* An optional text, copied; *text stays as it is without one. */
static bool read_text(
	const struct document_node *object, const char *member, char **text, struct error *error)
{
	struct document_node node;
	const char *value;

	if (!document_find(object, member, &node))
		return true;
	if (!document_string(&node, 1, TEXT_MAX, &value, error))
		return false;
	free(*text);
	*text = xstrdup(value);
	return true;
}

static bool read_pattern(
	const struct document_node *object, const char *member, char **pattern, struct error *error)
{
	struct document_node node;
	const char *why;

	if (!read_text(object, member, pattern, error))
		return false;
	return !document_find(object, member, &node) || pattern_check(*pattern, &why) ||
	       document_fail(&node, error, "%s", why);
}

static bool read_seconds(const struct document_node *root, const char *member, int64_t minimum,
	int64_t fallback, int64_t *seconds, struct error *error)
{
	struct document_node node;

	*seconds = fallback;
	return !document_find(root, member, &node) ||
	       document_integer(&node, minimum, SECONDS_MAX, seconds, error);
}

/* --- the address --- */

/* Host and port, with nothing of a user, a path or a query. */
static bool is_host(const char *host, size_t length)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";

	return length > 0 && length <= 255 && strspn(host, allowed) >= length;
}

static bool read_url(const struct document_node *root, struct digicert_one_settings *settings,
	struct error *error)
{
	struct document_node node;
	const char *url;

	if (!document_member(root, "url", &node, error) ||
		!document_string(&node, 1, TEXT_MAX, &url, error))
		return false;
	const char *host = url + strlen(SCHEME);
	if (strncmp(url, SCHEME, strlen(SCHEME)) != 0)
		return document_fail(&node, error, "an address with https:// is expected");
	size_t length = strcspn(host, "/?#");
	const char *rest = host + length;
	if (!is_host(host, length) || strspn(rest, "/") != strlen(rest))
		return document_fail(&node, error,
			"https:// and a host are expected, and nothing behind it: the rest of the "
			"address is the same everywhere");
	bool has_prefix = strncmp(host, CERTIFICATE_HOST, strlen(CERTIFICATE_HOST)) == 0;
	const char *prefix = settings->by_certificate && !has_prefix ? CERTIFICATE_HOST : "";
	settings->host = xasprintf("%s%.*s", prefix, (int)length, host);
	settings->base = xasprintf(SCHEME "%s" API_PATH, settings->host);
	return true;
}

static bool read_ca_file(const struct document_node *root, struct digicert_one_settings *settings,
	struct error *error)
{
	struct document_node node;

	if (!read_text(root, "ca-file", &settings->ca_file, error))
		return false;
	return !document_find(root, "ca-file", &node) || settings->ca_file[0] == '/' ||
	       document_fail(&node, error, "a path with / at its beginning is expected");
}

static bool read_authentication(const struct document_node *root,
	struct digicert_one_settings *settings, struct error *error)
{
	struct document_node node;
	size_t choice = 0;

	if (document_find(root, "authentication", &node) &&
		!document_choice(&node, authentication_at, &choice, error))
		return false;
	settings->by_certificate = choice == 1;
	if (!read_text(root, "client-key", &settings->client_key, error))
		return false;
	if (settings->client_key && !document_find(root, "client-key", &node))
		return false;
	if (settings->client_key && !settings->by_certificate)
		return document_fail(&node, error,
			"this goes with \"authentication\": \"client-certificate\" only");
	if (settings->client_key && strncmp(settings->client_key, "pkcs11:", 7) != 0)
		return document_fail(
			&node, error, "a URI like pkcs11:token=LABEL;object=LABEL is expected");
	return read_url(root, settings, error) && read_ca_file(root, settings, error);
}

/* --- seats --- */

static bool read_seat_object(const struct document_node *seat,
	struct digicert_one_settings *settings, struct error *error)
{
	static const char *const members[] = {"id", "email", "name", "type", "create"};
	struct document_node node;
	size_t choice;

	if (!document_check_members(seat, members, ARRAY_SIZE(members), error) ||
		!read_pattern(seat, "id", &settings->seat_id, error) ||
		!read_pattern(seat, "email", &settings->seat_email, error) ||
		!read_pattern(seat, "name", &settings->seat_name, error))
		return false;
	if (document_find(seat, "type", &node)) {
		if (!document_choice(&node, seat_type_at, &choice, error))
			return false;
		free(settings->seat_type);
		settings->seat_type = xstrdup(seat_type_at(choice));
	}
	return !document_find(seat, "create", &node) ||
	       document_boolean(&node, &settings->create_seats, error);
}

static bool read_seat(const struct document_node *root, struct digicert_one_settings *settings,
	struct error *error)
{
	struct document_node seat;

	settings->seat_id = xstrdup(SEAT_ID_DEFAULT);
	settings->seat_type = xstrdup(seat_type_at(0));
	return !document_find(root, "seat", &seat) || read_seat_object(&seat, settings, error);
}

/* --- profiles --- */

/* {"prompt": "Badge number", "field": "badge"} */
static bool read_prompt(
	const struct document_node *node, struct digicert_one_filling *filling, struct error *error)
{
	static const char *const members[] = {"prompt", "field"};
	struct document_node prompt, field;
	const char *question, *name;

	if (!document_check_members(node, members, ARRAY_SIZE(members), error) ||
		!document_member(node, "prompt", &prompt, error) ||
		!document_string(&prompt, 1, TEXT_MAX, &question, error) ||
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
	const struct document_node *node, struct digicert_one_filling *filling, struct error *error)
{
	const char *pattern, *why;

	if (json_is_object(node->value))
		return read_prompt(node, filling, error);
	if (!document_string(node, 1, TEXT_MAX, &pattern, error))
		return false;
	if (!pattern_check(pattern, &why))
		return document_fail(node, error, "%s", why);
	filling->pattern = xstrdup(pattern);
	return true;
}

static bool read_fields(const struct document_node *fields, struct digicert_one_mapping *mapping,
	struct error *error)
{
	json_t *scratch _cleanup_json_ = json_object();
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
		if (!digicert_one_put(scratch, name, ""))
			return document_fail(&node, error,
				"no request has such a field: see tessera connection fields");
		struct digicert_one_filling *filling = &mapping->fillings[mapping->count++];
		filling->field = xstrdup(name);
		if (!read_filling(&node, filling, error))
			return false;
	}
	return true;
}

static bool read_mapping(
	const struct document_node *node, struct digicert_one_mapping *mapping, struct error *error)
{
	static const char *const members[] = {"fields", "validity-days"};
	struct document_node member;

	if (!document_check_members(node, members, ARRAY_SIZE(members), error))
		return false;
	if (document_find(node, "fields", &member) && !read_fields(&member, mapping, error))
		return false;
	return !document_find(node, "validity-days", &member) ||
	       document_integer(&member, 1, VALIDITY_DAYS_MAX, &mapping->validity_days, error);
}

static bool read_profiles(const struct document_node *root, struct digicert_one_settings *settings,
	struct error *error)
{
	struct document_node profiles;
	const char *name;
	json_t *value;

	if (!document_find(root, "profiles", &profiles))
		return true;
	if (!json_is_object(profiles.value) || json_object_size(profiles.value) > PROFILES_MAX)
		return document_fail(&profiles, error,
			"an object of at most %d profiles is expected", PROFILES_MAX);
	settings->mappings =
		xcalloc(json_object_size(profiles.value) + 1, sizeof(*settings->mappings));
	json_object_foreach(profiles.value, name, value)
	{
		struct document_node node = document_child(&profiles, name, value);
		if (strlen(name) == 0 || strlen(name) > PROFILE_NAME_MAX)
			return document_fail(&node, error, "a profile's name has 1 to %d bytes",
				PROFILE_NAME_MAX);
		struct digicert_one_mapping *mapping =
			&settings->mappings[settings->mapping_count++];
		mapping->profile = xstrdup(name);
		if (!read_mapping(&node, mapping, error))
			return false;
	}
	return true;
}

bool digicert_one_settings_parse(
	struct digicert_one_settings *settings, const char *document, struct error *error)
{
	static const char *const members[] = {"name", "kind", "comment", "url", "authentication",
		"client-key", "ca-file", "business-unit", "seat", "timeout-seconds",
		"retry-seconds", "pickup-seconds", "revocation-check", "profiles"};
	json_t *json _cleanup_json_ = document_load(document, ERROR_INVALID_CONNECTION, error);
	struct document_node root = document_root(json, ERROR_INVALID_CONNECTION);
	_cleanup_free_ char *comment = NULL;

	return json && document_check_members(&root, members, ARRAY_SIZE(members), error) &&
	       read_text(&root, "comment", &comment, error) &&
	       read_authentication(&root, settings, error) &&
	       read_text(&root, "business-unit", &settings->business_unit, error) &&
	       read_seat(&root, settings, error) &&
	       read_seconds(&root, "timeout-seconds", 1, SECONDS_TIMEOUT,
		       &settings->timeout_seconds, error) &&
	       read_seconds(
		       &root, "retry-seconds", 0, SECONDS_RETRY, &settings->retry_seconds, error) &&
	       read_seconds(&root, "pickup-seconds", 0, SECONDS_PICKUP, &settings->pickup_seconds,
		       error) &&
	       revocation_settings_read(&root, &settings->revocation, error) &&
	       read_profiles(&root, settings, error);
}

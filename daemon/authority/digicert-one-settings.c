/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection document of DigiCert ONE. */
#include <string.h>

#include "authority/digicert-one-private.h"
#include "authority/revocation-check.h"
#include "connection/settings.h"
#include "common/alloc.h"

#define API_PATH	 "/mpki/api/v1"
#define SCHEME		 "https://"
#define CERTIFICATE_HOST "clientauth."
#define SEAT_ID_DEFAULT	 "{email}"

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

void digicert_one_settings_clear(struct digicert_one_settings *settings)
{
	mappings_clear(&settings->mappings);
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

/* --- the address --- */

static bool read_url(const struct document_node *root, struct digicert_one_settings *settings,
	struct error *error)
{
	_cleanup_free_ char *host = settings_read_host(root, error);

	if (!host)
		return false;
	bool has_prefix = strncmp(host, CERTIFICATE_HOST, strlen(CERTIFICATE_HOST)) == 0;
	const char *prefix = settings->by_certificate && !has_prefix ? CERTIFICATE_HOST : "";
	settings->host = xasprintf("%s%s", prefix, host);
	settings->base = xasprintf(SCHEME "%s" API_PATH, settings->host);
	return true;
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
	return settings_read_client_key(
		       root, settings->by_certificate, &settings->client_key, error) &&
	       read_url(root, settings, error) &&
	       settings_read_path(root, "ca-file", &settings->ca_file, error);
}

/* --- seats --- */

static bool read_seat_object(const struct document_node *seat,
	struct digicert_one_settings *settings, struct error *error)
{
	static const char *const members[] = {"id", "email", "name", "type", "create"};
	struct document_node node;
	size_t choice;

	if (!document_check_members(seat, members, ARRAY_SIZE(members), error) ||
		!settings_read_pattern(seat, "id", &settings->seat_id, error) ||
		!settings_read_pattern(seat, "email", &settings->seat_email, error) ||
		!settings_read_pattern(seat, "name", &settings->seat_name, error))
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

/* As a request has it. */
static bool is_field(const char *name)
{
	json_t *scratch _cleanup_json_ = json_object();

	return digicert_one_put(scratch, name, "");
}

static bool read_profiles(const struct document_node *root, struct digicert_one_settings *settings,
	struct error *error)
{
	static const char *const members[] = {"fields", "validity-days"};
	static const struct mapping_kind kind = {
		members, ARRAY_SIZE(members), is_field, mapping_read_days};

	return mappings_read(root, &kind, &settings->mappings, error);
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
	       settings_read_text(&root, "comment", &comment, error) &&
	       read_authentication(&root, settings, error) &&
	       settings_read_text(&root, "business-unit", &settings->business_unit, error) &&
	       read_seat(&root, settings, error) &&
	       settings_read_times(&root, &settings->times, error) &&
	       revocation_settings_read(&root, &settings->revocation, error) &&
	       read_profiles(&root, settings, error);
}

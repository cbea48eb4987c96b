/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection document of PKI Platform 8. */
#include <string.h>

#include "authority/pki-platform-private.h"
#include "authority/revocation-check.h"
#include "common/alloc.h"

#define SERVICES	"/pki-ws/"
#define SEAT_ID_DEFAULT "{email}"

void pki_platform_settings_clear(struct pki_platform_settings *settings)
{
	mappings_clear(&settings->mappings);
	revocation_settings_clear(&settings->revocation);
	free(settings->base);
	free(settings->host);
	free(settings->ca_file);
	free(settings->client_key);
	free(settings->seat_id);
	*settings = (struct pki_platform_settings){0};
}

static bool read_url(const struct document_node *root, struct pki_platform_settings *settings,
	struct error *error)
{
	settings->host = settings_read_host(root, error);
	if (!settings->host)
		return false;
	settings->base = xasprintf("https://%s" SERVICES, settings->host);
	return true;
}

static bool read_seat(const struct document_node *root, struct pki_platform_settings *settings,
	struct error *error)
{
	static const char *const members[] = {"id"};
	struct document_node seat;

	settings->seat_id = xstrdup(SEAT_ID_DEFAULT);
	return !document_find(root, "seat", &seat) ||
	       (document_check_members(&seat, members, ARRAY_SIZE(members), error) &&
		       settings_read_pattern(&seat, "id", &settings->seat_id, error));
}

/* --- profiles --- */

static bool read_profiles(const struct document_node *root, struct pki_platform_settings *settings,
	struct error *error)
{
	static const char *const members[] = {"fields", "validity-days"};
	static const struct mapping_kind kind = {
		members, ARRAY_SIZE(members), pki_platform_is_field, mapping_read_days};

	return mappings_read(root, &kind, &settings->mappings, error);
}

bool pki_platform_settings_parse(
	struct pki_platform_settings *settings, const char *document, struct error *error)
{
	static const char *const members[] = {"name", "kind", "comment", "url", "client-key",
		"ca-file", "seat", "timeout-seconds", "retry-seconds", "pickup-seconds",
		"revocation-check", "profiles"};
	json_t *json _cleanup_json_ = document_load(document, ERROR_INVALID_CONNECTION, error);
	struct document_node root = document_root(json, ERROR_INVALID_CONNECTION);
	_cleanup_free_ char *comment = NULL;

	return json && document_check_members(&root, members, ARRAY_SIZE(members), error) &&
	       settings_read_text(&root, "comment", &comment, error) &&
	       read_url(&root, settings, error) &&
	       settings_read_client_key(&root, true, &settings->client_key, error) &&
	       settings_read_path(&root, "ca-file", &settings->ca_file, error) &&
	       read_seat(&root, settings, error) &&
	       settings_read_times(&root, &settings->times, error) &&
	       revocation_settings_read(&root, &settings->revocation, error) &&
	       read_profiles(&root, settings, error);
}

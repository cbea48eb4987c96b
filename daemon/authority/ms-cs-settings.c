/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection document of Microsoft CS. */
#include <string.h>

#include <openssl/objects.h>

#include "authority/ms-cs-private.h"
#include "authority/revocation-check.h"
#include "connection/settings.h"
#include "common/alloc.h"

#define ENDPOINTS_MAX	8
#define SECONDS_TIMEOUT 60
#define SECONDS_PICKUP	10

static const struct ms_cs_protocol *const protocols[] = {&ms_cs_ces, &ms_cs_web};

static const char *protocol_at(size_t index)
{
	return index < ARRAY_SIZE(protocols) ? protocols[index]->name : NULL;
}

static const char *authentication_at(size_t index)
{
	static const char *const names[] = {
		[MS_CS_PASSWORD] = "password",
		[MS_CS_CLIENT_CERTIFICATE] = "client-certificate",
		[MS_CS_KERBEROS] = "kerberos",
	};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

static const char *subject_at(size_t index)
{
	static const char *const names[] = {"directory", "request"};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

void ms_cs_endpoint_clear(struct ms_cs_endpoint *endpoint)
{
	free(endpoint->url);
	free(endpoint->host);
}

void ms_cs_settings_clear(struct ms_cs_settings *settings)
{
	for (size_t i = 0; i < settings->endpoint_count; i++)
		ms_cs_endpoint_clear(&settings->endpoints[i]);
	free(settings->endpoints);
	ms_cs_endpoint_clear(&settings->policy);
	mappings_clear(&settings->mappings);
	ms_cs_agent_settings_clear(&settings->agent);
	ms_cs_revocation_clear(&settings->revocation);
	kerberos_settings_clear(&settings->kerberos);
	revocation_settings_clear(&settings->revocation_check);
	free(settings->user);
	free(settings->client_key);
	free(settings->ca_file);
	free(settings->issuer_file);
	*settings = (struct ms_cs_settings){0};
}

/* --- addresses --- */

static bool read_endpoint(const struct document_node *node, const char *example,
	struct ms_cs_endpoint *endpoint, struct error *error)
{
	const char *url, *path;

	if (!document_string(node, 1, SETTINGS_TEXT_MAX, &url, error))
		return false;
	for (const char *c = url; *c; c++) {
		if (*c <= 0x20 || *c >= 0x7f)
			return document_fail(node, error,
				"spaces and characters that are not ASCII are written as %%20 and "
				"the like in an address");
	}
	endpoint->host = settings_host_of(url, &path);
	if (!endpoint->host || strlen(path) < 2)
		return document_fail(
			node, error, "the whole address with https:// is expected, as %s", example);
	endpoint->url = xstrdup(url);
	return true;
}

static bool read_protocol(
	const struct document_node *root, struct ms_cs_settings *settings, struct error *error)
{
	struct document_node node;
	size_t choice = 0;

	if (document_find(root, "protocol", &node) &&
		!document_choice(&node, protocol_at, &choice, error))
		return false;
	settings->protocol = protocols[choice];
	return true;
}

static bool read_policy_url(
	const struct document_node *root, struct ms_cs_settings *settings, struct error *error)
{
	struct document_node node;

	if (!document_find(root, "policy-url", &node))
		return true;
	if (!settings->protocol->has_policies)
		return document_fail(&node, error,
			"there is no policy service with \"protocol\": \"%s\": the certificate "
			"templates are listed in \"profiles\"",
			settings->protocol->name);
	return read_endpoint(&node, settings->protocol->example, &settings->policy, error);
}

/* One, or an array of them. */
static bool read_endpoints(
	const struct document_node *root, struct ms_cs_settings *settings, struct error *error)
{
	struct document_node node;
	size_t count = 1;

	if (!document_member(root, "url", &node, error))
		return false;
	bool is_array = json_is_array(node.value);
	if (is_array && !document_array(&node, 1, ENDPOINTS_MAX, &count, error))
		return false;
	settings->endpoints = xcalloc(count, sizeof(*settings->endpoints));
	while (settings->endpoint_count < count) {
		struct ms_cs_endpoint *endpoint = &settings->endpoints[settings->endpoint_count];
		struct document_node each =
			is_array ? document_at(&node, settings->endpoint_count) : node;
		settings->endpoint_count++;
		if (!read_endpoint(&each, settings->protocol->example, endpoint, error))
			return false;
	}
	return read_policy_url(root, settings, error);
}

/* --- authentication --- */

/* RFC 7617: what is before the first colon is the user. */
static bool check_user(const struct document_node *node, const struct ms_cs_settings *settings,
	struct error *error)
{
	for (const char *c = settings->user; *c; c++) {
		if (*c == ':' || (unsigned char)*c < 0x20 || *c == 0x7f)
			return document_fail(node, error,
				"the name of an account has neither colons nor control characters");
	}
	return true;
}

static bool read_user(
	const struct document_node *root, struct ms_cs_settings *settings, struct error *error)
{
	struct document_node node;
	bool is_there = document_find(root, "user", &node);

	if (settings->authentication == MS_CS_PASSWORD)
		return document_member(root, "user", &node, error) &&
		       settings_read_text(root, "user", &settings->user, error) &&
		       check_user(&node, settings, error);
	return !is_there ||
	       document_fail(&node, error, "this goes with \"authentication\": \"password\" only");
}

static bool read_authentication(
	const struct document_node *root, struct ms_cs_settings *settings, struct error *error)
{
	struct document_node node;
	size_t choice;

	if (!document_member(root, "authentication", &node, error) ||
		!document_choice(&node, authentication_at, &choice, error))
		return false;
	settings->authentication = choice;
	return read_user(root, settings, error) &&
	       kerberos_settings_parse(root, settings->authentication == MS_CS_KERBEROS,
		       &settings->kerberos, error) &&
	       settings_read_client_key(root, settings->authentication == MS_CS_CLIENT_CERTIFICATE,
		       &settings->client_key, error) &&
	       settings_read_path(root, "ca-file", &settings->ca_file, error) &&
	       settings_read_path(root, "issuer-file", &settings->issuer_file, error);
}

/* --- profiles --- */

static bool read_oid(const struct document_node *node, struct mapping *mapping, struct error *error)
{
	struct document_node oid;

	if (!settings_read_text(node, "oid", &mapping->oid, error))
		return false;
	if (!mapping->oid)
		return true;
	document_find(node, "oid", &oid);
	ASN1_OBJECT *object = OBJ_txt2obj(mapping->oid, 1);
	bool good = object != NULL;
	ASN1_OBJECT_free(object);
	return good ||
	       document_fail(&oid, error, "an object identifier like 1.3.6.1.4 is expected");
}

static bool read_member_choices(
	const struct document_node *node, struct mapping *mapping, struct error *error)
{
	struct document_node member;
	bool on_behalf = false;
	size_t choice;

	if (!read_oid(node, mapping, error) ||
		!ms_cs_purposes_parse(node, &mapping->purposes, error))
		return false;
	if (document_find(node, "on-behalf", &member)) {
		if (!document_boolean(&member, &on_behalf, error))
			return false;
		mapping->on_behalf = on_behalf ? MAPPING_YES : MAPPING_NO;
	}
	if (document_find(node, "subject", &member)) {
		if (!document_choice(&member, subject_at, &choice, error))
			return false;
		mapping->subject_from_request = choice == 1 ? MAPPING_YES : MAPPING_NO;
	}
	return true;
}

/* The web enrollment takes the name of the template in a line of its own. */
static bool check_names(
	const struct document_node *root, const struct mappings *mappings, struct error *error)
{
	struct document_node node;

	document_find(root, "profiles", &node);
	for (size_t i = 0; i < mappings->count; i++) {
		for (const char *c = mappings->items[i].profile; *c; c++) {
			if ((unsigned char)*c < 0x20 || *c == 0x7f)
				return document_fail(&node, error,
					"the name of a template has no control characters");
		}
	}
	return true;
}

static bool read_profiles(
	const struct document_node *root, struct ms_cs_settings *settings, struct error *error)
{
	static const char *const members[] = {"fields", "oid", "on-behalf", "subject", "purposes"};
	static const struct mapping_kind kind = {
		members, ARRAY_SIZE(members), ms_cs_is_field, read_member_choices};
	struct document_node node;

	if (!settings->policy.url && !document_find(root, "profiles", &node))
		return document_fail(root, error,
			"without policy-url the certificate templates are listed in \"profiles\"");
	return mappings_read(root, &kind, &settings->mappings, error) &&
	       check_names(root, &settings->mappings, error);
}

bool ms_cs_settings_parse(
	struct ms_cs_settings *settings, const char *document, struct error *error)
{
	static const char *const members[] = {"name", "kind", "comment", "protocol", "url",
		"policy-url", "authentication", "user", "kerberos", "client-key", "ca-file",
		"issuer-file", "enrollment-agent", "revocation", "revocation-check",
		"timeout-seconds", "pickup-seconds", "profiles"};
	json_t *json _cleanup_json_ = document_load(document, ERROR_INVALID_CONNECTION, error);
	struct document_node root = document_root(json, ERROR_INVALID_CONNECTION);
	_cleanup_free_ char *comment = NULL;

	return json && document_check_members(&root, members, ARRAY_SIZE(members), error) &&
	       settings_read_text(&root, "comment", &comment, error) &&
	       read_protocol(&root, settings, error) && read_endpoints(&root, settings, error) &&
	       read_authentication(&root, settings, error) &&
	       settings_read_seconds(&root, "timeout-seconds", 1, SECONDS_TIMEOUT,
		       &settings->timeout_seconds, error) &&
	       settings_read_seconds(&root, "pickup-seconds", 0, SECONDS_PICKUP,
		       &settings->pickup_seconds, error) &&
	       ms_cs_agent_settings_parse(&root, &settings->agent, error) &&
	       ms_cs_revocation_parse(&root, &settings->revocation, error) &&
	       revocation_settings_read(&root, &settings->revocation_check, error) &&
	       read_profiles(&root, settings, error);
}

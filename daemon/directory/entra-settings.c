/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection document of Entra ID. */
#include <string.h>

#include "common/alloc.h"
#include "connection/settings.h"
#include "directory/entra-private.h"

#define SECONDS_TIMEOUT 30
#define SECONDS_RETRY	30
#define API_VERSION	"/v1.0"

/* Microsoft's national clouds. */
static const struct {
	const char *name, *authentication, *api;
} clouds[] = {
	{"global", "https://login.microsoftonline.com", "https://graph.microsoft.com"},
	{"us-gov", "https://login.microsoftonline.us", "https://graph.microsoft.us"},
	{"us-gov-dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"},
	{"china", "https://login.partner.microsoftonline.cn",
		"https://microsoftgraph.chinacloudapi.cn"},
};

/* Holder's fields, unless the document says otherwise. */
static const struct mapping_default presets[] = {
	{"name", {"displayName"}},
	{"given-name", {"givenName"}},
	{"surname", {"surname"}},
	{"user", {"onPremisesSamAccountName", "userPrincipalName@"}},
	{"upn", {"userPrincipalName"}},
	{"email", {"mail"}},
	{"employee-number", {"employeeId"}},
	{"sid", {"onPremisesSecurityIdentifier", "securityIdentifier"}},
	{"phone", {"businessPhones", "mobilePhone"}},
	{"department", {"department"}},
	{"title", {"jobTitle"}},
	{NULL, {NULL}},
};

static const char *cloud_at(size_t index)
{
	return index < ARRAY_SIZE(clouds) ? clouds[index].name : NULL;
}

static const char *authentication_at(size_t index)
{
	static const char *const names[] = {"client-secret", "client-certificate"};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

static const char *algorithm_at(size_t index)
{
	static const char *const names[] = {"PS256", "RS256"};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

void entra_settings_clear(struct entra_settings *settings)
{
	field_mapping_clear(&settings->fields);
	for (size_t i = 0; i < settings->group_count; i++)
		free(settings->groups[i]);
	free(settings->groups);
	free(settings->tenant);
	free(settings->client_id);
	free(settings->client_key);
	free(settings->token_url);
	free(settings->token_host);
	free(settings->api);
	free(settings->api_host);
	free(settings->scope);
	free(settings->ca_file);
	free(settings->filter);
	*settings = (struct entra_settings){0};
}

/* --- the application --- */

/* A name of DNS or a GUID; not those that stand for several tenants, which have no applications. */
static bool is_tenant(const char *text)
{
	static const char *const many[] = {"common", "organizations", "consumers"};
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		if (strcasecmp(text, many[i]) == 0)
			return false;
	}
	return strspn(text, allowed) == strlen(text) && text[0] != '.' && !strstr(text, "..");
}

static bool read_application(
	const struct document_node *root, struct entra_settings *settings, struct error *error)
{
	struct document_node node;

	if (!document_member(root, "tenant", &node, error) ||
		!settings_read_text(root, "tenant", &settings->tenant, error))
		return false;
	if (!is_tenant(settings->tenant))
		return document_fail(&node, error,
			"the tenant's id or one of its domains is expected "
			"(\"contoso.onmicrosoft.com\")");
	if (!document_member(root, "client-id", &node, error) ||
		!settings_read_text(root, "client-id", &settings->client_id, error))
		return false;
	return entra_is_guid(settings->client_id) ||
	       document_fail(&node, error, "the application's (client) id is expected, a GUID");
}

static bool read_choice(const struct document_node *root, const char *member,
	const char *(*name_at)(size_t), size_t *choice, struct error *error)
{
	struct document_node node;

	*choice = 0;
	return !document_find(root, member, &node) ||
	       document_choice(&node, name_at, choice, error);
}

static bool read_authentication(
	const struct document_node *root, struct entra_settings *settings, struct error *error)
{
	struct document_node node;
	size_t authentication, algorithm;

	if (!read_choice(root, "authentication", authentication_at, &authentication, error) ||
		!read_choice(root, "assertion-algorithm", algorithm_at, &algorithm, error))
		return false;
	settings->by_certificate = authentication == 1;
	settings->is_pkcs1 = algorithm == 1;
	if (!settings->by_certificate && document_find(root, "assertion-algorithm", &node))
		return document_fail(&node, error,
			"this goes with \"authentication\": \"client-certificate\" only");
	return settings_read_client_key(
		       root, settings->by_certificate, &settings->client_key, error) &&
	       settings_read_path(root, "ca-file", &settings->ca_file, error);
}

/* --- addresses --- */

/* One of the two: the document's or the cloud's, without / at its end, and its host. */
static bool read_url(const struct document_node *root, const char *member, const char *otherwise,
	char **url, char **host, struct error *error)
{
	struct document_node node;
	const char *path;
	bool has = document_find(root, member, &node);

	*url = xstrdup(otherwise);
	if (has && !settings_read_text(root, member, url, error))
		return false;
	for (size_t length = strlen(*url); length > 0 && (*url)[length - 1] == '/'; length--)
		(*url)[length - 1] = '\0';
	*host = settings_host_of(*url, &path);
	if (*host && !strpbrk(path, "?#%\\ ") && !strstr(path, "/.") && !strstr(path, "//"))
		return true;
	return document_fail(
		&node, error, "https:// and a host are expected, like \"%s\"", otherwise);
}

static bool read_urls(
	const struct document_node *root, struct entra_settings *settings, struct error *error)
{
	_cleanup_free_ char *authentication = NULL, *api = NULL;
	const char *path;
	size_t cloud;

	if (!read_choice(root, "cloud", cloud_at, &cloud, error) ||
		!read_url(root, "authentication-url", clouds[cloud].authentication, &authentication,
			&settings->token_host, error) ||
		!read_url(root, "api-url", clouds[cloud].api, &api, &settings->api_host, error))
		return false;
	settings->token_url =
		xasprintf("%s/%s/oauth2/v2.0/token", authentication, settings->tenant);
	free(settings_host_of(api, &path));
	settings->api = xasprintf("%s%s", api, path[0] ? "" : API_VERSION);
	/* All that the application was granted there. */
	settings->scope = xasprintf("https://%s/.default", settings->api_host);
	return true;
}

/* --- who is found --- */

/* So that what is added to it in parentheses stays outside of it. */
static bool is_balanced(const char *filter)
{
	bool is_text = false;
	int depth = 0;

	for (; *filter && depth >= 0; filter++) {
		if (*filter == '\'')
			is_text = !is_text;
		else if (!is_text)
			depth += (*filter == '(') - (*filter == ')');
	}
	return !is_text && depth == 0;
}

static bool read_filter(
	const struct document_node *root, struct entra_settings *settings, struct error *error)
{
	struct document_node node;

	if (!document_find(root, "filter", &node))
		return true;
	return settings_read_text(root, "filter", &settings->filter, error) &&
	       (is_balanced(settings->filter) ||
		       document_fail(&node, error,
			       "a filter of OData is expected: an apostrophe or a parenthesis "
			       "is not closed"));
}

static bool read_groups(
	const struct document_node *root, struct entra_settings *settings, struct error *error)
{
	struct document_node node;
	size_t count;

	if (!document_find(root, "groups", &node))
		return true;
	if (!document_array(&node, 1, ENTRA_GROUPS_MAX, &count, error))
		return false;
	settings->groups = xcalloc(count, sizeof(*settings->groups));
	for (size_t i = 0; i < count; i++) {
		struct document_node group = document_at(&node, i);
		const char *id;

		if (!document_string(&group, 1, SETTINGS_TEXT_MAX, &id, error))
			return false;
		if (!entra_is_guid(id))
			return document_fail(&group, error, "a group's object id is expected");
		settings->groups[settings->group_count++] = xstrdup(id);
	}
	return true;
}

/* --- fields --- */

/* "employeeId", "onPremisesExtensionAttributes/extensionAttribute3", "extension_0123_badge",
 * "userPrincipalName@" */
static bool is_property(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_";
	size_t outer = strspn(text, allowed);
	const char *rest = text + outer;

	if (outer == 0 || !strchr(letters, text[0]))
		return false;
	if (rest[0] == '/') {
		size_t inner = strspn(rest + 1, allowed);
		if (inner == 0)
			return false;
		rest += 1 + inner;
	}
	return !rest[0] || (rest[0] == '@' && !rest[1]);
}

static bool read_fields(
	const struct document_node *root, struct entra_settings *settings, struct error *error)
{
	return field_mapping_read(root, presets, is_property,
		"the name of a property of Graph's users", &settings->fields, error);
}

/* --- all of it --- */

static bool read_numbers(
	const struct document_node *root, struct entra_settings *settings, struct error *error)
{
	struct document_node node;

	settings->page_size = DIRECTORY_PAGE_MAX;
	return settings_read_seconds(root, "timeout-seconds", 1, SECONDS_TIMEOUT,
		       &settings->timeout_seconds, error) &&
	       settings_read_seconds(
		       root, "retry-seconds", 0, SECONDS_RETRY, &settings->retry_seconds, error) &&
	       (!document_find(root, "page-size", &node) ||
		       document_integer(&node, 1, DIRECTORY_PAGE_MAX, &settings->page_size, error));
}

bool entra_settings_parse(
	struct entra_settings *settings, const char *document, struct error *error)
{
	static const char *const members[] = {"name", "kind", "comment", "tenant", "client-id",
		"authentication", "client-key", "assertion-algorithm", "cloud",
		"authentication-url", "api-url", "ca-file", "filter", "groups", "fields",
		"timeout-seconds", "retry-seconds", "page-size"};
	json_t *json _cleanup_json_ = document_load(document, ERROR_INVALID_CONNECTION, error);
	struct document_node root = document_root(json, ERROR_INVALID_CONNECTION);
	_cleanup_free_ char *comment = NULL;

	return json && document_check_members(&root, members, ARRAY_SIZE(members), error) &&
	       settings_read_text(&root, "comment", &comment, error) &&
	       read_application(&root, settings, error) &&
	       read_authentication(&root, settings, error) && read_urls(&root, settings, error) &&
	       read_filter(&root, settings, error) && read_groups(&root, settings, error) &&
	       read_fields(&root, settings, error) && read_numbers(&root, settings, error);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection/settings.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "model/template.h"

#define SCHEME	 "https://"
#define HOST_MAX 255

#define SECONDS_TIMEOUT 60
#define SECONDS_RETRY	60
#define SECONDS_PICKUP	30

bool settings_read_text(
	const struct document_node *object, const char *member, char **text, struct error *error)
{
	struct document_node node;
	const char *value;

	if (!document_find(object, member, &node))
		return true;
	if (!document_string(&node, 1, SETTINGS_TEXT_MAX, &value, error))
		return false;
	free(*text);
	*text = xstrdup(value);
	return true;
}

bool settings_read_pattern(
	const struct document_node *object, const char *member, char **pattern, struct error *error)
{
	struct document_node node;
	const char *why;

	if (!settings_read_text(object, member, pattern, error))
		return false;
	return !document_find(object, member, &node) || pattern_check(*pattern, &why) ||
	       document_fail(&node, error, "%s", why);
}

bool settings_read_seconds(const struct document_node *root, const char *member, int64_t minimum,
	int64_t fallback, int64_t *seconds, struct error *error)
{
	struct document_node node;

	*seconds = fallback;
	return !document_find(root, member, &node) ||
	       document_integer(&node, minimum, SETTINGS_SECONDS_MAX, seconds, error);
}

bool settings_read_times(
	const struct document_node *root, struct settings_times *times, struct error *error)
{
	return settings_read_seconds(root, "timeout-seconds", 1, SECONDS_TIMEOUT,
		       &times->timeout_seconds, error) &&
	       settings_read_seconds(
		       root, "retry-seconds", 0, SECONDS_RETRY, &times->retry_seconds, error) &&
	       settings_read_seconds(
		       root, "pickup-seconds", 0, SECONDS_PICKUP, &times->pickup_seconds, error);
}

bool settings_read_path(
	const struct document_node *root, const char *member, char **path, struct error *error)
{
	struct document_node node;

	if (!settings_read_text(root, member, path, error))
		return false;
	return !document_find(root, member, &node) || (*path)[0] == '/' ||
	       document_fail(&node, error, "a path with / at its beginning is expected");
}

bool settings_read_client_key(
	const struct document_node *root, bool by_certificate, char **uri, struct error *error)
{
	struct document_node node;

	if (!document_find(root, "client-key", &node))
		return true;
	if (!settings_read_text(root, "client-key", uri, error))
		return false;
	if (!by_certificate)
		return document_fail(&node, error,
			"this goes with \"authentication\": \"client-certificate\" only");
	return strncmp(*uri, "pkcs11:", strlen("pkcs11:")) == 0 ||
	       document_fail(
		       &node, error, "a URI like pkcs11:token=LABEL;object=LABEL is expected");
}

bool settings_host_is_local(const char *host)
{
	struct in_addr address;

	return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	       (inet_pton(AF_INET, host, &address) == 1 &&
		       ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET);
}

char *settings_host_of(const char *url, const char **path)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";

	if (strncmp(url, SCHEME, strlen(SCHEME)) != 0)
		return NULL;
	const char *host = url + strlen(SCHEME);
	size_t length = strspn(host, allowed);
	bool ends = host[length] == '\0' || host[length] == '/';
	if (length == 0 || length > HOST_MAX || !ends || strpbrk(host, "?#"))
		return NULL;
	*path = host + length;
	return xasprintf("%.*s", (int)length, host);
}

char *settings_read_host(const struct document_node *root, struct error *error)
{
	struct document_node node;
	const char *url, *rest;

	if (!document_member(root, "url", &node, error) ||
		!document_string(&node, 1, SETTINGS_TEXT_MAX, &url, error))
		return NULL;
	_cleanup_free_ char *host = settings_host_of(url, &rest);
	if (host && strspn(rest, "/") == strlen(rest))
		return steal_pointer(&host);
	document_fail(&node, error,
		"https:// and a host are expected, and nothing behind it: the rest of the "
		"address is the same everywhere");
	return NULL;
}

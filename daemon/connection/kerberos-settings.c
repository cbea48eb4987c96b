/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection/kerberos-settings.h"

#include <string.h>

#include "connection/settings.h"

/* "svc@EXAMPLE.ORG": both parts; the library says more of it when it is used. */
static bool read_principal(
	const struct document_node *object, struct kerberos_settings *settings, struct error *error)
{
	struct document_node node;

	if (!document_member(object, "principal", &node, error) ||
		!settings_read_text(object, "principal", &settings->principal, error))
		return false;
	const char *at = strrchr(settings->principal, '@');
	return (at && at != settings->principal && at[1] != '\0') ||
	       document_fail(
		       &node, error, "an account with its realm is expected, as svc@EXAMPLE.ORG");
}

/* A file's keys or somebody else's tickets. */
static bool read_source(
	const struct document_node *object, struct kerberos_settings *settings, struct error *error)
{
	struct document_node node;

	if (!settings_read_path(object, "keytab", &settings->keytab, error) ||
		!settings_read_text(object, "cache", &settings->cache, error))
		return false;
	return !settings->keytab || !document_find(object, "cache", &node) ||
	       document_fail(&node, error, "either a keytab or a cache of tickets is expected");
}

bool kerberos_settings_parse(const struct document_node *root, bool is_used,
	struct kerberos_settings *settings, struct error *error)
{
	static const char *const members[] = {"principal", "keytab", "cache"};
	struct document_node object;

	if (!is_used)
		return !document_find(root, "kerberos", &object) ||
		       document_fail(&object, error,
			       "this goes with \"authentication\": \"kerberos\" only");
	return document_member(root, "kerberos", &object, error) &&
	       document_check_members(&object, members, ARRAY_SIZE(members), error) &&
	       read_principal(&object, settings, error) && read_source(&object, settings, error);
}

void kerberos_settings_clear(struct kerberos_settings *settings)
{
	free(settings->principal);
	free(settings->keytab);
	free(settings->cache);
	*settings = (struct kerberos_settings){0};
}

struct http_negotiate kerberos_settings_account(const struct kerberos_settings *settings)
{
	return (struct http_negotiate){.keytab = settings->keytab,
		.principal = settings->principal,
		.cache = settings->cache};
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "revocation-check" in a connection's document. */
#include <string.h>

#include "authority/revocation-check.h"
#include "connection/settings.h"
#include "common/alloc.h"

static bool read_url(
	const struct document_node *node, const char *member, char **url, struct error *error)
{
	struct document_node text;
	const char *value;

	if (!document_find(node, member, &text))
		return true;
	if (!document_string(&text, 1, SETTINGS_TEXT_MAX, &value, error))
		return false;
	if (strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0)
		return document_fail(&text, error, "an http or https URL is expected");
	for (const char *c = value; *c; c++) {
		if (*c <= ' ' || *c > '~')
			return document_fail(&text, error, "a URL is of ASCII without spaces");
	}
	*url = xstrdup(value);
	return true;
}

bool revocation_settings_read(
	const struct document_node *root, struct revocation_settings *settings, struct error *error)
{
	static const char *const members[] = {"enabled", "crl", "ocsp", "issuer-file"};
	struct document_node node, enabled;
	bool is_on = true;

	if (!document_find(root, "revocation-check", &node))
		return true;
	if (!document_check_members(&node, members, ARRAY_SIZE(members), error) ||
		(document_find(&node, "enabled", &enabled) &&
			!document_boolean(&enabled, &is_on, error)))
		return false;
	settings->is_off = !is_on;
	return read_url(&node, "crl", &settings->crl, error) &&
	       read_url(&node, "ocsp", &settings->ocsp, error) &&
	       settings_read_path(&node, "issuer-file", &settings->issuer_file, error);
}

void revocation_settings_clear(struct revocation_settings *settings)
{
	free(settings->crl);
	free(settings->ocsp);
	free(settings->issuer_file);
	*settings = (struct revocation_settings){0};
}

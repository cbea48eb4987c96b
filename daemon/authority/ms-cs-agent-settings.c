/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the connection document says of the enrollment agent, and the accounts it asks for. */
#include <string.h>

#include "authority/ms-cs-agent.h"
#include "common/alloc.h"

#define TEXT_MAX      1024
#define REQUESTER_MAX 512 /* bytes */
/* In no account's name: sAMAccountName (MS-SAMR 3.1.1.6), user principal names. */
#define FORBIDDEN "\"/\\[]:;|=,+*?<>@"

/* --- the document --- */

/* How often a character stands in the text of a pattern, outside of its fields. */
static size_t count_in_text(const char *pattern, char wanted)
{
	size_t count = 0;

	for (const char *c = pattern; *c; c++) {
		const char *end = c[0] == '{' && c[1] != '{' ? strchr(c, '}') : NULL;
		if (end)
			c = end;
		else if (c[0] == '{' && c[1] == '{')
			c++;
		else
			count += *c == wanted;
	}
	return count;
}

static bool read_requester(const struct document_node *object,
	struct ms_cs_agent_settings *settings, struct error *error)
{
	struct document_node node;
	const char *pattern, *why;

	if (!document_member(object, "requester", &node, error) ||
		!document_string(&node, 1, TEXT_MAX, &pattern, error))
		return false;
	if (!pattern_check(pattern, &why))
		return document_fail(&node, error, "%s", why);
	if (count_in_text(pattern, '\\') + count_in_text(pattern, '@') > 1)
		return document_fail(&node, error,
			"an account like LAB\\{account} or {account}@lab.example is expected (in "
			"JSON, a backslash is written twice)");
	settings->requester = xstrdup(pattern);
	return true;
}

static bool read_key(const struct document_node *object, struct ms_cs_agent_settings *settings,
	struct error *error)
{
	struct document_node node;
	const char *uri;

	if (!document_find(object, "key", &node))
		return true;
	if (!document_string(&node, 1, TEXT_MAX, &uri, error))
		return false;
	settings->is_operator = strcmp(uri, MS_CS_AGENT_OPERATOR) == 0;
	if (settings->is_operator)
		return true;
	if (strncmp(uri, "pkcs11:", strlen("pkcs11:")) != 0)
		return document_fail(&node, error,
			"a URI like pkcs11:token=LABEL;object=LABEL, or \"" MS_CS_AGENT_OPERATOR
			"\", is expected");
	settings->key = xstrdup(uri);
	return true;
}

bool ms_cs_agent_settings_parse(const struct document_node *root,
	struct ms_cs_agent_settings *settings, struct error *error)
{
	static const char *const members[] = {"requester", "key"};
	struct document_node object;

	return !document_find(root, "enrollment-agent", &object) ||
	       (document_check_members(&object, members, ARRAY_SIZE(members), error) &&
		       read_requester(&object, settings, error) &&
		       read_key(&object, settings, error));
}

void ms_cs_agent_settings_clear(struct ms_cs_agent_settings *settings)
{
	free(settings->requester);
	free(settings->key);
	*settings = (struct ms_cs_agent_settings){0};
}

/* --- accounts --- */

/* Neither empty, nor with a blank at an end, nor with characters that names have not. */
static bool is_account(const char *text, size_t length)
{
	if (length == 0 || text[0] == ' ' || text[length - 1] == ' ')
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c < ' ' || c == 0x7f || strchr(FORBIDDEN, c))
			return false;
	}
	return true;
}

static bool is_domain(const char *text, size_t length)
{
	return is_account(text, length) && !memchr(text, ' ', length);
}

/* "lab.example" */
static bool is_suffix(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	return text[0] != '\0' && text[0] != '.' && text[0] != '-' &&
	       text[strspn(text, allowed)] == '\0';
}

/* Which form it is depends on the pattern alone: no value of a holder's field chooses another. */
bool ms_cs_requester_check(const char *pattern, const char *requester, struct error *error)
{
	bool has_domain = count_in_text(pattern, '\\') > 0;
	const char *separator = strchr(requester, has_domain ? '\\' : '@');
	size_t first = separator ? (size_t)(separator - requester) : 0;
	bool good = strlen(requester) <= REQUESTER_MAX && separator;

	if (good && has_domain)
		good = is_domain(requester, first) &&
		       is_account(separator + 1, strlen(separator + 1));
	else if (good)
		good = is_domain(requester, first) && is_suffix(separator + 1);
	return good || error_set_field(error, ERROR_INVALID_ARGUMENT, "requester",
			       "\"%.64s\" names no account in the form %s that the connection's "
			       "\"requester\" has: look at the holder's fields in it",
			       requester, has_domain ? "DOMAIN\\user" : "user@domain");
}

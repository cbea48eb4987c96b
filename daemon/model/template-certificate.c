/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificate part of a template's key: authority, profile and the name rules. */
#include "model/template-private.h"

#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"

#define PROFILE_MAXIMUM 128 /* bytes */
#define RULES_MAXIMUM	16

static const char *subject_type_at(size_t index)
{
	static const char *const types[] = {"CN", "O", "OU", "C", "L", "ST", "serialNumber", "UID",
		"DC", "emailAddress", "GN", "SN"};

	return index < ARRAY_SIZE(types) ? types[index] : NULL;
}

static const char *san_type_at(size_t index)
{
	static const char *const types[] = {"email", "upn", "dns", "ip", "uri"};

	return index < ARRAY_SIZE(types) ? types[index] : NULL;
}

typedef const char *(*type_at_function)(size_t index);

static void add_rule(struct name_rule **rules, size_t *count, const char *type, const char *pattern)
{
	*rules = xreallocarray(*rules, *count + 1, sizeof(**rules));
	(*rules)[(*count)++] =
		(struct name_rule){.type = xstrdup(type), .pattern = xstrdup(pattern)};
}

/* X.520 countryName is two letters (ISO 3166); what a field gives is known at issuance only. */
static bool is_bad_country(const char *type, const char *pattern)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (strcmp(type, "C") != 0 || strchr(pattern, '{'))
		return false;
	return strlen(pattern) != 2 || strspn(pattern, letters) != 2;
}

static bool read_pattern(const struct document_node *node, const char *type, const char **pattern,
	struct error *error)
{
	const char *text, *why;

	if (!document_string(node, 1, PATTERN_MAXIMUM, &text, error))
		return false;
	if (!pattern_check(text, &why))
		return document_fail(node, error, "%s", why);
	if (is_bad_country(type, text))
		return document_fail(node, error, "a country is two capital letters (ISO 3166)");
	*pattern = text;
	return true;
}

/* ["CN", "{name}"] */
static bool read_pair(const struct document_node *node, type_at_function type_at,
	struct name_rule **rules, size_t *count, struct error *error)
{
	size_t two, choice;
	const char *pattern;

	if (!document_array(node, 2, 2, &two, error))
		return false;
	struct document_node type = document_at(node, 0);
	struct document_node text = document_at(node, 1);
	if (!document_choice(&type, type_at, &choice, error) ||
		!read_pattern(&text, type_at(choice), &pattern, error))
		return false;
	add_rule(rules, count, type_at(choice), pattern);
	return true;
}

static bool read_pairs(const struct document_node *node, type_at_function type_at,
	struct name_rule **rules, size_t *count, struct error *error)
{
	size_t size;

	if (!document_array(node, 0, RULES_MAXIMUM, &size, error))
		return false;
	for (size_t i = 0; i < size; i++) {
		struct document_node pair = document_at(node, i);
		if (!read_pair(&pair, type_at, rules, count, error))
			return false;
	}
	return true;
}

/* {"upn": "{upn}", "email": "{email}"} */
static bool read_san_object(
	const struct document_node *node, struct template_key *key, struct error *error)
{
	const char *allowed[8];
	size_t types = 0;
	const char *name, *pattern;
	json_t *value;

	while (types < ARRAY_SIZE(allowed) && (name = san_type_at(types)))
		allowed[types++] = name;
	if (!document_check_members(node, allowed, types, error))
		return false;
	json_object_foreach(node->value, name, value)
	{
		struct document_node member = document_child(node, name, value);
		if (!read_pattern(&member, name, &pattern, error))
			return false;
		add_rule(&key->san, &key->san_count, name, pattern);
	}
	return true;
}

static bool read_names(
	const struct document_node *node, struct template_key *key, struct error *error)
{
	struct document_node member;

	if (!document_find(node, "subject", &member))
		add_rule(&key->subject, &key->subject_count, "CN", "{name}");
	else if (!read_pairs(&member, subject_type_at, &key->subject, &key->subject_count, error))
		return false;
	if (document_find(node, "san", &member)) {
		bool read = json_is_object(member.value)
				    ? read_san_object(&member, key, error)
				    : read_pairs(&member, san_type_at, &key->san, &key->san_count,
					      error);
		if (!read)
			return false;
	}
	if (key->subject_count == 0 && key->san_count == 0)
		return document_fail(
			node, error, "a certificate needs a subject or a san that is not empty");
	return true;
}

bool template_read_certificate(
	const struct document_node *node, struct template_key *key, struct error *error)
{
	static const char *const members[] = {"authority", "profile", "subject", "san"};
	struct document_node authority, profile;
	const char *name;

	if (!document_check_members(node, members, ARRAY_SIZE(members), error) ||
		!document_member(node, "authority", &authority, error) ||
		!document_name(&authority, &name, error))
		return false;
	key->authority = xstrdup(name);
	if (!document_member(node, "profile", &profile, error) ||
		!document_string(&profile, 1, PROFILE_MAXIMUM, &name, error))
		return false;
	key->profile = xstrdup(name);
	return read_names(node, key, error);
}

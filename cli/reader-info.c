/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera reader info: everything legible about a card, as an indented list. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/reader.h"
#include "cli/table.h"
#include "common/alloc.h"

#define INDENT 2

static void print_value(const json_t *value, int depth);

static bool is_plain(const json_t *value)
{
	json_t *item;
	size_t index;

	json_array_foreach(value, index, item)
	{
		if (json_is_object(item) || json_is_array(item))
			return false;
	}
	return !json_is_object(value);
}

/* Words that are not written as they are pronounced. */
static const struct {
	const char *name, *label;
} labels[] = {
	{"atr", "ATR"},
	{"piv", "PIV"},
	{"chuid", "CHUID"},
	{"fasc_n", "FASC-N"},
	{"guid", "GUID"},
	{"ccc", "CCC"},
	{"pin", "PIN"},
	{"puk", "PUK"},
	{"global_pin", "Global PIN"},
	{"sha256", "SHA-256"},
};

/* "tries_left" as "Tries left"; an upper-case name ("TA1") stays. */
static void print_label(const char *name, int depth)
{
	printf("%*s", depth * INDENT, "");
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		if (strcmp(labels[i].name, name) == 0) {
			printf("%s:", labels[i].label);
			return;
		}
	}
	putchar(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name);
	for (const char *c = name + 1; *name && *c; c++)
		putchar(*c == '_' ? ' ' : *c);
	putchar(':');
}

static void print_member(const char *name, const json_t *value, int depth)
{
	print_label(name, depth);
	if (is_plain(value)) {
		_cleanup_free_ char *text = value_text(value, COLUMN_TEXT);
		printf(" %s\n", text);
		return;
	}
	putchar('\n');
	print_value(value, depth + 1);
}

static void print_object(const json_t *object, int depth)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value) print_member(name, value, depth);
}

/* A line of '-' begins each element. */
static void print_value(const json_t *value, int depth)
{
	json_t *item;
	size_t index;

	if (json_is_object(value))
		print_object(value, depth);
	json_array_foreach(value, index, item)
	{
		printf("%*s-\n", depth * INDENT, "");
		print_value(item, depth + 1);
	}
}

bool reader_info(struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *reader = NULL, *answer = NULL, *information = NULL;

	if (!reader_ask(invocation, "GetInformation", &reader, &answer, &information, error))
		return false;
	if (invocation_has(invocation, OPTION_JSON))
		output_json(information);
	else
		print_value(information, 0);
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a slot's module runs, and with what. */
#include <ctype.h>
#include <string.h>

#include "common/alloc.h"
#include "model/slot.h"

#define VARIABLE_MAX_BYTES 4096

static const char *const process_names[SLOT_PROCESS_COUNT] = {
	[SLOT_PROCESS_DAEMON] = "daemon", [SLOT_PROCESS_OWN] = "own"};

const char *slot_process_name(enum slot_process process)
{
	return (size_t)process < SLOT_PROCESS_COUNT ? process_names[process] : NULL;
}

enum slot_process slot_process_from_name(const char *name)
{
	enum slot_process process = 0;

	while (process < SLOT_PROCESS_COUNT && (!name || strcmp(process_names[process], name) != 0))
		process++;
	return process;
}

/* --- variables --- */

/* A name as shells take it, "=", and a value on one line. */
static bool variable_is_valid(const char *variable)
{
	size_t name = strcspn(variable, "=");

	if (name == 0 || variable[name] != '=' || isdigit((unsigned char)variable[0]) ||
		strlen(variable) > VARIABLE_MAX_BYTES)
		return false;
	for (size_t i = 0; i < name; i++) {
		if (!isalnum((unsigned char)variable[i]) && variable[i] != '_')
			return false;
	}
	for (const char *c = variable + name; *c; c++) {
		if (iscntrl((unsigned char)*c))
			return false;
	}
	return true;
}

static size_t variables_count(char *const *variables)
{
	size_t count = 0;

	while (variables && variables[count])
		count++;
	return count;
}

bool slot_process_check(const struct slot_record *record, struct error *error)
{
	bool own = record->process == SLOT_PROCESS_OWN;

	if (record->process == SLOT_PROCESS_COUNT)
		return error_set_field(
			error, ERROR_INVALID_ARGUMENT, "process", "it must be own or daemon");
	if (!own && variables_count(record->variables) > 0)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "environment",
			"only a module in a process of its own has an environment");
	if (record->timeout < 1 || record->timeout > SLOT_TIMEOUT_MAX)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "timeout",
			"it must be a number of seconds from 1 to %d", SLOT_TIMEOUT_MAX);
	if (variables_count(record->variables) > SLOT_VARIABLES_MAX)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "environment",
			"there may be %d variables", SLOT_VARIABLES_MAX);
	for (char *const *variable = record->variables; variable && *variable; variable++) {
		if (!variable_is_valid(*variable))
			return error_set_field(error, ERROR_INVALID_ARGUMENT, "environment",
				"a variable is NAME=VALUE, on one line, not \"%.64s\"", *variable);
	}
	return true;
}

char *slot_variables_text(char *const *variables)
{
	char *text = xstrdup("");

	for (; variables && *variables; variables++) {
		char *longer = xasprintf("%s%s\n", text, *variables);
		free(text);
		text = longer;
	}
	return text;
}

char **slot_variables_from_text(const char *text)
{
	char **variables = xcalloc(1, sizeof(*variables));
	size_t count = 0;

	while (*text) {
		size_t length = strcspn(text, "\n");
		variables = xreallocarray(variables, count + 2, sizeof(*variables));
		variables[count++] = xasprintf("%.*s", (int)length, text);
		variables[count] = NULL;
		text += length + (text[length] == '\n');
	}
	return variables;
}

char **slot_variables_copy(char *const *variables, size_t count)
{
	char **copy = xcalloc(count + 1, sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = xstrdup(variables[i]);
	return copy;
}

void slot_variables_free(char **variables)
{
	for (char **variable = variables; variable && *variable; variable++)
		free(*variable);
	free(variables);
}

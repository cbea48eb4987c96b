/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/help.h"

#include <string.h>

#include "common/alloc.h"

static char *command_line(const struct command *command)
{
	const char *verb = command->verb;

	return xasprintf("%s%s%s%s%s", command->subject, verb ? " " : "", verb ? verb : "",
		command->arguments[0] ? " " : "", command->arguments);
}

/* What is too long for its column has its help below. */
static void print_entry(FILE *file, int width, const char *entry, const char *help)
{
	if ((int)strlen(entry) <= width)
		fprintf(file, "  %-*s %s\n", width, entry, help);
	else
		fprintf(file, "  %s\n  %-*s %s\n", entry, width, "", help);
}

static void print_command(FILE *file, const struct command *command)
{
	_cleanup_free_ char *line = command_line(command);

	print_entry(file, 30, line, command->help);
}

static void print_option(FILE *file, enum option option)
{
	const struct option_spec *spec = &option_specs[option];
	_cleanup_free_ char *text =
		xasprintf("%s%s%s%s%s", spec->letter ? spec->letter : "", spec->letter ? ", " : "",
			spec->name, spec->value ? " " : "", spec->value ? spec->value : "");

	print_entry(file, 22, text, spec->help);
}

static bool is_common(enum option option)
{
	return option <= OPTION_VERSION;
}

static void print_common_options(FILE *file)
{
	fputs("\nOptions of every command:\n", file);
	for (enum option option = 0; is_common(option); option++)
		print_option(file, option);
}

static void print_command_help(FILE *file, const struct command *command)
{
	_cleanup_free_ char *line = command_line(command);
	bool heading = false;

	fprintf(file, "Usage: tessera %s [OPTION...]\n\n%c%s.\n", line,
		command->help[0] - 'a' + 'A', command->help + 1);
	for (enum option option = OPTION_VERSION + 1; option < OPTION_COUNT; option++) {
		if (!command_has_option(command, option))
			continue;
		if (!heading)
			fputs("\nOptions:\n", file);
		heading = true;
		print_option(file, option);
	}
	print_common_options(file);
	if (strstr(command->arguments, "CARD"))
		fputs("\nCARD is a card's serial, a credential's number, reader:NUMBER, or "
		      "nothing when one managed card\nis in a reader.\n",
			file);
}

void help_print(FILE *file, const struct invocation *invocation)
{
	const char *subject = invocation->subject;

	if (invocation->command) {
		print_command_help(file, invocation->command);
		return;
	}
	fprintf(file, "Usage: tessera %s [OPTION...]\n\nCommands:\n",
		subject ? subject : "SUBJECT VERB [ARGUMENT...]");
	for (size_t i = 0; i < command_count; i++) {
		if (!subject || strcmp(commands[i].subject, subject) == 0)
			print_command(file, &commands[i]);
	}
	print_common_options(file);
	fputs("\ntessera SUBJECT VERB --help tells more; so does tessera(1).\n", file);
}

void help_print_table(FILE *file)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = &commands[i];
		fprintf(file, "%s %s", command->subject, command->verb ? command->verb : "-");
		if (strstr(command->arguments, "FILE"))
			fputs(" FILE", file);
		for (enum option option = 0; option < OPTION_COUNT; option++) {
			if (command_has_option(command, option))
				fprintf(file, " %s%s", option_specs[option].name,
					option_specs[option].value ? "=" : "");
		}
		fputc('\n', file);
	}
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client-session.h"
#include "cli/client.h"
#include "cli/suggest.h"
#include "common/alloc.h"

/* argv as it is read. */
struct words {
	char **items;
	int count;
	int next;
	bool only_arguments; /* after "--" */
};

static bool usage_error(struct error *error, const char *message, const char *near_to)
{
	if (near_to)
		return error_set(
			error, ERROR_INVALID_ARGUMENT, "%s; did you mean '%s'?", message, near_to);
	return error_set(error, ERROR_INVALID_ARGUMENT, "%s", message);
}

static enum option find_option(const char *name, size_t length)
{
	for (enum option option = 0; option < OPTION_COUNT; option++) {
		const struct option_spec *spec = &option_specs[option];
		if (strlen(spec->name) == length && strncmp(spec->name, name, length) == 0)
			return option;
		if (spec->letter && length == 2 && strncmp(spec->letter, name, length) == 0)
			return option;
	}
	return OPTION_COUNT;
}

/* The option of this subcommand, or any while it is not known, that is nearest to name. */
static const char *near_option(const struct command *command, const char *name)
{
	struct suggestion suggestion = SUGGESTION_INIT;

	for (enum option option = 0; option < OPTION_COUNT; option++) {
		if (!command || command_has_option(command, option))
			suggest(&suggestion, name, option_specs[option].name);
	}
	return suggestion.best;
}

static bool unknown_option(
	const struct invocation *invocation, const char *word, size_t length, struct error *error)
{
	_cleanup_free_ char *name = xasprintf("%.*s", (int)length, word);
	_cleanup_free_ char *message = xasprintf("unknown option %s", name);

	return usage_error(error, message, near_option(invocation->command, name));
}

static bool set_option(
	struct invocation *invocation, enum option option, const char *value, struct error *error)
{
	invocation->values[option] = value;
	if (option == OPTION_ALLOW) {
		if (invocation->allowed_count == ALLOWED_MAXIMUM)
			return error_set(error, ERROR_INVALID_ARGUMENT, "too many readers");
		invocation->allowed[invocation->allowed_count++] = value;
	}
	if (option == OPTION_ENVIRONMENT) {
		if (invocation->variable_count == VARIABLES_MAXIMUM)
			return error_set(error, ERROR_INVALID_ARGUMENT, "too many variables");
		invocation->variables[invocation->variable_count++] = value;
	}
	if (option == OPTION_HOLDER) {
		if (invocation->holder_count == HOLDER_FIELDS_MAXIMUM)
			return error_set(
				error, ERROR_INVALID_ARGUMENT, "too many fields of the holder");
		invocation->holder[invocation->holder_count++] = value;
	}
	return true;
}

static bool take_option(
	struct words *words, struct invocation *invocation, const char *word, struct error *error)
{
	const char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
	const char *value = equals ? equals + 1 : NULL;
	size_t length = equals ? (size_t)(equals - word) : strlen(word);

	enum option option = find_option(word, length);
	if (option == OPTION_COUNT)
		return unknown_option(invocation, word, length, error);
	const struct option_spec *spec = &option_specs[option];
	if (!spec->value && value)
		return error_set(
			error, ERROR_INVALID_ARGUMENT, "option %s takes no value", spec->name);
	if (!spec->value)
		return set_option(invocation, option, "", error);
	if (!value && words->next < words->count)
		value = words->items[words->next++];
	if (!value)
		return error_set(error, ERROR_INVALID_ARGUMENT, "option %s needs a value: %s",
			spec->name, spec->value);
	return set_option(invocation, option, value, error);
}

static bool unknown_subject(const char *word, struct error *error)
{
	struct suggestion suggestion = SUGGESTION_INIT;

	_cleanup_free_ char *message = xasprintf("unknown command '%s'", word);
	for (size_t i = 0; i < command_count; i++)
		suggest(&suggestion, word, commands[i].subject);
	return usage_error(error, message, suggestion.best);
}

static bool take_subject(struct invocation *invocation, const char *word, struct error *error)
{
	for (size_t i = 0; i < command_count; i++) {
		if (strcmp(commands[i].subject, word) != 0)
			continue;
		invocation->subject = commands[i].subject;
		if (!commands[i].verb)
			invocation->command = &commands[i];
		return true;
	}
	return unknown_subject(word, error);
}

static bool take_verb(struct invocation *invocation, const char *word, struct error *error)
{
	struct suggestion suggestion = SUGGESTION_INIT;

	for (size_t i = 0; i < command_count; i++) {
		if (strcmp(commands[i].subject, invocation->subject) != 0 || !commands[i].verb)
			continue;
		if (strcmp(commands[i].verb, word) == 0) {
			invocation->command = &commands[i];
			return true;
		}
		suggest(&suggestion, word, commands[i].verb);
	}
	_cleanup_free_ char *message =
		xasprintf("unknown command '%s %s'", invocation->subject, word);
	return usage_error(error, message, suggestion.best);
}

/* "tessera self" is a command, and so are those with a verb behind it. */
static bool may_have_verb(const struct invocation *invocation)
{
	bool found = false;

	for (size_t i = 0; i < command_count && !found; i++)
		found = strcmp(commands[i].subject, invocation->subject) == 0 && commands[i].verb;
	return found && !invocation->command->verb;
}

static bool take_argument(struct invocation *invocation, const char *word, struct error *error)
{
	if (!invocation->subject)
		return take_subject(invocation, word, error);
	if (!invocation->command || may_have_verb(invocation))
		return take_verb(invocation, word, error);
	if (invocation->argument_count >= invocation->command->most)
		return error_set(error, ERROR_INVALID_ARGUMENT, "unexpected argument '%s'", word);
	invocation->arguments[invocation->argument_count++] = word;
	return true;
}

/* Options may stand before the subcommand that allows them, so this is looked at last. */
static bool check_options(const struct invocation *invocation, struct error *error)
{
	const struct command *command = invocation->command;

	for (enum option option = 0; option < OPTION_COUNT; option++) {
		if (!invocation_has(invocation, option) || command_has_option(command, option))
			continue;
		const char *name = option_specs[option].name;
		const char *verb = command->verb;
		_cleanup_free_ char *message = xasprintf("'%s%s%s' takes no %s", command->subject,
			verb ? " " : "", verb ? verb : "", name);
		return usage_error(error, message, near_option(command, name));
	}
	return true;
}

static bool wants_help(const struct invocation *invocation)
{
	return invocation_has(invocation, OPTION_HELP) ||
	       invocation_has(invocation, OPTION_VERSION);
}

static bool check_complete(const struct invocation *invocation, struct error *error)
{
	const struct command *command = invocation->command;

	if (!invocation->subject)
		return error_set(error, ERROR_INVALID_ARGUMENT, "no command was given");
	if (!command)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"'%s' needs a verb: tessera %s --help lists them", invocation->subject,
			invocation->subject);
	if (invocation->argument_count < command->least)
		return error_set(error, ERROR_INVALID_ARGUMENT, "'%s %s' needs %s",
			command->subject, command->verb, command->arguments);
	return check_options(invocation, error);
}

static bool take_program(struct words *words, struct invocation *invocation, struct error *error)
{
	if (words->next == words->count)
		return error_set(error, ERROR_INVALID_ARGUMENT, "a program must follow \"--\"");
	invocation->program = &words->items[words->next];
	return check_complete(invocation, error);
}

bool arguments_parse(int argc, char **argv, struct invocation *invocation, struct error *error)
{
	struct words words = {.items = argv, .count = argc, .next = 1};

	while (words.next < words.count) {
		const char *word = words.items[words.next++];
		bool is_option = !words.only_arguments && word[0] == '-' && word[1] != '\0';
		if (is_option && strcmp(word, "--") == 0 && invocation->command &&
			command_takes_program(invocation->command))
			return take_program(&words, invocation, error);
		if (is_option && strcmp(word, "--") == 0)
			words.only_arguments = true;
		else if (is_option ? !take_option(&words, invocation, word, error)
				   : !take_argument(invocation, word, error))
			return false;
	}
	return wants_help(invocation) || check_complete(invocation, error);
}

bool number_parse(const char *text, const char *what, int64_t least, int64_t most, int64_t *number,
	struct error *error)
{
	char *end = NULL;

	errno = 0;
	long long value = strtoll(text, &end, 10);
	bool digits = text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
	if (!digits || errno || *end || value < least || value > most)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"%s must be a number from %lld to %lld, not '%s'", what, (long long)least,
			(long long)most, text);
	*number = value;
	return true;
}

/* The variable's value; NULL for none, or an empty one. */
static const char *variable(const char *name)
{
	const char *value = secure_getenv(name);

	return value && value[0] ? value : NULL;
}

const char *invocation_host(const struct invocation *invocation)
{
	const char *host = invocation->values[OPTION_HOST];

	if (host || invocation_has(invocation, OPTION_SOCKET) ||
		invocation_has(invocation, OPTION_SYSTEM_BUS))
		return host;
	return variable(CLIENT_HOST_VARIABLE);
}

/* Whether a login's connection is what was asked for. tessera login says with whom it is. */
static bool means_session(const struct invocation *invocation)
{
	const char *host = invocation->values[OPTION_HOST];
	const char *session_host = variable(CLIENT_HOST_VARIABLE);

	return !invocation_has(invocation, OPTION_SOCKET) &&
	       !invocation_has(invocation, OPTION_SYSTEM_BUS) &&
	       (!host || (session_host && strcmp(host, session_host) == 0));
}

const char *invocation_socket(const struct invocation *invocation)
{
	const char *socket = invocation->values[OPTION_SOCKET];

	return socket ? socket : variable("TESSERA_SOCKET");
}

static struct client *connect_anew(struct invocation *invocation, struct error *error)
{
	const char *host = invocation_host(invocation);
	bool system_bus = invocation_has(invocation, OPTION_SYSTEM_BUS);

	if (host && system_bus) {
		error_set(error, ERROR_INVALID_ARGUMENT,
			"--host and --system-bus do not go together");
		return NULL;
	}
	if (host)
		return client_connect_host(host, invocation->values[OPTION_SOCKET], error);
	return client_connect(invocation_socket(invocation), system_bus, error);
}

struct client *invocation_client(struct invocation *invocation, struct error *error)
{
	const char *session = variable(CLIENT_SESSION_VARIABLE);

	if (invocation->client)
		return invocation->client;
	/* A login that has ended leaves its variable behind: then nobody is logged in. */
	if (session && means_session(invocation))
		invocation->client = client_connect(session, false, NULL);
	invocation->in_session = invocation->client != NULL;
	if (!invocation->client)
		invocation->client = connect_anew(invocation, error);
	return invocation->client;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/bridge-greeting.h"

#include <string.h>

#include "common/alloc.h"

#define REFUSAL "REJECTED EXTERNAL"

static void answer(struct buffer *answers, const char *line)
{
	buffer_append_string(answers, line);
	buffer_append_string(answers, "\r\n");
}

static void accept_client(struct greeting *greeting, struct buffer *answers)
{
	_cleanup_free_ char *line = xasprintf("OK %s", greeting->guid);

	greeting->is_accepted = true;
	greeting->awaits_data = false;
	answer(answers, line);
	if (greeting->is_ahead)
		answer(answers, "ERROR");
}

/* The words behind a command, or NULL when it is another one. */
static const char *words_of(const char *line, const char *command)
{
	size_t length = strlen(command);

	if (strncmp(line, command, length) != 0 || (line[length] && line[length] != ' '))
		return NULL;
	return line[length] ? line + length + 1 : line + length;
}

/* With a name at once, or when it is asked for. */
static void take_auth(struct greeting *greeting, const char *mechanism, struct buffer *answers)
{
	const char *name = words_of(mechanism, "EXTERNAL");

	greeting->awaits_data = name && !name[0];
	if (!name)
		answer(answers, REFUSAL);
	else if (name[0])
		accept_client(greeting, answers);
	else
		answer(answers, "DATA");
}

static void refuse_descriptors(const struct greeting *greeting, struct buffer *answers)
{
	if (!greeting->is_ahead)
		answer(answers, "ERROR");
}

static void take_line(struct greeting *greeting, const char *line, struct buffer *answers)
{
	const char *mechanism = words_of(line, "AUTH");

	if (mechanism && !greeting->is_accepted)
		take_auth(greeting, mechanism, answers);
	else if (words_of(line, "DATA") && greeting->awaits_data)
		accept_client(greeting, answers);
	else if (words_of(line, "NEGOTIATE_UNIX_FD") && greeting->is_accepted)
		refuse_descriptors(greeting, answers);
	else if (words_of(line, "BEGIN") && greeting->is_accepted)
		greeting->has_begun = true;
	else
		answer(answers, greeting->is_accepted ? "ERROR" : REFUSAL);
}

bool greeting_take(struct greeting *greeting, const char *bytes, size_t length, size_t *taken,
	struct buffer *answers)
{
	*taken = 0;
	if (length && !greeting->has_nul) {
		if (bytes[(*taken)++] != '\0')
			return false;
		greeting->has_nul = true;
	}
	while (!greeting->has_begun) {
		const char *start = bytes + *taken;
		const char *end = memmem(start, length - *taken, "\r\n", 2);
		if (!end)
			break;
		_cleanup_free_ char *line = xasprintf("%.*s", (int)(end - start), start);
		take_line(greeting, line, answers);
		*taken += (size_t)(end - start) + 2;
	}
	return length - *taken < GREETING_BYTES_MAX || greeting->has_begun;
}

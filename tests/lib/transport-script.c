/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/transport-script.h"

#include <string.h>

#include "common/alloc.h"

#define UNKNOWN_COMMAND "6d00"

struct transport_script {
	struct transport transport;
	const struct script_step *steps;
	struct buffer log;
	bool was_reset;
};

static bool script_begin(struct transport *transport, bool *was_reset, struct error *error)
{
	struct transport_script *self = (struct transport_script *)transport;

	(void)error;
	if (self->was_reset)
		*was_reset = true;
	self->was_reset = false;
	return true;
}

static void script_end(struct transport *transport)
{
	(void)transport;
}

static bool is_end(const struct script_step *step)
{
	return step->answer && step->answer[0] == '\0';
}

static const char *find_answer(const struct script_step *step, const char *command)
{
	for (; !is_end(step); step++) {
		if (!step->command ||
			strncasecmp(command, step->command, strlen(step->command)) == 0)
			return step->answer;
	}
	return UNKNOWN_COMMAND;
}

static bool script_transmit(struct transport *transport, const uint8_t *command, size_t length,
	struct buffer *response, struct error *error)
{
	struct transport_script *self = (struct transport_script *)transport;
	_cleanup_free_ char *hex = hex_encode(command, length);
	const char *answer = find_answer(self->steps, hex);

	buffer_append_string(&self->log, hex);
	buffer_append_string(&self->log, " ");
	buffer_truncate(response, 0);
	if (!answer)
		return error_set(error, ERROR_NO_CARD, "the card was removed");
	if (!hex_decode(answer, response))
		abort(); /* the script is wrong, not what it tests */
	return true;
}

static void script_free(struct transport *transport)
{
	struct transport_script *self = (struct transport_script *)transport;

	buffer_clear(&self->log);
	free(self);
}

static const struct transport_ops script_ops = {
	.begin = script_begin,
	.end = script_end,
	.transmit = script_transmit,
	.free = script_free,
};

struct transport *transport_script_new(const struct script_step *steps)
{
	struct transport_script *self = xnew(struct transport_script);

	self->transport.ops = &script_ops;
	self->transport.maximum_data = UINT16_MAX;
	self->steps = steps;
	self->was_reset = true;
	return &self->transport;
}

void transport_script_set(struct transport *transport, const struct script_step *steps)
{
	((struct transport_script *)transport)->steps = steps;
}

void transport_script_reset(struct transport *transport)
{
	((struct transport_script *)transport)->was_reset = true;
}

char *transport_script_take_log(struct transport *transport)
{
	struct transport_script *self = (struct transport_script *)transport;

	buffer_append_u8(&self->log, 0);
	char *log = xstrdup((const char *)self->log.data);
	buffer_clear(&self->log);
	return log;
}

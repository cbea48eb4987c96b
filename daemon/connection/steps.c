/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection/steps.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/alloc.h"

void connection_steps_clear(struct connection_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		free(steps->items[i].name);
		free(steps->items[i].message);
	}
	free(steps->items);
	*steps = (struct connection_steps)CONNECTION_STEPS_INIT;
}

/* Takes the message over. */
static void add_step(
	struct connection_steps *steps, const char *name, bool has_passed, char *message)
{
	steps->items = xreallocarray(steps->items, steps->count + 1, sizeof(*steps->items));
	steps->items[steps->count++] = (struct connection_step){
		.name = xstrdup(name), .has_passed = has_passed, .message = message};
}

void connection_step_passed(
	struct connection_steps *steps, const char *name, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	char *message = xvasprintf(format, arguments);
	va_end(arguments);
	add_step(steps, name, true, message);
}

bool connection_step_failed(struct connection_steps *steps, const char *name, struct error *error)
{
	add_step(steps, name, false, xstrdup(error_message(error)));
	error_clear(error);
	return false;
}

void steps_reached(struct connection_steps *steps, const char *host, const char *ca_file,
	bool is_resolved, bool is_connected)
{
	if (is_resolved)
		connection_step_passed(steps, "name", "%s is found", host);
	if (is_connected)
		connection_step_passed(steps, "TLS", "%s has proved its name%s%s", host,
			ca_file ? " by an authority of " : " to this system's authorities",
			ca_file ? ca_file : "");
}

const char *steps_stopped_at(bool is_resolved, bool is_connected)
{
	if (!is_resolved)
		return "name";
	return is_connected ? "service" : "TLS";
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* First PINs of a batch: typed and shown on the terminal, and nowhere else. */
#include <stdio.h>
#include <string.h>

#include "cli/batch-private.h"
#include "cli/command.h"
#include "cli/pin.h"
#include "cli/template.h"
#include "cli/terminal.h"
#include "common/alloc.h"

static const char *find_name(const json_t *holder)
{
	const char *name = json_string_value(json_object_get(holder, "name"));

	return name ? name : "";
}

bool batch_pins_choose(struct batch *batch, struct error *error)
{
	bool is_made = invocation_has(batch->invocation, OPTION_GENERATE_PIN);
	_cleanup_json_ json_t *template = NULL;

	if (!batch->template)
		return !is_made || error_set(error, ERROR_INVALID_ARGUMENT,
					   "--generate-pin goes with --template: a registered card "
					   "has no PIN");
	if (!template_finish(
		    template_begin(batch->client, batch->template, error), &template, error))
		return false;
	bool sets = template ? template_sets_first_pin(template) : is_made;
	if (is_made && !sets)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"the template '%s' does not activate cards at issue: leave --generate-pin "
			"out, and activate them later",
			batch->template);
	if (!sets)
		return true;
	batch->pins = is_made ? BATCH_PINS_MADE : BATCH_PINS_TYPED;
	if (is_made)
		json_object_set_new(batch->options, "generate-pin", json_true());
	return terminal_check(error) && client_carries_pins(batch->client, error);
}

bool batch_pin_ask(struct batch *batch, size_t row, const json_t *holder, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (batch->pins != BATCH_PINS_TYPED || secret_is_set(&batch->pin))
		return true;
	for (;;) {
		fprintf(stderr, "row %zu of %zu: the first PIN of %s\n", row + 1,
			batch->input.count, find_name(holder));
		if (pin_ask_twice(&batch->pin, &failure))
			return true;
		secret_clear(&batch->pin);
		if (failure.code == ERROR_CANCELLED)
			return error_set(error, ERROR_CANCELLED,
				"interrupted; the same command goes on from here");
		fprintf(stderr, "tessera: %s\n", error_message(&failure));
		error_clear(&failure);
	}
}

bool batch_pin_show(struct batch *batch, size_t row, const json_t *holder, const char *serial,
	const char *job, struct error *error)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	_cleanup_json_ json_t *taken =
		CLIENT_CALL_PLAIN(batch->client, job, CLIENT_JOB, "TakePin", error);
	const char *text = json_string_value(json_array_get(taken, 0));

	if (!text)
		return error_prefix(error,
			"the PIN of card %s is lost; the same command sets "
			"another one",
			serial);
	if (!secret_set(&pin, text, strlen(text)))
		return error_set(error, ERROR_FAILED, "out of memory");
	_cleanup_free_ char *whose = xasprintf("row %zu of %zu: %s, card %s, has the PIN ", row + 1,
		batch->input.count, find_name(holder), serial);
	return terminal_show_secret(whose, &pin, error) ||
	       error_prefix(error, "the same command sets another one for card %s", serial);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli/interrupt.h"
#include "cli/terminal.h"

static void closep(const int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
}

/* 1 with a byte, 0 at the end, -1 with error */
static int read_byte(int descriptor, uint8_t *byte, struct error *error)
{
	ssize_t length = interrupt_read(descriptor, byte, 1);

	if (length >= 0)
		return (int)length;
	if (errno == EINTR)
		error_set(error, ERROR_CANCELLED, "interrupted");
	else
		error_set(
			error, ERROR_INVALID_ARGUMENT, "cannot read the PIN: %s", strerror(errno));
	return -1;
}

/* Appends bytes to secret, which has room for maximum, until the line ends. */
static bool fill_line(
	int descriptor, size_t maximum, struct secret *secret, bool *ended, struct error *error)
{
	size_t length = 0;
	uint8_t byte = 0;
	int got;

	while ((got = read_byte(descriptor, &byte, error)) == 1 && byte != '\n') {
		if (length == maximum) {
			explicit_bzero(&byte, sizeof(byte));
			return error_set(error, ERROR_PIN_LENGTH,
				"the PIN is longer than %zu bytes", maximum);
		}
		secret->data[length++] = byte;
	}
	explicit_bzero(&byte, sizeof(byte));
	if (length > 0 && secret->data[length - 1] == '\r')
		length--;
	secret_truncate(secret, length);
	if (ended)
		*ended = got == 0;
	return got >= 0;
}

bool pin_read_line(
	int descriptor, size_t maximum, struct secret *secret, bool *ended, struct error *error)
{
	if (!secret_allocate(secret, maximum))
		return error_set(error, ERROR_FAILED, "out of memory");
	if (!fill_line(descriptor, maximum, secret, ended, error)) {
		secret_clear(secret);
		return false;
	}
	return true;
}

static bool at_end(int descriptor)
{
	uint8_t byte = 0;

	bool end = read(descriptor, &byte, 1) == 0;
	explicit_bzero(&byte, sizeof(byte));
	return end;
}

bool pin_read_file(const char *path, struct secret *secret, struct error *error)
{
	_cleanup_(closep) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	bool ended = false;

	if (descriptor < 0)
		return error_set(error, ERROR_INVALID_ARGUMENT, "cannot open the PIN file %s: %s",
			path, strerror(errno));
	if (!pin_read_line(descriptor, PIN_MAXIMUM, &pin, &ended, error))
		return error_prefix(error, "%s", path);
	if (pin.length == 0)
		return error_set(error, ERROR_INVALID_ARGUMENT, "%s holds no PIN", path);
	if (!ended && !at_end(descriptor))
		return error_set(error, ERROR_INVALID_ARGUMENT, "%s has more than one line", path);
	secret_move(secret, &pin);
	return true;
}

static bool read_descriptor(const char *text, struct secret *pin, struct error *error)
{
	int64_t descriptor = 0;

	if (!number_parse(text, "--pin-fd", 0, INT_MAX, &descriptor, error) ||
		!pin_read_line((int)descriptor, PIN_MAXIMUM, pin, NULL, error))
		return false;
	if (pin->length == 0)
		return error_set(
			error, ERROR_INVALID_ARGUMENT, "file descriptor %s has no PIN", text);
	return true;
}

bool pin_present(const struct invocation *invocation, struct secret *pin, struct error *error)
{
	const char *path = invocation->values[OPTION_PIN_FILE];
	const char *descriptor = invocation->values[OPTION_PIN_FD];

	if (path)
		return pin_read_file(path, pin, error);
	if (descriptor)
		return read_descriptor(descriptor, pin, error);
	return terminal_ask_secret("PIN: ", PIN_MAXIMUM, pin, error);
}

bool pin_ask_twice(struct secret *pin, struct error *error)
{
	_cleanup_secret_ struct secret again = SECRET_INIT;

	if (!terminal_ask_secret("New PIN: ", PIN_MAXIMUM, pin, error) ||
		!terminal_ask_secret("New PIN again: ", PIN_MAXIMUM, &again, error))
		return false;
	return secret_equal(pin, &again) ||
	       error_set(error, ERROR_INVALID_ARGUMENT, "the two PINs differ; nothing was done");
}

bool pin_new(const struct invocation *invocation, struct secret *pin, struct error *error)
{
	const char *path = invocation->values[OPTION_NEW_PIN_FILE];
	const char *descriptor = invocation->values[OPTION_PIN_FD];

	if (path)
		return pin_read_file(path, pin, error);
	if (descriptor)
		return read_descriptor(descriptor, pin, error);
	return pin_ask_twice(pin, error);
}

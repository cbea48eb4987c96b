/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where PINs come from: a file, a file descriptor, or the terminal; never an
 * argument. They are read byte by byte into locked memory, past no other buffer.
 */
#ifndef TESSERA_CLI_PIN_H
#define TESSERA_CLI_PIN_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/arguments.h"
#include "common/error.h"
#include "common/secret.h"

/* No card takes more; tesserad checks the exact bounds. */
#define PIN_MAXIMUM 64

/*
 * Reads up to the end of a line or of the file. *ended (may be NULL) says
 * whether it was the end of the file. ERROR_PIN_LENGTH for more than maximum
 * bytes, ERROR_CANCELLED when a signal came.
 */
bool pin_read_line(
	int descriptor, size_t maximum, struct secret *secret, bool *ended, struct error *error);

/* A file that holds one line. ERROR_INVALID_ARGUMENT when it cannot be read, is empty or longer. */
bool pin_read_file(const char *path, struct secret *secret, struct error *error);

/* The present PIN: --pin-file, --pin-fd, or asked for. */
bool pin_present(const struct invocation *invocation, struct secret *pin, struct error *error);

/* A new PIN, asked for twice on the terminal. ERROR_INVALID_ARGUMENT when the two differ. */
bool pin_ask_twice(struct secret *pin, struct error *error);

/* A new PIN: --new-pin-file, --pin-fd, or asked for twice. */
bool pin_new(const struct invocation *invocation, struct secret *pin, struct error *error);

#endif

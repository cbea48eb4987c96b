/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the command asks of and shows on the terminal. */
#ifndef TESSERA_CLI_TERMINAL_H
#define TESSERA_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/secret.h"

/* Columns of the terminal that standard output is, or 0. */
size_t terminal_width(void);

/*
 * Asks a yes or no question on the controlling terminal. ERROR_CANCELLED for any
 * answer but yes, ERROR_INVALID_ARGUMENT without a terminal.
 */
bool terminal_confirm(const char *question, struct error *error);

/*
 * Asks for a line without echo on the controlling terminal; at most maximum
 * bytes, without the line's end. ERROR_CANCELLED on Ctrl-C or Ctrl-D,
 * ERROR_INVALID_ARGUMENT without a terminal, ERROR_PIN_LENGTH for a longer line.
 */
bool terminal_ask_secret(
	const char *prompt, size_t maximum, struct secret *secret, struct error *error);

/* Asks for a line, with echo; heap, NULL with the errors of terminal_ask_secret(). */
char *terminal_ask_line(const char *prompt, size_t maximum, struct error *error);

/* Whether there is a controlling terminal. ERROR_INVALID_ARGUMENT. */
bool terminal_check(struct error *error);

/*
 * Shows a secret on the controlling terminal, behind `text`, and nowhere else; returns when
 * somebody has said with Enter that it is noted. ERROR_CANCELLED on Ctrl-C or Ctrl-D,
 * ERROR_INVALID_ARGUMENT without a terminal.
 */
bool terminal_show_secret(const char *text, const struct secret *secret, struct error *error);

/*
 * One line on standard error, drawn over the one before. Nothing unless
 * standard error is a terminal and enabled is set.
 */
struct progress {
	bool enabled;
	size_t drawn; /* columns of the line that is there */
};
void progress_show(struct progress *progress, unsigned percent, const char *step);
/* Takes the line away. */
void progress_clear(struct progress *progress);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text as a terminal shows it: safe characters only, and its width in columns. */
#ifndef TESSERA_CLI_TEXT_H
#define TESSERA_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Makes the C library read and measure UTF-8, whatever the user's locale is: all
 * that tesserad says is UTF-8.
 */
void text_set_locale(void);

/*
 * A heap copy without control characters, bytes that are no UTF-8, and
 * characters that reorder or hide text: each becomes '?'. A line feed or tab
 * becomes a space.
 */
char *text_clean(const char *text);

/* Columns that a cleaned text takes. */
size_t text_width(const char *text);

/* Shortens a cleaned heap text to at most width columns, the last of them then "…". */
void text_shorten(char **text, size_t width);

#endif

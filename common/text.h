/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts that others wrote, for people to read. */
#ifndef TESSERA_COMMON_TEXT_H
#define TESSERA_COMMON_TEXT_H

#include <stddef.h>

/* What others say, in one line for a terminal or a log: at most maximum bytes, and "..." behind a
 * longer one, with spaces in place of control characters; heap. */
char *text_shown(const char *text, size_t maximum);

#endif

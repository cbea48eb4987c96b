/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times as people write them. */
#ifndef TESSERA_CLI_TIME_H
#define TESSERA_CLI_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

/*
 * "2026-01-31", "2026-01-31 14:30", "2026-01-31T14:30:59", each in local time or,
 * with a Z behind it, in UTC; "@SECONDS" since 1970. what: of the option, for the message.
 * ERROR_INVALID_ARGUMENT.
 */
bool time_parse(const char *text, const char *what, int64_t *microseconds, struct error *error);

#endif

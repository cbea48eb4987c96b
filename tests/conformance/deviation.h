/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known to deviate. A line of the file tests/conformance/deviations is
 *
 *     KINDS OUTCOME WHOSE NAME REASON
 *
 * KINDS are the kinds of tokens, separated by commas; OUTCOME is fail, or skip for what such a
 * token has not; WHOSE is softhsm, tessera, card or standard; NAME is a check or a pattern for
 * several; the reason goes to the line's end. All checks that a line names must end as it says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct result {
	const char *outcome, *section, *name, *detail;
};

bool deviations_compare(
	const char *file, const char *kind, const struct result *results, size_t count);

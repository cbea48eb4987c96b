/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "Did you mean": the known word nearest to a mistyped one. */
#ifndef TESSERA_CLI_SUGGEST_H
#define TESSERA_CLI_SUGGEST_H

#include <stddef.h>

struct suggestion {
	const char *best; /* the nearest so far, or NULL when none is near */
	size_t distance;
};
#define SUGGESTION_INIT                                                                            \
	{                                                                                          \
		.best = NULL, .distance = (size_t)-1                                               \
	}

/*
 * Considers a known word: near are words that differ in a third of their
 * letters at most, words that begin with what was typed, and words that end with
 * it ("--pin-file" for "--new-pin-file").
 */
void suggest(struct suggestion *suggestion, const char *typed, const char *known);

/* How many letters must be changed, added or left out to turn one word into the other. */
size_t edit_distance(const char *one, const char *other);

#endif

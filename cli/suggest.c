/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/suggest.h"

#include <stdbool.h>
#include <string.h>

#define LONGEST 32

static size_t least(size_t one, size_t two, size_t three)
{
	size_t smaller = one < two ? one : two;

	return smaller < three ? smaller : three;
}

/* Levenshtein distance with one row; words that are too long are far from everything. */
size_t edit_distance(const char *one, const char *other)
{
	size_t row[LONGEST + 1];
	size_t width = strlen(other);

	if (strlen(one) > LONGEST || width > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 0; one[i]; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < width; j++) {
			size_t changed = diagonal + (one[i] != other[j]);
			diagonal = row[j + 1];
			row[j + 1] = least(row[j] + 1, diagonal + 1, changed);
		}
	}
	return row[width];
}

static const char *without_dashes(const char *word)
{
	return word + strspn(word, "-");
}

static bool is_part(const char *typed, const char *known)
{
	size_t typed_length = strlen(typed), known_length = strlen(known);

	if (typed_length < 2 || typed_length > known_length)
		return false;
	return strncmp(known, typed, typed_length) == 0 ||
	       strcmp(known + known_length - typed_length, typed) == 0;
}

void suggest(struct suggestion *suggestion, const char *typed, const char *known)
{
	const char *typed_letters = without_dashes(typed);
	const char *known_letters = without_dashes(known);

	size_t distance = edit_distance(typed_letters, known_letters);
	size_t limit = strlen(known_letters) / 3 + 1;
	if (distance > 1 && is_part(typed_letters, known_letters))
		distance = 1;
	if (distance <= limit && distance < suggestion->distance) {
		suggestion->best = known;
		suggestion->distance = distance;
	}
}

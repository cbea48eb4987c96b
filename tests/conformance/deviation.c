/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance/deviation.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVIATIONS_MAX 1024

struct deviation {
	char *outcome, *whose, *name;
	bool used;
};

static struct deviation deviations[DEVIATIONS_MAX];
static size_t deviation_count;

static bool names_kind(char *kinds, const char *kind)
{
	for (char *word; (word = strsep(&kinds, ","));) {
		if (!strcmp(word, kind))
			return true;
	}
	return false;
}

/* The next word; rest is moved behind it. */
static char *next_word(char **rest)
{
	char *word;

	do
		word = strsep(rest, " \t\n");
	while (word && !*word);
	return word;
}

static void add_line(const char *file, char *line, const char *kind)
{
	char *rest = line;
	char *kinds = next_word(&rest);

	if (!kinds || *kinds == '#')
		return;
	char *outcome = next_word(&rest), *whose = next_word(&rest), *name = next_word(&rest);
	if (!name || !rest || !*rest || deviation_count == DEVIATIONS_MAX) {
		fprintf(stderr, "%s: a line that is none: %s\n", file, kinds);
		exit(2);
	}
	if (names_kind(kinds, kind))
		deviations[deviation_count++] =
			(struct deviation){strdup(outcome), strdup(whose), strdup(name), false};
}

static void read_deviations(const char *file, const char *kind)
{
	FILE *in = fopen(file, "r");
	char line[1024];

	if (!in) {
		perror(file);
		exit(2);
	}
	while (fgets(line, sizeof(line), in))
		add_line(file, line, kind);
	fclose(in);
}

static struct deviation *find_deviation(const char *name)
{
	for (size_t i = 0; i < deviation_count; i++) {
		if (!fnmatch(deviations[i].name, name, 0))
			return &deviations[i];
	}
	return NULL;
}

/* Whether the result is what is known of it. */
static bool compare_one(const struct result *result)
{
	struct deviation *deviation = find_deviation(result->name);
	const char *known = deviation ? deviation->outcome : "pass";

	if (deviation)
		deviation->used = true;
	printf("%s %-5s %s%s%s%s%s%s\n", result->outcome, result->section, result->name,
		*result->detail ? " (" : "", result->detail, *result->detail ? ")" : "",
		deviation ? " known: " : "", deviation ? deviation->whose : "");
	return !strcmp(known, result->outcome);
}

static size_t count_outcome(const struct result *results, size_t count, const char *outcome)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += !strcmp(results[i].outcome, outcome);
	return found;
}

bool deviations_compare(
	const char *file, const char *kind, const struct result *results, size_t count)
{
	size_t unexpected = 0;

	read_deviations(file, kind);
	bool *wrong = calloc(count + 1, sizeof(*wrong));
	for (size_t i = 0; i < count; i++)
		wrong[i] = !compare_one(&results[i]);
	for (size_t i = 0; i < count; i++) {
		if (!wrong[i])
			continue;
		unexpected++;
		printf("UNEXPECTED %s: %s %s\n", results[i].outcome, results[i].name,
			results[i].detail);
	}
	free(wrong);
	for (size_t i = 0; i < deviation_count; i++) {
		if (deviations[i].used)
			continue;
		unexpected++;
		printf("UNEXPECTED: no check is like the deviation %s\n", deviations[i].name);
	}
	printf("%s: %zu checks passed, %zu failed, %zu skipped; %zu not as known\n", kind,
		count_outcome(results, count, "pass"), count_outcome(results, count, "fail"),
		count_outcome(results, count, "skip"), unexpected);
	return !unexpected && count > 0;
}

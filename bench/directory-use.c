/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Types names, logins, mail addresses and numbers letter by letter, each a search for the first 20
 * people, and then reads all people page by page. Prints "WHAT VALUE" in ms, or people.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/client.h"
#include "common/alloc.h"

#define PATH	    "/org/tessera1/connection/bench"
#define LETTERS_MAX 16
#define ROUNDS	    4 /* the whole list of words is typed so often */

static const char *const words[] = {"ada lovelace", "lovelace ada", "Grace Hop", "turing",
	"hilbert", "barbara l", "p0077777", "p0000001", "p012", "p5@example.org",
	"p99999@example.org", "577777", "599999", "zzz", "nobody at all", "Kepler Edsger", "mar",
	"dennis ritchie 4", "x", "j"};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static json_t *search(struct client *client, const char *text, int64_t limit, const char *after)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	json_t *options = json_pack("{s:I}", "limit", (json_int_t)limit);

	if (after)
		json_object_set_new(options, "after", json_string(after));
	json_t *answer = CLIENT_CALL(client, PATH, CLIENT_CONNECTION, "Search", &error,
		CLIENT_STRING(text), CLIENT_OPTIONS(options));
	json_decref(options);
	if (!answer) {
		fprintf(stderr, "search for \"%s\": %s\n", text, error_message(&error));
		exit(1);
	}
	return answer;
}

static int compare(const void *one, const void *other)
{
	int64_t difference = *(const int64_t *)one - *(const int64_t *)other;

	return difference < 0 ? -1 : difference > 0;
}

static void type_words(struct client *client)
{
	static int64_t times[ROUNDS * ARRAY_SIZE(words) * LETTERS_MAX];
	size_t count = 0, longest = 0;
	_cleanup_free_ char *slowest = NULL;

	for (size_t i = 0; i < ROUNDS * ARRAY_SIZE(words); i++) {
		const char *word = words[i % ARRAY_SIZE(words)];
		for (size_t letters = 1; letters <= strlen(word) && letters <= LETTERS_MAX;
			letters++) {
			_cleanup_free_ char *text = xasprintf("%.*s", (int)letters, word);
			int64_t start = now_us();
			json_decref(search(client, text, 20, NULL));
			times[count++] = now_us() - start;
			if (times[count - 1] > times[longest]) {
				longest = count - 1;
				free(slowest);
				slowest = xstrdup(text);
			}
		}
	}
	fprintf(stderr, "%zu searches; the slowest is for \"%s\"\n", count,
		slowest ? slowest : words[0]);
	qsort(times, count, sizeof(times[0]), compare);
	printf("median %.2f\n", (double)times[count / 2] / 1000);
	printf("percentile95 %.2f\n", (double)times[count * 95 / 100] / 1000);
	printf("maximum %.2f\n", (double)times[count - 1] / 1000);
}

static void read_all(struct client *client)
{
	_cleanup_free_ char *after = NULL;
	int64_t start = now_us();
	size_t people = 0;

	do {
		json_t *answer = search(client, "", 100, after);
		people += json_array_size(json_array_get(answer, 0));
		free(after);
		after = xstrdup(json_string_value(json_array_get(answer, 1)));
		json_decref(answer);
	} while (after[0]);
	printf("people %zu\n", people);
	printf("all %.2f\n", (double)(now_us() - start) / 1000);
}

int main(int argc, char **argv)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct client *client = argc == 2 ? client_connect(argv[1], false, &error) : NULL;

	if (!client) {
		fprintf(stderr, "%s\n",
			argc == 2 ? error_message(&error) : "usage: directory-use SOCKET");
		return 1;
	}
	json_decref(search(client, "warm", 20, NULL));
	type_words(client);
	read_all(client);
	client_free(client);
	return 0;
}

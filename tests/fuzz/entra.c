/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Entra ID and Graph may answer: people, next pages, errors; and what is typed for them. */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "directory/entra-private.h"
#include "fuzz/fuzz.h"
#include "model/holder.h"

#define DOCUMENT                                                                                   \
	"{\"name\":\"entra\",\"kind\":\"entra-id\",\"tenant\":\"t\",\"client-id\":"                \
	"\"99999999-8888-4777-8666-555555555555\",\"api-url\":\"https://g.example\","              \
	"\"fields\":{\"badge\":\"x/y\"}}"
#define API   "https://g.example/v1.0/"
#define LIMIT 5

static struct entra_settings settings;

/* Whoever is taken has an id, a name, and valid fields; nobody is there twice. */
static void check_people(const json_t *json)
{
	struct directory_people people = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	bool done = entra_read_people(&settings, json, LIMIT, &people, &error);

	if (done != (error.code == ERROR_NONE) || people.count > LIMIT)
		abort();
	for (size_t i = 0; i < people.count; i++) {
		const struct directory_person *person = &people.items[i];
		if (!entra_is_guid(person->id) || !person->name ||
			!holder_check(&person->fields, NULL) ||
			(person->is_disabled && !person->reason))
			abort();
		for (size_t j = 0; j < i; j++) {
			if (strcasecmp(people.items[j].id, person->id) == 0)
				abort();
		}
	}
	if (people.next && strncmp(people.next, API, strlen(API)) != 0)
		abort();
	directory_people_clear(&people);
}

static void check_words(const json_t *json)
{
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	_cleanup_free_ char *words = entra_words(json);

	if (!secret_set(&secret, "S3", 2))
		abort();
	_cleanup_free_ char *token_words = entra_token_words(json, &secret);
	if ((words && strpbrk(words, "\r\n\x1b")) ||
		(token_words && (strpbrk(token_words, "\r\n\x1b") || strstr(token_words, "S3"))))
		abort();
}

/* No value ends its quotes. */
static void check_filter(const char *text)
{
	const struct mapped_field field = {.attributes = {(char *)"mail"}, .count = 1};
	_cleanup_free_ char *filter = entra_filter_text(&field, text);
	const char *inside = filter + strlen("mail eq '");
	size_t length = strlen(inside);

	for (size_t i = 0; i + 1 < length; i++) {
		if (inside[i] == '\'' && inside[++i] != '\'')
			abort();
	}
	if (inside[length - 1] != '\'')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	json_t *json _cleanup_json_ =
		json_loadb((const char *)data, length, JSON_REJECT_DUPLICATES, NULL);
	_cleanup_free_ char *text = xasprintf("%.*s", (int)length, (const char *)data);

	if (!settings.api && !entra_settings_parse(&settings, DOCUMENT, NULL))
		abort();
	if (entra_is_of_api(&settings, text) && strncmp(text, API, strlen(API)) != 0)
		abort();
	check_filter(text);
	if (json) {
		check_people(json);
		check_words(json);
	}
	return 0;
}

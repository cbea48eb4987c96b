/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera card find */
#include <string.h>

#include "cli/card.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/object.h"
#include "common/alloc.h"

#define PAGE	      100
#define LIMIT_DEFAULT 100

/* One search, and the cards that all searches have found. */
struct search {
	struct client *client;
	const char *match;
	int64_t limit;
	json_t *cards;
	json_t *seen; /* paths, so that none comes twice */
};

static bool is_full(const struct search *search)
{
	return (int64_t)json_array_size(search->cards) >= search->limit;
}

/* The paths that are new, as many as are wanted; they count as seen. */
static json_t *take_new(struct search *search, const json_t *found)
{
	size_t wanted = (size_t)search->limit - json_array_size(search->cards);
	json_t *paths = json_array();
	json_t *path;
	size_t index;

	json_array_foreach(found, index, path)
	{
		const char *text = json_string_value(path);
		if (json_array_size(paths) == wanted || json_object_get(search->seen, text))
			continue;
		json_object_set_new(search->seen, text, json_true());
		json_array_append(paths, path);
	}
	return paths;
}

/* A page behind *after, which becomes what tesserad answers. */
static bool add_page(struct search *search, const char *field, const char *text, char **after,
	struct error *error)
{
	_cleanup_json_ json_t *answer = CLIENT_CALL(search->client, CLIENT_ROOT, CLIENT_MANAGER,
		"FindCredentials", error, CLIENT_STRING(field), CLIENT_STRING(text),
		CLIENT_STRING(search->match), CLIENT_STRING(*after), CLIENT_UINT32(PAGE));

	if (!answer)
		return false;
	_cleanup_json_ json_t *paths = take_new(search, json_array_get(answer, 0));
	_cleanup_json_ json_t *cards = card_get_all(search->client, paths, error);
	if (!cards || json_array_extend(search->cards, cards) != 0)
		return false;
	free(*after);
	*after = xstrdup(json_string_value(json_array_get(answer, 1)));
	return true;
}

static bool find_in(struct search *search, const char *field, const char *text, struct error *error)
{
	_cleanup_free_ char *after = xstrdup("");

	do {
		if (!add_page(search, field, text, &after, error))
			return false;
	} while (after && after[0] && !is_full(search));
	return true;
}

/* "01:AB:..." as programs show it is "01ab..." in the store. */
static char *certificate_serial(const char *text)
{
	char *serial = xstrdup(text), *end = serial;

	for (const char *c = text; *c; c++) {
		if (*c != ':' && *c != ' ')
			*end++ = *c;
	}
	*end = '\0';
	if (serial[0] && strspn(serial, "0123456789abcdefABCDEF") == strlen(serial))
		return serial;
	free(serial);
	return NULL;
}

static bool find_in_field(
	struct search *search, const char *field, const char *text, struct error *error)
{
	if (strcmp(field, "serial") == 0 || strcmp(field, "holder") == 0)
		return find_in(search, field, text, error);
	if (strcmp(field, "certificate") != 0) {
		_cleanup_free_ char *name = xasprintf("holder.%s", field);
		return find_in(search, name, text, error);
	}
	_cleanup_free_ char *serial = certificate_serial(text);
	return find_in(search, field, serial ? serial : text, error);
}

static bool find_anywhere(struct search *search, const char *text, struct error *error)
{
	_cleanup_free_ char *serial = certificate_serial(text);

	return find_in(search, "serial", text, error) &&
	       (!serial || is_full(search) || find_in(search, "certificate", serial, error)) &&
	       (is_full(search) || find_in(search, "holder", text, error));
}

bool card_search(struct invocation *invocation, struct error *error)
{
	const char *field = invocation->values[OPTION_FIELD];
	const char *limit = invocation->values[OPTION_LIMIT];
	const char *text = invocation->arguments[0];
	_cleanup_json_ json_t *cards = json_array();
	_cleanup_json_ json_t *seen = json_object();
	struct search search = {
		.match = invocation_has(invocation, OPTION_EXACT) ? "exact" : "prefix",
		.limit = LIMIT_DEFAULT,
		.cards = cards,
		.seen = seen};

	if (limit && !number_parse(limit, "--limit", 1, INT64_MAX, &search.limit, error))
		return false;
	search.client = invocation_client(invocation, error);
	if (!search.client || !(field ? find_in_field(&search, field, text, error)
				      : find_anywhere(&search, text, error)))
		return false;
	card_print_list(invocation, cards);
	return true;
}

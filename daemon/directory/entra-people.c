/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* People of Entra ID: searched, by id, by login name. */
#include <string.h>

#include "common/alloc.h"
#include "connection/memory.h"
#include "directory/entra-private.h"

#define TEXT_MAX	256 /* bytes of what is typed; a user principal name has at most 113 */
#define EMPTY_PAGES_MAX 10  /* that are passed over at once: Graph may have filtered all out */

/* --- cursors --- */

/* Where a search goes on: which group's members, how many on a page, and the page's address or, at
 * their beginning, NULL. */
struct place {
	size_t group, limit;
	char *url;
};

/* Callers have a name alone: what is gone to with the token is not theirs to change. */
static bool read_cursor(
	struct directory *directory, const char *cursor, struct place *place, struct error *error)
{
	const struct entra *entra = directory->data;
	_cleanup_free_ char *text =
		connection_memory_noted(directory->services->memory, entra->memory_key, cursor);
	char *end = NULL;

	if (!text)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "after",
			"the search cannot go on from there any more: begin anew");
	place->group = strtoul(text, &end, 10);
	if (strtoul(end, &end, 10) != place->limit)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "limit",
			"a search goes on with as many people on a page as before");
	place->url = end[0] && end[1] ? xstrdup(end + 1) : NULL;
	return true;
}

static char *make_cursor(struct directory *directory, const struct place *place)
{
	const struct entra *entra = directory->data;
	_cleanup_free_ char *text =
		xasprintf("%zu %zu %s", place->group, place->limit, place->url ? place->url : "");

	return connection_memory_note(directory->services->memory, entra->memory_key, text);
}

/* --- one page --- */

static bool read_page(struct directory *directory, const char *url, size_t limit,
	struct directory_people *people, struct error *error)
{
	const struct entra *entra = directory->data;
	_cleanup_entra_reply_ struct entra_reply reply = {0};

	if (!entra_call(directory, url, NULL, &reply, error) ||
		!entra_read_people(&entra->settings, reply.json, limit, people, error))
		return false;
	if (people->next && strcmp(people->next, url) == 0)
		return error_set(
			error, ENTRA_FAILED, "Graph gives the same page as the next one again");
	return true;
}

/* Reads at the place and moves it on; *is_end after the last page. */
static bool read_place(struct directory *directory, struct place *place,
	const struct entra_query *query, struct directory_people *people, bool *is_end,
	struct error *error)
{
	const struct entra_settings *settings = &((const struct entra *)directory->data)->settings;
	struct entra_query here = *query;

	here.group = place->group;
	if (!place->url)
		place->url = entra_collection_url(settings, &here);
	if (!read_page(directory, place->url, query->limit, people, error))
		return false;
	free(place->url);
	place->url = steal_pointer(&people->next);
	if (!place->url)
		place->group++;
	*is_end = !place->url && place->group >= settings->group_count;
	return true;
}

static bool search_from(struct directory *directory, struct place *place,
	const struct entra_query *query, struct directory_people *people, struct error *error)
{
	bool is_end = false;

	for (size_t pages = 0; pages < EMPTY_PAGES_MAX && people->count == 0 && !is_end; pages++) {
		if (!read_place(directory, place, query, people, &is_end, error))
			return false;
	}
	if (!is_end)
		people->next = make_cursor(directory, place);
	return true;
}

static bool make_exact_filter(const struct entra_settings *settings,
	const struct directory_query *query, char **filter, struct error *error)
{
	const struct mapped_field *field = field_mapping_find(&settings->fields, query->field);

	if (!field)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "field",
			"the connection fills no field %s from Entra ID", query->field);
	*filter = entra_filter_text(field, query->value);
	return true;
}

static bool check_length(const char *text, const char *field, struct error *error)
{
	return !text || strlen(text) <= TEXT_MAX ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, field, "this is longer than %d bytes",
		       TEXT_MAX);
}

static bool search(struct directory *directory, const struct directory_query *query,
	struct directory_people *people, struct error *error)
{
	const struct entra_settings *settings = &((const struct entra *)directory->data)->settings;
	size_t page = (size_t)settings->page_size;
	_cleanup_free_ char *typed = NULL, *exact = NULL;
	struct place place = {.limit = query->limit < page ? query->limit : page};
	const char *text = query->text ? query->text + strspn(query->text, " ") : "";

	if (!check_length(text, "text", error) || !check_length(query->value, "value", error) ||
		(query->field && !make_exact_filter(settings, query, &exact, error)))
		return false;
	if (!query->field && text[0])
		typed = entra_search_text(text);
	if (query->after && !read_cursor(directory, query->after, &place, error))
		return false;
	const struct entra_query asked = {
		.limit = place.limit, .is_sorted = true, .search = typed, .filter = exact};
	bool done = search_from(directory, &place, &asked, people, error);
	free(place.url);
	return done;
}

bool entra_search(struct directory *directory, const struct directory_query *query,
	struct directory_people *people, struct error *error)
{
	_cleanup_people_ struct directory_people found = {0};

	if (!entra_prove_ready(directory, error) || !search(directory, query, &found, error))
		return false;
	*people = found;
	found = (struct directory_people){0};
	return true;
}

/* --- one person --- */

static bool is_one_of(const struct entra_settings *settings, const char *id)
{
	for (size_t i = 0; id && i < settings->group_count; i++) {
		if (strcasecmp(settings->groups[i], id) == 0)
			return true;
	}
	return false;
}

static bool has_group(const struct entra_settings *settings, const json_t *ids)
{
	const json_t *id;
	size_t index;

	json_array_foreach(ids, index, id)
	{
		if (is_one_of(settings, json_string_value(id)))
			return true;
	}
	return false;
}

/* Somebody outside of the connection's groups gets no card. */
static bool check_groups(
	struct directory *directory, struct directory_person *person, struct error *error)
{
	const struct entra_settings *settings = &((const struct entra *)directory->data)->settings;
	_cleanup_entra_reply_ struct entra_reply reply = {0};
	json_t *ids = json_array(), *body _cleanup_json_ = json_pack("{s:o}", "groupIds", ids);

	if (settings->group_count == 0 || person->is_disabled)
		return true;
	_cleanup_free_ char *url =
		xasprintf("%s/users/%s/checkMemberGroups", settings->api, person->id);
	for (size_t i = 0; i < settings->group_count; i++)
		json_array_append_new(ids, json_string(settings->groups[i]));
	if (!entra_call(directory, url, body, &reply, error))
		return false;
	const json_t *value = json_object_get(reply.json, "value");
	if (!json_is_array(value))
		return error_set(error, ENTRA_FAILED,
			"what Graph answers is no list of groups: check api-url");
	person->is_disabled = !has_group(settings, value);
	if (person->is_disabled)
		person_note(person, "they are in none of the connection's groups");
	return true;
}

bool entra_get(struct directory *directory, const char *id, struct directory_person *person,
	struct error *error)
{
	const struct entra_settings *settings = &((const struct entra *)directory->data)->settings;
	_cleanup_person_ struct directory_person found = {0};
	_cleanup_entra_reply_ struct entra_reply reply = {0};

	if (!entra_is_guid(id))
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "id",
			"an object id of Entra ID is expected, a GUID");
	_cleanup_free_ char *url = entra_person_url(settings, id);
	if (!entra_call(directory, url, NULL, &reply, error)) {
		if (reply.status == 404 && entra_says(reply.json, "Request_ResourceNotFound"))
			error_set(error, ERROR_NOT_FOUND, "Entra ID has nobody with the id %s", id);
		return false;
	}
	if (!entra_read_person(&settings->fields, reply.json, &found, error) ||
		!check_groups(directory, &found, error))
		return false;
	*person = found;
	found = (struct directory_person){0};
	return true;
}

/* By UPN with an @ in it, else by the field "user". */
static char *make_login_filter(const struct entra_settings *settings, const char *login)
{
	static const struct mapped_field upn = {
		.attributes = {(char *)"userPrincipalName"}, .count = 1};
	static const struct mapped_field user = {
		.attributes = {(char *)"onPremisesSamAccountName", (char *)"userPrincipalName@"},
		.count = 2};
	bool is_upn = strchr(login, '@') != NULL;
	const struct mapped_field *field =
		field_mapping_find(&settings->fields, is_upn ? "upn" : "user");

	return entra_filter_text(field ? field : is_upn ? &upn : &user, login);
}

static bool fail_with_several(
	const char *login, const struct directory_people *found, struct error *error)
{
	const char *one = found->count > 0 ? found->items[0].name : "?";
	const char *other = found->count > 1 ? found->items[1].name : "?";

	return error_set(error, ERROR_INVALID_ARGUMENT,
		"several people of Entra ID have the login name %s, %s and %s among them: give the "
		"whole user principal name",
		login, one, other);
}

bool entra_find(struct directory *directory, const char *login, struct directory_person *person,
	struct error *error)
{
	const struct entra_settings *settings = &((const struct entra *)directory->data)->settings;
	_cleanup_people_ struct directory_people found = {0};
	_cleanup_free_ char *filter = make_login_filter(settings, login);
	const struct entra_query query = {
		.group = settings->group_count, .limit = 2, .filter = filter};
	_cleanup_free_ char *url = entra_collection_url(settings, &query);

	if (!login[0])
		return error_set(error, ERROR_NOT_FOUND, "nobody has an empty login name");
	if (!check_length(login, "login", error) ||
		!read_page(directory, url, query.limit, &found, error))
		return false;
	if (found.count == 0 && !found.next)
		return error_set(error, ERROR_NOT_FOUND,
			"Entra ID has nobody with the login name %s", login);
	if (found.count != 1 || found.next)
		return fail_with_several(login, &found, error);
	/* What an index says of them may be some minutes old. */
	return entra_get(directory, found.items[0].id, person, error);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of people, page by page. */
#include <string.h>

#include "common/alloc.h"
#include "directory/ldap-filter.h"
#include "directory/ldap-follow.h"
#include "directory/ldap-long.h"
#include "directory/ldap-lookup.h"
#include "directory/ldap-people.h"
#include "directory/ldap-reach.h"

#define TYPED_MAX 256 /* bytes of what a person types */
/* The cursor of the second page is this and how many the first one had: nothing is put aside. */
#define SECOND_PAGE "@"

struct list {
	const struct ldap_directory *ldap;
	const char *filter;
	size_t limit;
	size_t passed_over; /* how many the first page had, when the second is asked for */
	struct directory_people *people;
	size_t unnamed; /* entries without an id */
	char *first_unnamed;
};

static bool take(void *context, const struct ldap_entry *entry, struct error *error)
{
	struct list *list = context;
	struct directory_people *people = list->people;

	(void)error;
	people->items = xreallocarray(people->items, people->count + 1, sizeof(*people->items));
	struct directory_person *person = &people->items[people->count];
	*person = (struct directory_person){0};
	if (ldap_person_read(list->ldap, entry, person)) {
		people->count++;
		return true;
	}
	directory_person_clear(person);
	if (list->unnamed++ == 0)
		list->first_unnamed = xstrdup(entry->dn);
	return true;
}

static bool pass_over(void *context, const struct ldap_entry *entry, struct error *error)
{
	(void)context, (void)entry, (void)error;
	return true;
}

static void list_reset(struct list *list)
{
	directory_people_clear(list->people);
	free(list->first_unnamed);
	list->first_unnamed = NULL;
	list->unnamed = 0;
}

static struct ldap_request request_of(const struct list *list, const char *const *attributes)
{
	const struct ldap_people *people = &list->ldap->people;

	return (struct ldap_request){.base = people->base,
		.scope = people->scope,
		.filter = list->filter,
		.attributes = attributes,
		.limit = list->limit};
}

/* An answer in which nobody has an id is none. */
static bool check_ids(const struct list *list, struct error *error)
{
	return list->people->count > 0 || list->unnamed == 0 ||
	       error_set(error, ERROR_DIRECTORY_FAILED,
		       "the entry %.200s has no %s that the account may read: look at id-attribute",
		       list->first_unnamed, list->ldap->people.id);
}

/* --- the first page --- */

/* Of somebody whose entry is too long. */
static bool take_few(void *context, const struct ldap_entry *entry, struct error *error)
{
	struct list *list = context;
	size_t before = list->people->count;

	if (!take(context, entry, error))
		return false;
	if (list->people->count > before)
		person_note(&list->people->items[before],
			"an attribute is too long: the entry has more than %d bytes",
			LDAP_MESSAGE_MAX);
	return true;
}

static bool ask_one_by_one(struct directory *directory, struct ldap_link **link, struct list *list,
	const struct ldap_request *request, bool *has_more, struct error *error)
{
	const struct mapped_field *user = field_mapping_find(&list->ldap->people.mapping, "user");
	const char *few[] = {list->ldap->people.id, user ? user->attributes[0] : NULL, NULL};

	list_reset(list);
	error_clear(error);
	return ldap_search_one_by_one(
		directory, link, request, take, few, take_few, list, has_more, error);
}

static bool ask_first(
	struct directory *directory, struct ldap_link **link, void *context, struct error *error)
{
	struct list *list = context;
	_cleanup_free_ const char **attributes = ldap_person_attributes(list->ldap);
	_cleanup_ldap_outcome_ struct ldap_outcome outcome = {0};
	const struct ldap_request request = request_of(list, attributes);

	list_reset(list);
	if (!ldap_follow(directory, link, &request, take, list, &outcome, error) &&
		(!outcome.is_too_long ||
			!ask_one_by_one(directory, link, list, &request, &outcome.has_more, error)))
		return false;
	if (outcome.has_more)
		list->people->next = xasprintf(SECOND_PAGE "%zu", list->limit);
	return check_ids(list, error);
}

/* --- further pages --- */

/* Puts the search aside when it has more; the link is the cursor's then. */
static void keep_cursor(struct directory *directory, struct ldap_link **link, struct list *list,
	struct ldap_outcome *outcome)
{
	struct ldap_cursor *cursor;

	if (!outcome->has_more)
		return;
	cursor = xnew(struct ldap_cursor);
	cursor->link = steal_pointer(link);
	buffer_move(&cursor->cookie, &outcome->cookie);
	cursor->filter = xstrdup(list->filter);
	list->people->next =
		ldap_pool_put_cursor(directory->services->ldap, list->ldap->use, cursor);
}

static bool ask_page(struct directory *directory, struct ldap_link **link, struct list *list,
	const struct buffer *cookie, struct error *error)
{
	_cleanup_free_ const char **attributes = ldap_person_attributes(list->ldap);
	_cleanup_ldap_outcome_ struct ldap_outcome outcome = {0};
	struct ldap_request request = request_of(list, attributes);

	request.is_paged = true;
	request.cookie = cookie;
	list_reset(list);
	if (!ldap_follow(directory, link, &request, take, list, &outcome, error))
		return false;
	keep_cursor(directory, link, list, &outcome);
	return check_ids(list, error);
}

static bool parse_second(const char *after, size_t *count)
{
	char *end;

	if (strncmp(after, SECOND_PAGE, strlen(SECOND_PAGE)) != 0)
		return false;
	*count = strtoul(after + strlen(SECOND_PAGE), &end, 10);
	return *end == '\0' && *count >= 1 && *count <= DIRECTORY_PAGE_MAX;
}

static bool ask_second(
	struct directory *directory, struct ldap_link **link, void *context, struct error *error)
{
	struct list *list = context;
	/* All pages are of the same search, attributes included (RFC 2696, 3): domain controllers
	 * insist on it. */
	_cleanup_free_ const char **attributes = ldap_person_attributes(list->ldap);
	_cleanup_ldap_outcome_ struct ldap_outcome outcome = {0};
	struct ldap_request request = request_of(list, attributes);

	list_reset(list);
	request.is_paged = true;
	request.limit = list->passed_over;
	if (!ldap_link_search(*link, &request, pass_over, NULL, &outcome, error))
		return false;
	return !outcome.has_more || ask_page(directory, link, list, &outcome.cookie, error);
}

static bool ask_next(
	struct directory *directory, struct list *list, const char *after, struct error *error)
{
	_cleanup_ldap_cursor_ struct ldap_cursor *cursor =
		ldap_pool_take_cursor(directory->services->ldap, list->ldap->use, after);

	if (!cursor || strcmp(cursor->filter, list->filter) != 0)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "after",
			"this list does not go on: it was left for more than %d seconds, or it is "
			"another search's; search again",
			LDAP_CURSOR_SECONDS);
	bool works = ask_page(directory, &cursor->link, list, &cursor->cookie, error);
	if (cursor->link)
		ldap_pool_give(
			directory->services->ldap, list->ldap->use, steal_pointer(&cursor->link));
	return works;
}

/* --- what is looked for --- */

static bool append_field(const struct ldap_directory *ldap, const struct directory_query *query,
	struct buffer *more, struct error *error)
{
	const struct mapped_field *field;

	if (ldap->flavour && ldap->flavour->field_filter &&
		ldap->flavour->field_filter(ldap, more, query->field, query->value))
		return true;
	field = field_mapping_find(&ldap->people.mapping, query->field);
	if (!field)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "field",
			"the connection fills no field \"%.64s\"", query->field);
	ldap_filter_any(more, (const char *const *)field->attributes, field->count, query->value);
	return true;
}

static bool append_query(const struct ldap_directory *ldap, const struct directory_query *query,
	struct buffer *more, struct error *error)
{
	const char *text = query->text ? query->text : "";

	if (strlen(query->field ? query->value : text) > TYPED_MAX)
		return error_set_field(error, ERROR_INVALID_ARGUMENT,
			query->field ? "value" : "text", "at most %d bytes are looked for",
			TYPED_MAX);
	if (query->field)
		return append_field(ldap, query, more, error);
	if (text[strspn(text, " \t,")] == '\0')
		return true;
	if (ldap->flavour && ldap->flavour->typed)
		ldap->flavour->typed(ldap, more, text);
	else
		ldap_filter_typed(more, (const char *const *)ldap->people.typed,
			ldap->people.typed_count, text);
	return true;
}

bool ldap_directory_search(struct directory *directory, const struct directory_query *query,
	struct directory_people *people, struct error *error)
{
	_cleanup_buffer_ struct buffer more = BUFFER_INIT;
	_cleanup_free_ char *filter = NULL;
	struct list list = {.ldap = directory->data, .limit = query->limit, .people = people};
	const char *after = query->after;
	bool works;

	if (!append_query(directory->data, query, &more, error))
		return false;
	list.filter = filter = ldap_people_filter(directory->data, &more);
	if (!after)
		works = ldap_ask(directory, ask_first, &list, error);
	else if (parse_second(after, &list.passed_over))
		works = ldap_ask(directory, ask_second, &list, error);
	else
		works = ask_next(directory, &list, after, error);
	free(list.first_unnamed);
	if (!works)
		directory_people_clear(people);
	return works;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding credentials. Every search goes along one index of (value, id), from
 * where the text would stand, until a value comes that does not fit any more.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "common/alloc.h"
#include "store/store-private.h"

/* Values looked at for one page. */
#define SCAN_MAX      4000
#define HOLDER_PREFIX SEARCH_HOLDER "."

/* ASCII letters in lower case, in place; as lower() in schema.c has it. */
static void fold(char *text)
{
	for (; *text; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
	}
}

static bool remove_fields(struct store *store, int64_t credential_id, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "DELETE FROM credential_field WHERE credential_id = $1", error);

	if (!statement)
		return false;
	bind_int64(statement, credential_id);
	return statement_run(statement, error);
}

static bool add_field(
	struct store *store, int64_t credential_id, const struct field *field, struct error *error)
{
	_cleanup_free_ char *folded = xstrdup(field->value);
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO credential_field (credential_id, name, folded) VALUES ($1, $2, $3)",
		error);

	if (!statement)
		return false;
	fold(folded);
	bind_int64(statement, credential_id);
	bind_text(statement, field->name);
	bind_text(statement, folded);
	return statement_run(statement, error);
}

bool store_search_update(
	struct store *store, const struct credential *credential, struct error *error)
{
	const struct fields *holder = &credential->holder;

	if (!remove_fields(store, credential->id, error))
		return false;
	for (size_t i = 0; i < holder->count; i++) {
		if (holder->items[i].value[0] &&
			!add_field(store, credential->id, &holder->items[i], error))
			return false;
	}
	return true;
}

bool store_holder_id_is_taken(
	struct store *store, const char *id, bool *is_taken, struct error *error)
{
	_cleanup_free_ char *folded = xstrdup(id);
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT (SELECT count(*) FROM credential_field WHERE folded = $1 AND name = 'id')"
		" + (SELECT count(*) FROM operator WHERE id = $2)",
		error);
	int64_t count;

	if (!statement)
		return false;
	fold(folded);
	bind_text(statement, folded);
	bind_text(statement, id);
	if (!statement_run_int64(statement, &count, error))
		return false;
	*is_taken = count > 0;
	return true;
}

/* Where a search is: the value and id that the last row had. */
struct cursor {
	char *value;
	int64_t id;
};

static void cursor_clear(struct cursor *cursor)
{
	free(cursor->value);
}

/* "12:ada@example.org" */
static bool read_cursor(const char *after, struct cursor *cursor, struct error *error)
{
	char *end;

	errno = 0;
	cursor->id = strtoll(after, &end, 10);
	if (errno != 0 || cursor->id < 1 || *end != ':')
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "after",
			"it must be what the page before gave as next");
	cursor->value = xstrdup(end + 1);
	return true;
}

/* Which index a search goes along, and what it compares. */
struct plan {
	const char *sql;
	const char *name; /* of the holder's field, or NULL for any */
	char *text;
};

static void plan_clear(struct plan *plan)
{
	free(plan->text);
}

static bool make_plan(const struct search *search, struct plan *plan, struct error *error)
{
	size_t prefix = strlen(HOLDER_PREFIX);
	bool is_field = strncmp(search->field, HOLDER_PREFIX, prefix) == 0;

	plan->text = xstrdup(search->text);
	if (strcmp(search->field, SEARCH_SERIAL) != 0)
		fold(plan->text);
	if (is_field)
		plan->name = search->field + prefix;
	if (strcmp(search->field, SEARCH_SERIAL) == 0)
		plan->sql = "SELECT serial, id, '' FROM credential WHERE (serial, id) > ($1, $2)"
			    " ORDER BY serial, id";
	else if (strcmp(search->field, SEARCH_CERTIFICATE) == 0)
		plan->sql = "SELECT serial_hex, credential_id, '' FROM certificate"
			    " WHERE (serial_hex, credential_id) > ($1, $2)"
			    " ORDER BY serial_hex, credential_id";
	else if (is_field || strcmp(search->field, SEARCH_HOLDER) == 0)
		plan->sql = "SELECT folded, credential_id, name FROM credential_field"
			    " WHERE (folded, credential_id) > ($1, $2)"
			    " ORDER BY folded, credential_id";
	else
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "field",
			"it must be " SEARCH_SERIAL ", " SEARCH_CERTIFICATE ", " SEARCH_HOLDER
			" or " SEARCH_HOLDER ".NAME");
	return search->text[0] ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, "text", "there is nothing to find");
}

/* Whether the value belongs to what is searched; all that do stand together. */
static bool value_fits(const struct search *search, const struct plan *plan, const char *value)
{
	return search->is_prefix ? strncmp(value, plan->text, strlen(plan->text)) == 0
				 : strcmp(value, plan->text) == 0;
}

/* Reads rows until the page is full, enough was looked at, or nothing more fits. */
static bool read_page(struct statement *statement, const struct search *search,
	const struct plan *plan, struct cursor *cursor, int64_t *ids, size_t *count, bool *more,
	struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;

	for (unsigned seen = 0; *count < search->limit && seen < SCAN_MAX; seen++) {
		*more = statement_row(statement, &local);
		if (!*more)
			return local.code == ERROR_NONE || error_move(error, &local);
		free(cursor->value);
		cursor->value = column_text(statement);
		cursor->id = column_int64(statement);
		_cleanup_free_ char *name = column_text(statement);
		*more = cursor->value && value_fits(search, plan, cursor->value);
		if (!*more)
			return true;
		if ((!plan->name || strcmp(plan->name, name) == 0) &&
			(*count == 0 || ids[*count - 1] != cursor->id))
			ids[(*count)++] = cursor->id;
	}
	return true;
}

bool store_credential_search(struct store *store, const struct search *search, int64_t **ids,
	size_t *count, char **next, struct error *error)
{
	struct plan plan _cleanup_(plan_clear) = {0};
	struct cursor cursor _cleanup_(cursor_clear) = {0};
	bool more = false;
	size_t length = 0;

	if (!make_plan(search, &plan, error) ||
		(search->after[0] && !read_cursor(search->after, &cursor, error)))
		return false;
	/* Ids begin at 1: 0 stands before all rows of the text itself. */
	if (!cursor.value)
		cursor.value = xstrdup(plan.text);
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, plan.sql, error);
	if (!statement)
		return false;
	bind_text(statement, cursor.value);
	bind_int64(statement, cursor.id);
	_cleanup_free_ int64_t *found = xcalloc(search->limit, sizeof(*found));
	if (!read_page(statement, search, &plan, &cursor, found, &length, &more, error))
		return false;
	*ids = steal_pointer(&found);
	*count = length;
	*next = more ? xasprintf("%" PRId64 ":%s", cursor.id, cursor.value) : xstrdup("");
	return true;
}

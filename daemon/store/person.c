/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/alloc.h"
#include "model/holder.h"
#include "store/store-private.h"

#define COLUMNS "connection, id, name, state, since, reason, fields, seen_at, news"

/* Cards that are in use: their people are looked at. */
#define IN_USE "state IN ('issued', 'active', 'inactive')"

/* People of a row of person who have such a card. */
#define HAS_CARD                                                                                   \
	"EXISTS (SELECT 1 FROM credential WHERE person_connection = person.connection"             \
	" AND person_id = person.id AND credential." IN_USE ")"

#define FORGET_SECONDS (24 * 60 * 60)

bool store_person_save(struct store *store, const struct person_record *record, struct error *error)
{
	_cleanup_free_ char *fields = holder_to_json(&record->fields);
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO person (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
		" ON CONFLICT (connection, id) DO UPDATE SET name = excluded.name,"
		" state = excluded.state, since = excluded.since, reason = excluded.reason,"
		" fields = excluded.fields, seen_at = excluded.seen_at, news = excluded.news",
		error);

	if (!statement)
		return false;
	bind_text(statement, record->connection);
	bind_text(statement, record->id);
	bind_text(statement, record->name ? record->name : "");
	bind_text(statement, person_state_name(record->state));
	bind_int64(statement, record->since);
	bind_text(statement, record->reason ? record->reason : "");
	bind_text(statement, fields);
	bind_int64(statement, record->seen_at);
	bind_text(statement, record->news ? record->news : PERSON_NEWS_NONE);
	return statement_run(statement, error);
}

static bool read_person(
	struct statement *statement, struct person_record *record, struct error *error)
{
	record->connection = column_text(statement);
	record->id = column_text(statement);
	record->name = column_text(statement);
	_cleanup_free_ char *state = column_text(statement);
	record->state = person_state_from_name(state);
	record->since = column_int64(statement);
	record->reason = column_text(statement);
	_cleanup_free_ char *fields = column_text(statement);
	record->seen_at = column_int64(statement);
	_cleanup_free_ char *news = column_text(statement);
	record->news = person_news_find(news);
	return (record->state != PERSON_STATE_COUNT && record->news &&
		       holder_from_json(&record->fields, fields ? fields : "", NULL)) ||
	       store_fail_damaged("person", 0, error);
}

bool store_person_get(struct store *store, const char *connection, const char *id,
	struct person_record *record, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT " COLUMNS " FROM person WHERE connection = $1 AND id = $2", error);

	if (!statement)
		return false;
	bind_text(statement, connection);
	bind_text(statement, id);
	if (statement_row(statement, &local)) {
		person_record_clear(record);
		return read_person(statement, record, error);
	}
	if (local.code == ERROR_NONE)
		error_set(&local, ERROR_NOT_FOUND, "there is no such person");
	return error_move(error, &local);
}

/* All rows of a statement with its parameters bound. */
static bool read_all(struct statement *statement, struct person_record **records, size_t *count,
	struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	bool whole = true;

	*records = NULL;
	*count = 0;
	while (whole && statement_row(statement, &local)) {
		*records = xreallocarray(*records, *count + 1, sizeof(**records));
		(*records)[*count] = (struct person_record)PERSON_RECORD_INIT;
		whole = read_person(statement, &(*records)[(*count)++], &local);
	}
	if (local.code == ERROR_NONE)
		return true;
	person_records_free(*records, *count);
	*records = NULL;
	*count = 0;
	return error_move(error, &local);
}

/* A page of those that the query chooses by connection ($1), id ($2) and number ($3). */
static bool read_page(struct store *store, const char *query, const char *connection,
	const char *after, unsigned limit, struct person_record **records, size_t *count,
	struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, query, error);

	if (!statement)
		return false;
	bind_text(statement, connection);
	bind_text(statement, after);
	bind_int64(statement, limit);
	return read_all(statement, records, count, error);
}

bool store_person_list(struct store *store, const char *connection, const char *after,
	unsigned limit, struct person_record **records, size_t *count, struct error *error)
{
	return read_page(store,
		"SELECT " COLUMNS " FROM person WHERE connection = $1 AND id > $2 AND " HAS_CARD
		" ORDER BY id LIMIT $3",
		connection, after, limit, records, count, error);
}

bool store_person_list_news(struct store *store, const char *connection, const char *after,
	unsigned limit, struct person_record **records, size_t *count, struct error *error)
{
	return read_page(store,
		"SELECT " COLUMNS " FROM person WHERE connection = $1 AND id > $2 AND news <> ''"
		" ORDER BY id LIMIT $3",
		connection, after, limit, records, count, error);
}

bool store_person_settle(
	struct store *store, const struct person_record *record, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"UPDATE person SET news = '' WHERE connection = $1 AND id = $2 AND news = $3",
		error);

	if (!statement)
		return false;
	bind_text(statement, record->connection);
	bind_text(statement, record->id);
	bind_text(statement, record->news);
	return statement_run(statement, error);
}

bool store_person_news_connections(
	struct store *store, char ***names, size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT DISTINCT connection FROM person WHERE news <> '' ORDER BY connection",
		error);

	return statement && store_read_names(statement, names, count, error);
}

bool store_person_count(
	struct store *store, const char *connection, int64_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT count(*) FROM person WHERE connection = $1 AND " HAS_CARD, error);

	if (!statement)
		return false;
	bind_text(statement, connection);
	return statement_run_int64(statement, count, error);
}

bool store_person_connections(
	struct store *store, char ***names, size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT DISTINCT person_connection FROM credential WHERE person_id IS NOT NULL"
		" AND " IN_USE " ORDER BY person_connection",
		error);

	return statement && store_read_names(statement, names, count, error);
}

bool store_person_cards(struct store *store, const char *connection, const char *id, int64_t **ids,
	size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT id FROM credential WHERE person_connection = $1 AND person_id = $2"
		" AND " IN_USE " ORDER BY id",
		error);

	if (!statement)
		return false;
	bind_text(statement, connection);
	bind_text(statement, id);
	return store_read_ids(statement, ids, count, error);
}

bool store_person_list_cards(struct store *store, int64_t after, unsigned limit, int64_t **ids,
	size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT id FROM credential WHERE id > $1 AND person_id IS NOT NULL AND " IN_USE
		" ORDER BY id LIMIT $2",
		error);

	if (!statement)
		return false;
	bind_int64(statement, after);
	bind_int64(statement, limit);
	return store_read_ids(statement, ids, count, error);
}

bool store_person_forget_others(struct store *store, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"DELETE FROM person WHERE seen_at < $1 AND NOT EXISTS (SELECT 1 FROM credential"
		" WHERE person_connection = person.connection AND person_id = person.id)",
		error);

	if (!statement)
		return false;
	bind_int64(statement, store_now() - FORGET_SECONDS);
	return statement_run(statement, error);
}

bool store_credential_of_person(struct store *store, const char *connection, const char *id,
	const char *template_name, char **serial, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT serial FROM credential WHERE person_connection = $1 AND person_id = $2"
		" AND template_name = $3 AND replaced_by = 0 AND " IN_USE " ORDER BY id LIMIT 1",
		error);

	*serial = NULL;
	if (!statement)
		return false;
	bind_text(statement, connection);
	bind_text(statement, id);
	bind_text(statement, template_name);
	if (statement_row(statement, &failure))
		*serial = column_text(statement);
	return failure.code == ERROR_NONE || error_move(error, &failure);
}

bool store_person_check_unused(struct store *store, const char *connection, struct error *error)
{
	int64_t count;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT count(*) FROM credential WHERE person_connection = $1 AND " IN_USE, error);

	if (!statement)
		return false;
	bind_text(statement, connection);
	if (!statement_run_int64(statement, &count, error))
		return false;
	return count == 0 ||
	       error_set(error, ERROR_IN_USE, "%lld cards are of people of the connection \"%s\"",
		       (long long)count, connection);
}

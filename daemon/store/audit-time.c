/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From times to records. Ids and times both grow, so that a time is found by
 * halving the ids; only where the clock was set back does a new run begin, which
 * is searched by itself.
 */
#include <stdint.h>

#include "common/alloc.h"
#include "store/store-private.h"

bool store_audit_note_run(struct store *store, int64_t first_id, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "INSERT INTO audit_run (first_id) VALUES ($1)", error);

	if (!statement)
		return false;
	bind_int64(statement, first_id);
	return statement_run(statement, error);
}

/* The first ids of all runs, and behind them the first id that is not written yet. */
static bool read_runs(struct store *store, int64_t **runs, size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	int64_t last;

	if (!store_audit_last(store, &last, error))
		return false;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT first_id FROM audit_run WHERE first_id > 1 ORDER BY first_id", error);
	if (!statement)
		return false;
	int64_t *read = xcalloc(2, sizeof(*read));
	size_t length = 0;
	read[length++] = 1;
	while (statement_row(statement, &local)) {
		read = xreallocarray(read, length + 2, sizeof(*read));
		read[length++] = column_int64(statement);
	}
	read[length] = last + 1;
	*runs = read;
	*count = length;
	return local.code == ERROR_NONE || error_move(error, &local);
}

/* The time of the record, or of the next one that is there; INT64_MAX behind the last. */
static bool read_time(struct store *store, int64_t id, int64_t *time_us, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT time_us FROM audit WHERE id >= $1 ORDER BY id LIMIT 1", error);

	if (!statement)
		return false;
	bind_int64(statement, id);
	*time_us = INT64_MAX;
	if (statement_row(statement, &local))
		*time_us = column_int64(statement);
	return local.code == ERROR_NONE || error_move(error, &local);
}

/* The first id from first to end whose time is not before time_us; end when there is none. */
static bool halve(struct store *store, int64_t first, int64_t end, int64_t time_us, int64_t *found,
	struct error *error)
{
	while (first < end) {
		int64_t middle = first + (end - first) / 2, there;
		if (!read_time(store, middle, &there, error))
			return false;
		if (there < time_us)
			first = middle + 1;
		else
			end = middle;
	}
	*found = first;
	return true;
}

bool store_audit_narrow(struct store *store, int64_t since_us, int64_t until_us, int64_t *low,
	int64_t *high, struct error *error)
{
	_cleanup_free_ int64_t *runs = NULL;
	int64_t lowest = INT64_MAX, highest = 0;
	size_t count;

	if (since_us == 0 && until_us == 0)
		return true;
	if (!read_runs(store, &runs, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		int64_t from = runs[i], to = runs[i + 1];
		if ((since_us && !halve(store, from, to, since_us, &from, error)) ||
			(until_us && !halve(store, from, to, until_us, &to, error)))
			return false;
		if (from < to) {
			lowest = lowest < from ? lowest : from;
			highest = highest > to ? highest : to;
		}
	}
	if (lowest == INT64_MAX)
		lowest = highest = 1; /* nothing is of that time */
	*low = *low > lowest - 1 ? *low : lowest - 1;
	*high = *high < highest ? *high : highest;
	return true;
}

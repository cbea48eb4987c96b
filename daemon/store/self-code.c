/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "model/holder.h"
#include "store/self-service.h"
#include "store/store-private.h"

#define COLUMNS                                                                                    \
	"id, selector, salt, hash, purpose, credential_id, template_name, user_id, holder,"        \
	" given_by, created_at, expires_at, used_at, failures"

void self_code_clear(struct self_code *code)
{
	free(code->selector);
	free(code->template_name);
	free(code->user_id);
	fields_clear(&code->holder);
	free(code->given_by);
	*code = (struct self_code){0};
}

void self_codes_free(struct self_code *codes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		self_code_clear(&codes[i]);
	free(codes);
}

bool store_self_code_add(struct store *store, struct self_code *code, struct error *error)
{
	_cleanup_free_ char *holder = holder_to_json(&code->holder);

	if (!store_counter_next(store, "self_code", &code->id, error))
		return false;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO self_code (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, nullif($6, 0), $7,"
		" $8, $9, $10, $11, $12, $13, $14)",
		error);

	if (!statement)
		return false;
	bind_int64(statement, code->id);
	bind_text(statement, code->selector);
	bind_blob(statement, code->salt, sizeof(code->salt));
	bind_blob(statement, code->hash, sizeof(code->hash));
	bind_text(statement, self_service_name(code->purpose));
	bind_int64(statement, code->credential_id);
	bind_text(statement, code->template_name);
	bind_text(statement, code->user_id);
	bind_text(statement, holder);
	bind_text(statement, code->given_by);
	bind_int64(statement, code->created_at);
	bind_int64(statement, code->expires_at);
	bind_int64(statement, code->used_at);
	bind_int64(statement, code->failures);
	return statement_run(statement, error);
}

/* --- reading --- */

static bool read_bytes(struct statement *statement, uint8_t *bytes, size_t length)
{
	struct buffer blob _cleanup_buffer_ = BUFFER_INIT;

	column_blob(statement, &blob);
	if (blob.failed || blob.length != length)
		return false;
	memcpy(bytes, blob.data, length);
	return true;
}

static bool read_code(struct statement *statement, struct self_code *code, struct error *error)
{
	code->id = column_int64(statement);
	code->selector = column_text(statement);
	bool whole = read_bytes(statement, code->salt, sizeof(code->salt));
	whole = read_bytes(statement, code->hash, sizeof(code->hash)) && whole;
	_cleanup_free_ char *purpose = column_text(statement);
	code->credential_id = column_int64(statement);
	code->template_name = column_text(statement);
	code->user_id = column_text(statement);
	_cleanup_free_ char *holder = column_text(statement);
	code->given_by = column_text(statement);
	code->created_at = column_int64(statement);
	code->expires_at = column_int64(statement);
	code->used_at = column_int64(statement);
	code->failures = (unsigned)column_int64(statement);
	code->purpose = purpose ? self_service_from_name(purpose) : SELF_SERVICE_COUNT;
	if (!whole || code->purpose == SELF_SERVICE_COUNT || !holder ||
		!holder_from_json(&code->holder, holder, NULL))
		return store_fail_damaged("self_code", code->id, error);
	return true;
}

bool store_self_code_get(
	struct store *store, const char *selector, struct self_code *code, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "SELECT " COLUMNS " FROM self_code WHERE selector = $1", error);

	self_code_clear(code);
	if (!statement)
		return false;
	bind_text(statement, selector);
	if (statement_row(statement, &failure))
		return read_code(statement, code, error);
	if (failure.code == ERROR_NONE)
		error_set(&failure, ERROR_NOT_FOUND, "there is no code %.16s", selector);
	return error_move(error, &failure);
}

bool store_self_code_list(struct store *store, int64_t now, unsigned limit,
	struct self_code **codes, size_t *count, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT " COLUMNS " FROM self_code WHERE used_at = 0 AND expires_at > $1"
		" ORDER BY id LIMIT $2",
		error);

	*codes = NULL;
	*count = 0;
	if (!statement)
		return false;
	bind_int64(statement, now);
	bind_int64(statement, limit);
	while (failure.code == ERROR_NONE && statement_row(statement, &failure)) {
		*codes = xreallocarray(*codes, *count + 1, sizeof(**codes));
		(*codes)[*count] = (struct self_code){0};
		read_code(statement, &(*codes)[(*count)++], &failure);
	}
	if (failure.code == ERROR_NONE)
		return true;
	self_codes_free(*codes, *count);
	*codes = NULL;
	*count = 0;
	return error_move(error, &failure);
}

/* --- changes --- */

/* Gives back the id of the row that was changed. ERROR_NOT_FOUND. */
static bool run_for_row(struct statement *statement, struct error *error)
{
	int64_t id;

	return statement_run_int64(statement, &id, error);
}

bool store_self_code_spend(struct store *store, int64_t id, int64_t now, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"UPDATE self_code SET used_at = $1 WHERE id = $2 AND used_at = 0 AND expires_at > "
		"$1"
		" RETURNING id",
		error);

	if (!statement)
		return false;
	bind_int64(statement, now);
	bind_int64(statement, id);
	return run_for_row(statement, error);
}

static bool run_with_id(struct store *store, const char *sql, int64_t id, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, sql, error);

	if (!statement)
		return false;
	bind_int64(statement, id);
	return statement_run(statement, error);
}

bool store_self_code_restore(struct store *store, int64_t id, struct error *error)
{
	return run_with_id(store, "UPDATE self_code SET used_at = 0 WHERE id = $1", id, error);
}

bool store_self_code_fail(struct store *store, int64_t id, struct error *error)
{
	return run_with_id(
		store, "UPDATE self_code SET failures = failures + 1 WHERE id = $1", id, error);
}

bool store_self_code_remove(struct store *store, const char *selector, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "DELETE FROM self_code WHERE selector = $1 RETURNING id", error);

	if (!statement)
		return false;
	bind_text(statement, selector);
	return run_for_row(statement, error);
}

bool store_self_code_purge(struct store *store, int64_t before, struct error *error)
{
	return run_with_id(store, "DELETE FROM self_code WHERE expires_at < $1", before, error);
}

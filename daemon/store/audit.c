/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "store/store-private.h"

#define COUNTER "audit"
#define COLUMNS "id, time_us, actor, operation, card, outcome, detail, job, hash"

void audit_record_clear(struct audit_record *record)
{
	free(record->actor);
	free(record->operation);
	free(record->card);
	free(record->outcome);
	free(record->detail);
	*record = (struct audit_record)AUDIT_RECORD_INIT;
}

void audit_records_free(struct audit_record *records, size_t count)
{
	for (size_t i = 0; records && i < count; i++)
		audit_record_clear(&records[i]);
	free(records);
}

static bool read_hash(struct statement *statement, uint8_t hash[32])
{
	_cleanup_buffer_ struct buffer value = BUFFER_INIT;

	column_blob(statement, &value);
	if (value.length != 32)
		return false;
	memcpy(hash, value.data, 32);
	return true;
}

/* Zeros when there is no record yet; a damaged hash is left for audit_verify to find. */
static bool read_last_hash(struct store *store, uint8_t hash[32], struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "SELECT hash FROM audit ORDER BY id DESC LIMIT 1", error);

	if (!statement)
		return false;
	if (statement_row(statement, &local))
		read_hash(statement, hash);
	return local.code == ERROR_NONE || error_move(error, &local);
}

static bool insert(struct store *store, const struct audit_record *record, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO audit (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		error);

	if (!statement)
		return false;
	bind_int64(statement, record->id);
	bind_int64(statement, record->time_us);
	bind_text(statement, record->actor);
	bind_text(statement, record->operation);
	bind_text(statement, record->card);
	bind_text(statement, record->outcome);
	bind_text(statement, record->detail);
	bind_int64(statement, record->job);
	bind_blob(statement, record->hash, sizeof(record->hash));
	return statement_run(statement, error);
}

static bool append(struct store *store, struct audit_record *record,
	void (*chain)(struct audit_record *record, const uint8_t previous[32]), struct error *error)
{
	uint8_t previous[32] = {0};

	if (!read_last_hash(store, previous, error) ||
		!store_counter_next(store, COUNTER, &record->id, error))
		return false;
	chain(record, previous);
	return insert(store, record, error);
}

bool store_audit_append(struct store *store, struct audit_record *record,
	void (*chain)(struct audit_record *record, const uint8_t previous[32]), struct error *error)
{
	if (!database_begin(store->database, error))
		return false;
	bool appended = append(store, record, chain, error);
	return database_end(store->database, appended, error);
}

bool store_audit_last(struct store *store, int64_t *id, struct error *error)
{
	return store_counter_get(store, COUNTER, id, error);
}

static void read_record(struct statement *statement, struct audit_record *record)
{
	*record = (struct audit_record)AUDIT_RECORD_INIT;
	record->id = column_int64(statement);
	record->time_us = column_int64(statement);
	record->actor = column_text(statement);
	record->operation = column_text(statement);
	record->card = column_text(statement);
	record->outcome = column_text(statement);
	record->detail = column_text(statement);
	record->job = (unsigned)column_int64(statement);
	read_hash(statement, record->hash);
}

bool store_audit_list(struct store *store, const char *card, int64_t after, unsigned limit,
	struct audit_record **records, size_t *count, struct error *error)
{
	static const char all[] =
		"SELECT " COLUMNS " FROM audit WHERE id > $1 ORDER BY id LIMIT $2";
	static const char of_card[] =
		"SELECT " COLUMNS " FROM audit WHERE id > $1 AND card = $2 ORDER BY id LIMIT $3";
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, card ? of_card : all, error);
	size_t length = 0;

	if (!statement)
		return false;
	bind_int64(statement, after);
	if (card)
		bind_text(statement, card);
	bind_int64(statement, limit);
	struct audit_record *read = xnew(struct audit_record);
	while (statement_row(statement, &local)) {
		read = xreallocarray(read, length + 1, sizeof(*read));
		read_record(statement, &read[length++]);
	}
	if (local.code != ERROR_NONE) {
		audit_records_free(read, length);
		return error_move(error, &local);
	}
	*records = read;
	*count = length;
	return true;
}

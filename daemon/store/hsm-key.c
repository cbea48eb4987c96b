/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys in HSM slots that are credentials. */
#include "common/alloc.h"
#include "store/store-private.h"

#define COLUMNS "credential_id, slot, label, id, new_id, old_id, was_there, step, last_certificate"

static void bind_bytes(struct statement *statement, const struct buffer *bytes)
{
	bind_blob(statement, bytes->length ? bytes->data : (const uint8_t *)"", bytes->length);
}

bool store_hsm_key_save(struct store *store, const struct hsm_key *key, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO hsm_key (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
		" ON CONFLICT (credential_id) DO UPDATE SET slot = excluded.slot,"
		" label = excluded.label, id = excluded.id, new_id = excluded.new_id,"
		" old_id = excluded.old_id, was_there = excluded.was_there, step = excluded.step,"
		" last_certificate = excluded.last_certificate",
		error);

	if (!statement)
		return false;
	bind_int64(statement, key->credential_id);
	bind_text(statement, key->slot);
	bind_text(statement, key->label);
	bind_bytes(statement, &key->id);
	bind_bytes(statement, &key->new_id);
	bind_bytes(statement, &key->old_id);
	bind_int64(statement, key->was_there);
	bind_text(statement, hsm_key_step_name(key->step));
	bind_int64(statement, key->last_certificate);
	return statement_run(statement, error);
}

/* False with error for what this program never writes. */
static bool read_key(struct statement *statement, struct hsm_key *key, struct error *error)
{
	key->credential_id = column_int64(statement);
	key->slot = column_text(statement);
	key->label = column_text(statement);
	column_blob(statement, &key->id);
	column_blob(statement, &key->new_id);
	column_blob(statement, &key->old_id);
	key->was_there = column_int64(statement) != 0;
	_cleanup_free_ char *step = column_text(statement);
	key->step = hsm_key_step_from_name(step);
	key->last_certificate = column_int64(statement);
	return (key->step != HSM_KEY_STEP_COUNT && key->slot && key->label && key->id.length > 0) ||
	       store_fail_damaged("hsm_key", key->credential_id, error);
}

bool store_hsm_key_get(
	struct store *store, int64_t credential_id, struct hsm_key *key, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "SELECT " COLUMNS " FROM hsm_key WHERE credential_id = $1", error);

	if (!statement)
		return false;
	bind_int64(statement, credential_id);
	if (statement_row(statement, &local))
		return read_key(statement, key, error) && statement_run(statement, error);
	return local.code == ERROR_NONE ? error_set(error, ERROR_NOT_FOUND,
						  "the credential is no key in an HSM slot")
					: error_move(error, &local);
}

void hsm_keys_free(struct hsm_key *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		hsm_key_clear(&keys[i]);
	free(keys);
}

/* Free what was read also after a failure. */
static bool read_keys(
	struct statement *statement, struct hsm_key **keys, size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;

	while (statement_row(statement, &local)) {
		*keys = xreallocarray(*keys, *count + 1, sizeof(**keys));
		struct hsm_key *key = &(*keys)[(*count)++];
		*key = (struct hsm_key)HSM_KEY_INIT;
		if (!read_key(statement, key, error))
			return false;
	}
	return local.code == ERROR_NONE || error_move(error, &local);
}

static bool list(
	struct statement *statement, struct hsm_key **keys, size_t *count, struct error *error)
{
	*keys = NULL;
	*count = 0;
	if (statement && read_keys(statement, keys, count, error))
		return true;
	hsm_keys_free(*keys, *count);
	*keys = NULL;
	*count = 0;
	return false;
}

#define SELECT "SELECT " COLUMNS " FROM hsm_key WHERE slot = $1"
#define ORDER  " ORDER BY credential_id"

bool store_hsm_key_list(struct store *store, const char *slot, struct hsm_key **keys, size_t *count,
	struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, SELECT ORDER, error);

	if (statement)
		bind_text(statement, slot);
	return list(statement, keys, count, error);
}

bool store_hsm_key_list_unsettled(struct store *store, const char *slot, struct hsm_key **keys,
	size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, SELECT " AND step <> ''" ORDER, error);

	if (statement)
		bind_text(statement, slot);
	return list(statement, keys, count, error);
}

bool store_hsm_key_list_labelled(struct store *store, const char *slot, const char *label,
	struct hsm_key **keys, size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, SELECT " AND label = $2" ORDER, error);

	if (statement) {
		bind_text(statement, slot);
		bind_text(statement, label);
	}
	return list(statement, keys, count, error);
}

static bool run_for(struct store *store, const char *sql, int64_t id, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, sql, error);

	if (!statement)
		return false;
	bind_int64(statement, id);
	return statement_run(statement, error);
}

bool store_hsm_key_forget(struct store *store, int64_t credential_id, struct error *error)
{
	static const char *const statements[] = {"DELETE FROM hsm_key WHERE credential_id = $1",
		"DELETE FROM credential_field WHERE credential_id = $1",
		"DELETE FROM credential WHERE id = $1"};
	bool done = true;

	if (!database_begin(store->database, error))
		return false;
	for (size_t i = 0; done && i < ARRAY_SIZE(statements); i++)
		done = run_for(store, statements[i], credential_id, error);
	return database_end(store->database, done, error);
}

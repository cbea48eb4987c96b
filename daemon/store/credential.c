/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "model/holder.h"
#include "store/store-private.h"

#define COLUMNS                                                                                    \
	"id, serial, card_type, state, holder, template_name, template_version, kdf, key_version," \
	" key_check_value, admin_algorithm, reason, created_at, changed_at,"                       \
	" expires_at, replaces, replaced_by, user_id, state_before, person_connection, person_id," \
	" person_given"

/* In the order of both statements below. */
static void bind_credential(struct statement *statement, const struct credential *credential)
{
	_cleanup_free_ char *holder = holder_to_json(&credential->holder);
	_cleanup_free_ char *given = holder_to_json(&credential->person.given);

	bind_int64(statement, credential->id);
	bind_text(statement, credential->serial);
	bind_text(statement, credential->card_type);
	bind_text(statement, lifecycle_state_name(credential->state));
	bind_text(statement, holder);
	bind_text(statement, credential->template_name);
	bind_int64(statement, credential->template_version);
	bind_text(statement, credential->kdf);
	bind_int64(statement, credential->key_version);
	bind_blob(statement, credential->key_check_value, sizeof(credential->key_check_value));
	bind_int64(statement, credential->admin_algorithm);
	bind_text(statement, credential->reason);
	bind_int64(statement, credential->created_at);
	bind_int64(statement, credential->changed_at);
	bind_int64(statement, credential->expires_at);
	bind_int64(statement, credential->replaces);
	bind_int64(statement, credential->replaced_by);
	bind_text(statement, credential->user_id);
	bind_text(statement, credential->state == LIFECYCLE_INACTIVE
				     ? lifecycle_state_name(credential->before)
				     : NULL);
	bind_text(statement, credential->person.connection);
	bind_text(statement, credential->person.id);
	bind_text(statement, credential->person.connection ? given : NULL);
}

static bool write_credential(struct store *store, const char *sql,
	const struct credential *credential, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, sql, error);
	int64_t id;

	if (!statement)
		return false;
	bind_credential(statement, credential);
	return statement_run_int64(statement, &id, error);
}

static bool insert(struct store *store, struct credential *credential, struct error *error)
{
	static const char sql[] =
		"INSERT INTO credential (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,"
		" $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)"
		" RETURNING id";

	return store_counter_next(store, "credential", &credential->id, error) &&
	       write_credential(store, sql, credential, error);
}

/* ERROR_NOT_FOUND when RETURNING gives no row. */
static bool update(struct store *store, const struct credential *credential, struct error *error)
{
	static const char sql[] =
		"UPDATE credential SET (" COLUMNS ") = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
		" $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)"
		" WHERE id = $1 RETURNING id";

	return write_credential(store, sql, credential, error);
}

bool store_credential_save(struct store *store, struct credential *credential, struct error *error)
{
	struct credential changed = *credential; /* borrows the strings */

	changed.changed_at = store_now();
	if (credential->id == 0)
		changed.created_at = changed.changed_at;
	if (!database_begin(store->database, error))
		return false;
	bool saved = (credential->id == 0 ? insert(store, &changed, error)
					  : update(store, &changed, error)) &&
		     store_search_update(store, &changed, error);
	if (!database_end(store->database, saved, error))
		return error_prefix(error, "card %s", credential->serial);
	*credential = changed;
	return true;
}

static bool read_holder(
	struct statement *statement, struct credential *credential, struct error *error)
{
	_cleanup_free_ char *holder = column_text(statement);

	return holder_from_json(&credential->holder, holder ? holder : "", error);
}

static bool read_key_check_value(struct statement *statement, struct credential *credential)
{
	_cleanup_buffer_ struct buffer value = BUFFER_INIT;

	column_blob(statement, &value);
	if (value.length != sizeof(credential->key_check_value))
		return false;
	memcpy(credential->key_check_value, value.data, value.length);
	return true;
}

/* A card that was suspended before this was kept was active. */
static bool read_before(struct statement *statement, struct credential *credential)
{
	_cleanup_free_ char *before = column_text(statement);

	credential->before = before ? lifecycle_state_from_name(before) : LIFECYCLE_ACTIVE;
	return credential->before != LIFECYCLE_STATE_COUNT;
}

static bool read_person(struct statement *statement, struct credential *credential)
{
	credential->person.connection = column_text(statement);
	credential->person.id = column_text(statement);
	_cleanup_free_ char *given = column_text(statement);

	return !credential->person.connection ||
	       (credential->person.id &&
		       holder_from_json(&credential->person.given, given ? given : "{}", NULL));
}

static struct credential *read_credential(struct statement *statement, struct error *error)
{
	_cleanup_credential_ struct credential *credential = xnew(struct credential);

	credential->id = column_int64(statement);
	credential->serial = column_text(statement);
	credential->card_type = column_text(statement);
	_cleanup_free_ char *state = column_text(statement);
	credential->state = lifecycle_state_from_name(state);
	bool whole = read_holder(statement, credential, NULL);
	credential->template_name = column_text(statement);
	credential->template_version = column_int64(statement);
	credential->kdf = column_text(statement);
	credential->key_version = (uint32_t)column_int64(statement);
	whole = read_key_check_value(statement, credential) && whole;
	credential->admin_algorithm = (uint8_t)column_int64(statement);
	credential->reason = column_text(statement);
	credential->created_at = column_int64(statement);
	credential->changed_at = column_int64(statement);
	credential->expires_at = column_int64(statement);
	credential->replaces = column_int64(statement);
	credential->replaced_by = column_int64(statement);
	credential->user_id = column_text(statement);
	whole = read_before(statement, credential) && whole;
	whole = read_person(statement, credential) && whole;
	if (!whole || credential->state == LIFECYCLE_STATE_COUNT) {
		store_fail_damaged("credential", credential->id, error);
		return NULL;
	}
	credential_apply_expiry(credential, store_now());
	return steal_pointer(&credential);
}

/* The one row of a statement with its parameters bound. */
static struct credential *read_one(struct statement *statement, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;

	if (statement_row(statement, &local))
		return read_credential(statement, error);
	if (local.code == ERROR_NONE)
		error_set(&local, ERROR_NOT_FOUND, "no such card is known");
	error_move(error, &local);
	return NULL;
}

struct credential *store_credential_by_id(struct store *store, int64_t id, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "SELECT " COLUMNS " FROM credential WHERE id = $1", error);

	if (!statement)
		return NULL;
	bind_int64(statement, id);
	return read_one(statement, error);
}

struct credential *store_credential_by_serial(
	struct store *store, const char *serial, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "SELECT " COLUMNS " FROM credential WHERE serial = $1", error);

	if (!statement)
		return NULL;
	bind_text(statement, serial);
	return read_one(statement, error);
}

/* Two texts rather than an OR, so that each has its index. */
static struct statement *prepare_list(
	struct store *store, enum lifecycle_state state, struct error *error)
{
	if (state == LIFECYCLE_STATE_COUNT)
		return database_prepare(store->database,
			"SELECT id FROM credential WHERE id > $1 ORDER BY id LIMIT $2", error);
	return database_prepare(store->database,
		"SELECT id FROM credential WHERE id > $1 AND state = $2 ORDER BY id LIMIT $3",
		error);
}

bool store_credential_list(struct store *store, enum lifecycle_state state, int64_t after,
	unsigned limit, int64_t **ids, size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = prepare_list(store, state, error);

	if (!statement)
		return false;
	bind_int64(statement, after);
	if (state != LIFECYCLE_STATE_COUNT)
		bind_text(statement, lifecycle_state_name(state));
	bind_int64(statement, limit);
	return store_read_ids(statement, ids, count, error);
}

bool store_credential_list_due(struct store *store, int64_t now, unsigned limit, int64_t **ids,
	size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT id FROM credential WHERE expires_at > 0 AND expires_at <= $1"
		" AND state IN ('issued', 'active', 'inactive') ORDER BY expires_at LIMIT $2",
		error);

	if (!statement)
		return false;
	bind_int64(statement, now);
	bind_int64(statement, limit);
	return store_read_ids(statement, ids, count, error);
}

bool store_credential_of_user(struct store *store, const char *user_id, const char *template_name,
	char **serial, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT serial FROM credential WHERE user_id = $1 AND template_name = $2"
		" AND replaced_by = 0"
		" AND state IN ('issued', 'active', 'inactive', 'revoked', 'expired')"
		" ORDER BY id LIMIT 1",
		error);
	_cleanup_error_ struct error failure = ERROR_INIT;

	*serial = NULL;
	if (!statement)
		return false;
	bind_text(statement, user_id);
	bind_text(statement, template_name);
	if (statement_row(statement, &failure))
		*serial = column_text(statement);
	return failure.code == ERROR_NONE || error_move(error, &failure);
}

bool store_credentials_of_user(struct store *store, const char *user_id, unsigned limit,
	int64_t **ids, size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT id FROM credential WHERE user_id = $1 ORDER BY id DESC LIMIT $2", error);

	if (!statement)
		return false;
	bind_text(statement, user_id);
	bind_int64(statement, limit);
	return store_read_ids(statement, ids, count, error);
}

bool store_credential_count(struct store *store, int64_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, "SELECT count(*) FROM credential", error);

	return statement && statement_run_int64(statement, count, error);
}

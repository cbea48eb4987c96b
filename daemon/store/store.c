/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/alloc.h"
#include "store/schema.h"
#include "store/store-private.h"

#define ID_VALUE "store-id"
#define ID_BYTES 16

/* Makes the identifier of a new store. */
static bool make_id(struct store *store, struct error *error)
{
	uint8_t random[ID_BYTES];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return error_set(error, ERROR_FAILED, "the system gives no random numbers");
	store->id = hex_encode(random, sizeof(random));
	return store_value_set(
		store, ID_VALUE, (const uint8_t *)store->id, strlen(store->id), error);
}

static bool read_id(struct store *store, struct error *error)
{
	_cleanup_buffer_ struct buffer value = BUFFER_INIT;
	_cleanup_error_ struct error local = ERROR_INIT;

	if (store_value_get(store, ID_VALUE, &value, &local)) {
		buffer_append_u8(&value, 0);
		store->id = xstrdup((const char *)value.data);
		return true;
	}
	if (local.code != ERROR_NOT_FOUND)
		return error_move(error, &local);
	return make_id(store, error);
}

struct store *store_open(const char *path, struct error *error)
{
	struct store *store _cleanup_(store_closep) = xnew(struct store);

	pthread_mutex_init(&store->age_lock, NULL);
	store->database = database_open(path, error);
	if (!store->database)
		return NULL;
	if (!schema_update(store->database, error)) {
		error_prefix(error, "%s", path);
		return NULL;
	}
	if (!read_id(store, error))
		return NULL;
	return steal_pointer(&store);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	database_close(store->database);
	pthread_mutex_destroy(&store->age_lock);
	free(store->age_template);
	free(store->id);
	free(store);
}

bool store_begin(struct store *store, struct error *error)
{
	if (database_in_transaction(store->database))
		return error_set(error, ERROR_FAILED, "this thread has a transaction open already");
	return database_begin(store->database, error);
}

bool store_commit(struct store *store, struct error *error)
{
	if (!database_in_transaction(store->database))
		return error_set(error, ERROR_FAILED, "this thread has no transaction open");
	return database_end(store->database, true, error);
}

void store_rollback(struct store *store)
{
	if (database_in_transaction(store->database))
		database_end(store->database, false, NULL);
}

bool store_forget_installation(struct store *store, struct error *error)
{
	static const char sql[] = "DELETE FROM intent; DELETE FROM pin_history;"
				  "DELETE FROM operator; DELETE FROM task; DELETE FROM certificate;"
				  "DELETE FROM credential_field; DELETE FROM hsm_key;"
				  "DELETE FROM person;"
				  "DELETE FROM credential;"
				  "DELETE FROM template; DELETE FROM connection;"
				  "DELETE FROM key_backup_card; DELETE FROM key_backup;"
				  "DELETE FROM named_value WHERE name <> '" ID_VALUE "';";

	if (!store_begin(store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = store;
	return database_execute(transaction->database, sql, error) &&
	       store_commit(transaction, error);
}

const char *store_id(const struct store *store)
{
	return store->id;
}

int64_t store_now(void)
{
	return time(NULL);
}

bool store_read_names(
	struct statement *statement, char ***names, size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	char **read = xcalloc(1, sizeof(*read));
	size_t length = 0;

	while (statement_row(statement, &local)) {
		read = xreallocarray(read, length + 1, sizeof(*read));
		read[length++] = column_text(statement);
	}
	if (local.code != ERROR_NONE) {
		store_names_free(read, length);
		return error_move(error, &local);
	}
	*names = read;
	*count = length;
	return true;
}

void store_names_free(char **names, size_t count)
{
	for (size_t i = 0; names && i < count; i++)
		free(names[i]);
	free(names);
}

bool store_read_ids(struct statement *statement, int64_t **ids, size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	size_t length = 0;

	int64_t *read = xnew(int64_t);
	while (statement_row(statement, &local)) {
		read = xreallocarray(read, length + 1, sizeof(*read));
		read[length++] = column_int64(statement);
	}
	if (local.code != ERROR_NONE) {
		free(read);
		return error_move(error, &local);
	}
	*ids = read;
	*count = length;
	return true;
}

bool store_fail_damaged(const char *table, int64_t id, struct error *error)
{
	return error_set(error, ERROR_STORE_FAILED, "the store's record %s %lld is damaged", table,
		(long long)id);
}

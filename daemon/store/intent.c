/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/alloc.h"
#include "store/store-private.h"

void intent_clear(struct intent *intent)
{
	free(intent->serial);
	free(intent->operation);
	free(intent->step);
	*intent = (struct intent)INTENT_INIT;
}

void intents_free(struct intent *intents, size_t count)
{
	for (size_t i = 0; intents && i < count; i++)
		intent_clear(&intents[i]);
	free(intents);
}

static bool insert(struct store *store, const struct intent *intent, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO intent"
		" (id, serial, operation, step, old_version, new_version, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7)",
		error);

	if (!statement)
		return false;
	bind_int64(statement, intent->id);
	bind_text(statement, intent->serial);
	bind_text(statement, intent->operation);
	bind_text(statement, intent->step);
	bind_int64(statement, intent->old_version);
	bind_int64(statement, intent->new_version);
	bind_int64(statement, intent->created_at);
	return statement_run(statement, error);
}

bool store_intent_add(struct store *store, struct intent *intent, struct error *error)
{
	struct intent fresh = *intent;

	fresh.created_at = store_now();
	if (!database_begin(store->database, error))
		return false;
	bool added = store_counter_next(store, "intent", &fresh.id, error) &&
		     insert(store, &fresh, error);
	if (!database_end(store->database, added, error))
		return false;
	*intent = fresh;
	return true;
}

bool store_intent_remove(struct store *store, int64_t id, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, "DELETE FROM intent WHERE id = $1", error);

	if (!statement)
		return false;
	bind_int64(statement, id);
	return statement_run(statement, error);
}

static void read_intent(struct statement *statement, struct intent *intent)
{
	*intent = (struct intent)INTENT_INIT;
	intent->id = column_int64(statement);
	intent->serial = column_text(statement);
	intent->operation = column_text(statement);
	intent->step = column_text(statement);
	intent->old_version = (uint32_t)column_int64(statement);
	intent->new_version = (uint32_t)column_int64(statement);
	intent->created_at = column_int64(statement);
}

bool store_intent_list(struct store *store, const char *serial, struct intent **intents,
	size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT id, serial, operation, step, old_version, new_version, created_at"
		" FROM intent WHERE serial = $1 ORDER BY id",
		error);
	size_t length = 0;

	if (!statement)
		return false;
	struct intent *read = xnew(struct intent);
	bind_text(statement, serial);
	while (statement_row(statement, &local)) {
		read = xreallocarray(read, length + 1, sizeof(*read));
		read_intent(statement, &read[length++]);
	}
	if (local.code != ERROR_NONE) {
		intents_free(read, length);
		return error_move(error, &local);
	}
	*intents = read;
	*count = length;
	return true;
}

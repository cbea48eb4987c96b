/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "store/store-private.h"

void key_backup_record_clear(struct key_backup_record *record)
{
	for (size_t i = 0; i < record->card_count; i++)
		free(record->cards[i].serial);
	free(record->cards);
	free(record->id);
	*record = (struct key_backup_record){0};
}

static bool insert_card(struct store *store, const char *id,
	const struct key_backup_card_record *card, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO key_backup_card (backup_id, serial, key_digest) VALUES ($1, $2, $3)",
		error);

	if (!statement)
		return false;
	bind_text(statement, id);
	bind_text(statement, card->serial);
	bind_blob(statement, card->key_digest, sizeof(card->key_digest));
	return statement_run(statement, error);
}

static bool insert(struct store *store, const struct key_backup_record *record, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO key_backup (id, made_at, needed, newest_version) VALUES ($1, $2, $3, "
		"$4)",
		error);
	bool done = statement != NULL;

	if (!done)
		return false;
	bind_text(statement, record->id);
	bind_int64(statement, record->made_at);
	bind_int64(statement, record->needed);
	bind_int64(statement, record->newest_version);
	done = statement_run(statement, error);
	for (size_t i = 0; done && i < record->card_count; i++)
		done = insert_card(store, record->id, &record->cards[i], error);
	return done;
}

bool store_key_backup_add(
	struct store *store, const struct key_backup_record *record, struct error *error)
{
	if (!database_begin(store->database, error))
		return false;
	bool added = insert(store, record, error);
	return database_end(store->database, added, error);
}

static bool read_cards(struct store *store, struct key_backup_record *record, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT serial, key_digest FROM key_backup_card WHERE backup_id = $1 ORDER BY "
		"serial",
		error);

	if (!statement)
		return false;
	bind_text(statement, record->id);
	while (statement_row(statement, &local)) {
		_cleanup_buffer_ struct buffer digest = BUFFER_INIT;
		record->cards = xreallocarray(
			record->cards, record->card_count + 1, sizeof(*record->cards));
		struct key_backup_card_record *card = &record->cards[record->card_count++];
		*card = (struct key_backup_card_record){.serial = column_text(statement)};
		column_blob(statement, &digest);
		if (digest.length != sizeof(card->key_digest))
			return store_fail_damaged(
				"backup of the master key", record->made_at, error);
		memcpy(card->key_digest, digest.data, digest.length);
	}
	return local.code == ERROR_NONE || error_move(error, &local);
}

bool store_key_backup_newest(
	struct store *store, struct key_backup_record *record, struct error *error)
{
	struct key_backup_record read _cleanup_(key_backup_record_clear) = {0};
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT id, made_at, needed, newest_version FROM key_backup"
		" ORDER BY newest_version DESC, made_at DESC, id LIMIT 1",
		error);

	if (!statement)
		return false;
	if (!statement_row(statement, &local)) {
		if (local.code == ERROR_NONE)
			error_set(&local, ERROR_NOT_FOUND, "there is no backup of the master key");
		return error_move(error, &local);
	}
	read.id = column_text(statement);
	read.made_at = column_int64(statement);
	read.needed = (unsigned)column_int64(statement);
	read.newest_version = (uint32_t)column_int64(statement);
	if (!read_cards(store, &read, error))
		return false;
	key_backup_record_clear(record);
	*record = read;
	read = (struct key_backup_record){0};
	return true;
}

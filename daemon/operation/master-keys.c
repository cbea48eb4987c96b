/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/master-keys.h"

#include <stdio.h>
#include <string.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/changeover.h"
#include "operation/vault.h"

#define OPERATION "rotate-master-key"
/* The store's value while a version is being made. */
#define VALUE_ROTATING "rotating-master-key"

bool master_keys_known(struct store *store, bool *known, struct error *error)
{
	_cleanup_free_ struct master_key_record *records = NULL;
	size_t count = 0;

	if (!store_master_key_list(store, &records, &count, error))
		return false;
	*known = count > 0;
	return true;
}

static bool remember(
	struct store *store, struct master_key *key, uint32_t version, struct error *error)
{
	struct master_key_record record = {.version = version};

	if (!master_key_check_value(key, version, record.key_check_value, error) ||
		!store_begin(store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = store;
	return store_master_key_add(transaction, &record, error) &&
	       store_value_remove(transaction, VALUE_ROTATING, error) &&
	       store_commit(transaction, error);
}

static bool audit(struct store *store, const struct audit_actor *actor, uint32_t version,
	const char *what, const struct error *result, struct error *error)
{
	_cleanup_free_ char *detail = xasprintf("version %u%s", version, what);

	return audit_write(store, actor, OPERATION, NULL, 0, result, detail, error);
}

/* --- opening --- */

static bool set_missing(const struct master_key_record *record, int64_t cards, struct error *error)
{
	return error_set(error, ERROR_TOKEN_FAILED,
		"the token does not hold master key version %u, which %lld cards of this store "
		"need: restore the token, or name the one that holds it as token-uri-old",
		record->version, (long long)cards);
}

static bool check_one(struct store *store, struct master_key *key,
	const struct master_key_record *record, bool is_newest, struct error *error)
{
	uint8_t value[3];
	bool found = false;
	int64_t cards = 0;

	if (!master_key_has(key, record->version, &found, error))
		return false;
	if (!found) {
		if (!store_master_key_count_cards(store, record->version, &cards, error))
			return false;
		return (!is_newest && cards == 0) || set_missing(record, cards, error);
	}
	if (!master_key_check_value(key, record->version, value, error))
		return false;
	return memcmp(value, record->key_check_value, sizeof(value)) == 0 ||
	       error_set(error, ERROR_TOKEN_FAILED,
		       "master key version %u in the token is another one than this store's: "
		       "restore the token that belongs to this store",
		       record->version);
}

/* A version that the store has not seen: a rotation was cut off, or the store is an older copy. */
static bool adopt(struct store *store, struct master_key *key, uint32_t last, struct error *error)
{
	for (uint32_t version = last + 1; version <= master_key_version(key); version++) {
		log_notice("master key version %u was made but not noted; it is used", version);
		if (!remember(store, key, version, error) ||
			!audit(store, &audit_daemon, version, ", found in the token", NULL, error))
			return false;
	}
	return store_value_remove(store, VALUE_ROTATING, error);
}

static bool check_known(struct store *store, struct master_key *key,
	const struct master_key_record *records, size_t count, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		if (!check_one(store, key, &records[i], i + 1 == count, error))
			return false;
	}
	return adopt(store, key, records[count - 1].version, error);
}

static bool remember_all(struct store *store, struct master_key *key, struct error *error)
{
	for (uint32_t version = 1; version <= master_key_version(key); version++) {
		if (!remember(store, key, version, error))
			return false;
	}
	return true;
}

struct master_key *master_keys_open(struct store *store, struct token *token, struct error *error)
{
	_cleanup_free_ struct master_key_record *records = NULL;
	struct error failure _cleanup_error_ = ERROR_INIT;
	size_t count = 0;

	if (!store_master_key_list(store, &records, &count, error))
		return NULL;
	struct master_key *key =
		count > 0 ? master_key_find(token, records[count - 1].version, &failure)
			  : master_key_open(token, &failure);
	if (!key && failure.code == ERROR_NOT_FOUND)
		set_missing(&records[count - 1], 0, &failure);
	if (!key) {
		error_move(error, &failure);
		return NULL;
	}
	if (count > 0 ? check_known(store, key, records, count, error)
		      : remember_all(store, key, error))
		return key;
	master_key_close(key);
	return NULL;
}

/* --- rotating --- */

/* The note comes first: what is cut off behind it is finished when the token is opened next. */
static bool rotate(struct services *services, uint32_t *version, struct error *error)
{
	char text[16];

	if (!vault_check_open(services, error))
		return false;
	snprintf(text, sizeof(text), "%u", master_key_version(services->master_key) + 1);
	if (!store_value_set(
		    services->store, VALUE_ROTATING, (const uint8_t *)text, strlen(text), error) ||
		!master_key_rotate(services->master_key, error))
		return false;
	*version = master_key_version(services->master_key);
	return remember(services->store, services->master_key, *version, error);
}

bool operation_rotate_master_key(
	struct operation *operation, uint32_t *version, struct error *error)
{
	struct services *services = operation->services;
	struct error result _cleanup_error_ = ERROR_INIT;
	struct error failure _cleanup_error_ = ERROR_INIT;
	uint32_t made = 0;
	bool done = rotate(services, &made, &result);

	if (!audit(services->store, operation->actor, made, "", &result, &failure))
		log_error("audit record not written: %s", error_message(&failure));
	if (!done)
		return error_move(error, &result);
	log_notice("master key version %u is the current one", made);
	*version = made;
	changeover_all_present(services);
	return true;
}

/* --- for people --- */

static bool fill_view(struct services *services, struct master_key_view *view, struct error *error)
{
	_cleanup_free_ char *label = master_key_label(view->record.version);

	if (services->token)
		view->token = token_name_of_holder(services->token, label, NULL);
	if (!view->token)
		view->token = xstrdup("");
	return store_master_key_count_cards(
		services->store, view->record.version, &view->cards, error);
}

bool master_keys_list(struct services *services, struct master_key_view **views, size_t *count,
	struct error *error)
{
	_cleanup_free_ struct master_key_record *records = NULL;
	size_t length = 0;
	bool done = true;

	if (!store_master_key_list(services->store, &records, &length, error))
		return false;
	struct master_key_view *list = xcalloc(length + 1, sizeof(*list));
	for (size_t i = 0; i < length && done; i++) {
		list[i].record = records[i];
		done = fill_view(services, &list[i], error);
	}
	if (!done) {
		master_key_views_free(list, length);
		return false;
	}
	*views = list;
	*count = length;
	return true;
}

void master_key_views_free(struct master_key_view *views, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(views[i].token);
	free(views);
}

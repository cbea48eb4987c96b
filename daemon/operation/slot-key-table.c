/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which keys of a slot are credentials, in memory: it is asked for at each use of a key. */
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/log.h"
#include "operation/slot-keys.h"
#include "operation/slots-private.h"

static int compare(const uint8_t *one, size_t one_length, const uint8_t *other, size_t other_length)
{
	if (one_length != other_length)
		return one_length < other_length ? -1 : 1;
	return memcmp(one, other, one_length);
}

/* Where a key with the CKA_ID is, or would be. */
static size_t place_of(const struct slot *slot, const struct reader *id, bool *found)
{
	size_t low = 0, high = slot->key_count;

	*found = false;
	while (low < high && !*found) {
		size_t middle = low + (high - low) / 2;
		const struct slot_key *key = &slot->keys[middle];
		int order = compare(key->id, key->id_length, id->data, id->length);
		*found = order == 0;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return high;
}

/* Under the slot's lock. */
static void insert(struct slot *slot, const struct buffer *id, const struct slot_key *key)
{
	const struct reader wanted = reader_of(id);
	bool found;

	if (id->length == 0 || id->length > HSM_KEY_ID_MAX)
		return;
	size_t place = place_of(slot, &wanted, &found);
	if (!found) {
		slot->keys = xreallocarray(slot->keys, slot->key_count + 1, sizeof(*slot->keys));
		memmove(&slot->keys[place + 1], &slot->keys[place],
			(slot->key_count++ - place) * sizeof(*slot->keys));
	}
	slot->keys[place] = *key;
	memcpy(slot->keys[place].id, id->data, id->length);
	slot->keys[place].id_length = id->length;
}

/* A key that is to come may not be used yet; one that was given up is nobody's. */
static void add(struct slot *slot, const struct hsm_key *key, const struct credential *credential)
{
	struct slot_key entry = {.credential_id = credential->id,
		.state = credential->state,
		.expires_at = credential->expires_at};
	struct slot_key next = entry;

	if (credential->state == LIFECYCLE_UNREGISTERED)
		return;
	next.state = LIFECYCLE_REGISTERED;
	insert(slot, &key->id, &entry);
	insert(slot, &key->new_id, &next);
	insert(slot, &key->old_id, &entry);
}

static void remove_credential(struct slot *slot, int64_t credential_id)
{
	size_t kept = 0;

	for (size_t i = 0; i < slot->key_count; i++) {
		if (slot->keys[i].credential_id != credential_id)
			slot->keys[kept++] = slot->keys[i];
	}
	slot->key_count = kept;
}

bool slot_keys_load(struct slot *slot, struct error *error)
{
	struct store *store = slot->slots->services->store;
	struct hsm_key *keys;
	size_t count;
	bool done = true;

	if (!store_hsm_key_list(store, slot->record->name, &keys, &count, error))
		return false;
	for (size_t i = 0; i < count && done; i++) {
		_cleanup_credential_ struct credential *credential =
			store_credential_by_id(store, keys[i].credential_id, error);
		done = credential != NULL;
		if (!done)
			continue;
		pthread_mutex_lock(&slot->lock);
		add(slot, &keys[i], credential);
		pthread_mutex_unlock(&slot->lock);
	}
	hsm_keys_free(keys, count);
	return done;
}

void slot_keys_changed(struct slots *slots, int64_t credential_id)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	_cleanup_hsm_key_ struct hsm_key key = HSM_KEY_INIT;
	struct store *store = slots->services->store;
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(store, credential_id, &error);
	bool is_key = credential && store_hsm_key_get(store, credential_id, &key, &error);
	size_t count;

	if (!is_key && error.code != ERROR_NOT_FOUND) {
		/* What is known is older, and stays: a key is not let go by a failing disk. */
		log_error("the state of a key is not known: %s", error_message(&error));
		return;
	}
	struct slot **list = slots_list(slots, &count);
	for (size_t i = 0; i < count; i++) {
		pthread_mutex_lock(&list[i]->lock);
		remove_credential(list[i], credential_id);
		if (is_key && strcmp(list[i]->record->name, key.slot) == 0)
			add(list[i], &key, credential);
		pthread_mutex_unlock(&list[i]->lock);
	}
	slots_list_free(list, count);
}

static bool find(struct slot *slot, const struct reader *id, struct slot_key *key)
{
	bool found;

	pthread_mutex_lock(&slot->lock);
	size_t place = place_of(slot, id, &found);
	if (found)
		*key = slot->keys[place];
	pthread_mutex_unlock(&slot->lock);
	return found;
}

bool slot_keys_check_use(struct slot *slot, const struct hsm_object *object, struct error *error)
{
	char type[] = HSM_KEY_TYPE;
	struct slot_key key;
	struct reader id;

	if (!hsm_object_id(object, &id) || !find(slot, &id, &key))
		return true;
	struct credential credential = {
		.card_type = type, .state = key.state, .expires_at = key.expires_at};
	credential_apply_expiry(&credential, time(NULL));
	return credential_check(&credential, LIFECYCLE_USE, NULL, error);
}

bool slot_keys_check_change(
	struct slot *slot, const struct hsm_object *object, bool destroys, struct error *error)
{
	struct slot_key key;
	struct reader id;

	if (!hsm_object_id(object, &id) || !find(slot, &id, &key) ||
		(destroys && key.state == LIFECYCLE_RETIRED))
		return true;
	return error_set(error, ERROR_ACCESS_DENIED,
		"the key \"%s\" is an enrolled one: \"tessera slot renew\" and \"retire\" see to "
		"it "
		"and its certificate",
		object->label);
}

bool slot_keys_check_id(struct slot *slot, const struct reader *id, struct error *error)
{
	return slot_keys_credential(slot, id) == 0 ||
	       error_set(error, ERROR_ACCESS_DENIED,
		       "the CKA_ID is that of an enrolled key: take another one");
}

int64_t slot_keys_credential(struct slot *slot, const struct reader *id)
{
	struct slot_key key;

	return find(slot, id, &key) ? key.credential_id : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/object.h"

#include <stdlib.h>
#include <string.h>

#include "pkcs11/ckr.h"
#include "pkcs11/remote-object.h"
#include "pkcs11/slot.h"
#include "pkcs11/told.h"

struct object *object_new(CK_OBJECT_CLASS class, CK_SLOT_ID slot_id)
{
	struct object *object = calloc(1, sizeof(*object));

	if (!object)
		return NULL;
	object->references = 1;
	object->class = class;
	object->slot_id = slot_id;
	object->key_type = CK_UNAVAILABLE_INFORMATION;
	return object;
}

struct object *object_ref(struct object *object)
{
	object->references++;
	return object;
}

void object_unref(struct object *object)
{
	if (!object || --object->references > 0)
		return;
	buffer_clear(&object->id);
	buffer_clear(&object->label);
	values_clear(&object->values);
	key_unref(object->key);
	free(object);
}

CK_RV objects_add(struct objects *objects, struct object *object)
{
	struct object **items = reallocarray(objects->items, objects->count + 1, sizeof(*items));

	if (!items) {
		object_unref(object);
		return CKR_HOST_MEMORY;
	}
	if (!object->handle)
		object->handle = ++module.last_object;
	objects->items = items;
	size_t place = objects->count++;
	for (; place > 0 && items[place - 1]->handle > object->handle; place--)
		items[place] = items[place - 1];
	items[place] = object;
	objects->additions++;
	return CKR_OK;
}

static int compare_handle(const void *key, const void *element)
{
	CK_OBJECT_HANDLE wanted = *(const CK_OBJECT_HANDLE *)key;
	CK_OBJECT_HANDLE handle = (*(struct object *const *)element)->handle;

	return wanted < handle ? -1 : wanted > handle;
}

struct object *objects_find(struct objects *objects, CK_OBJECT_HANDLE handle)
{
	if (!objects->count)
		return NULL;
	struct object **place = bsearch(
		&handle, objects->items, objects->count, sizeof(*objects->items), compare_handle);
	return place ? *place : NULL;
}

struct object *objects_find_number(struct objects *objects, uint32_t number)
{
	for (size_t i = objects->count; number && i-- > 0;) {
		if (objects->items[i]->number == number)
			return objects->items[i];
	}
	return NULL;
}

uint32_t object_number(const struct object *object)
{
	return object->is_of_card ? object->key->reference : object->number;
}

static void remove_at(struct objects *objects, size_t index)
{
	object_unref(objects->items[index]);
	memmove(&objects->items[index], &objects->items[index + 1],
		(--objects->count - index) * sizeof(objects->items[0]));
}

void objects_remove(struct objects *objects, struct object *object)
{
	for (size_t i = 0; i < objects->count; i++) {
		if (objects->items[i] == object) {
			remove_at(objects, i);
			return;
		}
	}
}

/* What the daemon keeps for the session goes, too. */
static void destroy_quietly(const struct object *object)
{
	const struct slot *slot = slot_find(object->slot_id);
	uint32_t numbers[] = {object->number, object->copy};

	for (size_t i = 0; slot && object->session && i < ARRAY_SIZE(numbers); i++) {
		if (numbers[i])
			remote_destroy_quietly(module.remote, slot->token.number, numbers[i]);
	}
}

void objects_remove_of_session(struct objects *objects, CK_SESSION_HANDLE session)
{
	for (size_t i = objects->count; i-- > 0;) {
		if (objects->items[i]->session != session)
			continue;
		destroy_quietly(objects->items[i]);
		remove_at(objects, i);
	}
}

void objects_forget_private(struct objects *objects)
{
	for (size_t i = objects->count; i-- > 0;) {
		struct object *object = objects->items[i];
		if (object->is_private && object->session) {
			remove_at(objects, i);
		} else if (object->is_private) {
			memmove(&objects->items[i], &objects->items[i + 1],
				(objects->count - i - 1) * sizeof(objects->items[0]));
			objects->items[objects->count - 1] = object;
			object->handle = ++module.last_object;
		}
	}
}

void objects_clear(struct objects *objects)
{
	while (objects->count)
		remove_at(objects, objects->count - 1);
	free(objects->items);
	*objects = (struct objects){0};
}

/*
 * CKA_ID as OpenSC numbers PIV keys, so that what programs were configured with keeps working:
 * 9A to 9E are 1 to 4, the retired keys 82 to 95 are 5 to 24.
 */
static uint8_t id_of(uint32_t reference)
{
	switch (reference) {
	case 0x9A:
		return 1;
	case 0x9C:
		return 2;
	case 0x9D:
		return 3;
	case 0x9E:
		return 4;
	default:
		return reference >= 0x82 && reference <= 0x95 ? (uint8_t)(reference - 0x82 + 5)
							      : (uint8_t)reference;
	}
}

static bool same_bytes(const struct buffer *one, const struct buffer *other)
{
	return one->length == other->length &&
	       (one->length == 0 || memcmp(one->data, other->data, one->length) == 0);
}

static bool same_object(const struct object *one, const struct object *other)
{
	return one->is_of_card && other->key && one->class == other->class &&
	       one->key->reference == other->key->reference &&
	       one->key->flags == other->key->flags && same_bytes(&one->label, &other->label) &&
	       same_bytes(&one->key->public_key, &other->key->public_key) &&
	       same_bytes(&one->key->certificate, &other->key->certificate);
}

/* The handle that the same object had before, or 0. */
static CK_OBJECT_HANDLE old_handle(const struct objects *old, const struct object *object)
{
	for (size_t i = 0; i < old->count; i++) {
		if (same_object(old->items[i], object))
			return old->items[i]->handle;
	}
	return 0;
}

static CK_RV add_token_object(struct objects *fresh, const struct objects *old, CK_SLOT_ID slot_id,
	struct key *key, const char *label, CK_OBJECT_CLASS class)
{
	struct object *object = object_new(class, slot_id);

	if (!object)
		return CKR_HOST_MEMORY;
	object->is_of_card = true;
	object->key = key_ref(key);
	object->key_type = key->type;
	object->pin_always = class == CKO_PRIVATE_KEY && key->flags & REMOTE_KEY_PIN_ALWAYS;
	object->is_private = class == CKO_PRIVATE_KEY && !(key->flags & REMOTE_KEY_PIN_NEVER);
	buffer_append_u8(&object->id, id_of(key->reference));
	buffer_append_string(&object->label, label);
	if (object->id.failed || object->label.failed) {
		object_unref(object);
		return CKR_HOST_MEMORY;
	}
	object->handle = old_handle(old, object);
	return objects_add(fresh, object);
}

static CK_RV add_key(struct objects *fresh, const struct objects *old, CK_SLOT_ID slot_id,
	struct remote_key *remote)
{
	static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_CERTIFICATE};
	CK_RV rv = CKR_OK;
	struct key *key = key_new(remote, &rv);

	for (size_t i = 0; key && rv == CKR_OK && i < ARRAY_SIZE(classes); i++) {
		if (classes[i] != CKO_CERTIFICATE || key->certificate.length)
			rv = add_token_object(fresh, old, slot_id, key, remote->label, classes[i]);
	}
	key_unref(key);
	return rv == CKR_DEVICE_ERROR ? CKR_OK : rv;
}

static CK_RV keep_session_objects(struct objects *fresh, const struct objects *old)
{
	CK_RV rv = CKR_OK;

	for (size_t i = 0; i < old->count && rv == CKR_OK; i++) {
		if (old->items[i]->session && !old->items[i]->number)
			rv = objects_add(fresh, object_ref(old->items[i]));
	}
	return rv;
}

CK_RV objects_replace(struct objects *objects, CK_SLOT_ID slot_id, struct remote_keys *keys)
{
	struct objects fresh = {
		.loaded = true, .generation = keys->generation, .additions = objects->additions};
	CK_RV rv = CKR_OK;

	for (size_t i = 0; i < keys->count && rv == CKR_OK; i++)
		rv = keys->items[i].attribute_count
			     ? told_add(&fresh, objects, slot_id, &keys->items[i])
			     : add_key(&fresh, objects, slot_id, &keys->items[i]);
	if (rv == CKR_OK)
		rv = keep_session_objects(&fresh, objects);
	if (rv != CKR_OK) {
		objects_clear(&fresh);
		return rv;
	}
	objects_clear(objects);
	*objects = fresh;
	return CKR_OK;
}

CK_RV objects_load(CK_SLOT_ID slot_id, bool wait)
{
	_cleanup_(remote_keys_clear) struct remote_keys keys = REMOTE_KEYS_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	struct slot *slot = slot_find(slot_id);

	if (!slot || !slot_has_token(slot))
		return CKR_TOKEN_NOT_PRESENT;
	if (slot->objects.loaded)
		return CKR_OK;
	uint32_t number = slot->token.number;
	unsigned life = slot->life;
	unsigned epoch = module.epoch;
	struct remote *remote = module_call_begin();
	bool done = remote_get_objects(remote, number, wait, &keys, &error);
	if (!module_call_end(remote, epoch))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	slot = slot_find(slot_id);
	if (!slot || slot->life != life)
		return CKR_DEVICE_REMOVED;
	if (!wait && error.code == ERROR_BUSY)
		return CKR_OK;
	return done ? objects_replace(&slot->objects, slot_id, &keys)
		    : ckr_of(&error, CKR_CONTEXT_TOKEN);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of an HSM's objects: who holds one sees what was at that moment. */
#include <string.h>

#include "common/alloc.h"
#include "token/hsm-child.h"
#include "token/hsm-private.h"

struct hsm_object *hsm_object_ref(struct hsm_object *object)
{
	object->references++;
	return object;
}

void hsm_object_unref(struct hsm_object *object)
{
	if (!object || --object->references > 0)
		return;
	free(object->label);
	free(object->attributes);
	buffer_clear(&object->values);
	free(object);
}

struct hsm_objects *hsm_objects_new(void)
{
	struct hsm_objects *objects = xnew(struct hsm_objects);

	objects->references = 1;
	return objects;
}

void hsm_objects_unref(struct hsm_objects *objects)
{
	if (!objects || --objects->references > 0)
		return;
	for (size_t i = 0; i < objects->count; i++)
		hsm_object_unref(objects->items[i]);
	free(objects->items);
	free(objects);
}

const uint8_t *hsm_object_value(
	const struct hsm_object *object, CK_ATTRIBUTE_TYPE type, size_t *length)
{
	for (size_t i = 0; i < object->attribute_count; i++) {
		if (object->attributes[i].type == type) {
			*length = object->attributes[i].length;
			return object->values.data + object->attributes[i].offset;
		}
	}
	*length = 0;
	return NULL;
}

void hsm_list_begin(struct hsm *hsm, const struct hsm_objects *known, uint32_t last_number)
{
	hsm->objects = hsm_objects_new();
	hsm->last_number = last_number;
	if (!known)
		return;
	hsm->objects->items = xcalloc(known->count + 1, sizeof(struct hsm_object *));
	for (size_t i = 0; i < known->count; i++)
		hsm->objects->items[i] = hsm_object_ref(known->items[i]);
	hsm->objects->count = known->count;
	hsm->keeps_private = true;
}

/* The place of that number, or where it would stand. */
static size_t find_place(const struct hsm_objects *objects, uint32_t number)
{
	size_t low = 0, high = objects->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (objects->items[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct hsm_object *find(const struct hsm_objects *objects, uint32_t number)
{
	size_t place = find_place(objects, number);

	return place < objects->count && objects->items[place]->number == number
		       ? objects->items[place]
		       : NULL;
}

const struct hsm_object *hsm_objects_find(const struct hsm_objects *objects, uint32_t number)
{
	return find(objects, number);
}

size_t hsm_objects_after(const struct hsm_objects *objects, uint32_t number)
{
	return number == UINT32_MAX ? objects->count : find_place(objects, number + 1);
}

static struct hsm_objects *look(pthread_mutex_t *lock, struct hsm_objects **place)
{
	pthread_mutex_lock(lock);
	struct hsm_objects *objects = *place;
	objects->references++;
	pthread_mutex_unlock(lock);
	return objects;
}

struct hsm_objects *hsm_objects(struct hsm *hsm)
{
	return look(&hsm->objects_lock, &hsm->objects);
}

uint32_t hsm_last_number(const struct hsm *hsm)
{
	return hsm->last_number;
}

struct hsm_objects *hsm_owner_objects(struct hsm_owner *owner)
{
	struct hsm_child *child = owner->hsm->child;

	/* The objects of a process that has ended are gone. */
	return child && hsm_child_has_lost(child, owner) ? hsm_objects_new()
							 : look(&owner->lock, &owner->objects);
}

static struct hsm_object *find_referenced(
	pthread_mutex_t *lock, struct hsm_objects *const *objects, uint32_t number)
{
	pthread_mutex_lock(lock);
	struct hsm_object *object = find(*objects, number);
	if (object)
		object->references++;
	pthread_mutex_unlock(lock);
	return object;
}

struct hsm_object *hsm_find_object(struct hsm *hsm, struct hsm_owner *owner, uint32_t number)
{
	if (number < HSM_SESSION_OBJECT)
		return find_referenced(&hsm->objects_lock, &hsm->objects, number);
	return owner ? find_referenced(&owner->lock, &owner->objects, number) : NULL;
}

/* --- changes; under the lock of the list --- */

/* A list that nobody else looks at: the same, or a copy in its place. */
static struct hsm_objects *make_own(struct hsm_objects **place)
{
	struct hsm_objects *old = *place;

	if (old->references == 1)
		return old;
	struct hsm_objects *copy = hsm_objects_new();
	copy->items = xcalloc(old->count + 1, sizeof(struct hsm_object *));
	for (size_t i = 0; i < old->count; i++)
		copy->items[i] = hsm_object_ref(old->items[i]);
	copy->count = old->count;
	*place = copy;
	hsm_objects_unref(old);
	return copy;
}

/* A new one has the highest number. */
static void append(struct hsm_objects **place, struct hsm_object *object)
{
	struct hsm_objects *objects = make_own(place);

	objects->items =
		xreallocarray(objects->items, objects->count + 1, sizeof(struct hsm_object *));
	objects->items[objects->count++] = hsm_object_ref(object);
}

static void replace(struct hsm_objects **place, uint32_t number, struct hsm_object *fresh)
{
	struct hsm_objects *objects = make_own(place);
	size_t i = find_place(objects, number);

	if (i == objects->count || objects->items[i]->number != number)
		return; /* it has gone meanwhile */
	fresh->number = number;
	hsm_object_unref(objects->items[i]);
	objects->items[i] = hsm_object_ref(fresh);
}

static void drop(struct hsm_objects **place, uint32_t number)
{
	struct hsm_objects *objects = make_own(place);
	size_t i = find_place(objects, number);

	if (i == objects->count || objects->items[i]->number != number)
		return;
	hsm_object_unref(objects->items[i]);
	memmove(&objects->items[i], &objects->items[i + 1],
		(--objects->count - i) * sizeof(struct hsm_object *));
}

/* --- the token's own objects --- */

bool hsm_object_is_same(const struct hsm_object *one, const struct hsm_object *other)
{
	return one->values.length == other->values.length &&
	       one->attribute_count == other->attribute_count &&
	       (one->values.length == 0 ||
		       memcmp(one->values.data, other->values.data, one->values.length) == 0) &&
	       memcmp(one->attributes, other->attributes,
		       one->attribute_count * sizeof(*one->attributes)) == 0;
}

/* The number that the object has got already, by who read all of them meanwhile; or 0. */
static uint32_t find_read(
	const struct hsm_objects *objects, const struct hsm_object *object, uint32_t since)
{
	for (size_t i = objects->count; i-- > 0 && objects->items[i]->number > since;) {
		if (objects->items[i]->handle == object->handle &&
			hsm_object_is_same(objects->items[i], object))
			return objects->items[i]->number;
	}
	return 0;
}

uint32_t hsm_list_add(struct hsm *hsm, struct hsm_object *object, uint32_t since)
{
	pthread_mutex_lock(&hsm->reading_lock);
	pthread_mutex_lock(&hsm->objects_lock);
	uint32_t number = find_read(hsm->objects, object, since);
	if (number == 0) {
		object->number = number = ++hsm->last_number;
		append(&hsm->objects, object);
	}
	pthread_mutex_unlock(&hsm->objects_lock);
	pthread_mutex_unlock(&hsm->reading_lock);
	return number;
}

void hsm_list_replace(struct hsm *hsm, uint32_t number, struct hsm_object *fresh)
{
	pthread_mutex_lock(&hsm->reading_lock);
	pthread_mutex_lock(&hsm->objects_lock);
	replace(&hsm->objects, number, fresh);
	pthread_mutex_unlock(&hsm->objects_lock);
	pthread_mutex_unlock(&hsm->reading_lock);
}

void hsm_list_remove(struct hsm *hsm, uint32_t number)
{
	pthread_mutex_lock(&hsm->reading_lock);
	pthread_mutex_lock(&hsm->objects_lock);
	drop(&hsm->objects, number);
	pthread_mutex_unlock(&hsm->objects_lock);
	pthread_mutex_unlock(&hsm->reading_lock);
}

/* --- those of an owner --- */

uint32_t hsm_owner_add(struct hsm_owner *owner, struct hsm_object *object)
{
	pthread_mutex_lock(&owner->lock);
	object->number = HSM_SESSION_OBJECT + ++owner->last_number;
	append(&owner->objects, object);
	pthread_mutex_unlock(&owner->lock);
	return object->number;
}

void hsm_owner_replace(struct hsm_owner *owner, uint32_t number, struct hsm_object *fresh)
{
	pthread_mutex_lock(&owner->lock);
	replace(&owner->objects, number, fresh);
	pthread_mutex_unlock(&owner->lock);
}

void hsm_owner_remove(struct hsm_owner *owner, uint32_t number)
{
	pthread_mutex_lock(&owner->lock);
	drop(&owner->objects, number);
	pthread_mutex_unlock(&owner->lock);
}

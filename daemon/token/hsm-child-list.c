/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects that the process of an HSM shows. */
#include "token/hsm-child-private.h"
#include "token/hsm-sync.h"

static bool receive_list(struct asking *asking, const struct buffer *question,
	struct sync_reader *list, struct error *error)
{
	struct child_channel channel _cleanup_(child_return) = {0};
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;
	bool done = false;

	if (!child_take(asking->child, &channel, &asking->dead, error) ||
		!child_send(&channel, question, &asking->dead, error))
		return false;
	sync_begin(list);
	while (!done) {
		if (!child_receive(&channel, &message, error))
			return false;
		if (!sync_read(list, reader_of(&message), &done))
			return child_refuse_answer(asking->child, error);
	}
	return true;
}

static bool lists_differ(const struct hsm_objects *one, const struct hsm_objects *other)
{
	bool differ = one->count != other->count;

	for (size_t i = 0; i < one->count && !differ; i++)
		differ = one->items[i] != other->items[i] &&
			 (one->items[i]->number != other->items[i]->number ||
				 !hsm_object_is_same(one->items[i], other->items[i]));
	return differ;
}

/* Puts a list in the place of another one. */
static void take_list(pthread_mutex_t *lock, struct hsm_objects **place, struct sync_reader *list)
{
	pthread_mutex_lock(lock);
	struct hsm_objects *old = *place;
	*place = steal_pointer(&list->fresh);
	pthread_mutex_unlock(lock);
	hsm_objects_unref(old);
}

static void take_facts(struct hsm *hsm, const struct sync_reader *list)
{
	const struct hsm_objects *fresh = list->fresh;
	uint32_t last = fresh->count > 0 ? fresh->items[fresh->count - 1]->number : 0;

	if (last > hsm->last_number)
		hsm->last_number = last;
	pthread_mutex_lock(&hsm->objects_lock);
	hsm->facts = *list->facts;
	pthread_mutex_unlock(&hsm->objects_lock);
}

static void put_sync(struct buffer *question, uint32_t owner, uint64_t known)
{
	buffer_append_u8(question, WIRE_SYNC);
	buffer_append_u32(question, owner);
	wire_put_u64(question, known);
}

/* Called with the lock. */
static bool sync_token(
	struct hsm_child *child, struct asking *asking, bool *changed, struct error *error)
{
	_cleanup_hsm_objects_ struct hsm_objects *old = hsm_objects(child->hsm);
	_cleanup_buffer_ struct buffer question = BUFFER_INIT;
	struct hsm_facts facts;
	bool is_current = child->sync_generation == asking->generation;
	struct sync_reader list _cleanup_(sync_clear) = {.old = is_current ? old : NULL,
		.first = 1,
		.last = HSM_SESSION_OBJECT - 1,
		.facts = &facts};

	put_sync(&question, WIRE_NOBODY, is_current ? child->serial_known : 0);
	if (!receive_list(asking, &question, &list, error))
		return false;
	if (lists_differ(old, list.fresh) || hsm_facts_differ(child->hsm, &facts))
		*changed = true;
	child->sync_generation = asking->generation;
	child->serial_known = list.serial;
	take_facts(child->hsm, &list);
	take_list(&child->hsm->objects_lock, &child->hsm->objects, &list);
	return true;
}

bool hsm_child_follow_token(struct hsm_child *child, struct asking *asking, uint64_t serial,
	bool *changed, struct error *error)
{
	pthread_mutex_lock(&child->sync_lock);
	bool known =
		child->sync_generation > asking->generation ||
		(child->sync_generation == asking->generation && child->serial_known >= serial);
	bool done = known || sync_token(child, asking, changed, error);
	pthread_mutex_unlock(&child->sync_lock);
	return done;
}

/* Another process knows nothing of an owner's objects. */
static void forget_other_process(struct hsm_owner *owner, unsigned generation)
{
	struct sync_reader empty = {.fresh = NULL};

	if (owner->generation == generation)
		return;
	sync_begin(&empty);
	take_list(&owner->lock, &owner->objects, &empty);
	owner->generation = generation;
	owner->serial = 0;
}

bool hsm_child_follow_owner(
	struct asking *asking, struct hsm_owner *owner, uint64_t serial, struct error *error)
{
	_cleanup_buffer_ struct buffer question = BUFFER_INIT;

	forget_other_process(owner, asking->generation);
	if (owner->serial == serial)
		return true;
	_cleanup_hsm_objects_ struct hsm_objects *old = hsm_owner_objects(owner);
	struct sync_reader list _cleanup_(sync_clear) = {
		.old = old, .first = HSM_SESSION_OBJECT, .last = UINT32_MAX - 1};
	put_sync(&question, owner->number, owner->serial);
	if (!receive_list(asking, &question, &list, error))
		return false;
	owner->serial = list.serial;
	take_list(&owner->lock, &owner->objects, &list);
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/hsm-sync.h"

#include <string.h>

#include "common/alloc.h"
#include "token/hsm-wire.h"

#define MESSAGE_BYTES (128 * 1024) /* a message ends behind the object that goes beyond this */
#define OBJECTS_MAX   100000
#define BYTES_MAX     (256 * 1024 * 1024)

enum record { RECORD_OBJECT = 1, RECORD_GONE, RECORD_END };

/* --- writing --- */

static void put_facts(struct buffer *message, const struct hsm_facts *facts)
{
	wire_put_bytes(message, facts ? &facts->info : NULL, facts ? sizeof(facts->info) : 0);
	if (!facts)
		return;
	buffer_append_u32(message, (uint32_t)facts->mechanism_count);
	for (size_t i = 0; i < facts->mechanism_count; i++) {
		const struct hsm_mechanism *mechanism = &facts->mechanisms[i];
		wire_put_u64(message, mechanism->type);
		wire_put_u64(message, mechanism->info.ulMinKeySize);
		wire_put_u64(message, mechanism->info.ulMaxKeySize);
		wire_put_u64(message, mechanism->info.flags);
	}
}

static void put_gone(struct buffer *message, const struct hsm_object *object)
{
	buffer_append_u8(message, RECORD_GONE);
	buffer_append_u32(message, object->number);
}

static void put_object(struct buffer *message, const struct hsm_object *object)
{
	buffer_append_u8(message, RECORD_OBJECT);
	wire_put_object(message, object);
}

/* The next step of a walk through both lists: writes what differs there. */
static void write_step(struct buffer *message, const struct hsm_objects *old, size_t *old_place,
	const struct hsm_objects *objects, size_t *place)
{
	const struct hsm_object *before =
		old && *old_place < old->count ? old->items[*old_place] : NULL;
	const struct hsm_object *now = *place < objects->count ? objects->items[*place] : NULL;

	if (before && (!now || before->number < now->number)) {
		put_gone(message, before);
		(*old_place)++;
		return;
	}
	(*place)++;
	if (!before || before->number > now->number) {
		put_object(message, now);
		return;
	}
	(*old_place)++;
	if (before != now && !hsm_object_is_same(before, now))
		put_object(message, now);
}

bool sync_write(const struct sync_head *head, const struct hsm_objects *old,
	const struct hsm_objects *objects, sync_send send, void *context)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;
	size_t old_place = 0, place = 0;
	bool sent = true;

	buffer_append_u8(&message, head->is_whole);
	wire_put_u64(&message, head->serial);
	put_facts(&message, head->facts);
	while (sent && (place < objects->count || (old && old_place < old->count))) {
		write_step(&message, old, &old_place, objects, &place);
		if (message.length < MESSAGE_BYTES)
			continue;
		sent = send(context, &message);
		buffer_truncate(&message, 0);
	}
	buffer_append_u8(&message, RECORD_END);
	return sent && send(context, &message);
}

/* --- reading --- */

void sync_begin(struct sync_reader *reader)
{
	reader->fresh = hsm_objects_new();
	reader->fresh->items = xcalloc(1, sizeof(struct hsm_object *));
}

void sync_clear(struct sync_reader *reader)
{
	hsm_objects_unref(steal_pointer(&reader->fresh));
}

static bool read_facts(struct reader *message, struct hsm_facts *facts)
{
	struct reader info = wire_get_bytes(message);

	if (message->failed || info.length != (facts ? sizeof(facts->info) : 0))
		return false;
	if (!facts)
		return true;
	memcpy(&facts->info, info.data, sizeof(facts->info));
	uint32_t count = reader_u32(message);

	if (count > HSM_MECHANISMS_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct hsm_mechanism *mechanism = &facts->mechanisms[i];
		mechanism->type = wire_get_u64(message);
		mechanism->info.ulMinKeySize = wire_get_u64(message);
		mechanism->info.ulMaxKeySize = wire_get_u64(message);
		mechanism->info.flags = wire_get_u64(message);
	}
	facts->mechanism_count = count;
	return !message->failed;
}

static bool read_head(struct sync_reader *reader, struct reader *message)
{
	uint8_t is_whole = reader_u8(message);

	reader->serial = wire_get_u64(message);
	if (message->failed || is_whole > 1 || !read_facts(message, reader->facts))
		return false;
	if (is_whole)
		reader->old = NULL;
	return is_whole || reader->old;
}

/* Takes the reference over. */
static void append(struct sync_reader *reader, struct hsm_object *object)
{
	struct hsm_objects *fresh = reader->fresh;

	if ((fresh->count & (fresh->count + 1)) == 0)
		fresh->items = xreallocarray(
			fresh->items, 2 * fresh->count + 2, sizeof(struct hsm_object *));
	fresh->items[fresh->count++] = object;
}

/* What the old list has before a number stays. */
static void keep_until(struct sync_reader *reader, uint32_t number)
{
	const struct hsm_objects *old = reader->old;

	for (; old && reader->place < old->count && old->items[reader->place]->number < number;
		reader->place++)
		append(reader, hsm_object_ref(old->items[reader->place]));
}

/* Numbers ascend. *is_old: the old list has it; it is passed by. */
static bool come_to(struct sync_reader *reader, uint32_t number, bool *is_old)
{
	const struct hsm_objects *old = reader->old;

	if (number <= reader->number || number < reader->first || number > reader->last)
		return false;
	reader->number = number;
	keep_until(reader, number);
	*is_old = old && reader->place < old->count && old->items[reader->place]->number == number;
	reader->place += *is_old;
	return true;
}

static bool read_object(struct sync_reader *reader, struct reader *message)
{
	_cleanup_hsm_object_ struct hsm_object *object = wire_get_object(message);
	bool is_old;

	if (!object || !come_to(reader, object->number, &is_old))
		return false;
	reader->bytes += object->values.length + object->attribute_count * sizeof(uint64_t);
	if (reader->bytes > BYTES_MAX || reader->fresh->count >= OBJECTS_MAX)
		return false;
	append(reader, steal_pointer(&object));
	return true;
}

static bool read_gone(struct sync_reader *reader, struct reader *message)
{
	bool is_old;

	return come_to(reader, reader_u32(message), &is_old) && is_old;
}

bool sync_read(struct sync_reader *reader, struct reader message, bool *done)
{
	*done = false;
	if (!reader->is_begun && !read_head(reader, &message))
		return false;
	reader->is_begun = true;
	while (reader_left(&message) > 0) {
		enum record record = reader_u8(&message);
		if (record == RECORD_END) {
			keep_until(reader, UINT32_MAX);
			*done = true;
			return reader_left(&message) == 0;
		}
		if (record == RECORD_OBJECT ? !read_object(reader, &message)
					    : record != RECORD_GONE || !read_gone(reader, &message))
			return false;
	}
	return !message.failed;
}

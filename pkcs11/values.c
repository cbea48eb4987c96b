/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/values.h"

#include <stdlib.h>
#include <string.h>

static struct remote_attribute *find(const struct values *values, CK_ATTRIBUTE_TYPE type)
{
	for (size_t i = 0; i < values->count; i++) {
		if (values->items[i].type == type)
			return &values->items[i];
	}
	return NULL;
}

struct view values_find(const struct values *values, CK_ATTRIBUTE_TYPE type)
{
	const struct remote_attribute *item = find(values, type);

	if (!item)
		return (struct view){0};
	return (struct view){item->length ? values->bytes.data + item->offset : (const uint8_t *)"",
		item->length};
}

bool values_boolean(const struct values *values, CK_ATTRIBUTE_TYPE type)
{
	struct view value = values_find(values, type);

	return value.length == sizeof(CK_BBOOL) && value.data[0] != CK_FALSE;
}

bool values_number(const struct values *values, CK_ATTRIBUTE_TYPE type, CK_ULONG *number)
{
	struct view value = values_find(values, type);

	if (value.length != sizeof(*number))
		return false;
	memcpy(number, value.data, sizeof(*number));
	return true;
}

static struct remote_attribute *add(struct values *values, CK_ATTRIBUTE_TYPE type)
{
	struct remote_attribute *items =
		reallocarray(values->items, values->count + 1, sizeof(*items));

	if (!items)
		return NULL;
	values->items = items;
	items[values->count] = (struct remote_attribute){.type = (uint32_t)type};
	return &items[values->count++];
}

bool values_set(struct values *values, CK_ATTRIBUTE_TYPE type, const void *data, size_t length)
{
	struct remote_attribute *item = find(values, type);

	if (!item)
		item = add(values, type);
	if (!item)
		return false;
	if (item->length != length) {
		if (item->length)
			explicit_bzero(values->bytes.data + item->offset, item->length);
		values->bytes.wipe = true;
		item->offset = (uint32_t)values->bytes.length;
		item->length = (uint32_t)length;
		buffer_append(&values->bytes, data, length);
	} else if (length) {
		memmove(values->bytes.data + item->offset, data, length);
	}
	return !values->bytes.failed;
}

void values_take(struct values *values, struct remote_key *remote)
{
	values_clear(values);
	values->items = steal_pointer(&remote->attributes);
	values->count = remote->attribute_count;
	remote->attribute_count = 0;
	buffer_move(&values->bytes, &remote->values);
}

bool values_equal(const struct values *one, const struct values *other)
{
	return one->count == other->count && one->bytes.length == other->bytes.length &&
	       (one->count == 0 ||
		       memcmp(one->items, other->items, one->count * sizeof(*one->items)) == 0) &&
	       (one->bytes.length == 0 ||
		       memcmp(one->bytes.data, other->bytes.data, one->bytes.length) == 0);
}

bool values_copy(struct values *to, const struct values *from)
{
	values_clear(to);
	for (size_t i = 0; i < from->count; i++) {
		const struct remote_attribute *item = &from->items[i];
		struct view value = values_find(from, item->type);
		if (!values_set(to, item->type, value.data, value.length))
			return false;
	}
	return true;
}

void values_clear(struct values *values)
{
	free(values->items);
	buffer_clear(&values->bytes);
	*values = (struct values){0};
}

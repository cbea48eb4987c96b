/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/message.h"

#include <string.h>

#include "common/alloc.h"

static void append(DBusMessageIter *iter, int type, const void *value)
{
	if (!dbus_message_iter_append_basic(iter, type, value))
		abort();
}

/* A copy in which each byte that makes the string invalid is '?'. */
static char *make_utf8(const char *string)
{
	char *copy = xstrdup(string);

	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	return copy;
}

void message_append_string(DBusMessageIter *iter, const char *string)
{
	_cleanup_free_ char *repaired = NULL;

	if (!string)
		string = "";
	if (!dbus_validate_utf8(string, NULL))
		string = repaired = make_utf8(string);
	append(iter, DBUS_TYPE_STRING, &string);
}

void message_append_path(DBusMessageIter *iter, const char *path)
{
	if (!path)
		path = "/";
	append(iter, DBUS_TYPE_OBJECT_PATH, &path);
}

void message_append_bool(DBusMessageIter *iter, bool value)
{
	dbus_bool_t wide = value;

	append(iter, DBUS_TYPE_BOOLEAN, &wide);
}

void message_append_u32(DBusMessageIter *iter, uint32_t value)
{
	append(iter, DBUS_TYPE_UINT32, &value);
}

void message_append_u64(DBusMessageIter *iter, uint64_t value)
{
	append(iter, DBUS_TYPE_UINT64, &value);
}

void message_append_i64(DBusMessageIter *iter, int64_t value)
{
	append(iter, DBUS_TYPE_INT64, &value);
}

void message_append_bytes(DBusMessageIter *iter, const uint8_t *data, size_t length)
{
	DBusMessageIter bytes;

	message_open(iter, DBUS_TYPE_ARRAY, "y", &bytes);
	if (length > 0 &&
		!dbus_message_iter_append_fixed_array(&bytes, DBUS_TYPE_BYTE, &data, (int)length))
		abort();
	message_close(iter, &bytes);
}

void message_append_strings(DBusMessageIter *iter, char *const *strings, size_t count)
{
	DBusMessageIter inside;

	message_open(iter, DBUS_TYPE_ARRAY, "s", &inside);
	for (size_t i = 0; i < count; i++)
		message_append_string(&inside, strings[i]);
	message_close(iter, &inside);
}

void message_open(DBusMessageIter *iter, int type, const char *signature, DBusMessageIter *inside)
{
	if (!dbus_message_iter_open_container(iter, type, signature, inside))
		abort();
}

void message_close(DBusMessageIter *iter, DBusMessageIter *inside)
{
	if (!dbus_message_iter_close_container(iter, inside))
		abort();
}

void message_append_entry(DBusMessageIter *dictionary, const char *name, const char *value)
{
	DBusMessageIter entry;

	message_open(dictionary, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	message_append_string(&entry, name);
	message_append_string(&entry, value);
	message_close(dictionary, &entry);
}

static void read_basic(DBusMessageIter *iter, void *value)
{
	dbus_message_iter_get_basic(iter, value);
	dbus_message_iter_next(iter);
}

const char *message_read_string(DBusMessageIter *iter)
{
	const char *value = "";

	read_basic(iter, &value);
	return value;
}

bool message_read_bool(DBusMessageIter *iter)
{
	dbus_bool_t value = FALSE;

	read_basic(iter, &value);
	return value;
}

uint32_t message_read_u32(DBusMessageIter *iter)
{
	uint32_t value = 0;

	read_basic(iter, &value);
	return value;
}

uint64_t message_read_u64(DBusMessageIter *iter)
{
	uint64_t value = 0;

	read_basic(iter, &value);
	return value;
}

int64_t message_read_i64(DBusMessageIter *iter)
{
	int64_t value = 0;

	read_basic(iter, &value);
	return value;
}

void message_read_bytes(DBusMessageIter *iter, const uint8_t **data, size_t *length)
{
	DBusMessageIter bytes;
	int count = 0;

	*data = NULL;
	dbus_message_iter_recurse(iter, &bytes);
	dbus_message_iter_get_fixed_array(&bytes, data, &count);
	*length = (size_t)count;
	dbus_message_iter_next(iter);
}

bool message_append_secret(DBusMessageIter *iter, const struct secret *secret, struct error *error)
{
	_cleanup_secret_ struct secret text = SECRET_INIT;

	if (!secret_allocate(&text, secret->length + 1))
		return error_set(error, ERROR_FAILED, "no locked memory is left");
	memcpy(text.data, secret->data, secret->length);
	if (memchr(text.data, 0, secret->length) ||
		!dbus_validate_utf8((const char *)text.data, NULL))
		return error_set(
			error, ERROR_PIN_POLICY, "the PIN has characters that no PIN can have");
	message_append_string(iter, (const char *)text.data);
	return true;
}

bool message_read_secret(DBusMessageIter *iter, struct secret *secret, struct error *error)
{
	const uint8_t *data;
	size_t length;

	if (dbus_message_iter_get_arg_type(iter) == DBUS_TYPE_STRING) {
		data = (const uint8_t *)message_read_string(iter);
		length = strlen((const char *)data);
	} else {
		message_read_bytes(iter, &data, &length);
	}
	return secret_set(secret, data, length) ||
	       error_set(error, ERROR_FAILED, "no memory is left for a secret");
}

/* Whether name is among the entries before the one that iter stands at. */
static bool came_before(DBusMessageIter first, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		DBusMessageIter entry;
		dbus_message_iter_recurse(&first, &entry);
		if (strcmp(message_read_string(&entry), name) == 0)
			return true;
		dbus_message_iter_next(&first);
	}
	return false;
}

bool message_read_dictionary(DBusMessageIter *iter, size_t limit,
	void (*add)(void *context, const char *name, const char *value), void *context,
	struct error *error)
{
	DBusMessageIter first, entries, entry;
	size_t count = 0;

	dbus_message_iter_recurse(iter, &entries);
	first = entries;
	for (; dbus_message_iter_get_arg_type(&entries) != DBUS_TYPE_INVALID;
		dbus_message_iter_next(&entries), count++) {
		if (count == limit)
			return error_set(error, ERROR_INVALID_ARGUMENT,
				"more than %zu entries are given", limit);
		dbus_message_iter_recurse(&entries, &entry);
		const char *name = message_read_string(&entry);
		if (came_before(first, count, name))
			return error_set_field(
				error, ERROR_INVALID_ARGUMENT, name, "the name is given twice");
		add(context, name, message_read_string(&entry));
	}
	dbus_message_iter_next(iter);
	return true;
}

DBusMessage *message_error(DBusMessage *call, const char *name, const char *text)
{
	_cleanup_free_ char *repaired = NULL;

	if (!dbus_validate_utf8(text, NULL))
		text = repaired = make_utf8(text);
	DBusMessage *reply = dbus_message_new_error(call, name, text);
	if (!reply)
		abort();
	return reply;
}

char *message_error_text(const struct error *error)
{
	const char *message = error_message(error);

	if (!error->field || strncmp(message, error->field, strlen(error->field)) == 0)
		return xstrdup(message);
	return xasprintf("%s: %s", error->field, message);
}

DBusMessage *message_error_of(DBusMessage *call, const struct error *error)
{
	_cleanup_free_ char *text = message_error_text(error);
	DBusMessage *reply = message_error(call,
		error_dbus_name(error->code == ERROR_NONE ? ERROR_FAILED : error->code), text);
	DBusMessageIter iter;

	if (error->code == ERROR_TOKEN_REFUSED) {
		dbus_message_iter_init_append(reply, &iter);
		message_append_u32(&iter, (uint32_t)error->ckr);
	}
	return reply;
}

static void wipe_string(DBusMessageIter *iter)
{
	const char *string = NULL;

	dbus_message_iter_get_basic(iter, &string);
	explicit_bzero((void *)(uintptr_t)string, strlen(string));
}

static void wipe_values(DBusMessageIter *iter)
{
	DBusMessageIter inside;
	int type;

	for (; (type = dbus_message_iter_get_arg_type(iter)) != DBUS_TYPE_INVALID;
		dbus_message_iter_next(iter)) {
		if (type == DBUS_TYPE_STRING) {
			wipe_string(iter);
		} else if (type == DBUS_TYPE_ARRAY &&
			   dbus_message_iter_get_element_type(iter) == DBUS_TYPE_BYTE) {
			const void *data = NULL;
			int length = 0;
			dbus_message_iter_recurse(iter, &inside);
			dbus_message_iter_get_fixed_array(&inside, &data, &length);
			if (length > 0)
				explicit_bzero((void *)(uintptr_t)data, (size_t)length);
		} else if (type == DBUS_TYPE_ARRAY || type == DBUS_TYPE_STRUCT ||
			   type == DBUS_TYPE_VARIANT || type == DBUS_TYPE_DICT_ENTRY) {
			dbus_message_iter_recurse(iter, &inside);
			wipe_values(&inside);
		}
	}
}

void message_wipe(DBusMessage *message)
{
	DBusMessageIter iter;

	if (dbus_message_iter_init(message, &iter))
		wipe_values(&iter);
}

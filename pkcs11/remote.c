/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/remote.h"

#include <stdlib.h>
#include <string.h>

#include <dbus/dbus.h>

#include "pkcs11/remote-connection.h"
#include "pkcs11/remote-object.h"

#define PUBLIC_TIMEOUT_MS  30000
#define RETRY_INTERVAL_MS  1000
#define TOKENS_MAXIMUM	   4096
#define KEYS_MAXIMUM	   100000
#define ATTRIBUTES_MAXIMUM 256

void remote_token_clear(struct remote_token *token)
{
	free(token->reader);
	free(token->label);
	free(token->manufacturer);
	free(token->model);
	free(token->serial);
	*token = (struct remote_token){0};
}

void remote_tokens_clear(struct remote_tokens *tokens)
{
	for (size_t i = 0; i < tokens->count; i++)
		remote_token_clear(&tokens->items[i]);
	free(tokens->items);
	*tokens = (struct remote_tokens)REMOTE_TOKENS_INIT;
}

void remote_key_clear(struct remote_key *key)
{
	free(key->label);
	buffer_clear(&key->certificate);
	buffer_clear(&key->public_key);
	free(key->attributes);
	buffer_clear(&key->values);
	*key = (struct remote_key){0};
}

void remote_keys_clear(struct remote_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		remote_key_clear(&keys->items[i]);
	free(keys->items);
	*keys = (struct remote_keys)REMOTE_KEYS_INIT;
}

/* The next basic value of a structure whose signature was checked. */
static void next_basic(DBusMessageIter *fields, void *value)
{
	dbus_message_iter_get_basic(fields, value);
	dbus_message_iter_next(fields);
}

static bool next_string(DBusMessageIter *fields, char **copy)
{
	const char *string = NULL;

	next_basic(fields, &string);
	*copy = strdup(string);
	return *copy != NULL;
}

static bool next_bytes(DBusMessageIter *fields, struct buffer *buffer)
{
	DBusMessageIter bytes;
	const void *data = NULL;
	int length = 0;

	dbus_message_iter_recurse(fields, &bytes);
	dbus_message_iter_get_fixed_array(&bytes, &data, &length);
	buffer_append(buffer, data, (size_t)length);
	dbus_message_iter_next(fields);
	return !buffer->failed;
}

static bool read_token(DBusMessageIter *fields, void *item)
{
	struct remote_token *token = item;

	next_basic(fields, &token->number);
	bool complete = next_string(fields, &token->reader);
	next_basic(fields, &token->flags);
	complete = complete && next_string(fields, &token->label) &&
		   next_string(fields, &token->manufacturer) &&
		   next_string(fields, &token->model) && next_string(fields, &token->serial);
	if (!complete)
		return false;
	next_basic(fields, &token->pin_minimum);
	next_basic(fields, &token->pin_maximum);
	next_basic(fields, &token->generation);
	return true;
}

static bool read_attribute(DBusMessageIter *fields, struct remote_key *key)
{
	struct remote_attribute *attribute = &key->attributes[key->attribute_count];
	uint32_t type = 0;

	next_basic(fields, &type);
	attribute->type = type;
	attribute->offset = (uint32_t)key->values.length;
	if (!next_bytes(fields, &key->values))
		return false;
	attribute->length = (uint32_t)key->values.length - attribute->offset;
	key->attribute_count++;
	return true;
}

static bool read_attributes(DBusMessageIter *array, struct remote_key *key)
{
	DBusMessageIter elements, fields;
	size_t count = (size_t)dbus_message_iter_get_element_count(array);

	if (count == 0 || count > ATTRIBUTES_MAXIMUM)
		return count == 0;
	key->attributes = calloc(count, sizeof(*key->attributes));
	if (!key->attributes)
		return false;
	dbus_message_iter_recurse(array, &elements);
	for (size_t i = 0; i < count; i++) {
		dbus_message_iter_recurse(&elements, &fields);
		if (!read_attribute(&fields, key))
			return false;
		dbus_message_iter_next(&elements);
	}
	return true;
}

static bool read_key(DBusMessageIter *fields, void *item)
{
	struct remote_key *key = item;

	next_basic(fields, &key->reference);
	if (!next_string(fields, &key->label) || !next_bytes(fields, &key->certificate) ||
		!next_bytes(fields, &key->public_key))
		return false;
	next_basic(fields, &key->flags);
	return read_attributes(fields, key);
}

/* Reads an array of structures, each into one more element of *items. */
static bool read_array(DBusMessageIter *array, void **items, size_t size, size_t *count,
	size_t maximum, bool (*read)(DBusMessageIter *, void *))
{
	DBusMessageIter elements, fields;
	size_t expected = (size_t)dbus_message_iter_get_element_count(array);

	if (expected > maximum - *count)
		return false;
	char *more = reallocarray(*items, *count + expected + 1, size);
	if (!more)
		return false;
	*items = more;
	memset(more + *count * size, 0, (expected + 1) * size);
	dbus_message_iter_recurse(array, &elements);
	for (size_t i = 0; i < expected; i++) {
		dbus_message_iter_recurse(&elements, &fields);
		if (!read(&fields, more + (*count)++ * size))
			return false;
		dbus_message_iter_next(&elements);
	}
	return true;
}

static bool get_tokens_locked(
	struct remote *remote, struct remote_tokens *tokens, struct error *error)
{
	remote_connect_if_needed(remote);
	_cleanup_message_ DBusMessage *message = remote_message_new("GetTokens", DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call_locked(remote, message, PUBLIC_TIMEOUT_MS, "ta(usussssuut)", error);
	if (!reply)
		return false;
	DBusMessageIter arguments;
	tokens->connection = remote_number(remote);
	dbus_message_iter_init(reply, &arguments);
	next_basic(&arguments, &tokens->generation);
	return read_array(&arguments, (void **)&tokens->items, sizeof(*tokens->items),
		       &tokens->count, TOKENS_MAXIMUM, read_token) ||
	       remote_out_of_memory(error);
}

bool remote_get_tokens(
	struct remote *remote, bool wait, struct remote_tokens *tokens, struct error *error)
{
	if (!remote_begin(remote, wait))
		return error_set(error, ERROR_BUSY, "another call is under way");
	bool done = get_tokens_locked(remote, tokens, error);
	remote_end(remote);
	return done;
}

/* One page, from the number *next on; *next is 0 after the last one. */
static bool get_page(struct remote *remote, uint32_t slot, uint32_t *next, struct remote_keys *keys,
	struct error *error)
{
	DBusMessageIter arguments;
	_cleanup_message_ DBusMessage *message = remote_message_new(
		"GetObjects", DBUS_TYPE_UINT32, &slot, DBUS_TYPE_UINT32, next, DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call_locked(remote, message, PUBLIC_TIMEOUT_MS, "tua(usayayua(uay))", error);

	if (!reply)
		return false;
	dbus_message_iter_init(reply, &arguments);
	next_basic(&arguments, &keys->generation);
	next_basic(&arguments, next);
	return read_array(&arguments, (void **)&keys->items, sizeof(*keys->items), &keys->count,
		       KEYS_MAXIMUM, read_key) ||
	       remote_out_of_memory(error);
}

/* What changes between two pages is told by a signal, and all is read again. */
static bool get_objects_locked(
	struct remote *remote, uint32_t slot, struct remote_keys *keys, struct error *error)
{
	uint32_t next = 0;
	uint64_t generation = 0;

	do {
		uint32_t before = next;
		if (!get_page(remote, slot, &next, keys, error))
			return false;
		if (before == 0)
			generation = keys->generation;
		if (next != 0 && next <= before)
			return error_set(
				error, ERROR_FAILED, "tesserad answered something unexpected");
	} while (next != 0);
	keys->generation = generation;
	return true;
}

bool remote_get_objects(struct remote *remote, uint32_t slot, bool wait, struct remote_keys *keys,
	struct error *error)
{
	if (!remote_begin(remote, wait))
		return error_set(error, ERROR_BUSY, "another call is under way");
	bool done = get_objects_locked(remote, slot, keys, error);
	remote_end(remote);
	return done;
}

bool remote_get_objects_from(struct remote *remote, uint32_t slot, uint32_t number,
	struct remote_keys *keys, struct error *error)
{
	uint32_t next = number - 1;

	remote_begin(remote, true);
	bool done = get_page(remote, slot, &next, keys, error);
	remote_end(remote);
	return done;
}

bool remote_login(
	struct remote *remote, uint32_t slot, const struct secret *pin, struct error *error)
{
	_cleanup_message_ DBusMessage *message =
		remote_message_new("Login", DBUS_TYPE_UINT32, &slot, DBUS_TYPE_ARRAY,
			DBUS_TYPE_BYTE, &pin->data, (int)pin->length, DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call(remote, message, remote_timeout_ms(), "", error);

	return reply != NULL;
}

bool remote_logout(struct remote *remote, uint32_t slot, struct error *error)
{
	_cleanup_message_ DBusMessage *message =
		remote_message_new("Logout", DBUS_TYPE_UINT32, &slot, DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call(remote, message, remote_timeout_ms(), "", error);

	return reply != NULL;
}

void remote_logout_quietly(struct remote *remote, uint32_t slot)
{
	_cleanup_message_ DBusMessage *message =
		remote_message_new("Logout", DBUS_TYPE_UINT32, &slot, DBUS_TYPE_INVALID);

	if (!message)
		return;
	remote_send_only(remote, message);
}

bool remote_check_unblock_code(
	struct remote *remote, uint32_t slot, const struct secret *code, struct error *error)
{
	_cleanup_message_ DBusMessage *message =
		remote_message_new("CheckUnblockCode", DBUS_TYPE_UINT32, &slot, DBUS_TYPE_ARRAY,
			DBUS_TYPE_BYTE, &code->data, (int)code->length, DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call(remote, message, remote_timeout_ms(), "", error);

	return reply != NULL;
}

bool remote_init_pin(struct remote *remote, uint32_t slot, const struct secret *code,
	const struct secret *pin, struct error *error)
{
	_cleanup_message_ DBusMessage *message = remote_message_new("InitPin", DBUS_TYPE_UINT32,
		&slot, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &code->data, (int)code->length,
		DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &pin->data, (int)pin->length, DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call(remote, message, remote_timeout_ms(), "", error);

	return reply != NULL;
}

bool remote_change_pin(struct remote *remote, uint32_t slot, bool officer,
	const struct secret *old_pin, const struct secret *new_pin, struct error *error)
{
	_cleanup_message_ DBusMessage *message =
		remote_message_new(officer ? "ChangeOfficerPin" : "ChangePin", DBUS_TYPE_UINT32,
			&slot, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &old_pin->data,
			(int)old_pin->length, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &new_pin->data,
			(int)new_pin->length, DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call(remote, message, remote_timeout_ms(), "", error);

	return reply != NULL;
}

/* A connection is told of changes once it has asked for the tokens. */
static void subscribe(struct remote *remote)
{
	_cleanup_(remote_tokens_clear) struct remote_tokens tokens = REMOTE_TOKENS_INIT;

	remote_get_tokens(remote, true, &tokens, NULL);
}

void remote_wait(struct remote *remote, struct remote_news *news, int timeout_ms)
{
	struct remote_news now;

	remote_poll(remote, &now.connection, &now.generation);
	if (!now.connection) {
		subscribe(remote);
		remote_poll(remote, &now.connection, &now.generation);
		if (!now.connection)
			remote_sleep(remote, -1, RETRY_INTERVAL_MS);
	}
	while (now.connection && now.connection == news->connection &&
		now.generation == news->generation && !remote_is_stopped(remote) &&
		remote_sleep(remote, remote_descriptor(remote), timeout_ms))
		remote_poll(remote, &now.connection, &now.generation);
	*news = now;
}

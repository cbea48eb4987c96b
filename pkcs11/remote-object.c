/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/remote-object.h"

#include <stdlib.h>

#include <dbus/dbus.h>

#include "pkcs11/remote-connection.h"

#define MECHANISMS_MAXIMUM 4096

#define BYTES(holder) DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &(holder)->data, (int)(holder)->length

void remote_mechanisms_clear(struct remote_mechanisms *mechanisms)
{
	free(mechanisms->items);
	*mechanisms = (struct remote_mechanisms){0};
}

/* --- changes --- */

static const struct {
	const char *name;
	bool object, mechanism, input;
	unsigned templates, numbers;
	const char *reply;
} methods[] = {
	[REMOTE_CREATE] = {"CreateObject", false, false, false, 1, 1, "utt"},
	[REMOTE_COPY] = {"CopyObject", true, false, false, 1, 1, "utt"},
	[REMOTE_SET] = {"SetAttributes", true, false, false, 1, 0, "tt"},
	[REMOTE_DESTROY] = {"DestroyObject", true, false, false, 0, 0, "tt"},
	[REMOTE_GENERATE_KEY] = {"GenerateKey", false, true, false, 1, 1, "utt"},
	[REMOTE_GENERATE_PAIR] = {"GenerateKeyPair", false, true, false, 2, 2, "uutt"},
	[REMOTE_UNWRAP] = {"UnwrapKey", true, true, true, 1, 1, "utt"},
	[REMOTE_DERIVE] = {"DeriveKey", true, true, true, 1, 1, "utt"},
};

static bool append_bytes(DBusMessageIter *to, const void *data, size_t length)
{
	DBusMessageIter bytes;

	return dbus_message_iter_open_container(to, DBUS_TYPE_ARRAY, "y", &bytes) &&
	       dbus_message_iter_append_fixed_array(&bytes, DBUS_TYPE_BYTE, &data, (int)length) &&
	       dbus_message_iter_close_container(to, &bytes);
}

static bool append_attribute(DBusMessageIter *to, const CK_ATTRIBUTE *attribute)
{
	dbus_uint32_t type = (dbus_uint32_t)attribute->type;
	DBusMessageIter fields;

	return dbus_message_iter_open_container(to, DBUS_TYPE_STRUCT, NULL, &fields) &&
	       dbus_message_iter_append_basic(&fields, DBUS_TYPE_UINT32, &type) &&
	       append_bytes(&fields, attribute->pValue, attribute->ulValueLen) &&
	       dbus_message_iter_close_container(to, &fields);
}

static bool append_template(DBusMessageIter *to, const struct remote_template *template)
{
	DBusMessageIter array;

	if (!dbus_message_iter_open_container(to, DBUS_TYPE_ARRAY, "(uay)", &array))
		return false;
	for (CK_ULONG i = 0; i < template->count; i++) {
		if (!append_attribute(&array, &template->attributes[i]))
			return false;
	}
	return dbus_message_iter_close_container(to, &array);
}

static bool append_arguments(DBusMessageIter *to, const struct remote_change *change)
{
	const struct buffer *parameter = change->parameter, *input = change->input;

	if (methods[change->kind].object &&
		!dbus_message_iter_append_basic(to, DBUS_TYPE_UINT32, &change->object))
		return false;
	if (methods[change->kind].mechanism &&
		(!dbus_message_iter_append_basic(to, DBUS_TYPE_UINT32, &change->mechanism) ||
			!append_bytes(to, parameter->data, parameter->length)))
		return false;
	if (methods[change->kind].input && !append_bytes(to, input->data, input->length))
		return false;
	for (unsigned i = 0; i < methods[change->kind].templates; i++) {
		if (!append_template(to, &change->templates[i]))
			return false;
	}
	return true;
}

bool remote_change(struct remote *remote, struct remote_change *change, struct error *error)
{
	_cleanup_message_ DBusMessage *message = remote_message_new(
		methods[change->kind].name, DBUS_TYPE_UINT32, &change->slot, DBUS_TYPE_INVALID);
	DBusMessageIter arguments;

	if (!message)
		return remote_out_of_memory(error);
	dbus_message_iter_init_append(message, &arguments);
	if (!append_arguments(&arguments, change))
		return remote_out_of_memory(error);
	_cleanup_message_ DBusMessage *reply = remote_call(
		remote, message, remote_timeout_ms(), methods[change->kind].reply, error);
	if (!reply)
		return false;
	dbus_message_iter_init(reply, &arguments);
	for (unsigned i = 0; i < methods[change->kind].numbers; i++) {
		dbus_message_iter_get_basic(&arguments, &change->numbers[i]);
		dbus_message_iter_next(&arguments);
	}
	dbus_message_iter_get_basic(&arguments, &change->before);
	dbus_message_iter_next(&arguments);
	dbus_message_iter_get_basic(&arguments, &change->generation);
	return true;
}

void remote_destroy_quietly(struct remote *remote, uint32_t slot, uint32_t object)
{
	_cleanup_message_ DBusMessage *message = remote_message_new("DestroyObject",
		DBUS_TYPE_UINT32, &slot, DBUS_TYPE_UINT32, &object, DBUS_TYPE_INVALID);

	if (message)
		remote_send_only(remote, message);
}

/* --- bytes for numbers --- */

static bool take_bytes(DBusMessage *reply, struct buffer *bytes, struct error *error)
{
	const void *data = NULL;
	int length = 0;

	if (!reply)
		return false;
	dbus_message_get_args(
		reply, NULL, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &data, &length, DBUS_TYPE_INVALID);
	buffer_append(bytes, data, (size_t)length);
	return !bytes->failed || remote_out_of_memory(error);
}

static bool get_bytes(struct remote *remote, const char *method, uint32_t slot, uint32_t number,
	struct buffer *bytes, struct error *error)
{
	_cleanup_message_ DBusMessage *message = remote_message_new(
		method, DBUS_TYPE_UINT32, &slot, DBUS_TYPE_UINT32, &number, DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call(remote, message, remote_timeout_ms(), "ay", error);

	return take_bytes(reply, bytes, error);
}

bool remote_get_secret(struct remote *remote, uint32_t slot, uint32_t object, struct buffer *value,
	struct error *error)
{
	return get_bytes(remote, "GetSecretValue", slot, object, value, error);
}

bool remote_get_random(struct remote *remote, uint32_t slot, uint32_t length, struct buffer *bytes,
	struct error *error)
{
	return get_bytes(remote, "GetRandom", slot, length, bytes, error);
}

bool remote_wrap_key(struct remote *remote, const struct remote_use *use, uint32_t key,
	struct buffer *wrapped, struct error *error)
{
	_cleanup_message_ DBusMessage *message = remote_message_new("WrapKey", DBUS_TYPE_UINT32,
		&use->slot, DBUS_TYPE_UINT32, &use->key, DBUS_TYPE_UINT32, &use->mechanism,
		BYTES(use->parameter), DBUS_TYPE_UINT32, &key, DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call(remote, message, remote_timeout_ms(), "ay", error);

	return take_bytes(reply, wrapped, error);
}

/* --- no answer but that it is done --- */

static bool call(struct remote *remote, DBusMessage *message, struct error *error)
{
	_cleanup_message_ DBusMessage *reply =
		remote_call(remote, message, remote_timeout_ms(), "", error);

	return reply != NULL;
}

bool remote_verify(struct remote *remote, const struct remote_use *use,
	const struct buffer *signature, struct error *error)
{
	_cleanup_message_ DBusMessage *message =
		remote_message_new("VerifyWithKey", BYTES(use->input), BYTES(signature),
			DBUS_TYPE_UINT32, &use->slot, DBUS_TYPE_UINT32, &use->key, DBUS_TYPE_UINT32,
			&use->mechanism, BYTES(use->parameter), DBUS_TYPE_INVALID);

	return call(remote, message, error);
}

bool remote_seed_random(
	struct remote *remote, uint32_t slot, const struct buffer *seed, struct error *error)
{
	_cleanup_message_ DBusMessage *message = remote_message_new(
		"SeedRandom", DBUS_TYPE_UINT32, &slot, BYTES(seed), DBUS_TYPE_INVALID);

	return call(remote, message, error);
}

bool remote_is_text(const char *text)
{
	return dbus_validate_utf8(text, NULL);
}

bool remote_init_token(struct remote *remote, uint32_t slot, const struct secret *so_pin,
	const char *label, struct error *error)
{
	_cleanup_message_ DBusMessage *message = remote_message_new("InitToken", DBUS_TYPE_UINT32,
		&slot, BYTES(so_pin), DBUS_TYPE_STRING, &label, DBUS_TYPE_INVALID);

	return call(remote, message, error);
}

/* --- mechanisms --- */

static void read_mechanism(DBusMessageIter *array, struct remote_mechanism *mechanism)
{
	DBusMessageIter fields;
	dbus_uint32_t numbers[4] = {0};

	dbus_message_iter_recurse(array, &fields);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		dbus_message_iter_get_basic(&fields, &numbers[i]);
		dbus_message_iter_next(&fields);
	}
	*mechanism = (struct remote_mechanism){numbers[0], numbers[1], numbers[2], numbers[3]};
}

bool remote_get_mechanisms(struct remote *remote, uint32_t slot,
	struct remote_mechanisms *mechanisms, struct error *error)
{
	_cleanup_message_ DBusMessage *message =
		remote_message_new("GetMechanisms", DBUS_TYPE_UINT32, &slot, DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call(remote, message, remote_timeout_ms(), "a(uuuu)", error);
	DBusMessageIter arguments, array;

	if (!reply)
		return false;
	dbus_message_iter_init(reply, &arguments);
	size_t count = (size_t)dbus_message_iter_get_element_count(&arguments);
	mechanisms->items =
		count <= MECHANISMS_MAXIMUM ? calloc(count + 1, sizeof(*mechanisms->items)) : NULL;
	if (!mechanisms->items)
		return remote_out_of_memory(error);
	dbus_message_iter_recurse(&arguments, &array);
	for (size_t i = 0; i < count; i++) {
		read_mechanism(&array, &mechanisms->items[mechanisms->count++]);
		dbus_message_iter_next(&array);
	}
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/client-private.h"

#include <string.h>

#include "common/buffer.h"
#include "dbus/message.h"

static bool check_text(const char *text, struct error *error)
{
	if (!dbus_validate_utf8(text, NULL))
		return error_set(
			error, ERROR_INVALID_ARGUMENT, "an argument is not valid UTF-8 text");
	return true;
}

static bool append_text(DBusMessageIter *iterator, const char *text, struct error *error)
{
	if (!check_text(text, error))
		return false;
	message_append_string(iterator, text);
	return true;
}

static bool append_path(DBusMessageIter *iterator, const char *path, struct error *error)
{
	if (!dbus_validate_path(path, NULL))
		return error_set(error, ERROR_INVALID_ARGUMENT, "not an object's path");
	message_append_path(iterator, path);
	return true;
}

static bool check_fields(const json_t *fields, struct error *error)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)fields, name, value)
	{
		if (!check_text(name, error) || !check_text(json_string_value(value), error))
			return false;
	}
	return true;
}

/* Looks at all of it first: a half-built container cannot be left behind. */
static bool append_fields(DBusMessageIter *iterator, const json_t *fields, struct error *error)
{
	DBusMessageIter array;
	const char *name;
	json_t *value;

	if (!check_fields(fields, error))
		return false;
	message_open(iterator, DBUS_TYPE_ARRAY, "{ss}", &array);
	json_object_foreach((json_t *)fields, name, value)
		message_append_entry(&array, name, json_string_value(value));
	message_close(iterator, &array);
	return true;
}

static bool check_strings(const json_t *strings, struct error *error)
{
	const json_t *string;
	size_t index;

	json_array_foreach(strings, index, string)
	{
		if (!check_text(json_string_value(string), error))
			return false;
	}
	return true;
}

static void append_checked_strings(DBusMessageIter *iterator, const json_t *strings)
{
	DBusMessageIter array;
	const json_t *string;
	size_t index;

	message_open(iterator, DBUS_TYPE_ARRAY, "s", &array);
	json_array_foreach(strings, index, string)
		message_append_string(&array, json_string_value(string));
	message_close(iterator, &array);
}

static bool append_strings(DBusMessageIter *iterator, const json_t *strings, struct error *error)
{
	if (!check_strings(strings, error))
		return false;
	append_checked_strings(iterator, strings);
	return true;
}

static const char *option_signature(const json_t *value)
{
	if (json_is_array(value))
		return "as";
	if (json_is_boolean(value))
		return "b";
	return json_is_integer(value) ? "x" : "s";
}

static void append_option(DBusMessageIter *options, const char *name, const json_t *value)
{
	DBusMessageIter entry, variant;

	message_open(options, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	message_append_string(&entry, name);
	message_open(&entry, DBUS_TYPE_VARIANT, option_signature(value), &variant);
	if (json_is_array(value))
		append_checked_strings(&variant, value);
	else if (json_is_boolean(value))
		message_append_bool(&variant, json_is_true(value));
	else if (json_is_integer(value))
		message_append_i64(&variant, json_integer_value(value));
	else
		message_append_string(&variant, json_string_value(value));
	message_close(&entry, &variant);
	message_close(options, &entry);
}

static bool append_pin_option(
	DBusMessageIter *options, const char *name, const struct secret *pin, struct error *error)
{
	DBusMessageIter entry, variant;

	message_open(options, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	message_append_string(&entry, name);
	message_open(&entry, DBUS_TYPE_VARIANT, "s", &variant);
	bool appended = message_append_secret(&variant, pin, error);
	if (!appended)
		message_append_string(&variant, "");
	message_close(&entry, &variant);
	message_close(options, &entry);
	return appended;
}

static bool append_options(DBusMessageIter *iterator, const json_t *options, const char *pin_name,
	const struct secret *pin, struct error *error)
{
	bool appended = true;
	DBusMessageIter array;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)options, name, value)
	{
		if (json_is_array(value) ? !check_strings(value, error)
					 : json_is_string(value) &&
						   !check_text(json_string_value(value), error))
			return false;
	}
	message_open(iterator, DBUS_TYPE_ARRAY, "{sv}", &array);
	json_object_foreach((json_t *)options, name, value) append_option(&array, name, value);
	if (pin)
		appended = append_pin_option(&array, pin_name, pin, error);
	message_close(iterator, &array);
	return appended;
}

static bool append_argument(
	DBusMessageIter *iterator, const struct client_argument *argument, struct error *error)
{
	switch (argument->type) {
	case CLIENT_ARGUMENT_STRING:
		return append_text(iterator, argument->string, error);
	case CLIENT_ARGUMENT_PATH:
		return append_path(iterator, argument->string, error);
	case CLIENT_ARGUMENT_SECRET:
		return message_append_secret(iterator, argument->secret, error);
	case CLIENT_ARGUMENT_SECRET_BYTES:
		message_append_bytes(iterator, argument->secret->data, argument->secret->length);
		return true;
	case CLIENT_ARGUMENT_BYTES:
		message_append_bytes(iterator, argument->bytes->data, argument->bytes->length);
		return true;
	case CLIENT_ARGUMENT_FIELDS:
		return append_fields(iterator, argument->json, error);
	case CLIENT_ARGUMENT_OPTIONS:
		return append_options(
			iterator, argument->json, argument->pin_name, argument->pin, error);
	case CLIENT_ARGUMENT_STRINGS:
		return append_strings(iterator, argument->json, error);
	case CLIENT_ARGUMENT_BOOL:
		message_append_bool(iterator, argument->number != 0);
		return true;
	case CLIENT_ARGUMENT_INT64:
		message_append_i64(iterator, argument->number);
		return true;
	case CLIENT_ARGUMENT_UINT32:
		message_append_u32(iterator, (uint32_t)argument->number);
		return true;
	}
	return false;
}

bool client_append(DBusMessage *message, const struct client_argument *arguments, size_t count,
	struct error *error)
{
	DBusMessageIter iterator;

	dbus_message_iter_init_append(message, &iterator);
	for (size_t i = 0; i < count; i++) {
		if (!append_argument(&iterator, &arguments[i], error))
			return false;
	}
	return true;
}

static json_t *value_to_json(DBusMessageIter *iterator);

static json_t *elements_to_json(DBusMessageIter *container)
{
	json_t *array = json_array();

	for (; dbus_message_iter_get_arg_type(container) != DBUS_TYPE_INVALID;
		dbus_message_iter_next(container))
		json_array_append_new(array, value_to_json(container));
	return array;
}

static json_t *bytes_to_json(DBusMessageIter *container)
{
	const uint8_t *bytes = NULL;
	int length = 0;

	dbus_message_iter_get_fixed_array(container, &bytes, &length);
	_cleanup_free_ char *hex = hex_encode(bytes, (size_t)length);
	return json_string(hex ? hex : "");
}

/* Keys that are not strings (the contract has none) are left out. */
static json_t *dictionary_to_json(DBusMessageIter *container)
{
	json_t *object = json_object();
	DBusMessageIter entry;

	for (; dbus_message_iter_get_arg_type(container) != DBUS_TYPE_INVALID;
		dbus_message_iter_next(container)) {
		dbus_message_iter_recurse(container, &entry);
		_cleanup_json_ json_t *key = value_to_json(&entry);
		if (dbus_message_iter_next(&entry) && json_is_string(key))
			json_object_set_new(object, json_string_value(key), value_to_json(&entry));
	}
	return object;
}

static json_t *container_to_json(DBusMessageIter *iterator, int type)
{
	DBusMessageIter inner;

	int element = type == DBUS_TYPE_ARRAY ? dbus_message_iter_get_element_type(iterator)
					      : DBUS_TYPE_INVALID;
	dbus_message_iter_recurse(iterator, &inner);
	if (element == DBUS_TYPE_DICT_ENTRY)
		return dictionary_to_json(&inner);
	if (element == DBUS_TYPE_BYTE)
		return bytes_to_json(&inner);
	if (type == DBUS_TYPE_VARIANT)
		return value_to_json(&inner);
	return elements_to_json(&inner);
}

static json_t *basic_to_json(DBusMessageIter *iterator, int type)
{
	DBusBasicValue value = {0};

	dbus_message_iter_get_basic(iterator, &value);
	switch (type) {
	case DBUS_TYPE_BOOLEAN:
		return json_boolean(value.bool_val);
	case DBUS_TYPE_BYTE:
		return json_integer(value.byt);
	case DBUS_TYPE_INT16:
		return json_integer(value.i16);
	case DBUS_TYPE_UINT16:
		return json_integer(value.u16);
	case DBUS_TYPE_INT32:
		return json_integer(value.i32);
	case DBUS_TYPE_UINT32:
		return json_integer(value.u32);
	case DBUS_TYPE_INT64:
	case DBUS_TYPE_UINT64:
		return json_integer((json_int_t)value.i64);
	case DBUS_TYPE_DOUBLE:
		return json_real(value.dbl);
	case DBUS_TYPE_STRING:
	case DBUS_TYPE_OBJECT_PATH:
	case DBUS_TYPE_SIGNATURE:
		return json_string(value.str);
	default:
		return json_null();
	}
}

static json_t *value_to_json(DBusMessageIter *iterator)
{
	int type = dbus_message_iter_get_arg_type(iterator);

	if (type == DBUS_TYPE_UNIX_FD) /* reading it would duplicate it */
		return json_null();
	return dbus_type_is_container(type) ? container_to_json(iterator, type)
					    : basic_to_json(iterator, type);
}

json_t *client_results(DBusMessage *message)
{
	DBusMessageIter iterator;

	if (!dbus_message_iter_init(message, &iterator))
		return json_array();
	return elements_to_json(&iterator);
}

/* Errors of D-Bus itself, as ours. */
static const struct {
	const char *name;
	enum error_code code;
} standard_errors[] = {
	{DBUS_ERROR_SERVICE_UNKNOWN, ERROR_NO_SERVICE},
	{DBUS_ERROR_NAME_HAS_NO_OWNER, ERROR_NO_SERVICE},
	{DBUS_ERROR_NO_SERVER, ERROR_NO_SERVICE},
	{DBUS_ERROR_FILE_NOT_FOUND, ERROR_NO_SERVICE},
	{DBUS_ERROR_DISCONNECTED, ERROR_NO_SERVICE},
	{DBUS_ERROR_NO_REPLY, ERROR_TIMEOUT},
	{DBUS_ERROR_TIMEOUT, ERROR_TIMEOUT},
	{DBUS_ERROR_ACCESS_DENIED, ERROR_ACCESS_DENIED},
	{DBUS_ERROR_AUTH_FAILED, ERROR_ACCESS_DENIED},
	{DBUS_ERROR_INVALID_ARGS, ERROR_INVALID_ARGUMENT},
	{DBUS_ERROR_UNKNOWN_OBJECT, ERROR_NOT_FOUND},
	{DBUS_ERROR_UNKNOWN_INTERFACE, ERROR_NOT_FOUND},
	{DBUS_ERROR_UNKNOWN_METHOD, ERROR_NOT_FOUND},
	{DBUS_ERROR_LIMITS_EXCEEDED, ERROR_BUSY},
	/* what systemd says of a unit that does not start */
	{DBUS_ERROR_SPAWN_FAILED, ERROR_NO_SERVICE},
	{DBUS_ERROR_SPAWN_CHILD_EXITED, ERROR_NO_SERVICE},
	{DBUS_ERROR_SPAWN_EXEC_FAILED, ERROR_NO_SERVICE},
	{DBUS_ERROR_SPAWN_SERVICE_NOT_FOUND, ERROR_NO_SERVICE},
};

bool client_take_error(const char *name, const char *text, struct error *error)
{
	enum error_code code = error_from_dbus_name(name);

	for (size_t i = 0; name && i < ARRAY_SIZE(standard_errors); i++) {
		if (strcmp(standard_errors[i].name, name) == 0)
			code = standard_errors[i].code;
	}
	if (!text || !text[0])
		text = name ? name : "no reason was given";
	return error_set(error, code, "%s", text);
}

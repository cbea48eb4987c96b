/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a method's options, a{sv}: each name is known or refused. */
#include "bus/bus-private.h"
#include "common/alloc.h"

bool option_unknown(const char *name, const char *known, struct error *error)
{
	return error_set_field(error, ERROR_INVALID_ARGUMENT, "options",
		"there is no option \"%.64s\"; known: %s", name, known);
}

static bool has_type(
	const char *name, DBusMessageIter *value, int type, const char *what, struct error *error)
{
	return dbus_message_iter_get_arg_type(value) == type ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, "options",
		       "the option \"%s\" must be %s", name, what);
}

bool option_read_bool(const char *name, DBusMessageIter *value, bool *option, struct error *error)
{
	if (!has_type(name, value, DBUS_TYPE_BOOLEAN, "a boolean", error))
		return false;
	*option = message_read_bool(value);
	return true;
}

bool option_read_string(
	const char *name, DBusMessageIter *value, char **option, struct error *error)
{
	if (!has_type(name, value, DBUS_TYPE_STRING, "a string", error))
		return false;
	free(*option);
	*option = xstrdup(message_read_string(value));
	return true;
}

bool option_read_i64(const char *name, DBusMessageIter *value, int64_t *option, struct error *error)
{
	if (!has_type(name, value, DBUS_TYPE_INT64, "a number (x)", error))
		return false;
	*option = message_read_i64(value);
	return true;
}

bool option_read_secret(
	const char *name, DBusMessageIter *value, struct secret *option, struct error *error)
{
	return has_type(name, value, DBUS_TYPE_STRING, "a string", error) &&
	       message_read_secret(value, option, error);
}

bool option_read_strings(const char *name, DBusMessageIter *value, char ***option, size_t *count,
	struct error *error)
{
	if (!has_type(name, value, DBUS_TYPE_ARRAY, "an array of strings", error))
		return false;
	if (dbus_message_iter_get_element_type(value) != DBUS_TYPE_STRING)
		return has_type(name, value, DBUS_TYPE_INVALID, "an array of strings", error);
	strings_free(*option, *count);
	*option = NULL;
	*count = 0;
	read_strings(value, option, count);
	return true;
}

void read_strings(DBusMessageIter *iter, char ***strings, size_t *count)
{
	DBusMessageIter items;

	dbus_message_iter_recurse(iter, &items);
	while (dbus_message_iter_get_arg_type(&items) == DBUS_TYPE_STRING) {
		*strings = xreallocarray(*strings, *count + 1, sizeof(**strings));
		(*strings)[(*count)++] = xstrdup(message_read_string(&items));
	}
	dbus_message_iter_next(iter);
}

void strings_free(char **strings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(strings[i]);
	free(strings);
}

bool options_each(DBusMessageIter *iter,
	bool (*read)(void *, const char *, DBusMessageIter *, struct error *), void *context,
	struct error *error)
{
	DBusMessageIter options, entry, value;

	dbus_message_iter_recurse(iter, &options);
	dbus_message_iter_next(iter);
	while (dbus_message_iter_get_arg_type(&options) != DBUS_TYPE_INVALID) {
		dbus_message_iter_recurse(&options, &entry);
		const char *name = message_read_string(&entry);
		dbus_message_iter_recurse(&entry, &value);
		if (!read(context, name, &value, error))
			return false;
		dbus_message_iter_next(&options);
	}
	return true;
}

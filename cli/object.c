/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/object.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buffer.h"
#include "dbus/path.h"

#define PROPERTIES     "org.freedesktop.DBus.Properties"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
/* What a login's session lets one program have under way, and less. */
#define AT_A_TIME 64

int64_t object_number(const char *path)
{
	const char *last = path ? strrchr(path, '/') : NULL;

	return last ? strtoll(last + 1, NULL, 10) : 0;
}

char *object_path(const char *kind, int64_t number)
{
	return xasprintf(CLIENT_ROOT "/%s/%lld", kind, (long long)number);
}

char *object_path_of_name(const char *kind, const char *name)
{
	_cleanup_free_ char *prefix = xasprintf(CLIENT_ROOT "/%s", kind);

	return path_of(prefix, name);
}

/* "CardType" to "card_type" */
static char *record_key(const char *property)
{
	struct buffer key = BUFFER_INIT;

	for (size_t i = 0; property[i]; i++) {
		if (isupper((unsigned char)property[i]) && i > 0)
			buffer_append_u8(&key, '_');
		buffer_append_u8(&key, (uint8_t)tolower((unsigned char)property[i]));
	}
	buffer_append_u8(&key, '\0');
	if (key.failed)
		abort();
	return (char *)key.data;
}

/* Paths of other objects become their numbers. */
static void replace_path(json_t *record, const char *key)
{
	const json_t *path = json_object_get(record, key);

	if (!json_is_string(path))
		return;
	int64_t number = object_number(json_string_value(path));
	json_object_set_new(record, key, number ? json_integer(number) : json_null());
}

/* The record keeps its own number in front. */
static json_t *record_new(const char *path, const json_t *properties)
{
	json_t *record = json_object();
	const char *property;
	json_t *value;

	int64_t number = object_number(path);
	if (number)
		json_object_set_new(record, "number", json_integer(number));
	json_object_foreach((json_t *)properties, property, value)
	{
		_cleanup_free_ char *key = record_key(property);
		json_object_set(record, key, value);
	}
	replace_path(record, "reader");
	replace_path(record, "credential");
	replace_path(record, "replaces");
	replace_path(record, "replaced_by");
	return record;
}

struct client_pending *object_begin(
	struct client *client, const char *path, const char *interface, struct error *error)
{
	return CLIENT_BEGIN(client, path, PROPERTIES, "GetAll", error, CLIENT_STRING(interface));
}

json_t *object_finish(struct client_pending *pending, const char *path, struct error *error)
{
	_cleanup_json_ json_t *answer = client_finish(pending, error);

	if (!answer)
		return NULL;
	const json_t *properties = json_array_get(answer, 0);
	if (!json_object_size(properties)) {
		error_set(error, ERROR_NOT_FOUND, "there is no such object");
		return NULL;
	}
	return record_new(path, properties);
}

json_t *object_get(
	struct client *client, const char *path, const char *interface, struct error *error)
{
	return object_finish(object_begin(client, path, interface, error), path, error);
}

static const char *path_at(const json_t *paths, size_t index)
{
	return json_string_value(json_array_get(paths, index));
}

json_t *object_get_all(
	struct client *client, const json_t *paths, const char *interface, struct error *error)
{
	struct client_pending *pending[AT_A_TIME] = {NULL};
	_cleanup_json_ json_t *records = json_array();
	size_t count = json_array_size(paths), begun = 0, finished = 0;
	bool good = true;

	while (good && finished < count) {
		while (good && begun < count && begun - finished < AT_A_TIME) {
			good = (pending[begun % AT_A_TIME] = object_begin(
					client, path_at(paths, begun), interface, error)) != NULL;
			begun += good;
		}
		json_t *record = good ? object_finish(steal_pointer(&pending[finished % AT_A_TIME]),
						path_at(paths, finished), error)
				      : NULL;
		good = record && json_array_append_new(records, record) == 0;
		finished++;
	}
	for (size_t i = 0; i < AT_A_TIME; i++)
		client_pending_free(pending[i]);
	return good ? steal_pointer(&records) : NULL;
}

struct client_pending *object_begin_all(struct client *client, struct error *error)
{
	return client_begin(
		client, CLIENT_ROOT, OBJECT_MANAGER, "GetManagedObjects", NULL, 0, error);
}

json_t *object_finish_all(struct client_pending *pending, struct error *error)
{
	_cleanup_json_ json_t *answer = client_finish(pending, error);

	return json_incref(json_array_get(answer, 0));
}

json_t *object_fetch_all(struct client *client, struct error *error)
{
	return object_finish_all(object_begin_all(client, error), error);
}

static int compare_records(const void *one, const void *other)
{
	const json_t *a = *(json_t *const *)one, *b = *(json_t *const *)other;
	json_int_t number_a = json_integer_value(json_object_get(a, "number"));
	json_int_t number_b = json_integer_value(json_object_get(b, "number"));
	const char *name_a = json_string_value(json_object_get(a, "name"));
	const char *name_b = json_string_value(json_object_get(b, "name"));

	if (number_a != number_b)
		return number_a < number_b ? -1 : 1;
	return strcmp(name_a ? name_a : "", name_b ? name_b : "");
}

/* Takes over the records in found. */
static json_t *sorted_array(json_t **found, size_t count)
{
	json_t *array = json_array();

	if (count)
		qsort(found, count, sizeof(*found), compare_records);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, found[i]);
	return array;
}

json_t *object_select(const json_t *all, const char *interface)
{
	_cleanup_free_ json_t **found = xcalloc(json_object_size(all) + 1, sizeof(*found));
	size_t count = 0;
	const char *path;
	json_t *interfaces;

	json_object_foreach((json_t *)all, path, interfaces)
	{
		const json_t *properties = json_object_get(interfaces, interface);
		if (properties)
			found[count++] = record_new(path, properties);
	}
	return sorted_array(found, count);
}

json_t *object_list(struct client *client, const char *interface, struct error *error)
{
	_cleanup_json_ json_t *all = object_fetch_all(client, error);

	return all ? object_select(all, interface) : NULL;
}

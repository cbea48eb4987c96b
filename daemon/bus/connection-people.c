/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Connection: the people of a directory. */
#include "bus/connection-people.h"

#include <string.h>

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "directory/directory.h"

#define LIMIT_DEFAULT 20
#define PERSON	      "(ssa{ss}bs)"

/* Looking is no change, and a list is asked for with each letter that is typed. */
static struct directory *directory_of_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;

	call->audited = true;
	return directory_open(&bus->services->connections, call->name, error);
}

static void append_person(DBusMessageIter *iter, const struct directory_person *person)
{
	DBusMessageIter item;

	message_open(iter, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_string(&item, person->id);
	message_append_string(&item, person->name);
	append_fields(&item, &person->fields);
	message_append_bool(&item, person->is_disabled);
	message_append_string(&item, person->reason);
	message_close(iter, &item);
}

struct search_options {
	char *field, *value, *after;
	int64_t limit;
};

static bool read_option(
	void *context, const char *name, DBusMessageIter *value, struct error *error)
{
	struct search_options *options = context;

	if (strcmp(name, "field") == 0)
		return option_read_string(name, value, &options->field, error);
	if (strcmp(name, "value") == 0)
		return option_read_string(name, value, &options->value, error);
	if (strcmp(name, "after") == 0)
		return option_read_string(name, value, &options->after, error);
	if (strcmp(name, "limit") == 0)
		return option_read_i64(name, value, &options->limit, error);
	return option_unknown(name, "field, value, after, limit", error);
}

static void search_options_clear(struct search_options *options)
{
	free(options->field);
	free(options->value);
	free(options->after);
}

static bool check_options(const struct search_options *options, struct error *error)
{
	if (!options->field != !options->value)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "options",
			"the options \"field\" and \"value\" go together");
	return (options->limit >= 1 && options->limit <= DIRECTORY_PAGE_MAX) ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, "options",
		       "the option \"limit\" is 1 to %d", DIRECTORY_PAGE_MAX);
}

bool connection_search_call(struct bus_call *call, struct error *error)
{
	struct search_options options _cleanup_(search_options_clear) = {.limit = LIMIT_DEFAULT};
	const char *text = message_read_string(&call->in);
	_cleanup_directory_ struct directory *directory = directory_of_call(call, error);
	_cleanup_people_ struct directory_people people = {0};
	DBusMessageIter array;

	if (!directory || !options_each(&call->in, read_option, &options, error) ||
		!check_options(&options, error))
		return false;
	const struct directory_query query = {.text = text,
		.field = options.field,
		.value = options.value,
		.after = options.after && options.after[0] ? options.after : NULL,
		.limit = (size_t)options.limit};
	if (!directory->driver->search(directory, &query, &people, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, PERSON, &array);
	for (size_t i = 0; i < people.count; i++)
		append_person(&array, &people.items[i]);
	message_close(&call->out, &array);
	message_append_string(&call->out, people.next);
	return true;
}

/* By id, or by login. */
static bool answer_one(struct bus_call *call, bool by_login, struct error *error)
{
	const char *text = message_read_string(&call->in);
	_cleanup_directory_ struct directory *directory = directory_of_call(call, error);
	_cleanup_person_ struct directory_person person = {0};

	if (!directory)
		return false;
	if (by_login ? !directory->driver->find(directory, text, &person, error)
		     : !directory->driver->get(directory, text, &person, error))
		return false;
	append_person(&call->out, &person);
	return true;
}

bool connection_get_person_call(struct bus_call *call, struct error *error)
{
	return answer_one(call, false, error);
}

bool connection_find_person_call(struct bus_call *call, struct error *error)
{
	return answer_one(call, true, error);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the objects' files share. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "bus/bus-private.h"
#include "common/alloc.h"
#include "common/log.h"
#include "dbus/path.h"
#include "model/holder.h"

int64_t name_to_number(const char *name)
{
	char *end;

	if (name[0] < '1' || name[0] > '9')
		return 0;
	errno = 0;
	long long number = strtoll(name, &end, 10);
	return errno != 0 || *end ? 0 : number;
}

char *number_to_name(int64_t number)
{
	return xasprintf("%" PRId64, number);
}

char *number_path(const struct bus_kind *kind, int64_t number)
{
	_cleanup_free_ char *name = number_to_name(number);

	return number == 0 ? xstrdup("/") : path_of(kind->path, name);
}

void append_number_path(DBusMessageIter *iter, const struct bus_kind *kind, int64_t number)
{
	_cleanup_free_ char *path = number_path(kind, number);

	message_append_path(iter, path);
}

void append_fields(DBusMessageIter *iter, const struct fields *fields)
{
	DBusMessageIter dictionary;

	message_open(iter, DBUS_TYPE_ARRAY, "{ss}", &dictionary);
	for (size_t i = 0; i < fields->count; i++)
		message_append_entry(&dictionary, fields->items[i].name, fields->items[i].value);
	message_close(iter, &dictionary);
}

static void add_field(void *context, const char *name, const char *value)
{
	fields_set(context, name, value);
}

bool read_fields(DBusMessageIter *iter, struct fields *fields, struct error *error)
{
	return message_read_dictionary(iter, FIELDS_MAXIMUM, add_field, fields, error) &&
	       holder_check(fields, error);
}

bool audit_change(struct bus_call *call, const char *operation, const char *name, bool done,
	const struct error *error)
{
	struct bus *bus = call->context;
	struct error failure _cleanup_error_ = ERROR_INIT;

	struct audit_actor *actor _cleanup_audit_actor_ = caller_actor_with_operators(call);

	call->audited = true;
	if (!audit_write(bus->services->store, actor, operation, NULL, 0, done ? NULL : error, name,
		    &failure))
		log_error("audit record not written: %s", error_message(&failure));
	return done;
}

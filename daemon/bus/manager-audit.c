/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Manager: the methods about the audit trail */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/checkpoint.h"
#include "audit/verify.h"
#include "bus/bus-private.h"
#include "common/alloc.h"
#include "common/fields.h"
#include "core/user.h"

#define FILTERS_MAX 16

/* Microseconds since 1970; a missing one is 0. */
static bool read_time(
	const struct fields *fields, const char *name, int64_t *time_us, struct error *error)
{
	const char *text = fields_get(fields, name);
	char *end;

	*time_us = 0;
	if (!text)
		return true;
	errno = 0;
	*time_us = strtoll(text, &end, 10);
	return (errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0') ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, name,
		       "it must be a number of microseconds since 1970");
}

static bool read_order(const struct fields *fields, bool *newest_first, struct error *error)
{
	const char *order = fields_get(fields, "order");

	*newest_first = order && strcmp(order, "newest") == 0;
	return !order || *newest_first || strcmp(order, "oldest") == 0 ||
	       error_set_field(
		       error, ERROR_INVALID_ARGUMENT, "order", "it must be oldest or newest");
}

static bool check_names(const struct fields *fields, struct error *error)
{
	static const char *const names[] = {
		"card", "actor", "operator", "operation", "outcome", "since", "until", "order"};

	for (size_t i = 0; i < fields->count; i++) {
		size_t known = 0;
		while (known < ARRAY_SIZE(names) &&
			strcmp(names[known], fields->items[i].name) != 0)
			known++;
		if (known == ARRAY_SIZE(names))
			return error_set_field(error, ERROR_INVALID_ARGUMENT, "filter",
				"there is no filter \"%.64s\"", fields->items[i].name);
	}
	return true;
}

/* Records have users' numbers: those of this machine, wherever it is asked from. NULL for NULL;
 * heap. */
static char *actor_word(const char *actor)
{
	uid_t uid;

	if (!actor || !user_find(actor, &uid))
		return xstrdup(actor);
	return xasprintf("uid=%lu", (unsigned long)uid);
}

/* The filter borrows the fields' values, and the caller's word. */
static bool make_filter(const struct fields *fields, const char *caller,
	struct audit_filter *filter, struct error *error)
{
	*filter = (struct audit_filter){.card = fields_get(fields, "card"),
		.caller = caller,
		.operator_name = fields_get(fields, "operator"),
		.operation = fields_get(fields, "operation"),
		.outcome = fields_get(fields, "outcome")};
	return check_names(fields, error) && read_time(fields, "since", &filter->since_us, error) &&
	       read_time(fields, "until", &filter->until_us, error) &&
	       read_order(fields, &filter->newest_first, error);
}

static void append_record(DBusMessageIter *array, const struct audit_record *record)
{
	DBusMessageIter item;

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_i64(&item, record->id);
	message_append_i64(&item, record->time_us);
	message_append_string(&item, record->actor);
	message_append_string(&item, record->operation);
	message_append_string(&item, record->card);
	message_append_string(&item, record->outcome);
	message_append_string(&item, record->detail);
	message_append_u32(&item, record->job);
	message_append_string(&item, record->operator_name);
	message_append_bytes(&item, record->signature.data, record->signature.length);
	message_append_bytes(&item, record->hash, sizeof(record->hash));
	message_close(array, &item);
}

static void add_field(void *context, const char *name, const char *value)
{
	fields_set(context, name, value);
}

bool manager_list_audit(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct fields fields _cleanup_fields_ = FIELDS_INIT;
	struct audit_filter filter;
	struct audit_record *records = NULL;
	DBusMessageIter array;
	size_t count = 0;
	int64_t next;

	if (!message_read_dictionary(&call->in, FILTERS_MAX, add_field, &fields, error))
		return false;
	_cleanup_free_ char *caller = actor_word(fields_get(&fields, "actor"));
	if (!make_filter(&fields, caller, &filter, error))
		return false;
	filter.after = message_read_i64(&call->in);
	filter.limit = message_read_u32(&call->in);
	if (!manager_check_limit(filter.limit, error) ||
		!store_audit_list(bus->services->store, &filter, &records, &count, &next, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(xxsssssusayay)", &array);
	for (size_t i = 0; i < count; i++)
		append_record(&array, &records[i]);
	message_close(&call->out, &array);
	message_append_i64(&call->out, next);
	audit_records_free(records, count);
	return true;
}

bool manager_verify_audit(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct services *services = bus->services;
	struct audit_verifier verifier _cleanup_audit_verifier_ = {0};
	struct buffer key _cleanup_buffer_ = BUFFER_INIT;
	int64_t records;

	if (!audit_checkpoint_key(services->token, &key, error) ||
		!audit_verify(
			services->store, key.length ? &key : NULL, &verifier, &records, error))
		return false;
	message_append_i64(&call->out, records);
	message_append_i64(&call->out, verifier.problem == AUDIT_WHOLE ? 0 : verifier.bad);
	message_append_string(&call->out, verifier.text);
	message_append_i64(&call->out, verifier.last_checkpoint);
	message_append_i64(&call->out, verifier.covered);
	return true;
}

bool manager_write_checkpoint(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct audit_checkpoint checkpoint _cleanup_audit_checkpoint_ = AUDIT_CHECKPOINT_INIT;

	/* The checkpoint is its own record; only a failure needs another one. */
	if (!audit_checkpoint_write(bus->services->store, bus->services->token, &checkpoint, error))
		return audit_change(call, "write-checkpoint", NULL, false, error);
	message_append_i64(&call->out, checkpoint.id);
	message_append_i64(&call->out, checkpoint.record_id);
	return true;
}

static void append_checkpoint(DBusMessageIter *array, const struct audit_checkpoint *checkpoint)
{
	DBusMessageIter item;

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_i64(&item, checkpoint->id);
	message_append_i64(&item, checkpoint->record_id);
	message_append_bytes(&item, checkpoint->hash, sizeof(checkpoint->hash));
	message_append_i64(&item, checkpoint->time_us);
	message_append_bytes(&item, checkpoint->public_key.data, checkpoint->public_key.length);
	message_append_bytes(&item, checkpoint->signature.data, checkpoint->signature.length);
	message_close(array, &item);
}

bool manager_list_checkpoints(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	int64_t after = message_read_i64(&call->in);
	uint32_t limit = message_read_u32(&call->in);
	struct audit_checkpoint *checkpoints = NULL;
	DBusMessageIter array;
	size_t count = 0;

	if (!manager_check_limit(limit, error) ||
		!store_checkpoint_list(
			bus->services->store, after, limit, &checkpoints, &count, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(xxayxayay)", &array);
	for (size_t i = 0; i < count; i++)
		append_checkpoint(&array, &checkpoints[i]);
	message_close(&call->out, &array);
	audit_checkpoints_free(checkpoints, count);
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Manager's methods and signals about people of directories. */
#include <string.h>

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "operation/people-list.h"
#include "operation/people-watch.h"

/* --- CheckPeople --- */

/* One call. */
struct check {
	struct bus *bus;
	struct audit_actor *actor;
	char *connection; /* NULL or "": all */
	bool is_confirmed;
};

static void check_free(void *context)
{
	struct check *check = context;

	audit_actor_free(check->actor);
	free(check->connection);
	free(check);
}
DEFINE_CLEANUP(struct check *, check_free);

static bool run(struct job *job, void *context, struct error *error)
{
	struct check *check = context;
	struct operation operation = {
		.services = check->bus->services, .job = job, .actor = check->actor};
	const struct people_check people = {
		.connection = check->connection && check->connection[0] ? check->connection : NULL,
		.is_confirmed = check->is_confirmed};

	return operation_check_people(&operation, &people, error);
}

static bool read_option(
	void *context, const char *name, DBusMessageIter *value, struct error *error)
{
	struct check *check = context;

	if (strcmp(name, "connection") == 0)
		return option_read_string(name, value, &check->connection, error);
	if (strcmp(name, "confirm") == 0)
		return option_read_bool(name, value, &check->is_confirmed, error);
	return option_unknown(name, "connection, confirm", error);
}

bool check_people_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct check *check _cleanup_(check_freep) = xnew(struct check);

	check->bus = bus;
	check->actor = caller_actor_with_operators(call);
	if (!options_each(&call->in, read_option, check, error))
		return false;
	unsigned id = jobs_start(bus->services->jobs, caller_guest(call->caller), "check-people",
		NULL, run, steal_pointer(&check), check_free, error);
	if (id == 0)
		return false;
	call->audited = true; /* by the job, at its end */
	bus_job_changed(bus, id, false);
	append_number_path(&call->out, &job_kind, id);
	return true;
}

/* --- whose a card is --- */

void get_credential_person(void *context, const void *object, DBusMessageIter *value)
{
	struct bus *bus = context;
	const struct person_link *link = &credential_object(object)->person;
	_cleanup_person_record_ struct person_record record = PERSON_RECORD_INIT;
	_cleanup_fields_ struct fields fields = FIELDS_INIT;

	if (link->connection) {
		fields_set(&fields, "directory", link->connection);
		fields_set(&fields, "id", link->id);
		if (store_person_get(
			    bus->services->store, link->connection, link->id, &record, NULL))
			fields_set(&fields, "state", person_state_name(record.state));
	}
	append_fields(value, &fields);
}

/* --- ListPeople --- */

static void append_changes(DBusMessageIter *item, const struct person_finding *finding)
{
	DBusMessageIter array, change;

	message_open(item, DBUS_TYPE_ARRAY, "(sss)", &array);
	for (size_t i = 0; i < finding->changes.count; i++) {
		const struct field *field = &finding->changes.items[i];
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &change);
		message_append_string(&change, field->name);
		message_append_string(
			&change, fields_get(&finding->credential->holder, field->name));
		message_append_string(&change, field->value);
		message_close(&array, &change);
	}
	message_close(item, &array);
}

static void append_finding(DBusMessageIter *array, const struct person_finding *finding)
{
	const struct credential *credential = finding->credential;
	const struct person_record *record = &finding->record;
	DBusMessageIter item;

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	append_number_path(&item, &credential_kind, credential->id);
	message_append_string(&item, credential->serial);
	message_append_string(&item, credential->template_name);
	message_append_string(&item, record->connection);
	message_append_string(&item, record->id);
	message_append_string(&item, record->name);
	message_append_string(&item, person_state_name(record->state));
	message_append_i64(&item, record->since);
	message_append_i64(&item, record->seen_at);
	message_append_string(&item, record->reason);
	message_append_string(&item, lifecycle_state_name(credential->state));
	message_append_string(&item, credential->reason);
	append_changes(&item, finding);
	message_close(array, &item);
}

bool list_people_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	int64_t after = message_read_i64(&call->in), next = 0;
	uint32_t limit = message_read_u32(&call->in);
	struct person_finding *findings = NULL;
	size_t count = 0;
	DBusMessageIter array;

	if (!manager_check_limit(limit, error) ||
		!people_list(bus->services, after, limit, &findings, &count, &next, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(ossssssxxsssa(sss))", &array);
	for (size_t i = 0; i < count; i++)
		append_finding(&array, &findings[i]);
	message_close(&call->out, &array);
	message_append_i64(&call->out, next);
	person_findings_free(findings, count);
	return true;
}

/* --- signals; for all ears: no more than that --- */

static void broadcast(struct bus *bus, DBusMessage *signal)
{
	private_door_broadcast(bus->private_door, signal);
	system_door_broadcast(bus->system_door, signal);
}

void bus_person_changed(void *context, int64_t credential_id, const char *what)
{
	struct bus *bus = context;
	_cleanup_free_ char *name = number_to_name(credential_id);
	_cleanup_message_ DBusMessage *signal =
		bus_signal_new(&manager_kind, NULL, MANAGER_INTERFACE, "PersonChanged");
	DBusMessageIter iter;

	dbus_message_iter_init_append(signal, &iter);
	append_number_path(&iter, &credential_kind, credential_id);
	message_append_string(&iter, what);
	broadcast(bus, signal);
	bus_service_changed(bus->service, &credential_kind, name);
}

void bus_people_missing(void *context, const char *connection, unsigned missing, unsigned count)
{
	_cleanup_message_ DBusMessage *signal =
		bus_signal_new(&manager_kind, NULL, MANAGER_INTERFACE, "PeopleMissing");
	DBusMessageIter iter;

	dbus_message_iter_init_append(signal, &iter);
	message_append_string(&iter, connection);
	message_append_u32(&iter, missing);
	message_append_u32(&iter, count);
	broadcast(context, signal);
}

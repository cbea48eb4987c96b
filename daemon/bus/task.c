/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Manager's methods about what authorities are still to be asked or told. */
#include <inttypes.h>
#include <limits.h>

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "operation/tasks.h"

static void append_task(DBusMessageIter *array, struct services *services, const struct task *task)
{
	_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;
	DBusMessageIter item;

	store_certificate_get(services->store, task->certificate_id, &certificate, NULL);
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(services->store, certificate.credential_id, NULL);
	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_i64(&item, task->id);
	message_append_string(&item, task->kind);
	message_append_string(&item, credential ? credential->serial : "");
	message_append_string(&item, key_slot_name(certificate.slot));
	message_append_string(&item, certificate.authority);
	message_append_string(&item, certificate_status_name(certificate.status));
	message_append_i64(&item, task->created_at);
	message_append_i64(&item, task->attempts);
	message_append_i64(&item, task->next_at == TASK_NEVER ? 0 : task->next_at);
	message_append_string(&item, task->problem);
	message_close(array, &item);
}

bool list_tasks_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct task *tasks = NULL;
	size_t count = 0;
	DBusMessageIter array;

	if (!store_task_list(bus->services->store, TASK_NEVER, UINT_MAX, &tasks, &count, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(xsssssxxxs)", &array);
	for (size_t i = 0; i < count; i++)
		append_task(&array, bus->services, &tasks[i]);
	message_close(&call->out, &array);
	tasks_free(tasks, count);
	return true;
}

bool confirm_task_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	int64_t id = message_read_i64(&call->in);
	_cleanup_free_ char *what = NULL;
	_cleanup_free_ char *name = xasprintf("%" PRId64, id);
	bool is_done = false;
	bool done = task_confirm_by_id(bus->services, id, &is_done, &what, error);

	if (done)
		message_append_bool(&call->out, is_done);
	return audit_change(call, "confirm-task", what ? what : name, done, error);
}

bool run_task_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	int64_t id = message_read_i64(&call->in);
	_cleanup_free_ char *name = xasprintf("%" PRId64, id);
	bool done = task_run_by_id(bus->services, id, error);

	return audit_change(call, "run-task", name, done, error);
}

bool remove_task_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct audit_actor *actor _cleanup_audit_actor_ = caller_actor_with_operators(call);
	int64_t id = message_read_i64(&call->in);
	const char *reason = message_read_string(&call->in);

	call->audited = true;
	return task_remove(bus->services, actor, id, reason, error);
}

/* For all ears: no more than that. The words are for who may list tasks. */
void bus_task_overdue(void *context, const struct task *task)
{
	struct bus *bus = context;
	_cleanup_message_ DBusMessage *signal =
		bus_signal_new(&manager_kind, NULL, MANAGER_INTERFACE, "TaskOverdue");
	DBusMessageIter iter;

	dbus_message_iter_init_append(signal, &iter);
	message_append_i64(&iter, task->id);
	message_append_string(&iter, task->kind);
	message_append_i64(&iter, task->created_at);
	private_door_broadcast(bus->private_door, signal);
	system_door_broadcast(bus->system_door, signal);
}

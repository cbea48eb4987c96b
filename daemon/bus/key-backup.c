/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Manager: the methods about backups of the master key */
#include <string.h>
#include <unistd.h>

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "operation/contact.h"
#include "operation/key-backup.h"
#include "operation/key-restore.h"

/* --- backing up --- */

bool back_up_master_key_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct audit_actor *actor _cleanup_audit_actor_ = caller_actor_with_operators(call);
	struct operation operation = {.services = bus->services, .actor = actor};
	_cleanup_free_ char *document = NULL;
	char **cards = NULL;
	size_t count = 0;

	read_strings(&call->in, &cards, &count);
	const struct key_backup_request request = {
		.cards = cards, .card_count = count, .needed = message_read_u32(&call->in)};
	call->audited = true;
	bool done = operation_back_up_master_key(&operation, &request, &document, error);
	strings_free(cards, count);
	if (!done)
		return false;
	message_append_string(&call->out, document);
	bus_service_changed(bus->service, &manager_kind, NULL);
	return true;
}

static void append_view(DBusMessageIter *out, const struct key_backup_view *view)
{
	DBusMessageIter array, item;

	message_append_i64(out, view->made_at);
	message_append_u32(out, view->newest_version);
	message_append_bool(out, view->is_newest);
	message_append_u32(out, view->needed);
	message_open(out, DBUS_TYPE_ARRAY, "(ssb)", &array);
	for (size_t i = 0; i < view->card_count; i++) {
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &item);
		message_append_string(&item, view->cards[i].serial);
		message_append_string(&item, view->cards[i].operator_id);
		message_append_bool(&item, view->cards[i].opens);
		message_close(&array, &item);
	}
	message_close(out, &array);
}

bool look_at_key_backup_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct key_backup_view view _cleanup_(key_backup_view_clear) = {0};

	if (!key_backup_look(bus->services, message_read_string(&call->in), &view, error))
		return false;
	append_view(&call->out, &view);
	return true;
}

bool last_key_backup_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct key_backup_view view _cleanup_(key_backup_view_clear) = {0};

	if (!key_backup_last(bus->services, &view, error))
		return false;
	append_view(&call->out, &view);
	return true;
}

/* --- restoring --- */

/* Nobody can log in before the master key is there; who runs the machine restores it. */
static bool may_restore(struct bus_call *call, struct error *error)
{
	uid_t uid = call->caller->uid;

	if (uid == 0 || uid == geteuid())
		return true;
	call->audited = true;
	error_set(error, ERROR_ACCESS_DENIED, "only root may restore the master key");
	caller_denied(call->context, call, error);
	return false;
}

static void append_card(void *context, const char *serial, const char *operator_id)
{
	DBusMessageIter item;

	message_open(context, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_string(&item, serial);
	message_append_string(&item, operator_id);
	message_close(context, &item);
}

static bool begin(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct key_restorer *restorer = bus->services->restorer;
	DBusMessageIter array;
	unsigned opened, needed;

	if (!key_restore_begin(restorer, call->caller->name, message_read_string(&call->in), error))
		return false;
	key_restore_progress(restorer, &opened, &needed);
	message_append_u32(&call->out, needed);
	message_open(&call->out, DBUS_TYPE_ARRAY, "(ss)", &array);
	key_restore_cards(restorer, append_card, &array);
	message_close(&call->out, &array);
	return true;
}

bool begin_key_restore_call(struct bus_call *call, struct error *error)
{
	return may_restore(call, error) &&
	       audit_change(call, "begin-master-key-restore", NULL, begin(call, error), error);
}

static bool open_share(struct bus_call *call, char **serial, struct error *error)
{
	struct bus *bus = call->context;
	struct contact_status status _cleanup_contact_status_ = {0};
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	unsigned opened, needed;

	if (!read_reader(call, &status, error) || !message_read_secret(&call->in, &pin, error))
		return false;
	*serial = status.serial ? xstrdup(status.serial) : NULL;
	if (!key_restore_open(
		    bus->services->restorer, call->caller->name, status.number, &pin, error))
		return false;
	key_restore_progress(bus->services->restorer, &opened, &needed);
	message_append_u32(&call->out, opened);
	message_append_u32(&call->out, needed);
	return true;
}

bool open_key_share_call(struct bus_call *call, struct error *error)
{
	_cleanup_free_ char *serial = NULL;

	if (!may_restore(call, error))
		return false;
	bool done = open_share(call, &serial, error);
	return audit_change(call, "open-master-key-share", serial, done, error);
}

bool finish_key_restore_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;

	if (!may_restore(call, error))
		return false;
	struct audit_actor *actor _cleanup_audit_actor_ = caller_actor_with_operators(call);
	call->audited = true;
	if (!key_restore_finish(bus->services->restorer, call->caller->name, actor, error))
		return false;
	bus_service_changed(bus->service, &manager_kind, NULL);
	bus_service_sync(bus->service, &template_kind);
	bus_service_sync(bus->service, &connection_kind);
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Manager's methods about roles, permissions and quorums. */
#include "bus/bus-private.h"
#include "common/alloc.h"
#include "operation/quorum.h"
#include "operation/roles.h"

/* --- what there is --- */

static void append_role(DBusMessageIter *array, const struct role *role, bool is_shipped)
{
	DBusMessageIter item, names;

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_string(&item, role->name);
	message_append_string(&item, role->description);
	message_open(&item, DBUS_TYPE_ARRAY, "s", &names);
	for (enum permission i = PERMISSION_VIEW_CARDS; i < PERMISSION_COUNT; i++) {
		if (role->permissions & permission_bit(i))
			message_append_string(&names, permission_name(i));
	}
	message_close(&item, &names);
	message_append_bool(&item, is_shipped);
	message_close(array, &item);
}

bool list_roles_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct role_record *custom = NULL;
	const struct role *shipped;
	DBusMessageIter array;
	size_t count = 0;

	if (!store_role_list(bus->services->store, &custom, &count, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(ssasb)", &array);
	for (size_t i = 0; (shipped = role_at(i)); i++)
		append_role(&array, shipped, true);
	for (size_t i = 0; i < count; i++) {
		const struct role role = {
			custom[i].name, custom[i].description, custom[i].permissions};
		append_role(&array, &role, false);
	}
	message_close(&call->out, &array);
	roles_free(custom, count);
	return true;
}

bool list_permissions_call(struct bus_call *call, struct error *error)
{
	DBusMessageIter array, item;

	(void)error;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(ssb)", &array);
	for (enum permission i = PERMISSION_VIEW_CARDS; i < PERMISSION_COUNT; i++) {
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &item);
		message_append_string(&item, permission_name(i));
		message_append_string(&item, permission_description(i));
		message_append_bool(&item, permission_is_assignable(i));
		message_close(&array, &item);
	}
	message_close(&call->out, &array);
	return true;
}

/* --- custom roles --- */

/* *detail: "night-desk: issue unblock", for the audit trail; heap. */
static bool read_role(
	struct bus_call *call, struct role_record *role, char **detail, struct error *error)
{
	char **names = NULL;
	size_t count = 0;

	role->name = xstrdup(message_read_string(&call->in));
	role->description = xstrdup(message_read_string(&call->in));
	read_strings(&call->in, &names, &count);
	bool done = permissions_from_names(names, count, &role->permissions, error);
	strings_free(names, count);
	_cleanup_free_ char *text = permissions_text(role->permissions);
	*detail = xasprintf("%.64s: %s", role->name, text);
	return done;
}

static bool save_role(struct bus_call *call, const char *operation,
	bool (*save)(struct services *, const char *, const struct role_record *, struct error *),
	struct error *error)
{
	struct bus *bus = call->context;
	struct role_record role _cleanup_role_record_ = ROLE_RECORD_INIT;
	_cleanup_free_ char *detail = NULL;
	bool done = read_role(call, &role, &detail, error) &&
		    save(bus->services, call->caller->name, &role, error);

	return audit_change(call, operation, detail, done, error);
}

bool add_role_call(struct bus_call *call, struct error *error)
{
	return save_role(call, "add-role", roles_add, error);
}

bool change_role_call(struct bus_call *call, struct error *error)
{
	return save_role(call, "change-role", roles_change, error);
}

bool remove_role_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const char *name = message_read_string(&call->in);
	bool done = roles_remove(bus->services, call->caller->name, name, error);

	return audit_change(call, "remove-role", name, done, error);
}

/* --- quorums --- */

bool list_quorums_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	_cleanup_free_ struct quorum_view *views = NULL;
	DBusMessageIter array, item;
	size_t count = 0;

	if (!quorums_list(bus->services, &views, &count, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(ssuu)", &array);
	for (size_t i = 0; i < count; i++) {
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &item);
		message_append_string(&item, permission_name(views[i].permission));
		message_append_string(&item, permission_description(views[i].permission));
		message_append_u32(&item, views[i].count);
		message_append_u32(&item, views[i].able);
		message_close(&array, &item);
	}
	message_close(&call->out, &array);
	return true;
}

bool set_quorum_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const char *operation = message_read_string(&call->in);
	uint32_t count = message_read_u32(&call->in);
	bool done = quorum_set(bus->services, call->caller->name, operation, count, error);
	_cleanup_free_ char *detail = xasprintf("%.64s: %u", operation, count);

	return audit_change(call, "set-quorum", detail, done, error);
}

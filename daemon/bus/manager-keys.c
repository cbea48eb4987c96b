/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Manager: the methods about versions of the master key, and PUKs that were shown */
#include "bus/bus-private.h"
#include "common/alloc.h"
#include "operation/master-keys.h"

static void append_view(DBusMessageIter *array, const struct master_key_view *view)
{
	DBusMessageIter item;
	_cleanup_free_ char *check_value =
		hex_encode(view->record.key_check_value, sizeof(view->record.key_check_value));

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_u32(&item, view->record.version);
	message_append_string(&item, check_value);
	message_append_string(&item, view->token);
	message_append_i64(&item, view->record.made_at);
	message_append_i64(&item, view->cards);
	message_close(array, &item);
}

bool list_master_keys_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct master_key_view *views = NULL;
	DBusMessageIter array;
	size_t count = 0;

	if (!master_keys_list(bus->services, &views, &count, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(ussxx)", &array);
	for (size_t i = 0; i < count; i++)
		append_view(&array, &views[i]);
	message_close(&call->out, &array);
	master_key_views_free(views, count);
	return true;
}

static void append_credentials(struct bus_call *call, const int64_t *ids, size_t count)
{
	DBusMessageIter paths;

	message_open(&call->out, DBUS_TYPE_ARRAY, "o", &paths);
	for (size_t i = 0; i < count; i++)
		append_number_path(&paths, &credential_kind, ids[i]);
	message_close(&call->out, &paths);
}

bool list_cards_of_master_key_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	uint32_t version = message_read_u32(&call->in);
	int64_t after = message_read_i64(&call->in);
	uint32_t limit = message_read_u32(&call->in);
	_cleanup_free_ int64_t *ids = NULL;
	size_t count = 0;

	if (!manager_check_limit(limit, error) ||
		!store_master_key_list_cards(
			bus->services->store, version, after, limit, &ids, &count, error))
		return false;
	append_credentials(call, ids, count);
	return true;
}

bool list_exposed_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	int64_t after = message_read_i64(&call->in);
	uint32_t limit = message_read_u32(&call->in);
	_cleanup_free_ int64_t *ids = NULL;
	size_t count = 0;

	if (!manager_check_limit(limit, error) ||
		!store_puk_list_exposed(bus->services->store, after, limit, &ids, &count, error))
		return false;
	append_credentials(call, ids, count);
	return true;
}

bool rotate_master_key_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct audit_actor *actor _cleanup_audit_actor_ = caller_actor_with_operators(call);
	struct operation operation = {.services = bus->services, .actor = actor};
	uint32_t version = 0;

	call->audited = true;
	if (!operation_rotate_master_key(&operation, &version, error))
		return false;
	message_append_u32(&call->out, version);
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Connection */
#include "bus/bus-private.h"
#include "common/alloc.h"
#include "operation/documents.h"

static void *find(void *context, const char *name, struct error *error)
{
	struct bus *bus = context;
	struct connection *connection = xnew(struct connection);

	if (store_connection_get(bus->services->store, name, connection, error))
		return connection;
	free(connection);
	return NULL;
}

static void release(void *object)
{
	connection_clear(object);
	free(object);
}

static char **list(void *context, size_t *count)
{
	struct bus *bus = context;
	char **names = NULL;

	*count = 0;
	if (!store_connection_list(bus->services->store, &names, count, NULL))
		*count = 0;
	return names;
}

static void get_name(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct connection *)object)->name);
}

static void get_kind(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct connection *)object)->kind);
}

static void get_document(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct connection *)object)->document);
}

static bool update(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	bool done = connection_document_save(
		bus->services, call->name, message_read_string(&call->in), NULL, error);

	if (done)
		bus_service_changed(bus->service, &connection_kind, call->name);
	return audit_change(call, "update-connection", call->name, done, error);
}

static bool remove_connection(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	bool done = store_connection_remove(bus->services->store, call->name, error);

	if (done)
		bus_service_sync(bus->service, &connection_kind);
	return audit_change(call, "remove-connection", call->name, done, error);
}

static struct authority *authority_of_call(const struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;

	return authority_open(&bus->services->authority, call->name, error);
}

static bool test(struct bus_call *call, struct error *error)
{
	_cleanup_authority_ struct authority *authority = authority_of_call(call, error);
	_cleanup_free_ char *message = NULL;

	if (!authority || !authority->driver->test(authority, &message, error))
		return false;
	message_append_string(&call->out, message);
	return true;
}

static bool list_profiles(struct bus_call *call, struct error *error)
{
	_cleanup_authority_ struct authority *authority = authority_of_call(call, error);
	char **names = NULL;
	size_t count = 0;

	if (!authority || !authority->driver->profiles(authority, &names, &count, error))
		return false;
	message_append_strings(&call->out, names, count);
	store_names_free(names, count);
	return true;
}

/* Answers with what one of the driver's optional functions gives. */
static bool answer_with(struct bus_call *call, struct authority *authority,
	bool (*give)(struct authority *, struct buffer *, struct error *), const char *what,
	struct error *error)
{
	struct buffer der _cleanup_buffer_ = BUFFER_INIT;

	if (!give)
		return error_set(error, ERROR_NOT_SUPPORTED, "connection \"%s\" gives no %s",
			call->name, what);
	if (!give(authority, &der, error))
		return false;
	message_append_bytes(&call->out, der.data, der.length);
	return true;
}

static bool get_certificate(struct bus_call *call, struct error *error)
{
	_cleanup_authority_ struct authority *authority = authority_of_call(call, error);

	return authority && answer_with(call, authority, authority->driver->ca_certificate,
				    "certificate", error);
}

static bool get_crl(struct bus_call *call, struct error *error)
{
	_cleanup_authority_ struct authority *authority = authority_of_call(call, error);

	return authority &&
	       answer_with(call, authority, authority->driver->crl, "revocation list", error);
}

static const struct bus_interface connection_interface = {
	.name = BUS_NAME ".Connection",
	.read = PERMISSION_VIEW_SETTINGS,
	.methods =
		(const struct bus_method[]){
			{"Update", BUS_ARGUMENTS({"document", "s"}), NULL,
				PERMISSION_CHANGE_CONNECTIONS, BUS_SLOW, update},
			{"Remove", NULL, NULL, PERMISSION_CHANGE_CONNECTIONS, BUS_SLOW,
				remove_connection},
			{"Test", NULL, BUS_ARGUMENTS({"message", "s"}),
				PERMISSION_CHANGE_CONNECTIONS, BUS_SLOW, test},
			{"ListProfiles", NULL, BUS_ARGUMENTS({"profiles", "as"}),
				PERMISSION_VIEW_SETTINGS, BUS_SLOW, list_profiles},
			{"GetCertificate", NULL, BUS_ARGUMENTS({"certificate", "ay"}), BUS_ANYONE,
				BUS_SLOW, get_certificate},
			{"GetCrl", NULL, BUS_ARGUMENTS({"crl", "ay"}), BUS_ANYONE, BUS_SLOW,
				get_crl},
			{0},
		},
	.properties =
		(const struct bus_property[]){
			{"Name", "s", get_name},
			{"Kind", "s", get_kind},
			{"Document", "s", get_document},
			{0},
		},
};

const struct bus_kind connection_kind = {
	.path = BUS_ROOT "/connection",
	.interfaces = (const struct bus_interface *const[]){&connection_interface, NULL},
	.find = find,
	.release = release,
	.list = list,
};

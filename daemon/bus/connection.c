/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Connection */
#include "bus/bus-private.h"
#include "bus/connection-people.h"
#include "common/alloc.h"
#include "operation/connection-kinds.h"
#include "operation/connections.h"
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

static void get_secrets(void *context, const void *object, DBusMessageIter *value)
{
	struct bus *bus = context;
	size_t count = 0;
	const struct connection *connection = object;
	char **names =
		connection_secrets(bus->services, connection->kind, connection->name, &count);

	message_append_strings(value, names, count);
	store_names_free(names, count);
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
	bool done = connection_remove(bus->services, call->name, error);

	if (done)
		bus_service_sync(bus->service, &connection_kind);
	return audit_change(call, "remove-connection", call->name, done, error);
}

static struct authority *authority_of_call(const struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;

	return authority_open(&bus->services->connections, call->name, error);
}

static void append_steps(DBusMessageIter *iter, const struct connection_steps *steps)
{
	DBusMessageIter array, item;

	message_open(iter, DBUS_TYPE_ARRAY, "(sbs)", &array);
	for (size_t i = 0; i < steps->count; i++) {
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &item);
		message_append_string(&item, steps->items[i].name);
		message_append_bool(&item, steps->items[i].has_passed);
		message_append_string(&item, steps->items[i].message);
		message_close(&array, &item);
	}
	message_close(iter, &array);
}

static bool test(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	_cleanup_steps_ struct connection_steps steps = CONNECTION_STEPS_INIT;
	bool works;

	if (!connection_test(&bus->services->connections, call->name, &steps, &works, error))
		return false;
	message_append_bool(&call->out, works);
	append_steps(&call->out, &steps);
	return true;
}

/* --- profiles --- */

static void append_profiles(DBusMessageIter *iter, const struct authority_profiles *profiles)
{
	DBusMessageIter array, item;

	message_open(iter, DBUS_TYPE_ARRAY, "(ssbs)", &array);
	for (size_t i = 0; i < profiles->count; i++) {
		const struct authority_profile *profile = &profiles->items[i];
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &item);
		message_append_string(&item, profile->id);
		message_append_string(&item, profile->name);
		message_append_bool(&item, profile->is_usable);
		message_append_string(&item, profile->reason);
		message_close(&array, &item);
	}
	message_close(iter, &array);
}

static bool list_profiles(struct bus_call *call, struct error *error)
{
	_cleanup_authority_ struct authority *authority = authority_of_call(call, error);
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;

	if (!authority || !authority->driver->profiles(authority, &profiles, error))
		return false;
	append_profiles(&call->out, &profiles);
	return true;
}

static bool update_profiles(struct bus_call *call, struct error *error)
{
	_cleanup_authority_ struct authority *authority = authority_of_call(call, error);
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	bool done = authority && authority_update_profiles(authority, &profiles, error);

	if (done)
		append_profiles(&call->out, &profiles);
	return audit_change(call, "update-profiles-connection", call->name, done, error);
}

/* What the profile's field is filled with when neither the connection nor the authority has a
 * value. */
static const char *name_rule_of(const struct authority_field *field)
{
	if (field->subject_type)
		return field->subject_type;
	return field->san_type ? field->san_type : "";
}

static void append_field(DBusMessageIter *array, const struct authority_field *field)
{
	DBusMessageIter item;

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_string(&item, field->name);
	message_append_bool(&item, field->is_required);
	message_append_bool(&item, field->is_multiple);
	message_append_string(&item, field->fixed);
	message_append_string(&item, field->pattern);
	message_append_string(&item, field->prompt);
	message_append_string(&item, name_rule_of(field));
	message_close(array, &item);
}

static bool get_fields(struct bus_call *call, struct error *error)
{
	const char *name = message_read_string(&call->in);
	_cleanup_authority_ struct authority *authority = authority_of_call(call, error);
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	DBusMessageIter array;

	if (!authority || !authority->driver->profiles(authority, &profiles, error))
		return false;
	const struct authority_profile *profile = authority_profiles_find(&profiles, name, error);
	if (!profile)
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(sbbssss)", &array);
	for (size_t i = 0; i < profile->field_count; i++)
		append_field(&array, &profile->fields[i]);
	message_close(&call->out, &array);
	return true;
}

/* --- secrets --- */

static bool set_secret(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const char *name = message_read_string(&call->in);
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	_cleanup_free_ char *detail = xasprintf("%s: %s", call->name, name);
	bool done = message_read_secret(&call->in, &secret, error) &&
		    connection_set_secret(bus->services, call->name, name, &secret, error);

	if (done)
		bus_service_changed(bus->service, &connection_kind, call->name);
	return audit_change(call, "set-secret-connection", detail, done, error);
}

static bool forget_secret(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const char *name = message_read_string(&call->in);
	_cleanup_free_ char *detail = xasprintf("%s: %s", call->name, name);
	bool done = connection_forget_secret(bus->services, call->name, name, error);

	if (done)
		bus_service_changed(bus->service, &connection_kind, call->name);
	return audit_change(call, "forget-secret-connection", detail, done, error);
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
			{"Test", NULL, BUS_ARGUMENTS({"works", "b"}, {"steps", "a(sbs)"}),
				PERMISSION_CHANGE_CONNECTIONS, BUS_SLOW, test},
			{"ListProfiles", NULL, BUS_ARGUMENTS({"profiles", "a(ssbs)"}),
				PERMISSION_VIEW_SETTINGS, BUS_SLOW, list_profiles},
			{"UpdateProfiles", NULL, BUS_ARGUMENTS({"profiles", "a(ssbs)"}),
				PERMISSION_CHANGE_CONNECTIONS, BUS_SLOW, update_profiles},
			{"GetFields", BUS_ARGUMENTS({"profile", "s"}),
				BUS_ARGUMENTS({"fields", "a(sbbssss)"}), PERMISSION_VIEW_SETTINGS,
				BUS_SLOW, get_fields},
			{"SetSecret", BUS_ARGUMENTS({"name", "s"}, {"secret", "s"}), NULL,
				PERMISSION_CHANGE_CONNECTIONS, BUS_SLOW | BUS_SECRET, set_secret},
			{"ForgetSecret", BUS_ARGUMENTS({"name", "s"}), NULL,
				PERMISSION_CHANGE_CONNECTIONS, BUS_SLOW, forget_secret},
			{"Search", BUS_ARGUMENTS({"text", "s"}, {"options", "a{sv}"}),
				BUS_ARGUMENTS({"people", "a(ssa{ss}bs)"}, {"next", "s"}),
				PERMISSION_ISSUE, BUS_SLOW, connection_search_call},
			{"GetPerson", BUS_ARGUMENTS({"id", "s"}),
				BUS_ARGUMENTS({"person", "(ssa{ss}bs)"}), PERMISSION_ISSUE,
				BUS_SLOW, connection_get_person_call},
			{"FindPerson", BUS_ARGUMENTS({"login", "s"}),
				BUS_ARGUMENTS({"person", "(ssa{ss}bs)"}), PERMISSION_ISSUE,
				BUS_SLOW, connection_find_person_call},
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
			{"Secrets", "as", get_secrets},
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Licence */
#include <string.h>

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "operation/licence.h"

/* A copy of how things are at the time of a call. */
struct snapshot {
	struct licence_status status;
	int64_t used;
};

static void release(void *object)
{
	struct snapshot *snapshot = object;

	licence_status_clear(&snapshot->status);
	free(snapshot);
}

static void *find(void *context, const char *name, struct error *error)
{
	struct services *services = ((struct bus *)context)->services;
	struct snapshot *snapshot = xnew(struct snapshot);

	(void)name;
	if (licence_status_read(services, &snapshot->status, error) &&
		store_credential_count_managed(services->store, &snapshot->used, error))
		return snapshot;
	release(snapshot);
	return NULL;
}

static const struct licence_status *status_of(const void *object)
{
	return &((const struct snapshot *)object)->status;
}

static void get_mode(void *context, const void *object, DBusMessageIter *value)
{
	enum licence_state state = status_of(object)->state;

	(void)context;
	message_append_string(value,
		state == LICENCE_VALID || state == LICENCE_EXPIRED ? "production" : "evaluation");
}

static void get_state(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, licence_state_name(status_of(object)->state));
}

static void get_problem(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, status_of(object)->problem);
}

static void get_customer(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, status_of(object)->licence.customer);
}

static void get_id(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, status_of(object)->licence.id);
}

static void get_not_after(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_i64(value, status_of(object)->licence.not_after);
}

static void get_credentials(void *context, const void *object, DBusMessageIter *value)
{
	const struct licence_status *status = status_of(object);

	(void)context;
	message_append_i64(value,
		status->state == LICENCE_EXPIRED ? status->licence.credentials : status->limit);
}

static void get_used(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_i64(value, ((const struct snapshot *)object)->used);
}

static void get_activation_url(void *context, const void *object, DBusMessageIter *value)
{
	struct bus *bus = context;

	(void)object;
	message_append_string(value, bus->services->licensing.activation_url);
}

/* The end of a method that changes the licence. */
static bool changed(struct bus_call *call, const char *operation, const char *id, bool done,
	struct error *error)
{
	struct bus *bus = call->context;

	if (done)
		bus_service_changed(bus->service, &licence_kind, NULL);
	return audit_change(call, operation, id, done, error);
}

static bool make_request(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct secret code _cleanup_secret_ = SECRET_INIT;

	if (!message_read_secret(&call->in, &code, error))
		return false;
	char *document = licence_request(bus->services, code.length > 0 ? &code : NULL, error);
	if (!document)
		return false;
	message_append_string(&call->out, document);
	explicit_bzero(document, strlen(document));
	free(document);
	return true;
}

static bool activate(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct secret code _cleanup_secret_ = SECRET_INIT;
	_cleanup_free_ char *id = NULL;

	bool done = message_read_secret(&call->in, &code, error) &&
		    licence_activate(bus->services, &code, &id, error);
	return changed(call, "activate-licence", id, done, error);
}

static bool install(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	_cleanup_free_ char *id = NULL;
	bool done = licence_install(bus->services, message_read_string(&call->in), &id, error);

	return changed(call, "install-licence", id, done, error);
}

static bool remove_licence(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;

	return changed(call, "remove-licence", NULL, licence_remove(bus->services, error), error);
}

static const struct bus_method methods[] = {
	{"MakeRequest", BUS_ARGUMENTS({"code", "s"}), BUS_ARGUMENTS({"document", "s"}),
		PERMISSION_CHANGE_LICENCE, BUS_SECRET, make_request},
	{"Activate", BUS_ARGUMENTS({"code", "s"}), NULL, PERMISSION_CHANGE_LICENCE,
		BUS_SLOW | BUS_SECRET, activate},
	{"Install", BUS_ARGUMENTS({"document", "s"}), NULL, PERMISSION_CHANGE_LICENCE, BUS_SLOW,
		install},
	{"Remove", NULL, NULL, PERMISSION_CHANGE_LICENCE, BUS_SLOW, remove_licence},
	{0},
};

static const struct bus_interface licence_interface = {
	.name = BUS_NAME ".Licence",
	.read = PERMISSION_VIEW_SETTINGS,
	.methods = methods,
	.properties =
		(const struct bus_property[]){
			{"Mode", "s", get_mode},
			{"State", "s", get_state},
			{"Problem", "s", get_problem},
			{"Customer", "s", get_customer},
			{"Id", "s", get_id},
			{"NotAfter", "x", get_not_after},
			{"Credentials", "x", get_credentials},
			{"Used", "x", get_used},
			{"ActivationUrl", "s", get_activation_url},
			{0},
		},
};

const struct bus_kind licence_kind = {
	.path = BUS_ROOT "/licence",
	.is_single = true,
	.interfaces = (const struct bus_interface *const[]){&licence_interface, NULL},
	.find = find,
	.release = release,
};

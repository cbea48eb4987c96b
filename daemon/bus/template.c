/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Template */
#include "bus/bus-private.h"
#include "common/alloc.h"
#include "operation/documents.h"

static void *find(void *context, const char *name, struct error *error)
{
	struct bus *bus = context;

	return store_template_get(bus->services->store, name, 0, error);
}

static void release(void *object)
{
	template_free(object);
}

static char **list(void *context, size_t *count)
{
	struct bus *bus = context;
	char **names = NULL;

	*count = 0;
	if (!store_template_list(bus->services->store, &names, count, NULL))
		*count = 0;
	return names;
}

static void get_name(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct template *)object)->name);
}

static void get_version(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_i64(value, ((const struct template *)object)->version);
}

static void get_card_type(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct template *)object)->card_type);
}

static void get_comment(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct template *)object)->comment);
}

static void get_required_fields(void *context, const void *object, DBusMessageIter *value)
{
	_cleanup_fields_ struct fields fields = FIELDS_INIT;
	DBusMessageIter names;

	(void)context;
	template_required_fields(object, &fields);
	message_open(value, DBUS_TYPE_ARRAY, "s", &names);
	for (size_t i = 0; i < fields.count; i++)
		message_append_string(&names, fields.items[i].name);
	message_close(value, &names);
}

static void get_document(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct template *)object)->document);
}

static bool update(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	bool done = template_document_save(
		bus->services, call->name, message_read_string(&call->in), NULL, error);

	if (done)
		bus_service_changed(bus->service, &template_kind, call->name);
	return audit_change(call, "update-template", call->name, done, error);
}

static bool remove_template(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	bool done = store_template_remove(bus->services->store, call->name, error);

	if (done)
		bus_service_sync(bus->service, &template_kind);
	return audit_change(call, "remove-template", call->name, done, error);
}

static const struct bus_interface template_interface = {
	.name = BUS_NAME ".Template",
	.read = PERMISSION_VIEW_SETTINGS,
	.methods =
		(const struct bus_method[]){
			{"Update", BUS_ARGUMENTS({"document", "s"}), NULL,
				PERMISSION_CHANGE_TEMPLATES, BUS_SLOW, update},
			{"Remove", NULL, NULL, PERMISSION_CHANGE_TEMPLATES, BUS_SLOW,
				remove_template},
			{0},
		},
	.properties =
		(const struct bus_property[]){
			{"Name", "s", get_name},
			{"Version", "x", get_version},
			{"CardType", "s", get_card_type},
			{"Comment", "s", get_comment},
			{"RequiredFields", "as", get_required_fields},
			{"Document", "s", get_document},
			{0},
		},
};

const struct bus_kind template_kind = {
	.path = BUS_ROOT "/template",
	.interfaces = (const struct bus_interface *const[]){&template_interface, NULL},
	.find = find,
	.release = release,
	.list = list,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Template */
#include "bus/bus-private.h"
#include "common/alloc.h"
#include "operation/connections.h"
#include "operation/login.h"
#include "operation/templates.h"

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

static void get_card_types(void *context, const void *object, DBusMessageIter *value)
{
	const struct template *template = object;
	DBusMessageIter names;

	(void)context;
	message_open(value, DBUS_TYPE_ARRAY, "s", &names);
	for (size_t i = 0; i < template->card_type_count; i++)
		message_append_string(&names, template->card_types[i]);
	message_close(value, &names);
}

static void get_enabled(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_bool(value, ((const struct template *)object)->enabled);
}

static void get_locked_by(void *context, const void *object, DBusMessageIter *value)
{
	struct bus *bus = context;
	_cleanup_free_ char *locker =
		template_locker(bus->services, ((const struct template *)object)->name);

	message_append_string(value, locker);
}

static void get_comment(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct template *)object)->comment);
}

/* Those of the template itself and of what its connections fill in; prompts are the values. */
static void all_fields(void *context, const struct template *template, struct fields *fields)
{
	struct bus *bus = context;

	template_required_fields(template, fields);
	connection_required_fields(bus->services, template, fields);
	if (!template->issue.directory.connection)
		return;
	/* Of people of a directory only what may be given is. */
	struct fields kept _cleanup_fields_ = *fields;
	*fields = (struct fields)FIELDS_INIT;
	for (size_t i = 0; i < kept.count; i++) {
		if (template_takes_further(template, kept.items[i].name))
			fields_set(fields, kept.items[i].name, kept.items[i].value);
	}
}

static void get_required_fields(void *context, const void *object, DBusMessageIter *value)
{
	_cleanup_fields_ struct fields fields = FIELDS_INIT;
	DBusMessageIter names;

	all_fields(context, object, &fields);
	message_open(value, DBUS_TYPE_ARRAY, "s", &names);
	for (size_t i = 0; i < fields.count; i++)
		message_append_string(&names, fields.items[i].name);
	message_close(value, &names);
}

static void get_prompts(void *context, const void *object, DBusMessageIter *value)
{
	_cleanup_fields_ struct fields fields = FIELDS_INIT;
	DBusMessageIter prompts;

	all_fields(context, object, &fields);
	message_open(value, DBUS_TYPE_ARRAY, "{ss}", &prompts);
	for (size_t i = 0; i < fields.count; i++) {
		if (fields.items[i].value[0])
			message_append_entry(&prompts, fields.items[i].name, fields.items[i].value);
	}
	message_close(value, &prompts);
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
	bool done = template_remove(bus->services, call->name, error);

	if (done)
		bus_service_sync(bus->service, &template_kind);
	return audit_change(call, "remove-template", call->name, done, error);
}

/* The ids of the caller's operators; heap array of heap strings. */
static char **operator_ids(const struct bus_call *call, size_t *count)
{
	struct bus *bus = call->context;
	size_t found;
	struct login_view *views = logins_list(bus->services->logins, call->caller->name, &found);
	char **ids = xcalloc(found + 1, sizeof(*ids));

	*count = 0;
	for (size_t i = 0; i < found; i++) {
		if (views[i].operator_id)
			ids[(*count)++] = xstrdup(views[i].operator_id);
	}
	login_views_free(views, found);
	return ids;
}

static bool lock(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	size_t count;
	char **ids = operator_ids(call, &count);
	bool done = count > 0 ? template_lock(bus->services, call->name, ids[0], error)
			      : error_set(error, ERROR_ACCESS_DENIED, "no operator is logged in");

	strings_free(ids, count);
	if (done)
		bus_service_changed(bus->service, &template_kind, call->name);
	return audit_change(call, "lock-template", call->name, done, error);
}

static bool unlock(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	bool is_owner = logins_count(bus->services->logins, call->caller->name,
				PERMISSION_MANAGE_OWNERS) > 0;
	size_t count;
	char **ids = operator_ids(call, &count);
	bool done = template_unlock(bus->services, call->name, ids, count, is_owner, error);

	strings_free(ids, count);
	if (done)
		bus_service_changed(bus->service, &template_kind, call->name);
	return audit_change(call, "unlock-template", call->name, done, error);
}

#define VIEW PERMISSION_VIEW_SETTINGS

static const struct bus_interface template_interface = {
	.name = BUS_NAME ".Template",
	.read = PERMISSION_VIEW_SETTINGS,
	.methods =
		(const struct bus_method[]){
			{"Update", BUS_ARGUMENTS({"document", "s"}), NULL,
				PERMISSION_CHANGE_TEMPLATES, BUS_SLOW, update},
			{"Remove", NULL, NULL, PERMISSION_CHANGE_TEMPLATES, BUS_SLOW,
				remove_template},
			{"Lock", NULL, NULL, PERMISSION_CHANGE_TEMPLATES, BUS_SLOW, lock},
			{"Unlock", NULL, NULL, PERMISSION_CHANGE_TEMPLATES, BUS_SLOW, unlock},
			{"ListVersions", NULL, BUS_ARGUMENTS({"versions", "a(xxxb)"}), VIEW,
				BUS_SLOW, template_list_versions_call},
			{"GetVersion", BUS_ARGUMENTS({"version", "x"}),
				BUS_ARGUMENTS({"document", "s"}), VIEW, 0,
				template_get_version_call},
			{"Compare", BUS_ARGUMENTS({"from", "x"}, {"to", "x"}),
				BUS_ARGUMENTS({"changes", "a(ssss)"}), VIEW, 0,
				template_compare_call},
			{"Plan", BUS_ARGUMENTS({"document", "s"}),
				BUS_ARGUMENTS({"versions", "a(xxsa(ssss))"}), VIEW, BUS_SLOW,
				template_plan_call},
			{"ListCards",
				BUS_ARGUMENTS({"version", "x"}, {"after", "x"}, {"limit", "u"}),
				BUS_ARGUMENTS({"cards", "a(os)"}), PERMISSION_VIEW_CARDS, BUS_SLOW,
				template_list_cards_call},
			{"Check", BUS_ARGUMENTS({"reader", "o"}),
				BUS_ARGUMENTS({"findings", "a(ssbs)"}), VIEW, BUS_SLOW,
				template_check_call},
			{0},
		},
	.properties =
		(const struct bus_property[]){
			{"Name", "s", get_name},
			{"Version", "x", get_version},
			{"CardTypes", "as", get_card_types},
			{"Enabled", "b", get_enabled},
			{"LockedBy", "s", get_locked_by},
			{"Comment", "s", get_comment},
			{"RequiredFields", "as", get_required_fields},
			{"Prompts", "a{ss}", get_prompts},
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

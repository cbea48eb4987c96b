/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Methods of org.tessera1.Template and the Manager about versions of templates and their cards. */
#include <string.h>

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "dbus/path.h"
#include "operation/templates.h"

/* --- versions --- */

bool template_list_versions_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	_cleanup_free_ struct template_version *versions = NULL;
	DBusMessageIter array, item;
	size_t count = 0;

	if (!store_template_versions(bus->services->store, call->name, &versions, &count, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(xxxb)", &array);
	for (size_t i = 0; i < count; i++) {
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &item);
		message_append_i64(&item, versions[i].version);
		message_append_i64(&item, versions[i].saved_at);
		message_append_i64(&item, versions[i].cards);
		message_append_bool(&item, versions[i].removed);
		message_close(&array, &item);
	}
	message_close(&call->out, &array);
	return true;
}

static bool check_version(int64_t version, const char *argument, struct error *error)
{
	return version >= 0 || error_set_field(error, ERROR_INVALID_ARGUMENT, argument,
				       "a version is a number from 1, or 0 for the newest");
}

bool template_get_version_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	int64_t version = message_read_i64(&call->in);

	if (!check_version(version, "version", error))
		return false;
	_cleanup_template_ struct template *template =
		store_template_get(bus->services->store, call->name, version, error);
	if (!template && error->code == ERROR_NOT_FOUND)
		return error_set(error, ERROR_NOT_FOUND, "the template \"%s\" has no version %lld",
			call->name, (long long)version);
	if (!template)
		return false;
	message_append_string(&call->out, template->document);
	return true;
}

static void append_changes(DBusMessageIter *out, const struct template_changes *changes)
{
	DBusMessageIter array, item;

	message_open(out, DBUS_TYPE_ARRAY, "(ssss)", &array);
	for (size_t i = 0; i < changes->count; i++) {
		const struct template_change *change = &changes->items[i];
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &item);
		message_append_string(&item, change->path);
		message_append_string(&item, change->before);
		message_append_string(&item, change->after);
		message_append_string(&item, change_effect_name(change->effect));
		message_close(&array, &item);
	}
	message_close(out, &array);
}

bool template_compare_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct template_changes changes _cleanup_template_changes_ = TEMPLATE_CHANGES_INIT;
	int64_t from = message_read_i64(&call->in);
	int64_t to = message_read_i64(&call->in);

	if (!check_version(from, "from", error) || !check_version(to, "to", error))
		return false;
	if (!template_versions_compare(bus->services, call->name, from, to, &changes, error))
		return error->code != ERROR_NOT_FOUND
			       ? false
			       : error_set(error, ERROR_NOT_FOUND,
					 "the template \"%s\" has no version %lld, or no %lld",
					 call->name, (long long)from, (long long)to);
	append_changes(&call->out, &changes);
	return true;
}

/* --- cards --- */

bool template_plan_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct template_plan plan _cleanup_template_plan_ = {0};
	const char *document = message_read_string(&call->in);
	DBusMessageIter array, item;

	if (!template_plan_make(
		    bus->services, call->name, document[0] ? document : NULL, &plan, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(xxsa(ssss))", &array);
	for (size_t i = 0; i < plan.count; i++) {
		const struct template_step *step = &plan.steps[i];
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &item);
		message_append_i64(&item, step->version);
		message_append_i64(&item, step->cards);
		message_append_string(
			&item, change_effect_name(template_changes_effect(&step->changes)));
		append_changes(&item, &step->changes);
		message_close(&array, &item);
	}
	message_close(&call->out, &array);
	return true;
}

static void append_card(struct bus *bus, DBusMessageIter *array, int64_t id)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(bus->services->store, id, NULL);
	DBusMessageIter item;

	if (!credential)
		return;
	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	append_number_path(&item, &credential_kind, id);
	message_append_string(&item, credential->serial);
	message_close(array, &item);
}

bool template_list_cards_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	int64_t version = message_read_i64(&call->in);
	int64_t after = message_read_i64(&call->in);
	uint32_t limit = message_read_u32(&call->in);
	_cleanup_free_ int64_t *ids = NULL;
	DBusMessageIter array;
	size_t count = 0;

	if (!manager_check_limit(limit, error) ||
		!store_template_cards(bus->services->store, call->name, version, after, limit, &ids,
			&count, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(os)", &array);
	for (size_t i = 0; i < count; i++)
		append_card(bus, &array, ids[i]);
	message_close(&call->out, &array);
	return true;
}

bool template_check_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct template_findings findings _cleanup_template_findings_ = {0};
	_cleanup_contact_status_ struct contact_status status = {0};
	DBusMessageIter array, item;

	if (!read_reader(call, &status, error) ||
		!template_check_card(bus->services, call->object, status.number, &findings, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(ssbs)", &array);
	for (size_t i = 0; i < findings.count; i++) {
		const struct template_finding *finding = &findings.items[i];
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &item);
		message_append_string(&item, finding->path);
		message_append_string(&item, finding->asked);
		message_append_bool(&item, finding->possible);
		message_append_string(&item, finding->about);
		message_close(&array, &item);
	}
	message_close(&call->out, &array);
	return true;
}

/* --- of the Manager --- */

static bool read_import_option(
	void *context, const char *name, DBusMessageIter *value, struct error *error)
{
	return strcmp(name, "replace") == 0 ? option_read_bool(name, value, context, error)
					    : option_unknown(name, "replace", error);
}

bool manager_import_templates(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const char *document = message_read_string(&call->in);
	char **names = NULL;
	size_t count = 0;
	bool replaces = false;
	DBusMessageIter paths;

	if (!options_each(&call->in, read_import_option, &replaces, error) ||
		!templates_import(bus->services, document, replaces, &names, &count, error))
		return audit_change(call, "import-templates", NULL, false, error);
	bus_service_sync(bus->service, &template_kind);
	message_open(&call->out, DBUS_TYPE_ARRAY, "o", &paths);
	for (size_t i = 0; i < count; i++) {
		_cleanup_free_ char *path = path_of(template_kind.path, names[i]);
		message_append_path(&paths, path);
		bus_service_changed(bus->service, &template_kind, names[i]);
		audit_change(call, "import-template", names[i], true, NULL);
	}
	message_close(&call->out, &paths);
	store_names_free(names, count);
	return count > 0 || audit_change(call, "import-templates", NULL, true, NULL);
}

static void append_drift(DBusMessageIter *array, const struct card_drift *drift)
{
	DBusMessageIter item, differences, difference;

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	append_number_path(&item, &credential_kind, drift->credential_id);
	message_append_string(&item, drift->serial);
	message_append_string(&item, drift->template_name);
	message_append_i64(&item, drift->template_version);
	message_open(&item, DBUS_TYPE_ARRAY, "(ss)", &differences);
	for (size_t i = 0; i < drift->differences.count; i++) {
		message_open(&differences, DBUS_TYPE_STRUCT, NULL, &difference);
		message_append_string(&difference, drift->differences.items[i].name);
		message_append_string(&difference, drift->differences.items[i].value);
		message_close(&differences, &difference);
	}
	message_close(&item, &differences);
	message_close(array, &item);
}

bool manager_list_drift(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const char *name = message_read_string(&call->in);
	int64_t after = message_read_i64(&call->in);
	uint32_t limit = message_read_u32(&call->in);
	struct card_drift *drifts = NULL;
	DBusMessageIter array;
	size_t count = 0;
	int64_t next = 0;

	if (!manager_check_limit(limit, error) ||
		!template_drift(bus->services, name[0] ? name : NULL, after, limit, &drifts, &count,
			&next, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(ossxa(ss))", &array);
	for (size_t i = 0; i < count; i++)
		append_drift(&array, &drifts[i]);
	message_close(&call->out, &array);
	message_append_i64(&call->out, next);
	card_drifts_free(drifts, count);
	return true;
}

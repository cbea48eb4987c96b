/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Slot, and the Manager's method that adds one. */
#include <string.h>

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "dbus/path.h"
#include "operation/slots.h"

static void *find(void *context, const char *name, struct error *error)
{
	struct bus *bus = context;

	return slots_find(bus->services->slots, name, error);
}

static void release(void *object)
{
	slot_unref(object);
}

static char **list(void *context, size_t *count)
{
	struct bus *bus = context;
	struct slot **slots = slots_list(bus->services->slots, count);
	char **names = xcalloc(*count + 1, sizeof(*names));

	for (size_t i = 0; i < *count; i++)
		names[i] = xstrdup(slot_record(slots[i])->name);
	slots_list_free(slots, *count);
	return names;
}

/* --- properties --- */

static void get_name(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, slot_record(object)->name);
}

static void get_number(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_u32(value, (uint32_t)slot_record(object)->number);
}

static void get_module(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, slot_record(object)->module);
}

static void get_token_label(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	_cleanup_free_ char *label = slot_token_label((struct slot *)(uintptr_t)object);
	message_append_string(value, label);
}

static void get_token_serial(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	_cleanup_free_ char *serial = slot_token_serial((struct slot *)(uintptr_t)object);
	message_append_string(value, serial);
}

static void get_pin(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, slot_pin_name(slot_record(object)->pin));
}

static void get_pin_source(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, slot_record(object)->pin_file);
}

static void get_audit_uses(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_bool(value, slot_record(object)->audit_uses);
}

static void get_process(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, slot_process_name(slot_record(object)->process));
}

static void get_timeout(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_u32(value, slot_record(object)->timeout);
}

static void get_environment(void *context, const void *object, DBusMessageIter *value)
{
	char *const *variable = slot_record(object)->variables;
	DBusMessageIter variables;

	(void)context;
	message_open(value, DBUS_TYPE_ARRAY, "s", &variables);
	for (; variable && *variable; variable++)
		message_append_string(&variables, *variable);
	message_close(value, &variables);
}

static void get_available(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_bool(value, slot_hsm((struct slot *)(uintptr_t)object, NULL) != NULL);
}

static void get_problem(void *context, const void *object, DBusMessageIter *value)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	bool open = slot_hsm((struct slot *)(uintptr_t)object, &error) != NULL;

	(void)context;
	message_append_string(value, open ? "" : error_message(&error));
}

static void append_operations(DBusMessageIter *iter, unsigned operations)
{
	DBusMessageIter names;

	message_open(iter, DBUS_TYPE_ARRAY, "s", &names);
	for (enum slot_operation i = 0; i < SLOT_OPERATION_COUNT; i++) {
		if (operations & 1U << i)
			message_append_string(&names, slot_operation_name(i));
	}
	message_close(iter, &names);
}

static void get_rules(void *context, const void *object, DBusMessageIter *value)
{
	size_t count;
	struct slot_rule *rules = slot_rules((struct slot *)(uintptr_t)object, &count);
	DBusMessageIter array, item;

	(void)context;
	message_open(value, DBUS_TYPE_ARRAY, "(ssas)", &array);
	for (size_t i = 0; i < count; i++) {
		_cleanup_free_ char *subject = slot_subject_text(rules[i].subject);
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &item);
		message_append_string(&item, subject);
		message_append_string(&item, rules[i].key);
		append_operations(&item, rules[i].operations);
		message_close(&array, &item);
	}
	message_close(value, &array);
	slot_rules_free(rules, count);
}

/* --- methods --- */

static bool test(struct bus_call *call, struct error *error)
{
	_cleanup_free_ char *message = NULL;
	bool done = operation_test_slot((struct slot *)(uintptr_t)call->object, &message, error);

	if (done)
		message_append_string(&call->out, message);
	return audit_change(call, "test-slot", call->name, done, error);
}

/* --- where the module runs: options of Change and of Manager.AddSlot --- */

struct process_options {
	bool has_process, has_timeout, has_variables;
	enum slot_process process;
	int64_t timeout;
	char **variables; /* NULL at the end, where there are any */
	size_t variable_count;
};

static void process_options_clear(struct process_options *options)
{
	strings_free(options->variables, options->variable_count);
}

static bool read_process(
	DBusMessageIter *value, struct process_options *options, struct error *error)
{
	char *name = NULL;

	options->has_process = option_read_string("process", value, &name, error);
	if (options->has_process)
		options->process = slot_process_from_name(name);
	free(name);
	return options->has_process && (options->process != SLOT_PROCESS_COUNT ||
					       error_set_field(error, ERROR_INVALID_ARGUMENT,
						       "process", "it must be own or daemon"));
}

static bool read_timeout(
	DBusMessageIter *value, struct process_options *options, struct error *error)
{
	options->has_timeout = option_read_i64("timeout", value, &options->timeout, error);
	if (!options->has_timeout)
		return false;
	return (options->timeout >= 1 && options->timeout <= SLOT_TIMEOUT_MAX) ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, "timeout",
		       "it must be a number of seconds from 1 to %d", SLOT_TIMEOUT_MAX);
}

static bool read_variables(
	DBusMessageIter *value, struct process_options *options, struct error *error)
{
	options->has_variables = option_read_strings(
		"environment", value, &options->variables, &options->variable_count, error);
	options->variables =
		xreallocarray(options->variables, options->variable_count + 1, sizeof(char *));
	options->variables[options->variable_count] = NULL;
	return options->has_variables;
}

struct process_option {
	const char *name;
	bool (*read)(DBusMessageIter *, struct process_options *, struct error *);
};

static const struct process_option *find_process_option(const char *name)
{
	static const struct process_option known[] = {{"process", read_process},
		{"timeout", read_timeout}, {"environment", read_variables}};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i].name, name) == 0)
			return &known[i];
	}
	return NULL;
}

struct change_options {
	struct process_options process;
	struct slot_change change;
};

static void change_options_clear(struct change_options *options)
{
	process_options_clear(&options->process);
}

static bool read_change(
	void *context, const char *name, DBusMessageIter *value, struct error *error)
{
	struct change_options *options = context;
	const struct process_option *option = find_process_option(name);

	if (option)
		return option->read(value, &options->process, error);
	if (strcmp(name, "audit-uses") != 0)
		return option_unknown(name, "process, timeout, environment, audit-uses", error);
	options->change.has_audit_uses = true;
	return option_read_bool(name, value, &options->change.audit_uses, error);
}

static bool change(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct change_options options _cleanup_(change_options_clear) = {0};
	bool done = options_each(&call->in, read_change, &options, error);

	options.change.has_process = options.process.has_process;
	options.change.has_timeout = options.process.has_timeout;
	options.change.has_variables = options.process.has_variables;
	options.change.process = options.process.process;
	options.change.timeout = (unsigned)options.process.timeout;
	options.change.variables = options.process.variables;
	done = done && operation_change_slot(bus->services, call->name, &options.change, error);
	return audit_change(call, "change-slot", call->name, done, error);
}

static bool remove_slot(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	bool done = operation_remove_slot(bus->services, call->name, error);

	return audit_change(call, "remove-slot", call->name, done, error);
}

static bool read_operations(DBusMessageIter *iter, unsigned *operations, struct error *error)
{
	DBusMessageIter items;

	*operations = 0;
	dbus_message_iter_recurse(iter, &items);
	dbus_message_iter_next(iter);
	while (dbus_message_iter_get_arg_type(&items) == DBUS_TYPE_STRING) {
		enum slot_operation operation =
			slot_operation_from_name(message_read_string(&items));
		if (operation == SLOT_OPERATION_COUNT)
			return error_set_field(error, ERROR_INVALID_ARGUMENT, "operations",
				"they are sign, decrypt, derive, wrap, generate and destroy");
		*operations |= 1U << operation;
	}
	return true;
}

/* " sign wrap"; heap */
static char *operation_names(unsigned operations)
{
	char *names = xstrdup("");

	for (enum slot_operation i = 0; i < SLOT_OPERATION_COUNT; i++) {
		if (!(operations & 1U << i))
			continue;
		char *longer = xasprintf("%s %s", names, slot_operation_name(i));
		free(names);
		names = longer;
	}
	return names;
}

static bool change_access(struct bus_call *call, bool allow, struct error *error)
{
	const char *subject = message_read_string(&call->in);
	const char *key = message_read_string(&call->in);
	unsigned operations = 0;
	bool done = read_operations(&call->in, &operations, error) &&
		    operation_change_access((struct slot *)(uintptr_t)call->object, subject, key,
			    operations, allow, error);
	_cleanup_free_ char *names = operation_names(operations);
	_cleanup_free_ char *detail =
		xasprintf("%s: %s, key \"%s\":%s", call->name, subject, key, names);

	return audit_change(call, allow ? "allow-slot" : "deny-slot", detail, done, error);
}

static bool allow(struct bus_call *call, struct error *error)
{
	return change_access(call, true, error);
}

static bool deny(struct bus_call *call, struct error *error)
{
	return change_access(call, false, error);
}

#define CHANGE PERMISSION_CHANGE_SLOTS

static const struct bus_interface slot_interface = {
	.name = BUS_NAME ".Slot",
	.read = PERMISSION_VIEW_SETTINGS,
	.methods =
		(const struct bus_method[]){
			{"Test", NULL, BUS_ARGUMENTS({"message", "s"}), CHANGE, BUS_SLOW, test},
			{"Change", BUS_ARGUMENTS({"options", "a{sv}"}), NULL, CHANGE, BUS_SLOW,
				change},
			{"Remove", NULL, NULL, CHANGE, BUS_SLOW, remove_slot},
			{"Allow",
				BUS_ARGUMENTS({"subject", "s"}, {"key", "s"}, {"operations", "as"}),
				NULL, CHANGE, BUS_SLOW, allow},
			{"Deny",
				BUS_ARGUMENTS({"subject", "s"}, {"key", "s"}, {"operations", "as"}),
				NULL, CHANGE, BUS_SLOW, deny},
			{"GetKeys", NULL, BUS_ARGUMENTS({"keys", "a" SLOT_KEY_SIGNATURE}),
				PERMISSION_VIEW_CARDS, BUS_SLOW, slot_get_keys_call},
			{"Enroll",
				BUS_ARGUMENTS({"label", "s"}, {"template", "s"},
					{"holder", "a{ss}"}, {"options", "a{sv}"}),
				BUS_ARGUMENTS({"job", "o"}), PERMISSION_ISSUE, BUS_SECRET,
				slot_enroll_call},
			{"Renew", BUS_ARGUMENTS({"label", "s"}, {"options", "a{sv}"}),
				BUS_ARGUMENTS({"job", "o"}), PERMISSION_REISSUE,
				BUS_SLOW | BUS_SECRET, slot_renew_call},
			{"Retire", BUS_ARGUMENTS({"label", "s"}, {"options", "a{sv}"}),
				BUS_ARGUMENTS({"job", "o"}), PERMISSION_RETIRE,
				BUS_SLOW | BUS_SECRET, slot_retire_call},
			{0},
		},
	.properties =
		(const struct bus_property[]){
			{"Name", "s", get_name},
			{"Number", "u", get_number},
			{"Module", "s", get_module},
			{"TokenLabel", "s", get_token_label},
			{"TokenSerial", "s", get_token_serial},
			{"Pin", "s", get_pin},
			{"PinSource", "s", get_pin_source},
			{"AuditUses", "b", get_audit_uses},
			{"Process", "s", get_process},
			{"Timeout", "u", get_timeout},
			{"Environment", "as", get_environment},
			{"Available", "b", get_available},
			{"Problem", "s", get_problem},
			{"Rules", "a(ssas)", get_rules},
			{0},
		},
};

const struct bus_kind slot_kind = {
	.path = BUS_ROOT "/slot",
	.interfaces = (const struct bus_interface *const[]){&slot_interface, NULL},
	.find = find,
	.release = release,
	.list = list,
};

/* --- Manager.AddSlot --- */

struct slot_options {
	char *serial, *pin_source;
	struct secret pin;
	bool keep_pin, create, audit_uses;
	struct process_options process;
};

static void slot_options_clear(struct slot_options *options)
{
	free(options->serial);
	free(options->pin_source);
	secret_clear(&options->pin);
	process_options_clear(&options->process);
}

static bool read_option(
	void *context, const char *name, DBusMessageIter *value, struct error *error)
{
	struct slot_options *options = context;
	const struct process_option *option = find_process_option(name);

	if (option)
		return option->read(value, &options->process, error);
	if (strcmp(name, "serial") == 0)
		return option_read_string(name, value, &options->serial, error);
	if (strcmp(name, "pin") == 0)
		return option_read_secret(name, value, &options->pin, error);
	if (strcmp(name, "pin-source") == 0)
		return option_read_string(name, value, &options->pin_source, error);
	if (strcmp(name, "keep-pin") == 0)
		return option_read_bool(name, value, &options->keep_pin, error);
	if (strcmp(name, "create") == 0)
		return option_read_bool(name, value, &options->create, error);
	if (strcmp(name, "audit-uses") == 0)
		return option_read_bool(name, value, &options->audit_uses, error);
	return option_unknown(name,
		"serial, pin, keep-pin, pin-source, create, audit-uses, process, timeout, "
		"environment",
		error);
}

bool add_slot_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct slot_options options _cleanup_(slot_options_clear) = {0};
	struct slot_request request = {.pin = &options.pin};

	request.name = message_read_string(&call->in);
	request.module = message_read_string(&call->in);
	request.token_label = message_read_string(&call->in);
	bool done = options_each(&call->in, read_option, &options, error);
	request.token_serial = options.serial;
	request.pin_file = options.pin_source;
	request.keep_pin = options.keep_pin;
	request.create = options.create;
	request.audit_uses = options.audit_uses;
	request.process =
		options.process.has_process ? options.process.process : SLOT_PROCESS_COUNT;
	request.timeout = (unsigned)options.process.timeout;
	request.variables = options.process.variables;
	done = done && operation_add_slot(bus->services, &request, error);
	if (done) {
		_cleanup_free_ char *path = path_of(slot_kind.path, request.name);
		message_append_path(&call->out, path);
	}
	return audit_change(call, "add-slot", request.name, done, error);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators' methods of org.tessera1.SelfService: one-time codes and lock-outs. */
#include <ctype.h>
#include <string.h>
#include <time.h>

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "dbus/path.h"
#include "operation/self-code.h"
#include "operation/self-give.h"

#define LIST_MAX 1000

struct code_options {
	int64_t hours;
	char *user, *person;
};

static bool read_code_option(
	void *context, const char *name, DBusMessageIter *value, struct error *error)
{
	struct code_options *options = context;

	if (strcmp(name, "hours") == 0)
		return option_read_i64(name, value, &options->hours, error);
	if (strcmp(name, "user") == 0)
		return option_read_string(name, value, &options->user, error);
	if (strcmp(name, "person") == 0)
		return option_read_string(name, value, &options->person, error);
	return option_unknown(name, "hours, user, person", error);
}

static bool read_purpose(struct bus_call *call, struct self_gift *gift, struct error *error)
{
	gift->purpose = self_service_from_name(message_read_string(&call->in));
	const char *path = message_read_string(&call->in);
	_cleanup_free_ char *number = path_child_name(credential_kind.path, path);

	gift->credential_id = number ? name_to_number(number) : 0;
	gift->template_name = message_read_string(&call->in);
	if (gift->purpose == SELF_SERVICE_COUNT)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "purpose",
			"a code is for issue, activate, unblock, reissue, report-lost or retire");
	if ((gift->purpose == SELF_SERVICE_ISSUE) != (strcmp(path, "/") == 0))
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "card",
			"a code to issue is for a template, all others for a card");
	if ((gift->purpose == SELF_SERVICE_ISSUE) != (gift->template_name[0] != '\0'))
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "template",
			"a code to issue needs a template, all others take none");
	return true;
}

/* Who is refused the purpose's permission is refused as at any other method. */
static bool give(struct bus_call *call, const struct self_gift *gift, struct secret *code,
	int64_t *expires_at, struct error *error)
{
	struct bus *bus = call->context;
	struct credential *credential _cleanup_credential_ = NULL;

	if (gift->purpose == SELF_SERVICE_UNBLOCK) {
		credential =
			store_credential_by_id(bus->services->store, gift->credential_id, error);
		if (!credential || !caller_may_unblock(call, credential, error))
			return false;
	}
	return self_give(bus->services, gift, code, expires_at, error);
}

bool self_add_code_call(struct bus_call *call, struct error *error)
{
	struct audit_actor *actor _cleanup_audit_actor_ = caller_actor_with_operators(call);
	_cleanup_free_ char *operators = audit_actor_operators(actor);
	struct fields holder _cleanup_fields_ = FIELDS_INIT;
	struct code_options options = {0};
	struct secret code _cleanup_secret_ = SECRET_INIT;
	struct self_gift gift = {
		.caller = call->caller->name, .given_by = operators, .holder = &holder};
	int64_t expires_at = 0;
	bool given = read_purpose(call, &gift, error) && read_fields(&call->in, &holder, error) &&
		     options_each(&call->in, read_code_option, &options, error);

	gift.hours = options.hours;
	gift.user = options.user;
	gift.person = options.person;
	given = given && give(call, &gift, &code, &expires_at, error);
	free(options.user);
	free(options.person);
	_cleanup_free_ char *detail = given ? xasprintf("%s: %.*s", self_service_name(gift.purpose),
						      SELF_CODE_SELECTOR, (const char *)code.data)
					    : xstrdup("");
	if (!audit_change(call, "add-code", detail, given, error))
		return false;
	if (!message_append_secret(&call->out, &code, error))
		return false;
	message_append_i64(&call->out, expires_at);
	return true;
}

static void append_code(struct bus *bus, DBusMessageIter *array, const struct self_code *code)
{
	struct credential *credential _cleanup_credential_ =
		code->credential_id
			? store_credential_by_id(bus->services->store, code->credential_id, NULL)
			: NULL;
	DBusMessageIter item;

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_string(&item, code->selector);
	message_append_string(&item, self_service_name(code->purpose));
	message_append_string(&item, credential ? credential->serial : "");
	message_append_string(&item, code->template_name);
	message_append_string(&item, code->given_by);
	message_append_i64(&item, code->created_at);
	message_append_i64(&item, code->expires_at);
	message_append_u32(&item, code->failures);
	message_close(array, &item);
}

bool self_list_codes_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct self_code *codes = NULL;
	DBusMessageIter array;
	size_t count = 0;

	if (!store_self_code_list(
		    bus->services->store, time(NULL), LIST_MAX, &codes, &count, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(sssssxxu)", &array);
	for (size_t i = 0; i < count; i++)
		append_code(bus, &array, &codes[i]);
	message_close(&call->out, &array);
	self_codes_free(codes, count);
	return true;
}

/* "k7m2" is K7M2, and so is the whole code. */
static void read_selector(struct bus_call *call, char selector[SELF_CODE_SELECTOR + 1])
{
	const char *text = message_read_string(&call->in);
	size_t i = 0;

	for (; i < SELF_CODE_SELECTOR && text[i]; i++)
		selector[i] = (char)toupper((unsigned char)text[i]);
	selector[i] = '\0';
}

bool self_remove_code_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	char selector[SELF_CODE_SELECTOR + 1];

	read_selector(call, selector);
	bool done = store_self_code_remove(bus->services->store, selector, error);
	if (!done && error->code == ERROR_NOT_FOUND)
		error_set(error, ERROR_NOT_FOUND, "there is no code %s", selector);
	return audit_change(call, "remove-code", selector, done, error);
}

bool self_lift_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const char *kind = message_read_string(&call->in);
	const char *name = message_read_string(&call->in);
	_cleanup_free_ char *what = xasprintf("%.16s %.64s", kind, name);
	bool was_locked = false;
	bool done = self_lift(bus->services, kind, name, &was_locked, error);

	if (!audit_change(call, "lift-lock-out", what, done, error))
		return false;
	message_append_bool(&call->out, was_locked);
	return true;
}

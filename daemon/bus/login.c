/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Manager's methods about logins: who calls, proven by a card. */
#include <string.h>

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "operation/contact.h"
#include "operation/login.h"
#include "operation/slots.h"

bool login_begin_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct buffer challenge _cleanup_buffer_ = BUFFER_INIT;

	if (!login_begin(bus->services->logins, call->caller->name, message_read_string(&call->in),
		    &challenge, error))
		return false;
	message_append_bytes(&call->out, challenge.data, challenge.length);
	return true;
}

bool login_finish_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const char *serial = message_read_string(&call->in);
	const uint8_t *signature;
	size_t length;

	message_read_bytes(&call->in, &signature, &length);
	const struct login_request request = {
		.caller = call->caller->name, .actor = AUDIT_CALLER(call->caller->actor)};
	call->audited = true; /* as operator-login */
	return login_finish(bus->services->logins, &request, serial, signature, length, error);
}

struct login_options {
	bool end_on_removal;
};

static bool read_login_option(
	void *context, const char *name, DBusMessageIter *value, struct error *error)
{
	struct login_options *options = context;

	if (strcmp(name, "end-on-removal") == 0)
		return option_read_bool(name, value, &options->end_on_removal, error);
	return option_unknown(name, "end-on-removal", error);
}

bool login_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct contact_status status _cleanup_contact_status_ = {0};
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct login_options options = {0};

	if (!read_reader(call, &status, error) || !message_read_secret(&call->in, &pin, error) ||
		!options_each(&call->in, read_login_option, &options, error))
		return false;
	const struct login_request request = {.caller = call->caller->name,
		.actor = AUDIT_CALLER(call->caller->actor),
		.reader = status.number,
		.pin = &pin,
		.end_on_removal = options.end_on_removal};
	bool was_locked = !bus->services->token;
	call->audited = true; /* as operator-login */
	if (!login_with_card(bus->services->logins, &request, error))
		return false;
	if (was_locked && bus->services->token) {
		bus_service_changed(bus->service, &manager_kind, NULL);
		slots_open_closed(bus->services->slots);
	}
	return true;
}

bool logout_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;

	(void)error;
	logins_end(bus->services->logins, call->caller->name);
	return true;
}

bool list_logins_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	DBusMessageIter array, item;
	size_t count;
	struct login_view *views = logins_list(bus->services->logins, call->caller->name, &count);

	(void)error;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(sss)", &array);
	for (size_t i = 0; i < count; i++) {
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &item);
		message_append_string(&item, views[i].operator_id);
		message_append_string(&item, views[i].serial);
		message_append_string(&item, views[i].roles);
		message_close(&array, &item);
	}
	message_close(&call->out, &array);
	login_views_free(views, count);
	return true;
}

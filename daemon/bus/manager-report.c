/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Manager's reports. */
#include "bus/bus-private.h"
#include "common/alloc.h"

static void append_certificate(
	DBusMessageIter *array, struct services *services, const struct certificate *certificate)
{
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(services->store, certificate->credential_id, NULL);
	DBusMessageIter item;

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_i64(&item, certificate->id);
	append_number_path(&item, &credential_kind, certificate->credential_id);
	message_append_string(&item, credential ? credential->serial : "");
	message_append_string(&item, credential ? credential->template_name : "");
	message_append_string(&item, key_slot_name(certificate->slot));
	message_append_string(&item, certificate->authority);
	message_append_string(&item, certificate->serial_hex);
	message_append_string(&item, certificate->subject);
	message_append_string(&item, certificate_status_name(certificate->status));
	message_append_i64(&item, certificate->not_after);
	message_close(array, &item);
}

bool list_expiring_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	int64_t until = message_read_i64(&call->in);
	int64_t after_end = message_read_i64(&call->in);
	int64_t after_id = message_read_i64(&call->in);
	uint32_t limit = message_read_u32(&call->in);
	_cleanup_certificates_ struct certificates certificates = CERTIFICATES_INIT;
	DBusMessageIter array;

	if (!manager_check_limit(limit, error) ||
		!store_certificate_list_ending(bus->services->store, until, after_end, after_id,
			limit, &certificates, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(xosssssssx)", &array);
	for (size_t i = 0; i < certificates.count; i++)
		append_certificate(&array, bus->services, &certificates.items[i]);
	message_close(&call->out, &array);
	return true;
}

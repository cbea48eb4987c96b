/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/bus.h"

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "operation/contact.h"
#include "operation/slots.h"

static const struct bus_kind *const kinds[] = {
	&manager_kind,
	&reader_kind,
	&credential_kind,
	&template_kind,
	&connection_kind,
	&type_kind,
	&job_kind,
	&licence_kind,
	&slot_kind,
};

static void broadcast(void *context, DBusMessage *signal)
{
	struct bus *bus = context;

	private_door_broadcast(bus->private_door, signal);
	system_door_broadcast(bus->system_door, signal);
}

struct bus *bus_new(struct services *services, const struct bus_options *options, uv_loop_t *loop)
{
	struct bus *bus = xnew(struct bus);
	struct bus_service_options service = {.root = BUS_ROOT,
		.kinds = kinds,
		.kind_count = ARRAY_SIZE(kinds),
		.context = bus,
		.broadcast = broadcast,
		.may = caller_may_do,
		.may_read_object = caller_may_read_object,
		.may_know = caller_may_know,
		.may_object = caller_may_object,
		.begin = caller_begin,
		.end = caller_end,
		.denied = caller_denied,
		.done = caller_done};

	bus->services = services;
	bus->options = options;
	bus->loop = loop;
	bus->service = bus_service_new(&service);
	return bus;
}

bool bus_start(struct bus *bus, struct error *error)
{
	/* What is there already is no news to those who come later. */
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		bus_service_sync(bus->service, kinds[i]);
	bus->private_door = private_door_open(bus, error);
	if (!bus->private_door)
		return false;
	if (bus->options->use_system_bus)
		bus->system_door = system_door_open(bus);
	return true;
}

void bus_stop(struct bus *bus)
{
	private_door_close(bus->private_door);
	system_door_close(bus->system_door);
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	private_door_free(bus->private_door);
	system_door_free(bus->system_door);
	bus_service_free(bus->service);
	free(bus);
}

static void send_tokens_changed(struct bus *bus)
{
	_cleanup_message_ DBusMessage *signal =
		bus_signal_new(&manager_kind, NULL, PROVIDER_INTERFACE, "TokensChanged");
	DBusMessageIter iter;

	dbus_message_iter_init_append(signal, &iter);
	message_append_u64(&iter, contacts_generation(bus->services->contacts));
	private_door_send_tokens_changed(bus->private_door, signal);
}

void bus_contact_changed(void *context, unsigned number, bool gone)
{
	struct bus *bus = context;
	_cleanup_contact_status_ struct contact_status status = {0};
	_cleanup_free_ char *name = number_to_name(number);

	if (number == 0) {
		bus_service_changed(bus->service, &manager_kind, NULL);
		return;
	}
	if (gone)
		bus_service_sync(bus->service, &reader_kind);
	else
		bus_service_changed(bus->service, &reader_kind, name);
	if (!gone && contacts_status(bus->services->contacts, number, &status, NULL) &&
		status.credential) {
		_cleanup_free_ char *credential = number_to_name(status.credential->id);
		bus_service_changed(bus->service, &credential_kind, credential);
	} else {
		bus_service_sync(bus->service, &credential_kind);
	}
	send_tokens_changed(bus);
}

/* Names and problems may have changed with any of them; they are few. */
static void tell_slots(struct bus *bus)
{
	size_t count;
	struct slot **slots = slots_list(bus->services->slots, &count);

	bus_service_sync(bus->service, &slot_kind);
	for (size_t i = 0; i < count; i++)
		bus_service_changed(bus->service, &slot_kind, slot_record(slots[i])->name);
	slots_list_free(slots, count);
}

void bus_slots_changed(void *context, bool only_objects)
{
	struct bus *bus = context;

	if (!only_objects)
		tell_slots(bus);
	send_tokens_changed(bus);
}

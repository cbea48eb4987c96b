/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/reader-agent.h"

#include <stdatomic.h>
#include <string.h>

#include "audit/audit.h"
#include "card/transport-remote.h"
#include "common/alloc.h"
#include "common/log.h"
#include "core/rate-limit.h"
#include "core/user.h"

#define READERS_MAX		16
#define INSERTIONS_A_MINUTE_MAX 240
#define REMOTE_INTERFACE	BUS_NAME ".RemoteReader"

/* One reader of the agent. */
struct offered {
	struct reader_agent *agent;
	struct remote_reader *remote; /* NULL: the place is free */
	unsigned number;
	atomic_bool is_lost; /* its card did not answer in time */
};

struct reader_agent {
	struct bus *bus;
	struct private_connection *connection;
	uid_t user;
	struct rate_limit insertions;
	struct offered readers[READERS_MAX];
};

/* --- from threads that use cards --- */

static DBusMessage *call_new(const struct offered *offered, const char *method)
{
	_cleanup_free_ char *path = number_path(&reader_kind, offered->number);
	DBusMessage *call = dbus_message_new_method_call(NULL, path, REMOTE_INTERFACE, method);

	if (!call)
		abort();
	return call;
}

/* What could be written at once, as nearly always, is wiped: it may hold a PIN. */
static void send_call(const struct offered *offered, DBusMessage *call, uint32_t *serial)
{
	private_connection_call(offered->agent->connection, call, serial);
	if (!private_connection_has_outgoing(offered->agent->connection))
		message_wipe(call);
}

static bool send_command(void *context, const struct remote_command *command, uint32_t *serial)
{
	const struct offered *offered = context;
	_cleanup_message_ DBusMessage *call = call_new(offered, "Transmit");
	DBusMessageIter arguments;

	dbus_message_iter_init_append(call, &arguments);
	message_append_bool(&arguments, command->begins);
	message_append_bool(&arguments, command->expects_reset);
	message_append_bytes(&arguments, command->bytes, command->length);
	send_call(offered, call, serial);
	return true;
}

/* A call without arguments that is not answered. */
static void tell(const struct offered *offered, const char *method)
{
	_cleanup_message_ DBusMessage *call = call_new(offered, method);
	uint32_t serial;

	dbus_message_set_no_reply(call, TRUE);
	send_call(offered, call, &serial);
}

static void send_end(void *context)
{
	tell(context, "End");
}

static void note_lost(void *context)
{
	struct offered *offered = context;

	offered->is_lost = true;
	private_connection_wake(offered->agent->connection);
}

static const struct remote_reader_ops ops = {
	.send = send_command, .end = send_end, .lost = note_lost};

/* --- answers, on the connection's thread --- */

static void take_error(struct reader_agent *agent, uint32_t serial, DBusMessage *message)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	enum error_code code = error_from_dbus_name(dbus_message_get_error_name(message));
	bool is_of_cards =
		code == ERROR_NO_CARD || code == ERROR_NO_READER_SERVICE || code == ERROR_BUSY;

	/* Its words are a stranger's. */
	error_set(&error, is_of_cards ? code : ERROR_CARD_FAILED, "%s",
		code == ERROR_NO_CARD		  ? "the card was removed"
		: code == ERROR_NO_READER_SERVICE ? "pcscd is not running there"
		: code == ERROR_BUSY		  ? "another program there holds the card"
						  : "the reader there failed");
	for (size_t i = 0; i < READERS_MAX; i++) {
		if (agent->readers[i].remote)
			remote_reader_fail(agent->readers[i].remote, serial, &error);
	}
}

static void take_response(struct reader_agent *agent, uint32_t serial, DBusMessage *message)
{
	DBusMessageIter arguments;
	const uint8_t *bytes;
	size_t length;

	if (!dbus_message_has_signature(message, "bay") ||
		!dbus_message_iter_init(message, &arguments))
		return; /* whoever waits does so in vain */
	bool was_reset = message_read_bool(&arguments);
	message_read_bytes(&arguments, &bytes, &length);
	for (size_t i = 0; i < READERS_MAX; i++) {
		if (agent->readers[i].remote)
			remote_reader_answer(
				agent->readers[i].remote, serial, was_reset, bytes, length);
	}
}

bool reader_agent_take_answer(struct reader_agent *agent, DBusMessage *message)
{
	int type = dbus_message_get_type(message);
	uint32_t serial = dbus_message_get_reply_serial(message);

	if (type != DBUS_MESSAGE_TYPE_METHOD_RETURN && type != DBUS_MESSAGE_TYPE_ERROR)
		return false;
	if (type == DBUS_MESSAGE_TYPE_ERROR)
		take_error(agent, serial, message);
	else
		take_response(agent, serial, message);
	message_wipe(message);
	return true;
}

void reader_agent_tend(struct reader_agent *agent)
{
	for (size_t i = 0; i < READERS_MAX; i++) {
		struct offered *offered = &agent->readers[i];
		if (!offered->remote || !atomic_exchange(&offered->is_lost, false))
			continue;
		log_warning("the agent does not answer: its card counts as removed reader=%u",
			offered->number);
		contacts_offer_removed(agent->bus->services->contacts, offered->remote);
		tell(offered, "Lost");
	}
}

/* --- life --- */

struct reader_agent *reader_agent_new(
	struct bus *bus, struct private_connection *connection, uid_t user)
{
	struct reader_agent *agent = xnew(struct reader_agent);

	agent->bus = bus;
	agent->connection = connection;
	agent->user = user;
	for (size_t i = 0; i < READERS_MAX; i++)
		agent->readers[i].agent = agent;
	return agent;
}

static void withdraw(struct offered *offered)
{
	contacts_withdraw(offered->agent->bus->services->contacts, offered->remote);
	remote_reader_unref(offered->remote);
	offered->remote = NULL;
}

void reader_agent_free(struct reader_agent *agent)
{
	if (!agent)
		return;
	for (size_t i = 0; i < READERS_MAX; i++) {
		if (agent->readers[i].remote)
			withdraw(&agent->readers[i]);
	}
	free(agent);
}

/* --- methods --- */

static struct reader_agent *agent_of(const struct bus_call *call)
{
	return private_connection_agent(call->caller->connection, true);
}

static struct offered *free_place(struct reader_agent *agent, struct error *error)
{
	for (size_t i = 0; i < READERS_MAX; i++) {
		if (!agent->readers[i].remote)
			return &agent->readers[i];
	}
	error_set(error, ERROR_BUSY, "this connection offers %u readers already", READERS_MAX);
	return NULL;
}

static bool check_allowed(const struct bus *bus, struct error *error)
{
	return bus->services->remote_readers != REMOTE_READERS_OFF ||
	       error_set(error, ERROR_ACCESS_DENIED,
		       "readers of other machines are not let in (remote-readers = off)");
}

/* At most so many in a minute as there are of refusals: anyone can offer and withdraw at will. */
static void record_offer(struct bus_call *call, unsigned number)
{
	struct services *services = ((struct bus *)call->context)->services;
	struct contact_status status _cleanup_contact_status_ = {0};
	struct audit_actor *actor _cleanup_audit_actor_ = caller_actor_with_operators(call);
	struct error failure _cleanup_error_ = ERROR_INIT;

	call->audited = true;
	if (contacts_status(services->contacts, number, &status, NULL) &&
		!audit_write_refusal(services->store, &services->refusals, actor, "offer-reader",
			NULL, 0, NULL, status.reader_name, &failure))
		log_error("audit record not written: %s", error_message(&failure));
}

static bool offer_reader(struct bus_call *call, struct error *error)
{
	struct reader_agent *agent = agent_of(call);
	struct offered *offered = free_place(agent, error);
	_cleanup_free_ char *known = user_name(agent->user);
	_cleanup_free_ char *user =
		known ? steal_pointer(&known) : xasprintf("%lu", (unsigned long)agent->user);

	if (!offered || !check_allowed(agent->bus, error))
		return false;
	struct remote_offer offer = {.user = agent->user, .user_name = user};
	offer.machine = message_read_string(&call->in);
	offer.reader_name = message_read_string(&call->in);
	offered->is_lost = false;
	offer.remote = remote_reader_new(&ops, offered);
	offered->number = contacts_offer(agent->bus->services->contacts, &offer, error);
	if (offered->number == 0) {
		remote_reader_unref(offer.remote);
		return false;
	}
	offered->remote = offer.remote;
	record_offer(call, offered->number);
	append_number_path(&call->out, &reader_kind, offered->number);
	return true;
}

/* The reader whose path is the next argument. These calls are not recorded: what is done with a
 * card is. */
static struct offered *read_offered(struct bus_call *call, struct error *error)
{
	struct reader_agent *agent = agent_of(call);
	const char *path = message_read_string(&call->in);

	call->audited = true;
	for (size_t i = 0; i < READERS_MAX; i++) {
		_cleanup_free_ char *own = number_path(&reader_kind, agent->readers[i].number);
		if (agent->readers[i].remote && strcmp(own, path) == 0)
			return &agent->readers[i];
	}
	error_set_field(
		error, ERROR_NOT_FOUND, "reader", "this connection offers no reader %s", path);
	return NULL;
}

static bool insert_card(struct bus_call *call, struct error *error)
{
	struct offered *offered = read_offered(call, error);
	struct remote_card card = {0};

	if (!offered)
		return false;
	if (!rate_limit_pass(&offered->agent->insertions, INSERTIONS_A_MINUTE_MAX))
		return error_set(error, ERROR_BUSY, "too many cards come and go; wait a minute");
	message_read_bytes(&call->in, &card.atr, &card.atr_length);
	card.maximum_data = message_read_u32(&call->in);
	card.is_t0 = message_read_bool(&call->in);
	return contacts_offer_inserted(
		offered->agent->bus->services->contacts, offered->remote, &card, error);
}

static bool remove_card(struct bus_call *call, struct error *error)
{
	struct offered *offered = read_offered(call, error);

	if (offered)
		contacts_offer_removed(offered->agent->bus->services->contacts, offered->remote);
	return offered != NULL;
}

static bool withdraw_reader(struct bus_call *call, struct error *error)
{
	struct offered *offered = read_offered(call, error);

	if (offered)
		withdraw(offered);
	return offered != NULL;
}

const struct bus_interface reader_agent_interface = {
	.name = BUS_NAME ".ReaderAgent",
	.private_only = true,
	.methods =
		(const struct bus_method[]){
			{"OfferReader", BUS_ARGUMENTS({"machine", "s"}, {"name", "s"}),
				BUS_ARGUMENTS({"reader", "o"}), BUS_HOLDER, 0, offer_reader},
			{"InsertCard",
				BUS_ARGUMENTS({"reader", "o"}, {"atr", "ay"}, {"maximum_data", "u"},
					{"is_t0", "b"}),
				NULL, BUS_HOLDER, 0, insert_card},
			{"RemoveCard", BUS_ARGUMENTS({"reader", "o"}), NULL, BUS_HOLDER, 0,
				remove_card},
			{"WithdrawReader", BUS_ARGUMENTS({"reader", "o"}), NULL, BUS_HOLDER, 0,
				withdraw_reader},
			{0},
		},
};

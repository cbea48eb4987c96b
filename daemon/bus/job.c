/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Job */
#include <limits.h>
#include <string.h>

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "common/utf8.h"
#include "core/job.h"
#include "operation/agent-card.h"

#define REASON_MAX 200 /* bytes */

static void release(void *object)
{
	job_status_clear(object);
	free(object);
}

static void *find(void *context, const char *name, struct error *error)
{
	struct bus *bus = context;
	struct job_status *status = xnew(struct job_status);
	int64_t id = name_to_number(name);

	if (id <= UINT_MAX && jobs_status(bus->services->jobs, (unsigned)id, status, error))
		return status;
	if (id > UINT_MAX)
		error_set(error, ERROR_NOT_FOUND, "there is no job %s", name);
	free(status);
	return NULL;
}

static char **list(void *context, size_t *count)
{
	struct bus *bus = context;
	_cleanup_free_ unsigned *ids = jobs_list(bus->services->jobs, count);
	char **names = xcalloc(*count + 1, sizeof(*names));

	for (size_t i = 0; i < *count; i++)
		names[i] = number_to_name(ids[i]);
	return names;
}

static void get_operation(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct job_status *)object)->operation);
}

static void get_subject(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct job_status *)object)->subject);
}

static void get_state(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, job_state_name(((const struct job_status *)object)->state));
}

static void get_progress(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_u32(value, ((const struct job_status *)object)->progress);
}

static void get_step(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct job_status *)object)->step);
}

static void append_error_name(const struct job_status *status, DBusMessageIter *value)
{
	message_append_string(
		value, status->error.code == ERROR_NONE ? "" : error_dbus_name(status->error.code));
}

static void get_error_name(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	append_error_name(object, value);
}

static void get_error_message(void *context, const void *object, DBusMessageIter *value)
{
	const struct job_status *status = object;
	_cleanup_free_ char *text = message_error_text(&status->error);

	(void)context;
	message_append_string(value, status->error.code == ERROR_NONE ? "" : text);
}

/* The operations know credentials by their number, callers by their path. */
static void get_result(void *context, const void *object, DBusMessageIter *value)
{
	const struct job_status *status = object;
	DBusMessageIter dictionary;

	(void)context;
	message_open(value, DBUS_TYPE_ARRAY, "{ss}", &dictionary);
	for (size_t i = 0; i < status->result.count; i++) {
		const struct field *field = &status->result.items[i];
		if (strcmp(field->name, "credential-id") == 0) {
			_cleanup_free_ char *path =
				number_path(&credential_kind, name_to_number(field->value));
			message_append_entry(&dictionary, "credential", path);
		} else {
			message_append_entry(&dictionary, field->name, field->value);
		}
	}
	message_close(value, &dictionary);
}

static void get_started_at(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_i64(value, ((const struct job_status *)object)->started_at);
}

static void get_ended_at(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_i64(value, ((const struct job_status *)object)->ended_at);
}

static void get_wants_signature(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_bool(value, ((const struct job_status *)object)->wants_signature);
}

static bool cancel(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const struct job_status *status = call->object;
	bool done = jobs_cancel(bus->services->jobs, status->id, error);

	return audit_change(call, "cancel-job", call->name, done, error);
}

static bool take_pin(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const struct job_status *status = call->object;
	struct secret pin _cleanup_secret_ = SECRET_INIT;

	if (!jobs_take_secret(bus->services->jobs, status->id, call->caller->name, &pin, error))
		return false;
	return message_append_secret(&call->out, &pin, error);
}

static bool get_signature_request(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const struct job_status *status = call->object;
	_cleanup_signature_request_ struct job_signature_request request = {0};

	if (!jobs_signature_request(
		    bus->services->jobs, status->id, call->caller->name, &request, error))
		return false;
	message_append_bytes(&call->out, request.content.data, request.content.length);
	message_append_string(&call->out, agent_card_mechanism(&request.certificate));
	message_append_bytes(&call->out, request.certificate.data, request.certificate.length);
	message_append_string(&call->out, request.card);
	message_append_string(&call->out, request.purpose);
	return true;
}

/*
 * What is given, or refused, for the record; heap. NULL with error when the caller is asked for
 * nothing: that leaves no record, as anyone could make any number of them.
 */
static char *signature_detail(const struct bus_call *call, struct error *error)
{
	const struct bus *bus = call->context;
	const struct job_status *status = call->object;
	_cleanup_signature_request_ struct job_signature_request request = {0};

	return jobs_signature_request(
		       bus->services->jobs, status->id, call->caller->name, &request, error)
		       ? xasprintf("job %u: %s", status->id, request.purpose)
		       : NULL;
}

static bool give_signature(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const struct job_status *status = call->object;
	_cleanup_free_ char *detail = signature_detail(call, error);
	const uint8_t *signature;
	size_t length;

	if (!detail)
		return false;
	message_read_bytes(&call->in, &signature, &length);
	bool done = agent_card_give(
		bus->services, status->id, call->caller->name, signature, length, error);
	return audit_change(call, "give-signature", detail, done, error);
}

static bool refuse_signature(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const struct job_status *status = call->object;
	_cleanup_free_ char *detail = signature_detail(call, error);
	_cleanup_free_ char *reason = xasprintf("%.*s", REASON_MAX, message_read_string(&call->in));

	if (!detail)
		return false;
	utf8_repair(reason);
	_cleanup_free_ char *record = xasprintf("%s; %s", detail, reason);
	bool done = jobs_refuse_signature(
		bus->services->jobs, status->id, call->caller->name, reason, error);
	return audit_change(call, "refuse-signature", record, done, error);
}

static const struct bus_interface job_interface = {
	.name = BUS_NAME ".Job",
	.read = PERMISSION_VIEW_CARDS,
	.methods =
		(const struct bus_method[]){
			{.name = "Cancel",
				.permission = PERMISSION_CANCEL_JOBS,
				.flags = BUS_SLOW,
				.handle = cancel},
			{.name = "TakePin",
				.out = BUS_ARGUMENTS({"pin", "s"}),
				.permission = BUS_ANYONE,
				.handle = take_pin},
			{.name = "GetSignatureRequest",
				.out = BUS_ARGUMENTS({"content", "ay"}, {"mechanism", "s"},
					{"certificate", "ay"}, {"card", "s"}, {"purpose", "s"}),
				.permission = BUS_ANYONE,
				.handle = get_signature_request},
			{.name = "GiveSignature",
				.in = BUS_ARGUMENTS({"signature", "ay"}),
				.permission = BUS_ANYONE,
				.flags = BUS_SLOW,
				.handle = give_signature},
			{.name = "RefuseSignature",
				.in = BUS_ARGUMENTS({"reason", "s"}),
				.permission = BUS_ANYONE,
				.flags = BUS_SLOW,
				.handle = refuse_signature},
			{0},
		},
	.properties =
		(const struct bus_property[]){
			{"Operation", "s", get_operation},
			{"Subject", "s", get_subject},
			{"State", "s", get_state},
			{"Progress", "u", get_progress},
			{"Step", "s", get_step},
			{"ErrorName", "s", get_error_name},
			{"ErrorMessage", "s", get_error_message},
			{"Result", "a{ss}", get_result},
			{"StartedAt", "x", get_started_at},
			{"EndedAt", "x", get_ended_at},
			{"WantsSignature", "b", get_wants_signature},
			{0},
		},
	.signals =
		(const struct bus_signal[]){
			{"Finished", BUS_ARGUMENTS({"state", "s"}, {"error_name", "s"})},
			{.name = "SignatureRequested"},
			{0},
		},
};

const struct bus_kind job_kind = {
	.path = BUS_ROOT "/job",
	.interfaces = (const struct bus_interface *const[]){&job_interface, NULL},
	.find = find,
	.release = release,
	.list = list,
};

bool job_is_own(struct bus *bus, const struct bus_call *call)
{
	_cleanup_job_status_ struct job_status status = {0};
	int64_t id = name_to_number(call->name);

	return id <= UINT_MAX && jobs_status(bus->services->jobs, (unsigned)id, &status, NULL) &&
	       status.guest == caller_guest(call->caller);
}

/* For all ears: no more than that. The words are for who may read the job. */
static void send_news(
	struct bus *bus, const char *name, const struct job_status *status, bool finished)
{
	_cleanup_message_ DBusMessage *signal = bus_signal_new(
		&job_kind, name, job_interface.name, finished ? "Finished" : "SignatureRequested");
	DBusMessageIter iter;

	dbus_message_iter_init_append(signal, &iter);
	if (finished) {
		message_append_string(&iter, job_state_name(status->state));
		append_error_name(status, &iter);
	}
	private_door_broadcast(bus->private_door, signal);
	system_door_broadcast(bus->system_door, signal);
}

void bus_job_changed(void *context, unsigned id, bool finished)
{
	struct bus *bus = context;
	_cleanup_job_status_ struct job_status status = {0};
	_cleanup_free_ char *name = number_to_name(id);

	bus_service_changed(bus->service, &job_kind, name);
	/* A job that waits changes in nothing else meanwhile. */
	if (jobs_status(bus->services->jobs, id, &status, NULL) &&
		(finished || status.wants_signature))
		send_news(bus, name, &status, finished);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Manager: RevokeMany */
#include "bus/bus-private.h"
#include "common/alloc.h"
#include "dbus/path.h"
#include "operation/login.h"
#include "operation/verbs.h"

/* One call. */
struct revocation {
	struct bus *bus;
	struct audit_actor *actor;
	int64_t *ids; /* none twice */
	size_t count;
	const char *reason; /* of the table */
};

static void revocation_free(void *context)
{
	struct revocation *revocation = context;

	audit_actor_free(revocation->actor);
	free(revocation->ids);
	free(revocation);
}
DEFINE_CLEANUP(struct revocation *, revocation_free);

static bool run(struct job *job, void *context, struct error *error)
{
	struct revocation *revocation = context;
	struct operation operation = {
		.services = revocation->bus->services, .job = job, .actor = revocation->actor};

	return operation_revoke_many(
		&operation, revocation->ids, revocation->count, revocation->reason, error);
}

/* The credentials may look different, whether their cards are there or not. */
static void end(void *context)
{
	struct revocation *revocation = context;

	for (size_t i = 0; i < revocation->count; i++) {
		_cleanup_free_ char *name = number_to_name(revocation->ids[i]);
		bus_service_changed(revocation->bus->service, &credential_kind, name);
	}
	revocation_free(revocation);
}

/* --- which cards --- */

/* A card's serial, or the path of its credential. */
static struct credential *find(struct bus *bus, const char *card, struct error *error)
{
	_cleanup_free_ char *name =
		card[0] == '/' ? path_child_name(credential_kind.path, card) : NULL;
	struct credential *credential =
		name ? store_credential_by_id(bus->services->store, name_to_number(name), NULL)
		     : store_credential_by_serial(bus->services->store, card, NULL);

	if (!credential)
		error_set_field(
			error, ERROR_NOT_FOUND, "cards", "there is no card \"%.64s\"", card);
	return credential;
}

/* What a single revocation takes: not the own card, and for an operator's the right to that. */
static bool check_card(struct bus_call *call, const struct credential *credential, const char *card,
	struct error *error)
{
	struct bus *bus = call->context;
	struct logins *logins = bus->services->logins;
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	struct error absence _cleanup_error_ = ERROR_INIT;

	if (!logins_check_other(logins, call->caller->name, credential->id, error))
		return error_prefix(error, "%.64s", card);
	if (!store_operator_get(bus->services->store, credential->id, &record, &absence))
		return absence.code == ERROR_NOT_FOUND || error_move(error, &absence);
	return logins_may(logins, call->caller->name, PERMISSION_REVOKE, error) ||
	       error_prefix(error, "%.64s is an operator's card", card);
}

static void add_once(struct revocation *revocation, int64_t id)
{
	for (size_t i = 0; i < revocation->count; i++) {
		if (revocation->ids[i] == id)
			return;
	}
	revocation->ids[revocation->count++] = id;
}

/* All of them are looked at before anything is done. */
static bool find_cards(struct bus_call *call, char *const *cards, size_t count,
	struct revocation *revocation, struct error *error)
{
	if (count < 1 || count > REVOKE_MANY_MAXIMUM)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "cards",
			"there must be 1 to %d of them", REVOKE_MANY_MAXIMUM);
	revocation->ids = xcalloc(count, sizeof(*revocation->ids));
	for (size_t i = 0; i < count; i++) {
		struct credential *credential _cleanup_credential_ =
			find(call->context, cards[i], error);
		if (!credential || !check_card(call, credential, cards[i], error))
			return false;
		add_once(revocation, credential->id);
	}
	return true;
}

static bool read_arguments(
	struct bus_call *call, struct revocation *revocation, struct error *error)
{
	char **cards = NULL;
	size_t count = 0;

	read_strings(&call->in, &cards, &count);
	const char *reason = message_read_string(&call->in);
	revocation->reason = operation_check_reason(reason[0] ? reason : "unspecified", error);
	bool done = revocation->reason && find_cards(call, cards, count, revocation, error);
	strings_free(cards, count);
	return done;
}

bool revoke_many_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct revocation *revocation _cleanup_(revocation_freep) = xnew(struct revocation);
	unsigned guest = call->caller->is_manager ? 0 : (unsigned)call->caller->uid;

	revocation->bus = bus;
	revocation->actor = caller_actor_with_operators(call);
	if (!read_arguments(call, revocation, error))
		return false;
	_cleanup_free_ char *subject =
		xasprintf("%zu card%s", revocation->count, revocation->count == 1 ? "" : "s");
	unsigned id = jobs_start(bus->services->jobs, guest, "revoke-many", subject, run,
		steal_pointer(&revocation), end, error);
	if (id == 0)
		return false;
	call->audited = true; /* each card by itself */
	bus_job_changed(bus, id, false);
	append_number_path(&call->out, &job_kind, id);
	return true;
}

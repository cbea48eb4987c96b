/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/verb.h"

#include <time.h>

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/card-renew.h"
#include "operation/login.h"
#include "operation/slot-keys.h"
#include "operation/unblock-code.h"
#include "operation/verbs.h"
#include "store/self-service.h"

struct verb *verb_new(const struct bus_call *call, enum lifecycle_verb which)
{
	struct verb *verb = xnew(struct verb);

	verb->bus = call->context;
	verb->actor = caller_actor_with_operators(call);
	verb->caller = xstrdup(call->caller->name);
	verb->which = which;
	verb->reach = caller_reach(call);
	verb->is_own = call->method->permission >= BUS_FIRST_RIGHT &&
		       !caller_may_do(verb->bus, call->caller, call->method->permission, NULL);
	return verb;
}

/* Who acts is the caller still; as whom stands behind. */
void verb_take_leave(struct verb *verb, const struct bus_call *call, const struct self_leave *leave)
{
	verb->self_code = leave->code;
	if (!leave->label)
		return;
	_cleanup_free_ char *text = xasprintf("%s as %s", call->caller->actor, leave->label);
	audit_actor_free(verb->actor);
	verb->actor = audit_actor_new(text);
}

void verb_free(struct verb *verb)
{
	if (verb->self)
		self_person_clear(verb->self);
	free(verb->self);
	audit_actor_free(verb->actor);
	free(verb->caller);
	free(verb->text);
	free(verb->slot);
	free(verb->label);
	free(verb->person);
	free(verb->person_id);
	fields_clear(&verb->holder);
	strings_free(verb->roles, verb->role_count);
	secret_clear(&verb->pin);
	secret_clear(&verb->new_pin);
	secret_clear(&verb->code);
	free(verb);
}

/* activate and unblock; a PIN that was made is the caller's alone. */
static bool set_pin(struct operation *operation, struct verb *verb,
	bool (*set)(struct operation *, int64_t, struct secret *, struct error *),
	struct error *error)
{
	bool is_made = !secret_is_set(&verb->pin);

	if (!set(operation, verb->credential_id, &verb->pin, error))
		return false;
	if (is_made)
		job_secret(operation->job, verb->caller, &verb->pin);
	return true;
}

/* Of issue and replace: one that is given or to be made; NULL for a template that takes none. */
static struct secret *first_pin(struct verb *verb)
{
	return secret_is_set(&verb->pin) || verb->makes_pin ? &verb->pin : NULL;
}

static bool replace(struct operation *operation, struct verb *verb, struct error *error)
{
	bool is_given = secret_is_set(&verb->pin);

	if (!operation_replace(operation, verb->credential_id, verb->reader, verb->expires_at,
		    verb->keep_fields, first_pin(verb), error))
		return false;
	if (verb->makes_pin && !is_given)
		job_secret(operation->job, verb->caller, &verb->pin);
	return true;
}

static bool issue(struct operation *operation, struct verb *verb, struct error *error)
{
	bool is_given = secret_is_set(&verb->pin);
	const struct operator_change change = {.roles = verb->roles,
		.role_count = verb->role_count,
		.active = true,
		.custodian = verb->custodian};

	const struct issue_terms terms = {.expires_at = verb->expires_at,
		.self = verb->self,
		.only_to_user = verb->is_own,
		.person = verb->person,
		.person_id = verb->person_id};

	if (!operation_issue_and_initiate(operation, verb->reader, verb->text, &verb->holder,
		    &change, &terms, first_pin(verb), error))
		return false;
	if (verb->makes_pin && !is_given)
		job_secret(operation->job, verb->caller, &verb->pin);
	return true;
}

static bool unblock(struct operation *operation, struct verb *verb, struct error *error)
{
	if (secret_is_set(&verb->code))
		return operation_unblock_with_code(
			operation, verb->credential_id, &verb->code, &verb->pin, error);
	return set_pin(operation, verb, operation_unblock, error);
}

/* rotate and offline-unblock; what there is to be told is the caller's alone. */
static bool give_code(struct operation *operation, struct verb *verb,
	bool (*run)(struct operation *, int64_t, struct secret *, struct error *),
	struct error *error)
{
	struct secret code _cleanup_secret_ = SECRET_INIT;

	if (!run(operation, verb->credential_id, &code, error))
		return false;
	if (secret_is_set(&code))
		job_secret(operation->job, verb->caller, &code);
	return true;
}

static bool enroll_in_slot(struct operation *operation, struct verb *verb, struct error *error)
{
	const struct slot_enrollment request = {.slot = verb->slot,
		.label = verb->label,
		.template_name = verb->text,
		.holder = &verb->holder,
		.expires_at = verb->expires_at,
		.existing_key = verb->existing_key,
		.pin = &verb->pin};

	return operation_slot_enroll(operation, &request, error);
}

static bool renew_in_slot(struct operation *operation, struct verb *verb, struct error *error)
{
	const struct slot_renewal request = {.slot = verb->slot,
		.label = verb->label,
		.new_key = verb->new_key,
		.pin = &verb->pin};

	return operation_slot_renew(operation, &request, error);
}

static bool renew_card(struct operation *operation, struct verb *verb, struct error *error)
{
	const struct card_renewal request = {
		.slot = verb->key, .new_key = verb->new_key, .pin = &verb->pin};

	return operation_renew(operation, verb->credential_id, &request, error);
}

static bool retire(struct operation *operation, struct verb *verb, struct error *error)
{
	const struct slot_retirement request = {
		.reason = verb->text, .keep_key = verb->keep_key, .pin = &verb->pin};

	if (verb->slot)
		return operation_slot_retire(operation, verb->credential_id, &request, error);
	return operation_retire(operation, verb->credential_id, verb->text, error);
}

static bool run_verb(struct operation *operation, struct verb *verb, struct error *error)
{
	int64_t id = verb->credential_id;

	switch (verb->which) {
	case LIFECYCLE_REGISTER:
		return operation_register(operation, verb->reader, error);
	case LIFECYCLE_UNREGISTER:
		return operation_unregister(operation, id, error);
	case LIFECYCLE_REPORT_LOST:
	case LIFECYCLE_REPORT_STOLEN:
	case LIFECYCLE_REPORT_DAMAGED:
	case LIFECYCLE_REPORT_COMPROMISED:
		return operation_report(operation, id, lifecycle_report_name(verb->which), error);
	case LIFECYCLE_REPLACE:
		return replace(operation, verb, error);
	case LIFECYCLE_ISSUE:
		return issue(operation, verb, error);
	case LIFECYCLE_ACTIVATE:
		return set_pin(operation, verb, operation_activate, error);
	case LIFECYCLE_CHANGE_PIN:
		return operation_change_pin(operation, id, &verb->pin, &verb->new_pin, error);
	case LIFECYCLE_UNBLOCK:
		return unblock(operation, verb, error);
	case LIFECYCLE_ROTATE:
		return give_code(operation, verb, operation_rotate, error);
	case LIFECYCLE_OFFLINE_UNBLOCK:
		return give_code(operation, verb, operation_offline_unblock, error);
	case LIFECYCLE_REISSUE:
		return operation_reissue(
			operation, id, verb->text, &verb->holder, verb->keep_fields, error);
	case LIFECYCLE_UPDATE:
		return operation_update(operation, id, verb->may_reissue, verb->keep_fields, error);
	case LIFECYCLE_SUSPEND:
		return operation_suspend(operation, id, verb->text, error);
	case LIFECYCLE_RESUME:
		return operation_resume(operation, id, error);
	case LIFECYCLE_REVOKE:
		return operation_revoke(operation, id, verb->text, error);
	case LIFECYCLE_RETIRE:
		return retire(operation, verb, error);
	case LIFECYCLE_ENROLL:
		return enroll_in_slot(operation, verb, error);
	case LIFECYCLE_RENEW:
		return verb->slot ? renew_in_slot(operation, verb, error)
				  : renew_card(operation, verb, error);
	default:
		return error_set(error, ERROR_NOT_SUPPORTED, "this is not done as a job");
	}
}

/*
 * A code is used once: it is marked before anything is done, so that two at once gain nothing and a
 * power cut leaves no good one behind; what has failed gives it back.
 */
static bool run(struct job *job, void *context, struct error *error)
{
	struct verb *verb = context;
	struct services *services = verb->bus->services;
	struct operation operation = {.services = services,
		.job = job,
		.actor = verb->actor,
		.caller = verb->caller,
		.reach = verb->reach,
		.is_own = verb->is_own};
	struct error unwritten _cleanup_error_ = ERROR_INIT;

	if (verb->self_code == 0)
		return run_verb(&operation, verb, error);
	if (!store_self_code_spend(services->store, verb->self_code, time(NULL), error))
		return false;
	bool done = run_verb(&operation, verb, error);
	if (!done && !store_self_code_restore(services->store, verb->self_code, &unwritten))
		log_warning("a one-time code is lost: %s", error_message(&unwritten));
	return done;
}

/* The job is done: the credential may look different, whether its card is there or not. */
static void end(void *context)
{
	struct verb *verb = context;

	if (verb->credential_id != 0) {
		_cleanup_free_ char *name = number_to_name(verb->credential_id);
		bus_service_changed(verb->bus->service, &credential_kind, name);
	}
	verb_free(verb);
}

bool verb_start(struct bus_call *call, struct verb *verb, const char *subject, struct error *error)
{
	struct bus *bus = verb->bus;

	if (lifecycle_rule(verb->which)->flags & LIFECYCLE_FOR_OTHERS &&
		!logins_check_other(
			bus->services->logins, call->caller->name, verb->credential_id, error)) {
		verb_free(verb);
		return false;
	}
	unsigned id = jobs_start(bus->services->jobs, caller_guest(call->caller),
		lifecycle_verb_name(verb->which), subject, run, verb, end, error);

	if (id == 0)
		return false;
	call->audited = true; /* by the job, at its end */
	bus_job_changed(bus, id, false);
	append_number_path(&call->out, &job_kind, id);
	return true;
}

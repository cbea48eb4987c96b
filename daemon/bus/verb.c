/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/verb.h"

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "operation/login.h"
#include "operation/verbs.h"

struct verb *verb_new(const struct bus_call *call, enum lifecycle_verb which)
{
	struct verb *verb = xnew(struct verb);

	verb->bus = call->context;
	verb->actor = caller_actor_with_operators(call);
	verb->caller = xstrdup(call->caller->name);
	verb->which = which;
	return verb;
}

void verb_free(struct verb *verb)
{
	free(verb->actor);
	free(verb->caller);
	free(verb->text);
	fields_clear(&verb->holder);
	strings_free(verb->roles, verb->role_count);
	secret_clear(&verb->pin);
	secret_clear(&verb->new_pin);
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

static bool issue(struct operation *operation, struct verb *verb, struct error *error)
{
	bool is_given = secret_is_set(&verb->pin);
	struct secret *pin = is_given || verb->makes_pin ? &verb->pin : NULL;
	const struct operator_change change = {.roles = verb->roles,
		.role_count = verb->role_count,
		.active = true,
		.custodian = verb->custodian};

	if (!operation_issue_and_initiate(
		    operation, verb->reader, verb->text, &verb->holder, &change, pin, error))
		return false;
	if (verb->makes_pin && !is_given)
		job_secret(operation->job, verb->caller, &verb->pin);
	return true;
}

/* Nobody gives up, or takes a hand in giving up, the own card. */
static bool is_for_others(enum lifecycle_verb verb)
{
	return verb == LIFECYCLE_RETIRE || verb == LIFECYCLE_REVOKE || verb == LIFECYCLE_SUSPEND ||
	       verb == LIFECYCLE_RESUME;
}

static bool run(struct job *job, void *context, struct error *error)
{
	struct verb *verb = context;
	struct operation operation = {verb->bus->services, job, verb->actor};
	int64_t id = verb->credential_id;

	switch (verb->which) {
	case LIFECYCLE_ISSUE:
		return issue(&operation, verb, error);
	case LIFECYCLE_ACTIVATE:
		return set_pin(&operation, verb, operation_activate, error);
	case LIFECYCLE_CHANGE_PIN:
		return operation_change_pin(&operation, id, &verb->pin, &verb->new_pin, error);
	case LIFECYCLE_UNBLOCK:
		return set_pin(&operation, verb, operation_unblock, error);
	case LIFECYCLE_REISSUE:
		return operation_reissue(&operation, id, verb->text, &verb->holder, error);
	case LIFECYCLE_UPDATE:
		return operation_update(&operation, id, verb->may_reissue, error);
	case LIFECYCLE_SUSPEND:
		return operation_suspend(&operation, id, verb->text, error);
	case LIFECYCLE_RESUME:
		return operation_resume(&operation, id, error);
	case LIFECYCLE_REVOKE:
		return operation_revoke(&operation, id, verb->text, error);
	case LIFECYCLE_RETIRE:
		return operation_retire(&operation, id, verb->text, error);
	default:
		return error_set(error, ERROR_NOT_SUPPORTED, "this is not done as a job");
	}
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

	if (is_for_others(verb->which) && !logins_check_other(bus->services->logins,
						  call->caller->name, verb->credential_id, error)) {
		verb_free(verb);
		return false;
	}
	unsigned guest = call->caller->is_manager ? 0 : (unsigned)call->caller->uid;
	unsigned id = jobs_start(bus->services->jobs, guest, lifecycle_verb_name(verb->which),
		subject, run, verb, end, error);

	if (id == 0)
		return false;
	call->audited = true; /* by the job, at its end */
	bus_job_changed(bus, id, false);
	append_number_path(&call->out, &job_kind, id);
	return true;
}

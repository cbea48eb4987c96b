/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Issue by a template that activates its cards at once: /issue/auto-initiate. */
#include "common/alloc.h"
#include "operation/contact.h"
#include "operation/people.h"
#include "operation/self-rights.h"
#include "operation/session.h"
#include "operation/verbs.h"

/*
 * Before the card is touched: whether a PIN is there exactly when the template wants one, and
 * keeps the policy as far as can be told without the card.
 */
static bool check_pin(struct services *services, const struct template *template,
	const struct fields *given, const struct issue_terms *terms, const struct secret *pin,
	struct error *error)
{
	bool is_own = template->issue.by == ISSUE_BY_USER && terms && terms->self &&
		      template->issue.holder != ISSUE_HOLDER_DIRECTORY;
	const struct fields *holder = is_own ? &terms->self->holder : given;
	struct pin_context context = {.holder = holder, .weak = services->weak_pins};

	if (template->issue.auto_initiate && !pin)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "pin",
			"the template \"%s\" activates cards at issue: a PIN is needed",
			template->name);
	if (!template->issue.auto_initiate && pin)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "pin",
			"the template \"%s\" does not activate cards at issue: the PIN is set by "
			"activating them",
			template->name);
	return !pin || !secret_is_set(pin) ||
	       pin_policy_check(&template->pin_policy, pin, &context, error);
}

/* The credential of the card that was just issued. */
static bool find_issued(
	struct services *services, unsigned reader, int64_t *credential_id, struct error *error)
{
	struct contact_status status _cleanup_contact_status_ = {0};

	if (!contacts_status(services->contacts, reader, &status, error))
		return false;
	if (!status.credential)
		return error_set(error, ERROR_NO_CARD, "the card was removed");
	*credential_id = status.credential->id;
	return true;
}

static bool issue(struct operation *operation, unsigned reader, const char *template_name,
	const struct fields *holder, const struct operator_change *change,
	const struct issue_terms *terms, struct secret *pin, struct error *error)
{
	struct services *services = operation->services;
	int64_t credential_id = 0;

	if (!operation_issue(operation, reader, template_name, holder, change, terms, error))
		return false;
	if (!pin)
		return true;
	return (find_issued(services, reader, &credential_id, error) &&
		       operation_activate(operation, credential_id, pin, error)) ||
	       error_prefix(error, "the card is issued, but not activated");
}

/* Before the card is touched: who it is for. A replacement's holder was found with the old card. */
static bool find_holder(struct operation *operation, const struct template *template,
	const struct fields *given, const struct issue_terms *terms, struct person_holder *holder,
	char **claim, struct error *error)
{
	*claim = NULL;
	if (template->issue.by == ISSUE_BY_USER && given->count > 0 && !(terms && terms->replaces))
		return error_set_field(error, ERROR_INVALID_ARGUMENT, given->items[0].name,
			"the holder of a card of the template \"%s\" is who issues it, as they are "
			"known: no fields are given",
			template->name);
	if (terms && terms->replaces) {
		fields_copy(&holder->fields, given);
		person_link_copy(&holder->link, terms->link);
		return true;
	}
	return people_find_holder(operation->services, template, given, terms, holder, error) &&
	       people_claim_first(operation, template, &holder->link, claim, error);
}

bool operation_issue_and_initiate(struct operation *operation, unsigned reader,
	const char *template_name, const struct fields *given, const struct operator_change *change,
	const struct issue_terms *terms, struct secret *pin, struct error *error)
{
	struct services *services = operation->services;
	struct template *template _cleanup_template_ =
		store_template_get(services->store, template_name, 0, NULL);
	struct issue_terms own = terms ? *terms : (struct issue_terms){0};
	struct person_holder holder _cleanup_person_holder_ = {0};
	struct error refusal _cleanup_error_ = ERROR_INIT;
	char *claim = NULL;

	/*
	 * What is wrong with the template, or that it is not there, is the verb's to say; and
	 * whoever may not issue by it learns nothing of whom a directory has.
	 */
	if (!template || (own.only_to_user && template->issue.by != ISSUE_BY_USER))
		return operation_issue(
			operation, reader, template_name, given, change, terms, error);
	own.link = &holder.link;
	bool is_ready = find_holder(operation, template, given, terms, &holder, &claim, &refusal) &&
			check_pin(services, template, &holder.fields, terms, pin, &refusal);
	bool done = is_ready ? issue(operation, reader, template_name, &holder.fields, change, &own,
				       pin, error)
			     : session_finish(operation, LIFECYCLE_ISSUE, NULL, template_name,
				       &refusal, error);
	people_release(services, claim);
	return done;
}

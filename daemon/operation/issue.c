/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* issue: a factory or registered card gets keys, certificates and a holder. */
#include "operation/issue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "model/holder.h"
#include "operation/agent-card.h"
#include "operation/contact.h"
#include "operation/licence.h"
#include "operation/ownership.h"
#include "operation/personalise.h"
#include "operation/self-rights.h"
#include "operation/simple-id.h"
#include "operation/system-user.h"
#include "operation/vault.h"
#include "operation/verbs.h"

bool issue_give_identity(struct operation *operation, struct card *card, struct error *error)
{
	if (card->info.serial)
		return true;
	if (!ownership_authenticate(operation->services, card, 0, error) ||
		!personalise_write_chuid(card, time(NULL), error))
		return false;
	if (!card->info.serial)
		return error_set(error, ERROR_CARD_FAILED, "the card does not keep its CHUID");
	return true;
}

struct credential *issue_find_credential(
	struct services *services, const struct card *card, struct error *error)
{
	struct error lookup _cleanup_error_ = ERROR_INIT;
	struct credential *credential =
		store_credential_by_serial(services->store, card->info.serial, &lookup);

	if (credential)
		return credential;
	if (lookup.code != ERROR_NOT_FOUND) {
		error_move(error, &lookup);
		return NULL;
	}
	credential = xnew(struct credential);
	credential->serial = xstrdup(card->info.serial);
	credential->card_type = xstrdup(card->info.type);
	credential->state = LIFECYCLE_UNREGISTERED;
	return credential;
}

bool issue_own(struct operation *operation, struct card *card, struct credential *credential,
	enum lifecycle_verb verb, struct error *error)
{
	uint32_t version;

	if (!card->info.can_set_admin_key)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"a %s has no command to change its management key; it cannot be managed",
			card->info.model);
	job_progress(operation->job, 5, "checking who owns the card");
	if (!ownership_find(operation->services, card, credential->key_version, &version, error))
		return false;
	if (version == 0) {
		job_progress(operation->job, 10, "taking ownership");
		return ownership_take(operation, card, credential, verb, error);
	}
	if (verb == LIFECYCLE_REGISTER)
		return ownership_retake(operation, card, version, credential, error);
	return ownership_describe(operation->services, card, version, credential, error);
}

/* Whether who is to be an operator, and the template, are of one mind. */
static bool check_operator(struct services *services, const struct template *template,
	const struct operator_change *change, struct error *error)
{
	bool is_operator = change && (change->role_count > 0 || change->custodian);

	if (template->operator_kind == OPERATOR_OWNER && change)
		return error_set(error, ERROR_ACCESS_DENIED,
			"a system owner's card is issued by \"tessera init\" or \"tessera owner "
			"add\"");
	if (template->operator_kind == OPERATOR_NONE && is_operator)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "roles",
			"the template is not for operators");
	if (template->operator_kind == OPERATOR_ORDINARY)
		return operators_check_roles(services, change, error);
	return true;
}

static void add_made(
	struct fields *holder, struct person_link *link, const char *name, const char *value)
{
	fields_set(holder, name, value);
	if (link->connection)
		fields_set(&link->given, name, value);
}

/* An operator, and who has no fields of a person, is known by a simple ID, which is made here
 * unless one is given; *made (heap) is to be released. */
static bool complete_holder(struct services *services, const struct template *template,
	struct fields *holder, struct person_link *link, char **made, struct error *error)
{
	const char *given = fields_get(holder, OPERATOR_ID_FIELD);

	*made = NULL;
	if (template->id_length == 0 || given)
		return true;
	*made = simple_id_new(services, template->id_length, operator_id_random, error);
	if (!*made)
		return false;
	add_made(holder, link, OPERATOR_ID_FIELD, *made);
	if (!fields_get(holder, "name"))
		add_made(holder, link, "name", *made);
	return true;
}

/* What there is besides the holder; a card that is issued afresh has no past. */
static void set_terms(struct credential *credential, const struct issue_terms *terms)
{
	free(credential->user_id);
	credential->user_id = terms ? xstrdup(terms->user_id) : NULL;
	credential->expires_at = terms ? terms->expires_at : 0;
	credential->replaces = terms ? terms->replaces : 0;
	credential->replaced_by = 0;
	person_link_copy(&credential->person, terms ? terms->link : NULL);
	free(steal_pointer(&credential->reason));
}

bool issue_card(struct session *session, const char *template_name, const struct fields *holder,
	const struct issue_terms *terms, struct error *error)
{
	struct operation *operation = session->operation;
	struct card *card = session->card;
	struct personalisation preparation _cleanup_(personalisation_clear) = {0};

	if (!holder_check(holder, error) || !issue_give_identity(operation, card, error))
		return false;
	session->credential = issue_find_credential(operation->services, card, error);
	if (!session->credential || !lifecycle_check(session->credential->state, LIFECYCLE_ISSUE,
					    &session->next, error))
		return false;
	fields_copy(&session->credential->holder, holder);
	set_terms(session->credential, terms);
	if (!personalise_prepare(operation->services, card, session->credential, template_name,
		    &preparation, error))
		return false;
	session->objects_changed = true;
	if (issue_own(operation, card, session->credential, LIFECYCLE_ISSUE, error) &&
		personalise_card(operation, card, session->credential, &preparation, error))
		return true;
	session_recover(session);
	return false;
}

static bool make_operator(struct session *session, const struct operator_change *change,
	const struct issue_terms *terms, struct error *error)
{
	if (!change || change->role_count == 0)
		return true;
	const char *id = fields_get(&session->credential->holder, OPERATOR_ID_FIELD);

	job_result(session->operation->job, "operator", id ? id : "");
	/* A successor has become the operator's when it was issued. */
	if (terms && terms->replaces)
		return true;
	return operators_set(session->operation->services, session->credential->id, change, error);
}

/* An operator who is gone one day could be the last one. */
static bool check_terms(
	const struct template *template, const struct issue_terms *terms, struct error *error)
{
	if (!terms || !terms->expires_at)
		return true;
	if (template->operator_kind != OPERATOR_NONE)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "expires-at",
			"an operator's card has no end date");
	return terms->expires_at > time(NULL) ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, "expires-at",
		       "the card's end date has passed already");
}

/* Each has one card of a template. Two at once would both be the first. */
static bool issue_first(struct session *session, const struct template *template,
	const struct issue_terms *terms, struct error *error)
{
	struct services *services = session->operation->services;
	const struct self_person *person = terms->self;
	_cleanup_free_ char *claimed = xasprintf("of user %s by %s", person->id, template->name);
	struct issue_terms own = *terms;

	own.user_id = person->id;
	if (!contacts_claim(services->contacts, claimed, error))
		return false;
	bool issued = system_user_check_first(services, person->id, template->name, error) &&
		      issue_card(session, template->name, &person->holder, &own, error);
	contacts_release(services->contacts, claimed);
	return issued;
}

/* The template may have become another one since its directory was asked. */
static bool check_link(
	const struct template *template, const struct issue_terms *terms, struct error *error)
{
	const char *wanted = template->issue.directory.connection;
	const char *found = terms && terms->link ? terms->link->connection : NULL;

	if (!wanted ? !found : found && strcmp(wanted, found) == 0)
		return true;
	return error_set(error, ERROR_BUSY, "the template \"%s\" was changed meanwhile: try again",
		template->name);
}

/* To whom an operator says: by fields that are whole, or by those that are made. */
static bool issue_to_holder(struct session *session, const struct template *template,
	const struct fields *given, const struct operator_change *change,
	const struct issue_terms *terms, struct error *error)
{
	struct services *services = session->operation->services;
	struct fields holder _cleanup_fields_ = FIELDS_INIT;
	struct person_link link _cleanup_(person_link_clear) = {0};
	struct issue_terms own = terms ? *terms : (struct issue_terms){0};
	_cleanup_free_ char *made = NULL;

	fields_copy(&holder, given);
	person_link_copy(&link, own.link);
	own.link = &link;
	bool done = complete_holder(services, template, &holder, &link, &made, error) &&
		    template_check_holder(template, &holder, error) &&
		    issue_card(session, template->name, &holder, &own, error) &&
		    make_operator(session, change, terms, error);
	simple_id_release(services, made);
	return done;
}

/* By a template whose cards people issue: to whoever asks, as they are known. */
static bool issue_to_person(struct session *session, const struct template *template,
	const struct fields *given, const struct issue_terms *terms, struct error *error)
{
	if (!terms || !terms->self)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"cards of the template \"%s\" are issued by users, to themselves",
			template->name);
	if (template->issue.holder == ISSUE_HOLDER_DIRECTORY)
		return check_link(template, terms, error) &&
		       issue_to_holder(session, template, given, NULL, terms, error);
	if (terms->self->id)
		return issue_first(session, template, terms, error);
	return issue_to_holder(session, template, &terms->self->holder, NULL, terms, error);
}

static bool issue(struct session *session, const char *template_name, const struct fields *given,
	const struct operator_change *change, const struct issue_terms *terms, struct error *error)
{
	struct services *services = session->operation->services;
	struct template *template _cleanup_template_ =
		store_template_get(services->store, template_name, 0, error);

	if (!template || !check_operator(services, template, change, error) ||
		!check_terms(template, terms, error))
		return false;
	if (template->issue.by == ISSUE_BY_USER && !(terms && terms->replaces))
		return issue_to_person(session, template, given, terms, error);
	if (terms && terms->only_to_user)
		return error_set(error, ERROR_ACCESS_DENIED,
			"cards of the template \"%s\" are issued by operators", template_name);
	return check_link(template, terms, error) &&
	       issue_to_holder(session, template, given, change, terms, error);
}

bool operation_issue(struct operation *operation, unsigned reader, const char *template_name,
	const struct fields *holder, const struct operator_change *change,
	const struct issue_terms *terms, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;
	contacts_await(operation->services->contacts, reader);
	struct card *card _cleanup_card_ =
		contacts_card(operation->services->contacts, reader, &result);
	const char *serial = card ? card->info.serial : NULL;
	char id[32];

	/* Before the card is taken: one that has no place is not sent anything. */
	if (card && vault_check_open(operation->services, &result) &&
		licence_check_room(operation->services, serial, &result) &&
		agent_card_ready_by_name(operation, template_name, serial, &result) &&
		session_take_reader(&session, operation, reader, &result) &&
		issue(&session, template_name, holder, change, terms, &result)) {
		snprintf(id, sizeof(id), "%" PRId64, session.credential->id);
		job_result(operation->job, "serial", session.credential->serial);
		job_result(operation->job, "credential-id", id);
	}
	return session_finish(operation, LIFECYCLE_ISSUE,
		session.card ? session.card->info.serial : serial, template_name, &result, error);
}

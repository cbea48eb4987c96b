/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/session.h"

#include <string.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/audit-login.h"
#include "common/log.h"
#include "operation/contact.h"
#include "operation/operators.h"
#include "operation/recover.h"
#include "operation/remote-card.h"
#include "operation/slot-keys.h"

/* Signatures of programs are short; whoever holds a card longer is another verb. */
#define CARD_TIMEOUT_MS 3000

static bool claim(struct session *session, const char *serial, struct error *error)
{
	if (!contacts_claim(session->operation->services->contacts, serial, error))
		return false;
	session->claim = xstrdup(serial);
	return true;
}

/* Loads the credential afresh: it may have changed before it was claimed. */
static bool reload(struct session *session, enum lifecycle_verb verb, struct error *error)
{
	const struct lifecycle_rule *rule = lifecycle_rule(verb);
	int64_t id = session->credential->id;

	credential_free(session->credential);
	session->credential =
		store_credential_by_id(session->operation->services->store, id, error);
	if (!session->credential ||
		!credential_check(session->credential, verb, &session->next, error))
		return false;
	/* A suspension can be ended, and a replaced card's operator goes on with the new one. */
	bool for_good = rule->certificates != CERTIFICATES_HELD && verb != LIFECYCLE_REPLACE;
	return !(rule->flags & LIFECYCLE_GIVES_UP) ||
	       operators_check_dispensable(session->operation->services, id, for_good, error);
}

bool session_open(struct session *session, struct operation *operation, enum lifecycle_verb verb,
	int64_t credential_id, struct error *error)
{
	session->operation = operation;
	session->credential =
		store_credential_by_id(operation->services->store, credential_id, error);
	return session->credential && claim(session, session->credential->serial, error) &&
	       reload(session, verb, error);
}

/* The verb has claimed the card: of one far away no more than what was asked for is done here. */
static bool settle(struct services *services, struct card *card, struct error *error)
{
	return card->transport->is_remote ? remote_card_recover(services, card, true, error)
					  : recover_card(services, card, error);
}

/* Secrets are those of the card that is there: it has to be the credential's, if there is one yet.
 */
static bool is_meant(const struct session *session, const struct card *card, unsigned reader,
	struct error *error)
{
	const char *serial = card->info.serial;

	return !session->credential ||
	       (serial && strcmp(serial, session->credential->serial) == 0) ||
	       error_set(error, ERROR_NO_CARD, "the card in reader %u is another one now", reader);
}

/* Takes the card itself and recovers what was interrupted. */
static bool take(struct session *session, struct card *card, unsigned reader, struct error *error)
{
	if (!is_meant(session, card, reader, error) || !card_begin(card, CARD_TIMEOUT_MS, error))
		return false;
	session->card = card_ref(card);
	session->reader = reader;
	return settle(session->operation->services, card, error);
}

static bool check_reach(struct operation *operation, unsigned reader, struct error *error)
{
	struct contact_status status _cleanup_contact_status_ = {0};

	return contacts_status(operation->services->contacts, reader, &status, error) &&
	       contact_check_reach(&status, &operation->reach, error);
}

bool session_take_reader(
	struct session *session, struct operation *operation, unsigned reader, struct error *error)
{
	struct contacts *contacts = operation->services->contacts;

	session->operation = operation;
	if (!check_reach(operation, reader, error))
		return false;
	contacts_await(contacts, reader);
	struct card *card _cleanup_card_ = contacts_card(contacts, reader, error);
	if (!card)
		return false;
	_cleanup_free_ char *name = contact_claim_name(card->info.serial, reader);
	return claim(session, name, error) && take(session, card, reader, error);
}

bool session_take_card(struct session *session, enum lifecycle_verb verb, struct error *error)
{
	struct contacts *contacts = session->operation->services->contacts;
	const struct contact_reach *reach = &session->operation->reach;
	unsigned reader = contacts_find_within(contacts, reach, session->credential->id);

	if (reader == 0) {
		contacts_await_within(contacts, reach);
		reader = contacts_find_within(contacts, reach, session->credential->id);
	}
	/* One that is out of reach is no secret: all readers are shown. */
	if (reader == 0)
		reader = contacts_find(contacts, session->credential->id);
	if (reader != 0 && !check_reach(session->operation, reader, error))
		return false;
	if (reader == 0)
		return error_set(error, ERROR_NO_CARD,
			"the card %s is in no reader; insert it and try again",
			session->credential->serial);
	struct card *card _cleanup_card_ =
		contacts_card_claimed(contacts, reader, session->claim, error);
	return card && take(session, card, reader, error) && reload(session, verb, error);
}

void session_touch_card(struct session *session)
{
	struct contacts *contacts = session->operation->services->contacts;
	struct error error _cleanup_error_ = ERROR_INIT;
	unsigned reader =
		contacts_find_within(contacts, &session->operation->reach, session->credential->id);

	if (reader == 0)
		return;
	struct card *card _cleanup_card_ =
		contacts_card_claimed(contacts, reader, session->claim, &error);
	if (!card || !take(session, card, reader, &error))
		log_warning("the card is left for its next contact: %s card=%s",
			error_message(&error), session->credential->serial);
}

void session_recover(struct session *session)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	if (session->reader == 0)
		return;
	session->objects_changed = true;
	if (!recover_card(session->operation->services, session->card, &error))
		log_warning("recovery waits for the next contact: %s", error_message(&error));
}

void session_close(struct session *session)
{
	struct services *services = session->operation ? session->operation->services : NULL;

	if (session->reader) {
		contacts_refresh(services->contacts, session->reader, session->objects_changed);
		card_end(session->card);
	} else if (session->credential) {
		if (credential_is_key(session->credential) && session->credential->id)
			slot_keys_changed(services->slots, session->credential->id);
		contacts_credential_changed(services->contacts, session->credential->id);
	}
	if (session->claim)
		contacts_release(services->contacts, session->claim);
	free(session->claim);
	card_unref(session->card);
	credential_free(session->credential);
	*session = (struct session)SESSION_INIT;
}

/* Holders, who have a PIN or an unblock code, are anyone: what costs them no try of the card could
 * be repeated for ever. */
static bool is_cheap_refusal(
	const struct operation *operation, enum lifecycle_verb verb, const struct error *result)
{
	return (operation->is_own || verb == LIFECYCLE_CHANGE_PIN || verb == LIFECYCLE_UNBLOCK) &&
	       result->code != ERROR_NONE && result->code != ERROR_PIN_WRONG;
}

/* What a user does without any login has a name of its own: no operator can have signed it. Heap.
 */
static char *audit_name(const struct operation *operation, enum lifecycle_verb verb)
{
	bool by_user = operation->is_own && operation->actor->signer_count == 0;

	return xasprintf("%s%s", by_user ? AUDIT_SELF_PREFIX : "", lifecycle_verb_name(verb));
}

void operation_warn(struct operation *operation, const char *key, const char *text)
{
	_cleanup_free_ char *name = xasprintf("warning-%s", key);

	job_result(operation->job, name, text);
	fields_set(&operation->warnings, key, text);
	log_warning("%s key: %s job=%u", key, text, job_id(operation->job));
}

/* Heap: with what was warned of behind it; NULL for nothing at all. */
static char *detail_with_warnings(const struct operation *operation, const char *detail)
{
	char *text = detail ? xstrdup(detail) : NULL;

	for (size_t i = 0; i < operation->warnings.count; i++) {
		const struct field *warning = &operation->warnings.items[i];
		char *longer = xasprintf("%s%s%s key: %s", text ? text : "", text ? "; " : "",
			warning->name, warning->value);
		free(text);
		text = longer;
	}
	return text;
}

static bool write_record(struct operation *operation, enum lifecycle_verb verb, const char *serial,
	const char *detail, const struct error *result, struct error *error)
{
	struct services *services = operation->services;
	_cleanup_free_ char *name = audit_name(operation, verb);
	unsigned job = job_id(operation->job);

	if (is_cheap_refusal(operation, verb, result))
		return audit_write_refusal(services->store, &services->refusals, operation->actor,
			name, serial, job, result, detail, error);
	return audit_write(
		services->store, operation->actor, name, serial, job, result, detail, error);
}

bool session_finish(struct operation *operation, enum lifecycle_verb verb, const char *serial,
	const char *detail, struct error *result, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	_cleanup_free_ char *text = detail_with_warnings(operation, detail);
	bool ok = result->code == ERROR_NONE;

	/* The verb's own outcome is what the caller asked for; the trail's failure is the log's. */
	if (!write_record(operation, verb, serial, text, result, &failure))
		log_error("audit record not written: %s operation=%s card=%s",
			error_message(&failure), lifecycle_verb_name(verb), serial);
	fields_clear(&operation->warnings);
	if (!ok)
		error_move(error, result);
	return ok;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/owner.h"

#include <string.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/blank.h"
#include "operation/contact.h"
#include "operation/key-restore.h"
#include "operation/operators.h"
#include "operation/ownership.h"
#include "operation/session.h"
#include "operation/simple-id.h"
#include "operation/unblock-code.h"
#include "operation/vault.h"
#include "operation/verbs.h"

/* The serial of the card that a first initialisation is at work on. */
#define VALUE_INITIALISING "initialising"

/* --- a first initialisation that was cut off --- */

static bool forget_intents(
	struct store *store, const char *serial, bool *were_any, struct error *error)
{
	struct intent *intents = NULL;
	size_t count = 0;
	bool done = store_intent_list(store, serial, &intents, &count, error);

	for (size_t i = 0; done && i < count; i++)
		done = store_intent_remove(store, intents[i].id, error);
	*were_any = count > 0;
	intents_free(intents, count);
	return done;
}

/* The card's credential; a new one where the first intent was all that was written. */
static struct credential *find_or_make(struct store *store, const struct card *card)
{
	struct credential *credential = store_credential_by_serial(store, card->info.serial, NULL);

	if (credential)
		return credential;
	credential = xnew(struct credential);
	credential->serial = xstrdup(card->info.serial);
	credential->card_type = xstrdup(card->info.type);
	return credential;
}

/*
 * The token that gave the card its secrets is gone: the card is reset, unless nothing had been
 * changed on it.
 */
static bool reset_card(
	struct operation *operation, unsigned reader, const char *serial, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct store *store = operation->services->store;
	struct credential *known _cleanup_credential_ =
		store_credential_by_serial(store, serial, NULL);
	bool were_any = false;

	if (!forget_intents(store, serial, &were_any, error))
		return false;
	if (!known && !were_any)
		return true;
	if (!session_take_reader(&session, operation, reader, error))
		return false;
	if (!session.card->info.serial || strcmp(session.card->info.serial, serial) != 0)
		return error_set(error, ERROR_WRONG_STATE,
			"an earlier initialisation was cut off while it worked on card %s; put "
			"that card in the reader",
			serial);
	log_notice("resetting a card whose initialisation was cut off card=%s", serial);
	session.objects_changed = true;
	struct credential *credential _cleanup_credential_ = find_or_make(store, session.card);
	return blank_card(operation, session.card, credential, LIFECYCLE_RETIRE, error);
}

static bool set_value(
	struct services *services, const char *name, const char *text, struct error *error)
{
	return store_value_set(services->store, name, (const uint8_t *)text, strlen(text), error);
}

/* The serial that a cut-off initialisation left behind; heap or NULL. */
static char *unfinished_serial(struct services *services)
{
	struct buffer value _cleanup_buffer_ = BUFFER_INIT;

	if (!store_value_get(services->store, VALUE_INITIALISING, &value, NULL))
		return NULL;
	char *serial = xcalloc(value.length + 1, 1);
	memcpy(serial, value.data, value.length);
	return serial;
}

/* --- the steps --- */

static bool card_serial(
	struct services *services, unsigned reader, char **serial, struct error *error)
{
	contacts_await(services->contacts, reader);
	struct card *card _cleanup_card_ = contacts_card(services->contacts, reader, error);

	if (!card)
		return false;
	*serial = xstrdup(card->info.serial ? card->info.serial : "");
	return true;
}

/* The token, and a note of the card, so that an interruption from here on can be made good. */
static bool make_installation(
	struct operation *operation, const struct owner_request *request, struct error *error)
{
	struct services *services = operation->services;
	_cleanup_free_ char *unfinished = unfinished_serial(services);
	_cleanup_free_ char *serial = NULL;

	if (!key_restore_check_usable(services, error))
		return false;
	/* The token's PIN, which nobody ever knew, is gone, and with it all that came of the token.
	 */
	if (!services->token && unfinished &&
		!(reset_card(operation, request->reader, unfinished, error) &&
			store_forget_installation(services->store, error)))
		return error_prefix(error, "undoing an initialisation that was cut off");
	if (!card_serial(services, request->reader, &serial, error) ||
		!set_value(services, VALUE_INITIALISING, serial, error))
		return false;
	job_progress(operation->job, 2, "making the master key");
	return vault_create(services->vault, request->token_pin, error);
}

static bool prepare(
	struct operation *operation, const struct owner_request *request, struct error *error)
{
	if (operators_initialised(operation->services))
		return vault_check_open(operation->services, error);
	return make_installation(operation, request, error);
}

/* Issues the card, or anew where an interrupted try has left it issued. */
static bool issue(struct operation *operation, const struct owner_request *request, const char *id,
	int64_t *credential_id, struct error *error)
{
	struct contact_status status _cleanup_contact_status_ = {0};
	struct fields holder _cleanup_fields_ = FIELDS_INIT;
	struct services *services = operation->services;
	bool again;

	fields_set(&holder, OPERATOR_ID_FIELD, id);
	fields_set(&holder, "name", request->name ? request->name : id);
	if (!contacts_status(services->contacts, request->reader, &status, error))
		return false;
	again = status.credential && (status.credential->state == LIFECYCLE_ISSUED ||
					     status.credential->state == LIFECYCLE_ACTIVE);
	if (again ? !operation_reissue(
			    operation, status.credential->id, OWNER_TEMPLATE, &holder, false, error)
		  : !operation_issue(
			    operation, request->reader, OWNER_TEMPLATE, &holder, NULL, NULL, error))
		return false;
	contact_status_clear(&status);
	if (!contacts_status(services->contacts, request->reader, &status, error) ||
		!status.credential)
		return error_set(error, ERROR_NO_CARD, "the card was removed");
	*credential_id = status.credential->id;
	return true;
}

/* The owner and the end of the initialisation are one transaction. */
static bool save(
	struct services *services, int64_t credential_id, const char *id, struct error *error)
{
	char *roles[] = {(char *)ROLE_SYSTEM_OWNER};
	struct operator_record record _cleanup_operator_ = {
		.credential_id = credential_id, .id = xstrdup(id), .active = true};

	operator_set_roles(&record, roles, 1);
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return operators_make(services, &record, true, error) &&
	       set_value(services, VALUE_INITIALISED, "1", error) &&
	       store_commit(transaction, error);
}

/* The PUK of the card, which holds it since its activation. */
static bool read_unblock_code(struct operation *operation, int64_t credential_id,
	struct secret *code, struct error *error)
{
	struct services *services = operation->services;
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(services->store, credential_id, error);

	return credential && unblock_code_make(services, credential, code, error);
}

static bool add_owner_as(struct operation *operation, const struct owner_request *request,
	const char *id, struct secret *unblock_code, struct error *error)
{
	int64_t credential_id = 0;

	if (!prepare(operation, request, error) ||
		!issue(operation, request, id, &credential_id, error) ||
		!operation_activate(operation, credential_id, request->pin, error) ||
		!save(operation->services, credential_id, id, error) ||
		!read_unblock_code(operation, credential_id, unblock_code, error))
		return false;
	job_result(operation->job, "operator", id);
	return true;
}

static bool add_owner(struct operation *operation, const struct owner_request *request,
	struct secret *unblock_code, struct error *error)
{
	struct services *services = operation->services;
	_cleanup_free_ char *id =
		simple_id_new(services, OPERATOR_ID_DEFAULT, operator_id_random, error);
	bool done = id && add_owner_as(operation, request, id, unblock_code, error);

	simple_id_release(services, id);
	return done;
}

bool operation_add_owner(struct operation *operation, const struct owner_request *request,
	struct secret *unblock_code, struct error *error)
{
	struct error result _cleanup_error_ = ERROR_INIT;
	struct error failure _cleanup_error_ = ERROR_INIT;
	bool done = add_owner(operation, request, unblock_code, &result);

	if (!audit_write(operation->services->store, operation->actor, "add-system-owner", NULL,
		    job_id(operation->job), &result, NULL, &failure))
		log_error("audit record not written: %s", error_message(&failure));
	return done || error_move(error, &result);
}

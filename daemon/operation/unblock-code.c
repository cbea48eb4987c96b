/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/unblock-code.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/check-digits.h"
#include "operation/changeover.h"
#include "operation/ownership.h"
#include "operation/pin.h"
#include "operation/session.h"
#include "operation/template-rules.h"
#include "operation/vault.h"

#define PUK_DIGITS	 8
#define CODE_DIGITS	 (PUK_DIGITS + 2)
#define CODE_MAXIMUM	 64 /* characters */
#define CODES_PER_MINUTE 5
/* Of one card: who has lost the code on the way may ask again. */
#define SECONDS_BETWEEN_CODES 10

/* --- codes as texts --- */

bool unblock_code_make(struct services *services, const struct credential *credential,
	struct secret *code, struct error *error)
{
	struct secret puk _cleanup_secret_ = SECRET_INIT;
	struct secret made _cleanup_secret_ = SECRET_INIT;
	struct puk_record record;

	if (!vault_check_open(services, error) ||
		!ownership_check_key(
			services, credential->serial, credential->key_version, error) ||
		!store_puk_get(services->store, credential->serial, &record, error) ||
		!master_key_derive_puk(services->master_key, credential->serial,
			credential->key_version, record.generation, &puk, error))
		return false;
	if (!secret_allocate(&made, CODE_DIGITS))
		return error_set(error, ERROR_FAILED, "out of memory");
	memcpy(made.data, puk.data, PUK_DIGITS);
	check_digits_make(puk.data, PUK_DIGITS, made.data + PUK_DIGITS);
	secret_move(code, &made);
	return true;
}

static bool set_mistyped(struct error *error)
{
	return error_set_field(error, ERROR_INVALID_ARGUMENT, "code",
		"the unblock code was mistyped: its check digits do not fit; no try was lost");
}

bool unblock_code_read(const struct secret *code, struct secret *puk, struct error *error)
{
	struct secret digits _cleanup_secret_ = SECRET_INIT;
	size_t count = 0;

	if (!secret_allocate(&digits, CODE_DIGITS))
		return error_set(error, ERROR_FAILED, "out of memory");
	for (size_t i = 0; i < code->length && i < CODE_MAXIMUM; i++) {
		uint8_t character = code->data[i];
		if (character == ' ' || character == '-')
			continue;
		if (character < '0' || character > '9' || count == CODE_DIGITS)
			return set_mistyped(error);
		digits.data[count++] = character;
	}
	if (count != PUK_DIGITS && !(count == CODE_DIGITS && check_digits_fit(digits.data, count)))
		return set_mistyped(error);
	secret_truncate(&digits, PUK_DIGITS);
	secret_move(puk, &digits);
	return true;
}

/* --- for a card that is far away --- */

static bool check_rate(struct services *services, const struct puk_record *puk, struct error *error)
{
	int64_t age = time(NULL) - puk->exposed_at;

	if (age >= 0 && age < SECONDS_BETWEEN_CODES)
		return error_set(error, ERROR_BUSY,
			"the code of this card was shown a moment ago; ask again in %d seconds",
			(int)(SECONDS_BETWEEN_CODES - age));
	return rate_limit_pass(&services->unblock_codes, CODES_PER_MINUTE) ||
	       error_set(error, ERROR_BUSY,
		       "%d unblock codes were shown within a minute; wait for the next one",
		       CODES_PER_MINUTE);
}

/* On disk before anybody is shown it. */
static bool expose(struct session *session, struct secret *code, struct error *error)
{
	struct services *services = session->operation->services;
	const char *serial = session->credential->serial;
	struct puk_record puk;
	char expires_at[32];

	if (!vault_check_open(services, error) ||
		!store_puk_get(services->store, serial, &puk, error))
		return false;
	if (puk.state == PUK_FOREIGN)
		return error_set(error, ERROR_CARD_FOREIGN,
			"the card's PUK was changed by another program: no code fits it");
	if (!check_rate(services, &puk, error) ||
		!unblock_code_make(services, session->credential, code, error))
		return false;
	puk.state = PUK_EXPOSED;
	puk.exposed_at = time(NULL);
	puk.exposed_until = puk.exposed_at + UNBLOCK_CODE_SECONDS;
	snprintf(expires_at, sizeof(expires_at), "%" PRId64, puk.exposed_until);
	job_result(session->operation->job, "expires-at", expires_at);
	return store_puk_set(services->store, serial, &puk, error);
}

bool operation_offline_unblock(struct operation *operation, int64_t credential_id,
	struct secret *code, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;
	struct secret made _cleanup_secret_ = SECRET_INIT;

	if (session_open(&session, operation, LIFECYCLE_OFFLINE_UNBLOCK, credential_id, &result) &&
		template_rules_check_unblock(
			operation->services, session.credential, true, &result) &&
		expose(&session, &made, &result))
		secret_move(code, &made);
	return session_finish(operation, LIFECYCLE_OFFLINE_UNBLOCK,
		session.credential ? session.credential->serial : NULL, NULL, &result, error);
}

/* --- with the code --- */

static bool is_operators(struct services *services, const struct credential *credential)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;

	return store_operator_get(services->store, credential->id, &record, NULL);
}

/*
 * Whether a code of the card is about: others cannot use up the tries of a PUK whose code nobody
 * was given.
 */
static bool check_is_about(
	struct services *services, const struct credential *credential, struct error *error)
{
	struct puk_record puk;

	if (!store_puk_get(services->store, credential->serial, &puk, error))
		return false;
	bool good = puk.state == PUK_EXPOSED
			    ? time(NULL) < puk.exposed_until
			    : puk.state == PUK_OURS && is_operators(services, credential);
	return good || error_set(error, ERROR_CODE_EXPIRED,
			       "no unblock code of this card is good now; ask an operator for "
			       "one");
}

static bool open_for_code(struct session *session, struct operation *operation,
	int64_t credential_id, const struct secret *code, struct secret *puk, struct error *error)
{
	return session_open(session, operation, LIFECYCLE_UNBLOCK, credential_id, error) &&
	       check_is_about(operation->services, session->credential, error) &&
	       unblock_code_read(code, puk, error) &&
	       session_take_card(session, LIFECYCLE_UNBLOCK, error);
}

static bool set_pin(
	struct session *session, const struct secret *puk, struct secret *pin, struct error *error)
{
	struct pin_change change _cleanup_pin_change_ = PIN_CHANGE_INIT;
	struct card *card = session->card;

	if (!secret_is_set(pin))
		return error_set(error, ERROR_PIN_LENGTH, "there is no new PIN");
	if (!pin_change_begin(&change, session, LIFECYCLE_UNBLOCK, pin, error))
		return false;
	if (card->driver->change_secret(card, CARD_SECRET_PIN, CARD_SECRET_PUK, puk, pin, error))
		return pin_change_settle(&change, error);
	/* Whatever the card answered, it is a whole state; one that is gone is looked at again. */
	if (error->code != ERROR_NO_CARD)
		pin_change_drop(&change, NULL);
	return false;
}

bool operation_unblock_with_code(struct operation *operation, int64_t credential_id,
	const struct secret *code, struct secret *pin, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;
	struct error failure _cleanup_error_ = ERROR_INIT;
	struct secret puk _cleanup_secret_ = SECRET_INIT;

	if (open_for_code(&session, operation, credential_id, code, &puk, &result) &&
		set_pin(&session, &puk, pin, &result))
		/* The code has done its work; a failure is made good at the next contact. */
		changeover_at_contact(operation->services, session.card, &failure);
	return session_finish(operation, LIFECYCLE_UNBLOCK,
		session.credential ? session.credential->serial : NULL, "with its unblock code",
		&result, error);
}

bool operation_check_code(struct operation *operation, int64_t credential_id,
	const struct secret *code, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;
	struct secret puk _cleanup_secret_ = SECRET_INIT;

	/* A PUK is proved by changing it to itself (PIV has no other way). */
	if (open_for_code(&session, operation, credential_id, code, &puk, &result))
		session.card->driver->change_secret(
			session.card, CARD_SECRET_PUK, CARD_SECRET_PUK, &puk, &puk, &result);
	if (result.code == ERROR_NONE)
		return true;
	return session_finish(operation, LIFECYCLE_UNBLOCK,
		session.credential ? session.credential->serial : NULL, "check of an unblock code",
		&result, error);
}

/* --- by hand --- */

bool operation_rotate(struct operation *operation, int64_t credential_id, struct secret *code,
	struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;
	struct services *services = operation->services;

	if (session_open(&session, operation, LIFECYCLE_ROTATE, credential_id, &result) &&
		session_take_card(&session, LIFECYCLE_ROTATE, &result)) {
		if (!changeover(operation, session.card, session.credential, &result))
			session_recover(&session);
		else if (is_operators(services, session.credential))
			unblock_code_make(services, session.credential, code, &result);
	}
	return session_finish(operation, LIFECYCLE_ROTATE,
		session.credential ? session.credential->serial : NULL, NULL, &result, error);
}

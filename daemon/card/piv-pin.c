/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/piv.h"

#include <string.h>

/* PIN and PUK on the card are eight bytes, padded (SP 800-73-4 part 2, 2.4.3). */
#define REFERENCE_LENGTH 8
#define PADDING		 0xFF

#define VERIFY_END 0xFF /* P1: ends what was proven (SP 800-73-4 part 2, 3.2.1) */

static bool check_length(const struct card *card, enum card_secret which,
	const struct secret *value, struct error *error)
{
	const char *name = which == CARD_SECRET_PUK ? "PUK" : "PIN";

	if (value->length < card->info.pin_minimum || value->length > card->info.pin_maximum)
		return error_set(error, ERROR_PIN_LENGTH, "the %s has to have %u to %u characters",
			name, card->info.pin_minimum, card->info.pin_maximum);
	if (value->length < REFERENCE_LENGTH && memchr(value->data, PADDING, value->length))
		return error_set(
			error, ERROR_PIN_LENGTH, "the %s contains padding characters", name);
	return true;
}

static void append_padded(struct buffer *data, const struct secret *value)
{
	buffer_append(data, value->data, value->length);
	buffer_fill(data, PADDING, REFERENCE_LENGTH - value->length);
}

/* What is wrong with a PUK, in the PUK's words. */
static bool set_puk_error(uint16_t status, const char *what, struct error *error)
{
	unsigned tries;

	if (status == SW_BLOCKED || (status_word_tries(status, &tries) && tries == 0)) {
		error_set(error, ERROR_PUK_BLOCKED, "the PUK is blocked");
		return error_set_detail(error, status);
	}
	if (!status_word_tries(status, &tries))
		return status_word_check(status, what, error);
	error_set(error, ERROR_PIN_WRONG,
		tries == 1 ? "wrong PUK; %u try is left" : "wrong PUK; %u tries are left", tries);
	return error_set_detail(error, tries);
}

/* A command that carries reference data. */
static bool send_reference(struct card *card, const struct apdu *command, const struct buffer *data,
	uint16_t *status, struct error *error)
{
	struct apdu filled = *command;

	if (data->failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	filled.data = data->data;
	filled.length = data->length;
	return piv_exchange(card, &filled, NULL, status, error);
}

/* Without data VERIFY tells the PIN's state: 9000 is proven, 63Cx is not. */
static bool query_pin(struct card *card, uint16_t *status, struct error *error)
{
	struct apdu command = {.ins = PIV_INS_VERIFY, .p2 = PIV_REFERENCE_PIN};

	return piv_exchange(card, &command, NULL, status, error);
}

/* Older cards do not know VERIFY with P1 FF; on some of them a SELECT does as well. */
static bool end_pin_by_select(struct card *card, struct error *error)
{
	uint16_t status;

	if (!card_select_again(card, error) || !query_pin(card, &status, error))
		return false;
	if (status == SW_SUCCESS)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"this card forgets the PIN at its removal only");
	return true;
}

static bool end_pin(struct card *card, struct error *error)
{
	struct apdu command = {.ins = PIV_INS_VERIFY, .p1 = VERIFY_END, .p2 = PIV_REFERENCE_PIN};
	uint16_t status;

	if (!piv_exchange(card, &command, NULL, &status, error))
		return false;
	card_note_security_lost(card);
	return status == SW_SUCCESS || end_pin_by_select(card, error);
}

bool piv_pin_authenticate(struct card *card, const struct secret *pin, struct error *error)
{
	_cleanup_buffer_ struct buffer data = BUFFER_INIT_WIPE;
	struct apdu command = {.ins = PIV_INS_VERIFY, .p2 = PIV_REFERENCE_PIN};
	uint16_t status;

	if (!pin)
		return end_pin(card, error);
	if (!check_length(card, CARD_SECRET_PIN, pin, error))
		return false;
	append_padded(&data, pin);
	if (!send_reference(card, &command, &data, &status, error))
		return false;
	/* A wrong PIN also takes back what a right one proved. */
	if (status != SW_SUCCESS)
		card_note_security_lost(card);
	return status_word_check(status, "VERIFY", error);
}

bool piv_pin_change(struct card *card, enum card_secret which, enum card_secret authority,
	const struct secret *old, const struct secret *fresh, struct error *error)
{
	bool unblock = which == CARD_SECRET_PIN && authority == CARD_SECRET_PUK;
	const char *what = unblock ? "RESET RETRY COUNTER" : "CHANGE REFERENCE DATA";
	_cleanup_buffer_ struct buffer data = BUFFER_INIT_WIPE;
	struct apdu command = {
		.ins = unblock ? PIV_INS_RESET_RETRY_COUNTER : PIV_INS_CHANGE_REFERENCE_DATA,
		.p2 = which == CARD_SECRET_PUK ? PIV_REFERENCE_PUK : PIV_REFERENCE_PIN};
	uint16_t status;

	if (!unblock && authority != which)
		return error_set(error, ERROR_NOT_SUPPORTED, "a PIV card cannot do this");
	if (!check_length(card, authority, old, error) || !check_length(card, which, fresh, error))
		return false;
	append_padded(&data, old);
	append_padded(&data, fresh);
	if (!send_reference(card, &command, &data, &status, error))
		return false;
	/* An old PIN that somebody proved counts no more, nor does any after a wrong one. */
	if (which == CARD_SECRET_PIN && (unblock || status != SW_SUCCESS))
		card_note_security_lost(card);
	if (status == SW_SUCCESS) {
		if (which == CARD_SECRET_PIN)
			atomic_fetch_add(&card->pin_changes, 1);
		return true;
	}
	return authority == CARD_SECRET_PUK ? set_puk_error(status, what, error)
					    : status_word_check(status, what, error);
}

static bool state_by_metadata(struct card *card, enum card_secret which,
	struct card_secret_state *state, struct error *error)
{
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;
	struct yubikey_metadata metadata;

	if (!yubikey_metadata(card,
		    which == CARD_SECRET_PUK ? PIV_REFERENCE_PUK : PIV_REFERENCE_PIN, &response,
		    &metadata, error))
		return false;
	state->known_default = metadata.tells_default;
	state->is_default = metadata.tells_default && metadata.is_default;
	if (metadata.tells_tries) {
		state->tries_left = metadata.tries_left;
		state->tries_total = metadata.tries_total;
		state->blocked = metadata.tries_left == 0;
	}
	return true;
}

static bool state_by_query(struct card *card, struct card_secret_state *state, struct error *error)
{
	uint16_t status;
	unsigned tries;

	if (!query_pin(card, &status, error))
		return false;
	if (status_word_tries(status, &tries))
		state->tries_left = (int)tries;
	else if (status == SW_BLOCKED)
		state->tries_left = 0;
	else if (status != SW_SUCCESS)
		return status_word_check(status, "VERIFY", error);
	state->blocked = state->tries_left == 0;
	return true;
}

bool piv_pin_state(struct card *card, enum card_secret which, struct card_secret_state *state,
	struct error *error)
{
	*state = (struct card_secret_state){.tries_left = -1, .tries_total = -1};
	if (card->info.has_metadata)
		return state_by_metadata(card, which, state, error);
	return which == CARD_SECRET_PUK || state_by_query(card, state, error);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* change-pin: the holder's own change, on the strength of the old PIN. */
#include "operation/pin.h"
#include "operation/verbs.h"

/* The card itself decides in one command: it holds the old PIN or the new one afterwards. */
static bool change_on_card(struct pin_change *change, const struct secret *old_pin,
	const struct secret *new_pin, struct error *error)
{
	struct card *card = change->session->card;

	if (card->driver->change_secret(
		    card, CARD_SECRET_PIN, CARD_SECRET_PIN, old_pin, new_pin, error))
		return pin_change_settle(change, error);
	/* Whatever the card answered, it is a whole state; one that is gone is looked at again. */
	if (error->code != ERROR_NO_CARD)
		pin_change_drop(change, NULL);
	return false;
}

static bool change_pin(struct session *session, const struct secret *old_pin,
	struct secret *new_pin, struct error *error)
{
	struct pin_change change _cleanup_pin_change_ = {.present = old_pin};
	unsigned maximum = session->card->info.pin_maximum;

	if (old_pin->length > maximum || old_pin->length == 0)
		return error_set(
			error, ERROR_PIN_LENGTH, "the old PIN has 1 to %u characters", maximum);
	if (!secret_is_set(new_pin))
		return error_set(error, ERROR_PIN_LENGTH, "there is no new PIN");
	return pin_change_begin(&change, session, LIFECYCLE_CHANGE_PIN, new_pin, error) &&
	       change_on_card(&change, old_pin, new_pin, error);
}

bool operation_change_pin(struct operation *operation, int64_t credential_id,
	const struct secret *old_pin, struct secret *new_pin, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;

	if (session_open(&session, operation, LIFECYCLE_CHANGE_PIN, credential_id, &result) &&
		session_take_card(&session, LIFECYCLE_CHANGE_PIN, &result))
		change_pin(&session, old_pin, new_pin, &result);
	return session_finish(operation, LIFECYCLE_CHANGE_PIN,
		session.credential ? session.credential->serial : NULL, NULL, &result, error);
}

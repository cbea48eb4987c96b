/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* change-pin: the holder's own change, on the strength of the old PIN. */
#include "common/alloc.h"
#include "operation/contact.h"
#include "operation/pin.h"
#include "operation/verbs.h"

/* The card itself decides in one command: it holds the old PIN or the new one afterwards. */
static bool change(struct session *session, const struct secret *old_pin,
	const struct secret *new_pin, struct error *error)
{
	struct services *services = session->operation->services;
	struct card *card = session->card;
	struct intent intent _cleanup_intent_ = {.serial = xstrdup(session->credential->serial),
		.operation = xstrdup("change-pin"),
		.step = xstrdup(INTENT_PIN)};

	if (old_pin->length > card->info.pin_maximum || old_pin->length == 0)
		return error_set(error, ERROR_PIN_LENGTH, "the old PIN has 1 to %u characters",
			card->info.pin_maximum);
	if (!pin_check(services, session->credential, card, new_pin, error) ||
		!store_intent_add(services->store, &intent, error))
		return false;
	bool changed = card->driver->change_secret(
		card, CARD_SECRET_PIN, CARD_SECRET_PIN, old_pin, new_pin, error);
	/* Whatever the card answered, it is a whole state; one that is gone is looked at again. */
	if (!changed && error->code == ERROR_NO_CARD)
		return false;
	struct error ending _cleanup_error_ = ERROR_INIT;
	if (!store_intent_remove(services->store, intent.id, &ending) && changed)
		return error_move(error, &ending);
	return changed;
}

bool operation_change_pin(struct operation *operation, int64_t credential_id,
	const struct secret *old_pin, const struct secret *new_pin, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;

	if (session_open(&session, operation, LIFECYCLE_CHANGE_PIN, credential_id, &result) &&
		session_take_card(&session, LIFECYCLE_CHANGE_PIN, &result))
		change(&session, old_pin, new_pin, &result);
	return session_finish(operation, LIFECYCLE_CHANGE_PIN,
		session.credential ? session.credential->serial : NULL, NULL, &result, error);
}

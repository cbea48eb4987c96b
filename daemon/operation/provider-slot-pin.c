/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PINs of slots whose programs have them. */
#include <string.h>

#include "operation/provider-private.h"

/* The slot, if programs manage its PIN. */
static struct slot *own_pin_slot(
	struct provider_client *client, unsigned number, struct error *error)
{
	_cleanup_slot_ struct slot *slot = provider_visible_slot(client, number, error);

	if (!slot || slot_record(slot)->pin == SLOT_PIN_CALLER)
		return steal_pointer(&slot);
	error_set(error, ERROR_NOT_SUPPORTED,
		"tesserad keeps the PIN of the slot \"%s\": change it with the token's own tools, "
		"and add the slot anew",
		slot_record(slot)->name);
	return NULL;
}

/* A PIN that is tried: the token's own counter is not the only one. */
static bool try_pin(struct provider_client *client, struct slot *slot,
	const struct hsm_request *request, const char *operation, struct error *error)
{
	struct hsm *hsm = slot_hsm(slot, error);
	struct provider_reply reply = {0};
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!hsm)
		return false;
	if (!slot_may_try_pin(slot))
		return error_set(error, ERROR_PIN_BLOCKED,
			"too many wrong PINs: wait a minute and try again");
	bool done = hsm_call(hsm, NULL, request, &reply.hsm, &failure);
	if (!done && failure.code == ERROR_PIN_WRONG)
		slot_note_wrong_pin(slot);
	provider_record_login(client, slot, operation, done ? NULL : &failure);
	if (done && (request->operation == HSM_INIT_TOKEN || reply.hsm.changed))
		slot_touch(slot);
	return done || error_move(error, &failure);
}

bool provider_slot_change_pin(struct provider_client *client, unsigned number,
	const struct secret *old_pin, struct secret *new_pin, bool *audited, struct error *error)
{
	_cleanup_slot_ struct slot *slot = own_pin_slot(client, number, error);
	const struct hsm_request request = {
		.operation = HSM_SET_PIN, .pin = old_pin, .new_pin = new_pin};

	*audited = slot != NULL;
	return slot && try_pin(client, slot, &request, "change-pin", error);
}

bool provider_slot_change_officer_pin(struct provider_client *client, unsigned number,
	const struct secret *old_pin, const struct secret *new_pin, bool *audited,
	struct error *error)
{
	_cleanup_slot_ struct slot *slot = own_pin_slot(client, number, error);
	const struct hsm_request request = {
		.operation = HSM_SET_SO_PIN, .pin = old_pin, .new_pin = new_pin};

	*audited = slot != NULL;
	return slot && try_pin(client, slot, &request, "change-officer-pin", error);
}

bool provider_slot_check_code(struct provider_client *client, unsigned number,
	const struct secret *code, struct error *error)
{
	_cleanup_slot_ struct slot *slot = own_pin_slot(client, number, error);
	const struct hsm_request request = {.operation = HSM_CHECK_SO_PIN, .pin = code};

	return slot && try_pin(client, slot, &request, "check-so-pin", error);
}

bool provider_slot_init_pin(struct provider_client *client, unsigned number,
	const struct secret *code, struct secret *pin, struct error *error)
{
	_cleanup_slot_ struct slot *slot = own_pin_slot(client, number, error);
	const struct hsm_request request = {.operation = HSM_INIT_PIN, .pin = code, .new_pin = pin};

	return slot && try_pin(client, slot, &request, "init-pin", error);
}

static bool may_init(struct provider_client *client, struct slot *slot, struct error *error)
{
	struct error denial _cleanup_error_ = ERROR_INIT;

	if (slot_allows_all(slot, provider_client_user(client)) & 1U << SLOT_DESTROY)
		return true;
	error_set(&denial, ERROR_ACCESS_DENIED,
		"the rules of the slot \"%s\" do not let this user destroy all its keys",
		slot_record(slot)->name);
	provider_record_login(client, slot, "init-token", &denial);
	return error_move(error, &denial);
}

struct beginning {
	struct provider_client *client;
	struct slot *slot;
	const struct secret *so_pin;
};

static bool begin_token(const char *label, void *context, struct error *error)
{
	const struct beginning *beginning = context;
	const struct hsm_request request = {.operation = HSM_INIT_TOKEN,
		.pin = beginning->so_pin,
		.input = {.data = (const uint8_t *)label, .length = strlen(label)}};

	return try_pin(beginning->client, beginning->slot, &request, "init-token", error);
}

bool provider_init_token(struct provider_client *client, unsigned number,
	const struct secret *so_pin, const char *label, struct error *error)
{
	_cleanup_slot_ struct slot *slot =
		number < SLOT_NUMBER_FIRST ? NULL : own_pin_slot(client, number, error);
	struct beginning beginning = {client, slot, so_pin};

	if (number < SLOT_NUMBER_FIRST)
		return error_set(
			error, ERROR_NOT_SUPPORTED, "a card is not initialised in this way");
	if (!slot || !may_init(client, slot, error))
		return false;
	struct hsm *hsm = slot_hsm(slot, error);
	return hsm && slot_begin_anew(slot, hsm, label, begin_token, &beginning, error);
}

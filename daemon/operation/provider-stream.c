/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Uses of slots' keys whose input comes in parts. */
#include <stdatomic.h>

#include "common/alloc.h"
#include "operation/provider-private.h"

/* One that another client, or another connection of the same program, has is never meant. */
static uint32_t next_number(void)
{
	static atomic_uint last;
	uint32_t number = ++last;

	return number ? number : ++last;
}

static bool refuse_card(struct error *error)
{
	return error_set(error, ERROR_NOT_SUPPORTED,
		"a card's key works on a block or a digest, which comes at once");
}

bool provider_begin_use(struct provider_client *client, const struct provider_use *use,
	bool verifies, uint32_t *number, struct error *error)
{
	if (use->slot < SLOT_NUMBER_FIRST)
		return refuse_card(error);
	_cleanup_slot_ struct slot *slot = provider_visible_slot(client, use->slot, error);
	_cleanup_free_ char *label = NULL;
	const struct hsm_request request = {.operation = HSM_BEGIN,
		.use = verifies ? HSM_VERIFY : (enum hsm_operation)use->use,
		.stream = next_number(),
		.object = use->key,
		.mechanism = use->mechanism,
		.parameter = use->parameter,
		.pin = use->pin};
	struct hsm_reply reply = {0};

	if (!slot || !provider_check_use(client, slot, use, &label, error))
		return false;
	bool done = hsm_call(
		slot_hsm(slot, NULL), provider_owner(client, slot, true), &request, &reply, error);
	if (!done && error && error->code == ERROR_PIN_WRONG)
		provider_record_login(client, slot, "login", error);
	if (done && label && !verifies)
		provider_record_use(client, slot, use->use, label);
	*number = request.stream;
	return done;
}

/* The slot as it is now has nothing of what was begun before it was changed. */
static bool ask(struct provider_client *client, const struct provider_stream *stream,
	enum hsm_operation operation, struct hsm_reply *reply, struct error *error)
{
	const struct hsm_request request = {.operation = operation,
		.stream = stream->number,
		.length = stream->most,
		.input = stream->input,
		.signature = stream->signature};

	if (stream->slot < SLOT_NUMBER_FIRST)
		return refuse_card(error);
	_cleanup_slot_ struct slot *slot = provider_visible_slot(client, stream->slot, error);
	if (!slot)
		return false;
	struct hsm *hsm = slot_hsm(slot, error);
	struct hsm_owner *owner = hsm ? provider_owner(client, slot, true) : NULL;
	return owner && hsm_call(hsm, owner, &request, reply, error);
}

bool provider_continue_use(
	struct provider_client *client, struct provider_stream *stream, struct error *error)
{
	struct hsm_reply reply = {.output = stream->output};

	return ask(client, stream, HSM_CONTINUE, &reply, error);
}

bool provider_end_use(
	struct provider_client *client, struct provider_stream *stream, struct error *error)
{
	struct hsm_reply reply = {.output = stream->output};
	bool done = ask(client, stream, HSM_END, &reply, error);

	stream->has_more = done && reply.numbers[0] > 0;
	return done;
}

bool provider_cancel_use(
	struct provider_client *client, const struct provider_stream *stream, struct error *error)
{
	struct hsm_reply reply = {0};

	return ask(client, stream, HSM_CANCEL, &reply, error);
}

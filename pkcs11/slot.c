/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/slot.h"

#include <stdlib.h>
#include <string.h>

#include "pkcs11/ckr.h"
#include "pkcs11/remote-object.h"
#include "pkcs11/session.h"

struct slot *slot_find(CK_SLOT_ID id)
{
	for (size_t i = 0; i < module.slot_count; i++) {
		if (module.slots[i]->id == id)
			return module.slots[i];
	}
	return NULL;
}

bool slot_has_token(const struct slot *slot)
{
	return slot->token.flags & TOKEN_PRESENT;
}

void slot_forget_login(CK_SLOT_ID id)
{
	struct slot *slot = slot_find(id);

	if (slot)
		slot->logged_in = false;
}

static void slot_free(struct slot *slot)
{
	objects_clear(&slot->objects);
	remote_token_clear(&slot->token);
	remote_mechanisms_clear(&slot->mechanisms);
	secret_clear(&slot->unblock_code);
	free(slot);
}

void slots_free(void)
{
	for (size_t i = 0; i < module.slot_count; i++)
		slot_free(module.slots[i]);
	free(module.slots);
	module.slots = NULL;
	module.slot_count = 0;
}

/* The card went: its sessions, objects and login with it. */
static void end_life(struct slot *slot)
{
	sessions_close_of_slot(slot->id);
	objects_clear(&slot->objects);
	remote_mechanisms_clear(&slot->mechanisms);
	slot->mechanisms_known = false;
	slot->logged_in = false;
	secret_clear(&slot->unblock_code);
	slot->life++;
}

static void remove_token(struct slot *slot)
{
	if (!slot_has_token(slot))
		return;
	end_life(slot);
	slot->token.flags &= ~TOKEN_PRESENT;
	slot->event = true;
}

static struct slot *find_reader(const char *reader)
{
	for (size_t i = 0; i < module.slot_count; i++) {
		if (strcmp(module.slots[i]->token.reader, reader) == 0)
			return module.slots[i];
	}
	return NULL;
}

/* The daemon's number where it is free, the next free one otherwise. */
static CK_SLOT_ID choose_id(CK_SLOT_ID wanted)
{
	while (slot_find(wanted))
		wanted++;
	return wanted;
}

static struct slot *add_slot(struct remote_token *token)
{
	struct slot **slots = reallocarray(module.slots, module.slot_count + 1, sizeof(*slots));

	if (!slots)
		return NULL;
	module.slots = slots;
	struct slot *slot = calloc(1, sizeof(*slot));
	if (!slot)
		return NULL;
	slot->id = choose_id(token->number);
	slot->token = *token;
	slot->event = module.loaded && slot_has_token(slot);
	*token = (struct remote_token){0};
	module.slots[module.slot_count++] = slot;
	return slot;
}

static void change_slot(struct slot *slot, struct remote_token *token)
{
	bool had = slot_has_token(slot);
	bool has = token->flags & TOKEN_PRESENT;
	bool same = had && has && strcmp(slot->token.serial, token->serial) == 0;

	if (had && !same)
		end_life(slot);
	if (had != has || (had && !same))
		slot->event = true;
	if (slot->token.generation != token->generation)
		slot->objects.loaded = false;
	/* A card that was issued again has another PIN. Of an HSM the daemon knows the logins. */
	if (token->flags & TOKEN_PIN_NOT_SET && !(token->flags & TOKEN_FIXED))
		slot->logged_in = false;
	remote_token_clear(&slot->token);
	slot->token = *token;
	*token = (struct remote_token){0};
}

/* Readers that the daemon does not name any more have lost their card. */
static void remove_missing(const struct remote_tokens *tokens)
{
	for (size_t i = 0; i < module.slot_count; i++) {
		bool found = false;
		for (size_t j = 0; j < tokens->count && !found; j++)
			found = strcmp(module.slots[i]->token.reader, tokens->items[j].reader) == 0;
		if (!found)
			remove_token(module.slots[i]);
	}
}

/* The connection is not the one that the slots were read from: logins and sessions ended with it.
 */
static void lose_connection(uint64_t connection)
{
	for (size_t i = 0; i < module.slot_count; i++)
		remove_token(module.slots[i]);
	module.connection = connection;
	module.generation = 0;
	module.loaded = false;
}

static void apply(struct remote_tokens *tokens)
{
	if (tokens->connection < module.connection ||
		(module.loaded && tokens->generation < module.generation))
		return; /* another thread was faster with a later answer */
	if (tokens->connection != module.connection)
		lose_connection(tokens->connection);
	remove_missing(tokens);
	for (size_t i = 0; i < tokens->count; i++) {
		struct slot *slot = find_reader(tokens->items[i].reader);
		if (slot)
			change_slot(slot, &tokens->items[i]);
		else
			add_slot(&tokens->items[i]);
	}
	module.generation = tokens->generation;
	module.loaded = true;
}

/* wait: false keeps what was known while another thread's call is under way. */
static CK_RV fetch(bool wait)
{
	_cleanup_(remote_tokens_clear) struct remote_tokens tokens = REMOTE_TOKENS_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	unsigned epoch = module.epoch;
	struct remote *remote = module_call_begin();

	bool done = remote_get_tokens(remote, wait, &tokens, &error);
	if (!module_call_end(remote, epoch))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (done)
		apply(&tokens);
	else
		module_debug("no tokens: %s", error_message(&error));
	return CKR_OK;
}

/* Answers the highest generation that was told. */
static uint64_t look_at_connection(void)
{
	uint64_t connection, generation;

	remote_poll(module.remote, &connection, &generation);
	if (module.connection && connection != module.connection)
		lose_connection(0);
	return generation;
}

CK_RV slots_update(void)
{
	uint64_t generation = look_at_connection();

	if (module.loaded && generation <= module.generation)
		return CKR_OK;
	return fetch(!module.loaded);
}

CK_RV slots_update_now(void)
{
	look_at_connection();
	return fetch(true);
}

static CK_RV ask_mechanisms(struct slot *slot)
{
	_cleanup_(remote_mechanisms_clear) struct remote_mechanisms mechanisms = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	CK_SLOT_ID id = slot->id;
	uint32_t number = slot->token.number;
	unsigned life = slot->life;
	unsigned epoch = module.epoch;
	struct remote *remote = module_call_begin();
	bool done = remote_get_mechanisms(remote, number, &mechanisms, &error);

	if (!module_call_end(remote, epoch))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	slot = slot_find(id);
	if (!slot || slot->life != life)
		return CKR_TOKEN_NOT_PRESENT;
	if (!done)
		return ckr_of(&error, CKR_CONTEXT_TOKEN);
	remote_mechanisms_clear(&slot->mechanisms);
	slot->mechanisms = mechanisms;
	slot->mechanisms_known = true;
	mechanisms = (struct remote_mechanisms){0};
	return CKR_OK;
}

CK_RV slot_learn_mechanisms(CK_SLOT_ID id)
{
	struct slot *slot = slot_find(id);

	if (!slot)
		return CKR_SLOT_ID_INVALID;
	if (!slot_has_token(slot))
		return CKR_TOKEN_NOT_PRESENT;
	if (!(slot->token.flags & TOKEN_FIXED) || slot->mechanisms_known)
		return CKR_OK;
	return ask_mechanisms(slot);
}

void slot_note_change(struct slot *slot, uint64_t before, uint64_t generation)
{
	if (slot->objects.loaded && slot->objects.generation == before) {
		slot->objects.generation = generation;
		slot->token.generation = generation;
	} else if (generation > slot->objects.generation) {
		slot->objects.loaded = false;
	}
}

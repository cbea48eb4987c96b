/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/provider.h"

#include <stdlib.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "core/user.h"
#include "operation/provider-private.h"

struct provider_client *provider_client_new(
	struct services *services, const char *actor, uid_t uid, bool is_manager)
{
	struct provider_client *client = xnew(struct provider_client);

	client->services = services;
	client->actor = audit_actor_new(actor);
	client->user = (struct slot_user){.uid = uid, .is_manager = is_manager};
	for (size_t i = 0; i < CARD_TURNS; i++)
		pthread_mutex_init(&client->card_turns[i].lock, NULL);
	pthread_mutex_init(&client->login_lock, NULL);
	pthread_mutex_init(&client->slots_lock, NULL);
	pthread_mutex_init(&client->owners_lock, NULL);
	return client;
}

void provider_client_free(struct provider_client *client)
{
	if (!client)
		return;
	provider_cards.end(client);
	provider_slots.end(client);
	for (size_t i = 0; i < CARD_TURNS; i++)
		pthread_mutex_destroy(&client->card_turns[i].lock);
	pthread_mutex_destroy(&client->login_lock);
	pthread_mutex_destroy(&client->slots_lock);
	pthread_mutex_destroy(&client->owners_lock);
	free(client->groups);
	audit_actor_free(client->actor);
	free(client);
}

static void read_groups(struct provider_client *client)
{
	pthread_mutex_lock(&client->slots_lock);
	if (!client->has_groups) {
		client->groups = user_groups(client->user.uid, &client->user.group_count);
		client->user.groups = client->groups;
		client->has_groups = true;
	}
	pthread_mutex_unlock(&client->slots_lock);
}

const struct slot_user *provider_client_user(struct provider_client *client)
{
	if (!client->has_groups)
		read_groups(client);
	return &client->user;
}

void provider_client_idle(struct provider_client *client, struct provider_habit *habit)
{
	provider_slots.idle(client, habit);
}

static const struct provider_kind *kind_of(unsigned slot)
{
	return slot >= SLOT_NUMBER_FIRST ? &provider_slots : &provider_cards;
}

static bool not_supported(struct error *error)
{
	return error_set(error, ERROR_NOT_SUPPORTED, "this slot does not know that");
}

bool provider_login(struct provider_client *client, unsigned slot, const struct secret *pin,
	bool *audited, struct error *error)
{
	return kind_of(slot)->login(client, slot, pin, audited, error);
}

bool provider_logout(struct provider_client *client, unsigned slot, struct error *error)
{
	return kind_of(slot)->logout(client, slot, error);
}

bool provider_use_key(
	struct provider_client *client, const struct provider_use *use, struct error *error)
{
	return kind_of(use->slot)->use_key(client, use, error);
}

bool provider_change_pin(struct provider_client *client, unsigned slot,
	const struct secret *old_pin, struct secret *new_pin, bool *audited, struct error *error)
{
	const struct provider_kind *kind = kind_of(slot);

	return kind->change_pin ? kind->change_pin(client, slot, old_pin, new_pin, audited, error)
				: not_supported(error);
}

bool provider_change_officer_pin(struct provider_client *client, unsigned slot,
	const struct secret *old_pin, const struct secret *new_pin, bool *audited,
	struct error *error)
{
	const struct provider_kind *kind = kind_of(slot);

	return kind->change_officer_pin
		       ? kind->change_officer_pin(client, slot, old_pin, new_pin, audited, error)
		       : error_set(error, ERROR_NOT_SUPPORTED,
				 "a card has no security officer's PIN: it has unblock codes");
}

bool provider_check_code(struct provider_client *client, unsigned slot, const struct secret *code,
	struct error *error)
{
	const struct provider_kind *kind = kind_of(slot);

	return kind->check_code ? kind->check_code(client, slot, code, error)
				: not_supported(error);
}

bool provider_init_pin(struct provider_client *client, unsigned slot, const struct secret *code,
	struct secret *pin, struct error *error)
{
	const struct provider_kind *kind = kind_of(slot);

	return kind->init_pin ? kind->init_pin(client, slot, code, pin, error)
			      : not_supported(error);
}

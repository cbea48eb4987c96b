/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the provider's files share: cards and slots are two kinds of the same. */
#ifndef TESSERA_OPERATION_PROVIDER_PRIVATE_H
#define TESSERA_OPERATION_PROVIDER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "operation/provider.h"

struct login;
struct slot_login;

#define CARD_TURNS 8

/* Shared by the threads of its connection. */
struct provider_client {
	struct services *services;
	struct audit_actor *actor;
	struct slot_user user;
	gid_t *groups; /* user.groups; read when they are first needed, under slots_lock */
	atomic_bool has_groups;
	/*
	 * Logins to the cards in the slots of one remainder (provider-card.c). The lock is held
	 * while the card works: it does one thing at a time anyway. Taken before all locks below
	 * the doors.
	 */
	struct card_turn {
		pthread_mutex_t lock;
		struct login *logins;
	} card_turns[CARD_TURNS];
	pthread_mutex_t login_lock;	/* held through a login or logout of a slot */
	pthread_mutex_t slots_lock;	/* guards slot_logins; nothing is locked under it */
	struct slot_login *slot_logins; /* to slots (provider-slot.c); changed under both locks */
};

/* The functions of provider.h; NULL for what such tokens do not have. */
struct provider_kind {
	void (*end)(struct provider_client *client); /* all logins */
	bool (*login)(struct provider_client *client, unsigned slot, const struct secret *pin,
		bool *audited, struct error *error);
	void (*idle)(struct provider_client *client, struct provider_habit *habit);
	bool (*logout)(struct provider_client *client, unsigned slot, struct error *error);
	bool (*use_key)(struct provider_client *client, const struct provider_use *use,
		struct error *error);
	bool (*change_pin)(struct provider_client *client, unsigned slot,
		const struct secret *old_pin, struct secret *new_pin, bool *audited,
		struct error *error);
	bool (*check_code)(struct provider_client *client, unsigned slot, const struct secret *code,
		struct error *error);
	bool (*init_pin)(struct provider_client *client, unsigned slot, const struct secret *code,
		struct secret *pin, struct error *error);
};
extern const struct provider_kind provider_cards, provider_slots;

#endif

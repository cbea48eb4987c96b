/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the provider's files share: cards and slots are two kinds of the same. */
#ifndef TESSERA_OPERATION_PROVIDER_PRIVATE_H
#define TESSERA_OPERATION_PROVIDER_PRIVATE_H

#include "operation/provider.h"

struct login;
struct slot_login;

/* Used by the thread of its connection only. */
struct provider_client {
	struct services *services;
	struct audit_actor *actor;
	struct slot_user user;
	gid_t *groups; /* user.groups; read when they are first needed */
	bool has_groups;
	struct login *logins;		/* to cards (provider-card.c) */
	struct slot_login *slot_logins; /* to slots (provider-slot.c) */
	struct slot_habit {
		unsigned slot, key;
		enum key_use use;
		uint32_t mechanism;
		unsigned times; /* that it was used so, one after the other */
		bool is_fresh;	/* the last one is not followed by provider_client_idle() yet */
	} habit;
};

/* The functions of provider.h; NULL for what such tokens do not have. */
struct provider_kind {
	void (*end)(struct provider_client *client); /* all logins */
	bool (*login)(struct provider_client *client, unsigned slot, const struct secret *pin,
		bool *audited, struct error *error);
	void (*idle)(struct provider_client *client);
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the provider's files share: cards and slots are two kinds of the same. */
#ifndef TESSERA_OPERATION_PROVIDER_PRIVATE_H
#define TESSERA_OPERATION_PROVIDER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "operation/provider.h"
#include "operation/slots.h"

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
	pthread_mutex_t owners_lock;	/* guards owners; nothing is locked under it */
	struct slot_owner *owners;	/* of session objects (provider-owner.c) */
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
	bool (*change_officer_pin)(struct provider_client *client, unsigned slot,
		const struct secret *old_pin, const struct secret *new_pin, bool *audited,
		struct error *error);
	bool (*check_code)(struct provider_client *client, unsigned slot, const struct secret *code,
		struct error *error);
	bool (*init_pin)(struct provider_client *client, unsigned slot, const struct secret *code,
		struct secret *pin, struct error *error);
};
extern const struct provider_kind provider_cards, provider_slots;

/* --- provider-slot.c --- */

/* A slot that the user may use nothing of looks as if it were not there: ERROR_NOT_FOUND. */
struct slot *provider_visible_slot(
	struct provider_client *client, unsigned number, struct error *error);
bool provider_may_see(struct provider_client *client, struct slot *slot,
	const struct hsm_object *object, bool logged_in);
bool provider_is_logged_in(struct provider_client *client, const struct slot *slot);
/*
 * Whether the rules let a key be used so: one that only this client has, in any way. *label: heap,
 * of a key that all have; else not touched.
 */
bool provider_check_use(struct provider_client *client, struct slot *slot,
	const struct provider_use *use, char **label, struct error *error);
/* Of a use that was let and has this label, where the slot wants it. */
void provider_record_use(struct provider_client *client, const struct slot *slot, enum key_use use,
	const char *label);
/* A record of the audit trail; failures cost nothing, and at most 30 are written in a minute. */
void provider_record(struct provider_client *client, const char *operation, const char *detail,
	const struct error *failure);
void provider_record_login(struct provider_client *client, const struct slot *slot,
	const char *operation, const struct error *failure);

/* --- provider-owner.c: the client's own objects in slots, which end with it --- */

/* make false: NULL where the client has none yet. It lives as long as the client. */
struct hsm_owner *provider_owner(struct provider_client *client, struct slot *slot, bool make);
/* NULL where there are none; for hsm_objects_unref(). */
struct hsm_objects *provider_own_objects(struct provider_client *client, struct slot *slot);
/* Ends those that are private. */
void provider_log_out_owner(struct provider_client *client, struct slot *slot);
void provider_end_owners(struct provider_client *client);

/* --- provider-slot-pin.c: members of provider_slots --- */

bool provider_slot_change_pin(struct provider_client *client, unsigned slot,
	const struct secret *old_pin, struct secret *new_pin, bool *audited, struct error *error);
bool provider_slot_change_officer_pin(struct provider_client *client, unsigned slot,
	const struct secret *old_pin, const struct secret *new_pin, bool *audited,
	struct error *error);
bool provider_slot_check_code(struct provider_client *client, unsigned slot,
	const struct secret *code, struct error *error);
bool provider_slot_init_pin(struct provider_client *client, unsigned slot,
	const struct secret *code, struct secret *pin, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the slots' files share. */
#ifndef TESSERA_OPERATION_SLOTS_PRIVATE_H
#define TESSERA_OPERATION_SLOTS_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "operation/slots.h"

struct slot_key {
	uint8_t id[HSM_KEY_ID_MAX];
	size_t id_length;
	int64_t credential_id;
	enum lifecycle_state state;
	int64_t expires_at; /* of the credential; 0: never */
};

struct slot {
	atomic_uint references;
	struct slots *slots;
	struct slot_record *record;	  /* without rules; its token as it was at first */
	struct slot *former;		  /* whose objects' numbers are kept, while it is opened */
	pthread_mutex_t opening;	  /* held while the token is opened; taken before `lock` */
	pthread_mutex_t lock;		  /* guards all below; nothing slow happens under it */
	struct hsm *hsm;		  /* set once; closed with the slot */
	char *problem;			  /* why there is none, or NULL */
	char *token_label, *token_serial; /* of the token now; the serial may be "": any */
	uint64_t generation;
	struct slot_rule *rules;
	size_t rule_count;
	int64_t wrong_pin_minute; /* of the monotonic clock */
	unsigned wrong_pins;	  /* in that minute */
	struct slot_key *keys;	  /* that are credentials, by CKA_ID (slot-key-table.c) */
	size_t key_count;
};

struct slots {
	struct services *services;
	struct slots_options options;
	slots_changed changed;
	void *context;
	pthread_t opener;
	bool has_opener;
	pthread_mutex_t labels; /* held while a token gets another label; taken before `lock` */
	pthread_mutex_t lock;	/* guards all below; taken before a slot's lock */
	pthread_cond_t opened;
	bool is_opening; /* the first time */
	struct slot **items;
	size_t count;
};

/* Takes the record over; not in the list yet. */
struct slot *slot_new(struct slots *slots, struct slot_record *record);
/* Puts it in the list, which has a reference of its own. */
void slots_add(struct slots *slots, struct slot *slot);
void slots_drop(struct slots *slots, struct slot *slot);
/* Puts another one in the place of the one of the same name. False when that is not there. */
bool slots_replace(struct slots *slots, const struct slot *old, struct slot *slot);
/*
 * Opens the token unless it is open. request: of a slot that is not in the store yet, whose PIN is
 * proved; else NULL.
 */
bool slot_open(struct slot *slot, const struct slot_request *request, struct error *error);
/*
 * Whether the token that was opened may be the slot's: one that has the serial number and another
 * label may not be in the place of a new slot's, or have become that of another slot.
 */
bool slot_accept_token(struct slot *slot, struct hsm *hsm, const struct slot_request *request,
	struct error *error);
/* Saves the label that the token has now; true if it is another one. */
bool slot_follow_token(struct slot *slot, struct hsm *hsm);
/* The purpose of a PIN that is sealed (keys/at-rest.h); heap. */
char *slot_pin_purpose(const char *name);

#endif

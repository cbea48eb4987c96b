/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs as jobs: copies of a caller's arguments, and the start of the job. */
#ifndef TESSERA_BUS_VERB_H
#define TESSERA_BUS_VERB_H

#include "audit/actor.h"
#include "common/secret.h"
#include "dbus/interface.h"
#include "operation/self-rights.h"
#include "operation/services.h"

/* One run of a verb; which members are used depends on the verb. */
struct verb {
	struct bus *bus;
	struct audit_actor *actor; /* keeps the keys of the logins until the job has ended */
	char *caller;		   /* who is given a PIN that was made */
	enum lifecycle_verb which;
	unsigned reader;
	int64_t credential_id; /* 0 for issue */
	char *text;	       /* template or reason; NULL: none given */
	struct fields holder;
	char **roles; /* of a new operator */
	size_t role_count;
	bool custodian;
	struct contact_reach reach;
	struct self_person *self;	      /* of issue: who the caller is; or NULL */
	bool is_own;			      /* who may do this to the own card alone */
	int64_t self_code;		      /* the one-time code that it uses up; 0: none */
	int64_t expires_at;		      /* of a temporary card, or 0 */
	struct secret code;		      /* unset: unblock without a code */
	bool makes_pin;			      /* of issue and replace: a PIN is to be made */
	bool may_reissue;		      /* of update */
	bool keep_fields;		      /* of reissue, replace and update */
	char *person, *person_id;	      /* of issue, to who is in a directory; or NULL */
	key_slot key;			      /* of renew; KEY_SLOT_NONE: all */
	char *slot, *label;		      /* of a key in a slot; NULL: a card is meant */
	bool existing_key, new_key, keep_key; /* of enroll, renew, retire of such a key */
	struct secret pin, new_pin;	      /* pin unset: one is to be made */
};

struct verb *verb_new(const struct bus_call *call, enum lifecycle_verb which);
/* By what the caller does it to the own card: the code that is used up, and the audit trail's word
 * for the proof. */
void verb_take_leave(
	struct verb *verb, const struct bus_call *call, const struct self_leave *leave);
void verb_free(struct verb *verb);
DEFINE_CLEANUP(struct verb *, verb_free);
#define _cleanup_verb_ _cleanup_(verb_freep)

/* Of a call to a credential (credential.c): its verb, and the start of that. */
struct verb *credential_verb(const struct bus_call *call, enum lifecycle_verb which);
bool credential_start(struct bus_call *call, struct verb **verb, struct error *error);
/* Update, Renew and ReissueKeepingFields (credential-renew.c). */
bool credential_reissue_keeping_fields(struct bus_call *call, struct error *error);
bool credential_update(struct bus_call *call, struct error *error);
bool credential_renew(struct bus_call *call, struct error *error);

/* Starts the job and answers with its path; takes the verb, also on failure. ERROR_BUSY. */
bool verb_start(struct bus_call *call, struct verb *verb, const char *subject, struct error *error);

#endif

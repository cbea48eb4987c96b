/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A key in an HSM slot that is a credential (of the type HSM_KEY_TYPE): which key that is, and what
 * is being done with it in the token. What was begun is finished, or undone, after an interruption.
 */
#ifndef TESSERA_MODEL_HSM_KEY_H
#define TESSERA_MODEL_HSM_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/macros.h"

#define HSM_KEY_ID_BYTES      16 /* of the CKA_ID that a new key gets */
#define HSM_KEY_ID_MAX	      64 /* of one that was there */
#define HSM_KEY_LABEL_MAX     128
#define HSM_KEY_SERIAL_PREFIX "hsm-"

enum hsm_key_step {
	HSM_KEY_SETTLED, /* nothing is under way */
	HSM_KEY_ENROLL,	 /* its first certificate: kept once the store has it, else discarded */
	HSM_KEY_RENEW,	 /* another one, perhaps for another key (new_id): the same */
	HSM_KEY_CLEAN,	 /* the new one is in its place; what it was made for goes */
	HSM_KEY_DISCARD, /* what ENROLL or RENEW has made goes */
	HSM_KEY_RETIRE,	 /* the key goes */
	HSM_KEY_STEP_COUNT
};
const char *hsm_key_step_name(enum hsm_key_step step); /* "enroll"; "" for HSM_KEY_SETTLED */
/* HSM_KEY_STEP_COUNT for an unknown name. */
enum hsm_key_step hsm_key_step_from_name(const char *name);

struct hsm_key {
	int64_t credential_id;
	char *slot;	      /* its name */
	char *label;	      /* CKA_LABEL; of managed keys each is once in a slot */
	struct buffer id;     /* CKA_ID of the key */
	struct buffer new_id; /* of one that is to take its place; or empty */
	struct buffer old_id; /* of one whose place it has taken, and that is to be destroyed */
	bool was_there; /* the key was not made by its enrollment, and outlives one that fails */
	enum hsm_key_step step;
	int64_t last_certificate; /* greatest id of a certificate when the step began */
};
void hsm_key_clear(struct hsm_key *key);
#define HSM_KEY_INIT                                                                               \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_hsm_key_ _cleanup_(hsm_key_clear)

/* The serial of a key's credential: "hsm-0a1b..."; heap. It stays when another key takes its place.
 */
char *hsm_key_serial(const struct buffer *id);

#endif

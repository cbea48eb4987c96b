/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One-time codes that operators give to people who can prove themselves in no other way. A code is
 * 16 characters, "K7M2-P9QX-AB3D-EF4G": the first four find it (its selector, which is no secret),
 * the other twelve (59 bits) are known to nobody but who was given them, as only a salted scrypt
 * hash is kept. It is for one purpose, and one card or one card to be issued; it is used once, runs
 * out, and is dead after SELF_CODE_FAILURES wrong tries.
 */
#ifndef TESSERA_OPERATION_SELF_CODE_H
#define TESSERA_OPERATION_SELF_CODE_H

#include "common/secret.h"
#include "operation/services.h"
#include "store/self-service.h"

#define SELF_CODE_SELECTOR   4	/* characters */
#define SELF_CODE_REST	     12 /* characters */
#define SELF_CODE_FAILURES   10
#define SELF_CODE_HOURS	     24 /* where nothing is said */
#define SELF_CODE_HOURS_MAX  (14 * 24)
#define SELF_CODE_KEEP_HOURS (30 * 24) /* in the store, after it has run out */

/*
 * Makes a code for what `code` says (purpose, card or template, person, who gives it, when it runs
 * out), keeps it and gives it back as people read it. Fills the selector and what else is made
 * here. ERROR_FAILED without random numbers.
 */
bool self_code_make(struct services *services, struct self_code *code, struct secret *text,
	struct error *error);

/* What a person typed: spaces and hyphens do not count, nor upper and lower case. */
struct self_code_typed {
	char selector[SELF_CODE_SELECTOR + 1]; /* "????" for what cannot be a code */
	struct secret rest;
};
void self_code_typed_clear(struct self_code_typed *typed);
#define _cleanup_self_code_typed_ _cleanup_(self_code_typed_clear)
bool self_code_read(const struct secret *text, struct self_code_typed *typed, struct error *error);

/*
 * Whether it is the code: the same, not used, not run out, not dead. `code` may be all zeros, for
 * one that there is not: the answer is no, after the same work.
 */
bool self_code_fits(const struct self_code *code, const struct self_code_typed *typed, int64_t now);

/* Whether a code that was proved is good still. */
bool self_code_is_open(struct services *services, const char *selector, int64_t now);

#endif

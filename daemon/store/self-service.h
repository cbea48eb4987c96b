/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the store keeps of self-service; errors and threads as in store/store.h. */
#ifndef TESSERA_STORE_SELF_SERVICE_H
#define TESSERA_STORE_SELF_SERVICE_H

#include "model/lock-out.h"
#include "model/self-service.h"
#include "store/store.h"

/* --- one-time codes of self-service (store/self-code.c) --- */
#define SELF_CODE_SALT_BYTES 16
#define SELF_CODE_HASH_BYTES 32
struct self_code {
	int64_t id;
	char *selector; /* the part of the code that finds it: no secret */
	uint8_t salt[SELF_CODE_SALT_BYTES], hash[SELF_CODE_HASH_BYTES];
	enum self_service purpose;
	int64_t credential_id; /* 0: for a card that is to be issued */
	char *template_name;   /* by which it is; else NULL */
	char *user_id;	       /* to whom (struct credential); NULL: to who has these fields */
	struct fields holder;
	char *given_by; /* operators, with spaces between them */
	int64_t created_at, expires_at;
	int64_t used_at;   /* 0: not yet */
	unsigned failures; /* wrong tries at it */
};
void self_code_clear(struct self_code *code);
void self_codes_free(struct self_code *codes, size_t count);
#define _cleanup_self_code_ _cleanup_(self_code_clear)

/* Sets id. ERROR_EXISTS for a selector that is taken. */
bool store_self_code_add(struct store *store, struct self_code *code, struct error *error);
/* ERROR_NOT_FOUND */
bool store_self_code_get(
	struct store *store, const char *selector, struct self_code *code, struct error *error);
/* Those that are not used and have not run out before `now`, at most limit; *codes is heap. */
bool store_self_code_list(struct store *store, int64_t now, unsigned limit,
	struct self_code **codes, size_t *count, struct error *error);
/* Marks it as used, once: ERROR_NOT_FOUND for one that was used, has run out or was removed. */
bool store_self_code_spend(struct store *store, int64_t id, int64_t now, struct error *error);
/* It was not used after all. */
bool store_self_code_restore(struct store *store, int64_t id, struct error *error);
/* Counts a wrong try. */
bool store_self_code_fail(struct store *store, int64_t id, struct error *error);
/* ERROR_NOT_FOUND */
bool store_self_code_remove(struct store *store, const char *selector, struct error *error);
/* Those that ran out before `before`. */
bool store_self_code_purge(struct store *store, int64_t before, struct error *error);

/* --- lock-outs (store/lock-out.c): by a hash of whose they are --- */
/* All zeros for one who is not known. */
bool store_lock_out_get(
	struct store *store, const char *subject, struct lock_out *lock_out, struct error *error);
bool store_lock_out_set(struct store *store, const char *subject, const struct lock_out *lock_out,
	struct error *error);
/* None is no error; *was_there may be NULL. */
bool store_lock_out_remove(
	struct store *store, const char *subject, bool *was_there, struct error *error);
/* Those whose last failure was before `before`, and who are not locked any more. */
bool store_lock_out_purge(struct store *store, int64_t before, int64_t now, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is remembered of connections while tesserad runs, and never on disk: access tokens, and
 * where searches go on. May be used from any thread.
 */
#ifndef TESSERA_CONNECTION_MEMORY_H
#define TESSERA_CONNECTION_MEMORY_H

#include "common/error.h"
#include "common/secret.h"

struct connection_memory;
struct connection_memory *connection_memory_new(void);
/* NULL is allowed. */
void connection_memory_free(struct connection_memory *memory);
DEFINE_CLEANUP(struct connection_memory *, connection_memory_free);

/*
 * Keys are for everything that a token depends on, the secret it was got by among it, so that
 * a connection that was changed does not use an old one: connection_memory_key() of texts, heap,
 * which does not tell them.
 */
char *connection_memory_key(struct connection_memory *memory, const char *const texts[],
	size_t count, const struct secret *secret);
/* A copy of the token that is kept under a key and is still good; false when there is none. */
bool connection_memory_find(
	struct connection_memory *memory, const char *key, struct secret *token);
/* Keeps a copy for so many seconds, in place of an older one; not when seconds is 0. */
void connection_memory_keep(struct connection_memory *memory, const char *key,
	const struct secret *token, int64_t seconds);
/* Forgets what is kept under the key if it is this token. */
void connection_memory_drop(
	struct connection_memory *memory, const char *key, const struct secret *token);

/*
 * Remembers a text for some minutes under a name that nobody guesses, for a caller to bring back
 * (heap). When there are many, the oldest is forgotten.
 */
char *connection_memory_note(
	struct connection_memory *memory, const char *purpose, const char *text);
/* The text of that name, heap; NULL when there is none for this purpose (any more). */
char *connection_memory_noted(
	struct connection_memory *memory, const char *purpose, const char *name);

#endif

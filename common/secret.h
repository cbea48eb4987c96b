/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory for PINs and keys: its own locked pages, left out of core dumps,
 * wiped when freed, compared in constant time. Nothing prints a secret.
 */
#ifndef TESSERA_COMMON_SECRET_H
#define TESSERA_COMMON_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/macros.h"

/* Invariant: data is NULL exactly when no memory is held. length may be 0 with data set. */
struct secret {
	uint8_t *data;
	size_t length;
	size_t mapped; /* bytes mapped, private to secret.c */
};

#define SECRET_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_secret_ _cleanup_(secret_clear)

/* Makes room for length bytes (zeroed), clearing what was held. False when out of memory. */
bool secret_allocate(struct secret *secret, size_t length);
/* Copies length bytes in, clearing what was held. False when out of memory. */
bool secret_set(struct secret *secret, const void *data, size_t length);
bool secret_copy(struct secret *to, const struct secret *from);
/* Moves *from to *to, clearing what *to held. */
void secret_move(struct secret *to, struct secret *from);
/* Shortens; a longer length is ignored. */
void secret_truncate(struct secret *secret, size_t length);
/* Constant time in the contents; lengths that differ answer false at once. */
bool secret_equal(const struct secret *one, const struct secret *other);
/* Wipes and frees; the secret may be used again. */
void secret_clear(struct secret *secret);
static inline bool secret_is_set(const struct secret *secret)
{
	return secret->data != NULL;
}

/*
 * Keeps this process's memory out of core dumps and away from debuggers
 * (PR_SET_DUMPABLE). For programs, never for the module.
 */
void secret_protect_process(void);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The credential types that cards are recognised by; filled by operation/. */
#ifndef TESSERA_CARD_CARD_TYPE_H
#define TESSERA_CARD_CARD_TYPE_H

#include "model/card-type.h"

/* All functions may be called from any thread. */
struct card_types;

struct card_types *card_types_new(void);
void card_types_free(struct card_types *types); /* NULL is allowed */
DEFINE_CLEANUP(struct card_types *, card_types_free);
#define _cleanup_card_types_ _cleanup_(card_types_freep)

/* Takes a reference of its own. ERROR_EXISTS when the name is taken. */
bool card_types_add(struct card_types *types, struct card_type *type, struct error *error);
/* Cards that were recognised by it keep it. */
void card_types_remove(struct card_types *types, const char *name);
/* All these give references that the caller drops. NULL for an unknown name. */
struct card_type *card_types_find(struct card_types *types, const char *name);
/* The type that fits best, of equal ones the first by name; NULL when none fits. */
struct card_type *card_types_match(struct card_types *types, const struct card_evidence *evidence);
/* Sorted by name; free with card_types_list_free(). */
struct card_type **card_types_list(struct card_types *types, size_t *count);
void card_types_list_free(struct card_type **list, size_t count);

#endif

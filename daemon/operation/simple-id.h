/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Simple IDs: what operators, and holders without fields of a person, are known by. */
#ifndef TESSERA_OPERATION_SIMPLE_ID_H
#define TESSERA_OPERATION_SIMPLE_ID_H

#include "operation/services.h"

/* Makes one of so many characters, heap; NULL with error. The product's is operator_id_random(). */
typedef char *(*simple_id_source)(size_t length, struct error *error);

/*
 * One that no card's holder and no operator has, and that nobody else is given until it is
 * released. NULL with ERROR_LIMIT_REACHED when nearly all of that length are taken.
 */
char *simple_id_new(
	struct services *services, size_t length, simple_id_source source, struct error *error);
/* Once the card's holder is in the store, or never will be. NULL is allowed; does not free it. */
void simple_id_release(struct services *services, const char *id);

#endif

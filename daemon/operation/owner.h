/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System owners. The first one is what makes an installation: the token with the
 * master key, the shipped connections and templates, and the owner's card, to
 * which the token's PIN is sealed.
 */
#ifndef TESSERA_OPERATION_OWNER_H
#define TESSERA_OPERATION_OWNER_H

#include "common/secret.h"
#include "operation/services.h"

/* The store's value that is there once there has been a system owner. */
#define VALUE_INITIALISED "initialised"
/* The template that owners' cards are issued by. */
#define OWNER_TEMPLATE "system-owner"

struct owner_request {
	unsigned reader;    /* that the owner's card is in */
	const char *name;   /* of the owner, for the certificates; NULL: the simple ID */
	struct secret *pin; /* the card's first PIN */
	const struct secret *token_pin; /* of an HSM that is not open yet; else unset */
};

/*
 * Issues and activates the card in the reader as that of a system owner, and seals the token's PIN
 * to it. *unblock_code: the card's PUK, which unblocks it should its PIN be forgotten; it is told
 * once. Result fields as operation_issue(), "operator". A first initialisation that was cut off is
 * done anew. Errors: as operation_issue() and operation_activate(), ERROR_INVALID_ARGUMENT.
 */
bool operation_add_owner(struct operation *operation, const struct owner_request *request,
	struct secret *unblock_code, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A licence: how many credentials a store may manage, until when, and who says
 * so. It comes as a JSON document that carries the licence proper as exact
 * bytes and a signature over them:
 *
 *    format       "tessera-licence-1"
 *    payload      base64url (RFC 4648, section 5, without padding) of a JSON document:
 *        customer     who it was given to
 *        id           its own number or name
 *        store-id     the one store that it is for (32 hex digits)
 *        credentials  how many managed credentials it allows
 *        not-after    its last moment, UTC: "2027-12-31T23:59:59Z"
 *    signature    base64url of the Ed25519 signature (RFC 8032) over the payload's bytes
 *
 * A store without a licence is in evaluation mode.
 */
#ifndef TESSERA_MODEL_LICENCE_H
#define TESSERA_MODEL_LICENCE_H

#include <stdint.h>

#include <openssl/evp.h>

#include "common/error.h"
#include "common/macros.h"

/* What evaluation mode allows. */
#define LICENCE_EVALUATION_CREDENTIALS 10
#define LICENCE_FORMAT		       "tessera-licence-1"

struct licence {
	char *customer;
	char *id;
	char *store_id;
	int64_t credentials;
	int64_t not_after; /* seconds since 1970 */
};
#define LICENCE_INIT                                                                               \
	{                                                                                          \
		0                                                                                  \
	}
void licence_clear(struct licence *licence);
#define _cleanup_licence_ _cleanup_(licence_clear)

/* The Ed25519 public key in a PEM text. NULL with ERROR_INVALID_ARGUMENT. */
EVP_PKEY *licence_public_key(const char *pem, struct error *error);

/*
 * Reads a signed licence: nothing in the payload is looked at before its signature is verified.
 * Whether it fits a store and is in time is licence_check()'s. ERROR_INVALID_LICENCE.
 */
bool licence_parse(
	const char *document, EVP_PKEY *public_key, struct licence *licence, struct error *error);

/* Whether the licence is for this store and not over. ERROR_INVALID_LICENCE. */
bool licence_check(
	const struct licence *licence, const char *store_id, int64_t now, struct error *error);
/* The same question about the time alone. */
bool licence_has_expired(const struct licence *licence, int64_t now);

#endif

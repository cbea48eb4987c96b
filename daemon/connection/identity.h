/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What proves tesserad to a service: a secret of the connection, and, where it is a
 * client certificate without its key, the key in a slot.
 */
#ifndef TESSERA_CONNECTION_IDENTITY_H
#define TESSERA_CONNECTION_IDENTITY_H

#include "connection/services.h"

#define IDENTITY_CLIENT_CERTIFICATE "client-certificate"

struct identity {
	struct secret secret; /* unset until it is needed */
	EVP_PKEY *key;	      /* of the client certificate, where the secret does not have it */
	void *handle;	      /* for the key's services */
};

/*
 * Opens the secret of that name, and the key that the pkcs11: URI names (NULL: none), unless they
 * are open. ERROR_INVALID_CONNECTION when the secret was not set; ERROR_LOCKED.
 */
bool identity_open(struct identity *identity, const struct connection_services *services,
	const char *connection, const char *secret_name, const char *key_uri, struct error *error);
void identity_close(struct identity *identity, const struct connection_services *services);

/* Whether a secret is 1 to maximum visible ASCII characters; what: "an API key".
 * ERROR_INVALID_ARGUMENT. */
bool identity_check_visible(
	const struct secret *secret, const char *what, size_t maximum, struct error *error);
/*
 * Whether a secret is PEM of a certificate and, with needs_key, of its private key, or, without, of
 * no key. ERROR_INVALID_ARGUMENT.
 */
bool identity_check_certificate(const struct secret *secret, bool needs_key, struct error *error);

#endif

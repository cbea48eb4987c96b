/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of slots that prove tesserad itself to a service (TLS client certificates). */
#ifndef TESSERA_OPERATION_CLIENT_KEY_H
#define TESSERA_OPERATION_CLIENT_KEY_H

#include <openssl/evp.h>

#include "operation/services.h"

/*
 * The private key that a pkcs11: URI names by its token's label (and serial) and its own label
 * ("object"), of a slot whose PIN tesserad has. public_key: what it has to fit. For struct
 * connection_services; context is the struct services. *handle is for client_key_close(), which
 * also frees *key. ERROR_NOT_FOUND, ERROR_INVALID_ARGUMENT, ERROR_TOKEN_FAILED.
 */
bool client_key_open(void *context, const char *uri, EVP_PKEY *public_key, EVP_PKEY **key,
	void **handle, struct error *error);
void client_key_close(void *handle);

#endif

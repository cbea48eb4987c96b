/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Public key objects of a token as EVP_PKEYs. */
#ifndef TESSERA_TOKEN_PUBLIC_KEY_H
#define TESSERA_TOKEN_PUBLIC_KEY_H

#include <openssl/evp.h>

#include "token/session.h"

/* An RSA or EC public key object. NULL with ERROR_NOT_SUPPORTED or ERROR_TOKEN_FAILED. */
EVP_PKEY *public_key_read(struct session *session, CK_OBJECT_HANDLE handle, struct error *error);
#endif

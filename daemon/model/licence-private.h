/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The envelope of a licence, apart from what is in it. */
#ifndef TESSERA_MODEL_LICENCE_PRIVATE_H
#define TESSERA_MODEL_LICENCE_PRIVATE_H

#include <openssl/evp.h>

#include "common/buffer.h"
#include "common/error.h"

/* The payload's bytes, once the signature over them is verified. ERROR_INVALID_LICENCE. */
bool licence_open(
	const char *document, EVP_PKEY *public_key, struct buffer *payload, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SP 800-108r1, section 4.1: KDF in counter mode, 32-bit counter before the fixed data. */
#ifndef TESSERA_KEYS_KDF_H
#define TESSERA_KEYS_KDF_H

#include "common/error.h"
#include "common/secret.h"

/* One PRF call: 16 bytes of AES-CMAC of data. */
typedef bool (*kdf_prf)(
	void *context, const uint8_t *data, size_t length, uint8_t mac[16], struct error *error);

/* Fills output (allocated by the caller to the length wanted) from the fixed input data. */
bool kdf_counter(kdf_prf prf, void *prf_context, const uint8_t *fixed, size_t fixed_length,
	struct secret *output, struct error *error);

#endif

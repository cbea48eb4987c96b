/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RSA encodings (RFC 8017). Blocks have the size of the modulus in bytes. */
#ifndef TESSERA_PKCS11_PAD_H
#define TESSERA_PKCS11_PAD_H

#include "pkcs11/digest.h"

/* EMSA-PKCS1-v1_5 (9.2) around data, which is a DigestInfo. CKR_DATA_LEN_RANGE, CKR_HOST_MEMORY. */
CK_RV pad_pkcs1(struct buffer *block, size_t size, const struct buffer *data);
/* Zeros in front. CKR_DATA_LEN_RANGE, CKR_HOST_MEMORY. */
CK_RV pad_zeros(struct buffer *block, size_t size, const struct buffer *data);
/* EMSA-PSS (9.1.1); bits: of the modulus. CKR_KEY_SIZE_RANGE when it is too short for them. */
CK_RV pad_pss(struct buffer *block, size_t bits, const struct digest *digest,
	const struct digest *mgf, size_t salt_length, const struct buffer *hash);

/*
 * EME-PKCS1-v1_5 (7.2.2) and EME-OAEP (7.1.2) undone. What is wrong inside a block shows neither
 * in the answer (CKR_ENCRYPTED_DATA_INVALID for all) nor, up to there, in the time.
 */
CK_RV unpad_pkcs1(struct buffer *plain, const struct buffer *block);
CK_RV unpad_oaep(struct buffer *plain, const struct buffer *block, const struct digest *digest,
	const struct digest *mgf, const struct buffer *label);

/* EMSA-PKCS1-v1_5 undone. CKR_SIGNATURE_INVALID. */
CK_RV unpad_signature(struct buffer *data, const struct buffer *block);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What public keys do, done here by OpenSSL: no card is asked. */
#ifndef TESSERA_PKCS11_PUBLIC_H
#define TESSERA_PKCS11_PUBLIC_H

#include "pkcs11/operation.h"

/* Whether a point lies on the curve of a key; point: bare or in an OCTET STRING. */
bool public_has_point(const struct key *key, struct view point);
/* CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE. */
CK_RV public_verify(struct operation *operation, const uint8_t *signature, size_t length);
/* Encrypts what the operation collected. CKR_DATA_LEN_RANGE when it does not fit. */
CK_RV public_encrypt(struct operation *operation, struct buffer *result);
/*
 * What was signed, from the signature that the operation collected. CKR_SIGNATURE_INVALID,
 * CKR_SIGNATURE_LEN_RANGE.
 */
CK_RV public_recover(struct operation *operation, struct buffer *result);

#endif

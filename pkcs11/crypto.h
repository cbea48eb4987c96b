/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the C_ functions of operations (PKCS#11 2.40, 5.8 to 5.13) do, under the module lock. All
 * kinds share these functions; only verifying has another shape.
 */
#ifndef TESSERA_PKCS11_CRYPTO_H
#define TESSERA_PKCS11_CRYPTO_H

#include "pkcs11/session.h"

/* Starts an operation. Without a mechanism it ends the one that there is (PKCS#11 3.0). */
CK_RV crypto_init(CK_SESSION_HANDLE handle, enum operation_kind kind, CK_MECHANISM_PTR given,
	CK_OBJECT_HANDLE key);
/* A part of what is signed, verified or digested. */
CK_RV crypto_update(
	CK_SESSION_HANDLE handle, enum operation_kind kind, const void *data, CK_ULONG length);
/* A part of what is encrypted or decrypted. RSA and GCM give nothing before the end. */
CK_RV crypto_cipher_update(CK_SESSION_HANDLE handle, enum operation_kind kind, const void *data,
	CK_ULONG length, CK_BYTE_PTR out, CK_ULONG_PTR out_length);
/* Finishes an operation; data and length are the input of one that is done at once. */
CK_RV crypto_finish(CK_SESSION_HANDLE handle, enum operation_kind kind, bool at_once,
	const void *data, CK_ULONG length, CK_BYTE_PTR out, CK_ULONG_PTR out_length);
CK_RV crypto_verify(CK_SESSION_HANDLE handle, bool at_once, const void *data, CK_ULONG length,
	const void *signature, CK_ULONG signature_length);
/* The value of a secret key as a part of what is digested. */
CK_RV crypto_digest_key(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE key);

#endif

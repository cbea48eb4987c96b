/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The C_ functions of operations (PKCS#11 2.40, 5.8 to 5.13). */
#include "pkcs11/crypto.h"

CK_RV C_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
	return MODULE_LOCKED(crypto_init(session, OPERATION_SIGN, mechanism, key));
}

CK_RV C_Sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature,
	CK_ULONG_PTR signature_len)
{
	return MODULE_LOCKED(crypto_finish(
		session, OPERATION_SIGN, true, data, data_len, signature, signature_len));
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len)
{
	return MODULE_LOCKED(crypto_update(session, OPERATION_SIGN, part, part_len));
}

CK_RV C_SignFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR signature, CK_ULONG_PTR signature_len)
{
	return MODULE_LOCKED(
		crypto_finish(session, OPERATION_SIGN, false, NULL, 0, signature, signature_len));
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
	return MODULE_LOCKED(crypto_init(session, OPERATION_VERIFY, mechanism, key));
}

CK_RV C_Verify(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len,
	CK_BYTE_PTR signature, CK_ULONG signature_len)
{
	return MODULE_LOCKED(
		crypto_verify(session, true, data, data_len, signature, signature_len));
}

CK_RV C_VerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len)
{
	return MODULE_LOCKED(crypto_update(session, OPERATION_VERIFY, part, part_len));
}

CK_RV C_VerifyFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR signature, CK_ULONG signature_len)
{
	return MODULE_LOCKED(crypto_verify(session, false, NULL, 0, signature, signature_len));
}

CK_RV C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
	return MODULE_LOCKED(crypto_init(session, OPERATION_ENCRYPT, mechanism, key));
}

CK_RV C_Encrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len,
	CK_BYTE_PTR encrypted, CK_ULONG_PTR encrypted_len)
{
	return MODULE_LOCKED(crypto_finish(
		session, OPERATION_ENCRYPT, true, data, data_len, encrypted, encrypted_len));
}

CK_RV C_EncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len,
	CK_BYTE_PTR encrypted, CK_ULONG_PTR encrypted_len)
{
	return MODULE_LOCKED(crypto_cipher_update(
		session, OPERATION_ENCRYPT, part, part_len, encrypted, encrypted_len));
}

CK_RV C_EncryptFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR last, CK_ULONG_PTR last_len)
{
	return MODULE_LOCKED(
		crypto_finish(session, OPERATION_ENCRYPT, false, NULL, 0, last, last_len));
}

CK_RV C_DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
	return MODULE_LOCKED(crypto_init(session, OPERATION_DECRYPT, mechanism, key));
}

CK_RV C_Decrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR encrypted, CK_ULONG encrypted_len,
	CK_BYTE_PTR data, CK_ULONG_PTR data_len)
{
	return MODULE_LOCKED(crypto_finish(
		session, OPERATION_DECRYPT, true, encrypted, encrypted_len, data, data_len));
}

CK_RV C_DecryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR encrypted, CK_ULONG encrypted_len,
	CK_BYTE_PTR part, CK_ULONG_PTR part_len)
{
	return MODULE_LOCKED(crypto_cipher_update(
		session, OPERATION_DECRYPT, encrypted, encrypted_len, part, part_len));
}

CK_RV C_DecryptFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR last, CK_ULONG_PTR last_len)
{
	return MODULE_LOCKED(
		crypto_finish(session, OPERATION_DECRYPT, false, NULL, 0, last, last_len));
}

CK_RV C_DigestInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism)
{
	return MODULE_LOCKED(crypto_init(session, OPERATION_DIGEST, mechanism, CK_INVALID_HANDLE));
}

CK_RV C_Digest(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR digest,
	CK_ULONG_PTR digest_len)
{
	return MODULE_LOCKED(
		crypto_finish(session, OPERATION_DIGEST, true, data, data_len, digest, digest_len));
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len)
{
	return MODULE_LOCKED(crypto_update(session, OPERATION_DIGEST, part, part_len));
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR digest, CK_ULONG_PTR digest_len)
{
	return MODULE_LOCKED(
		crypto_finish(session, OPERATION_DIGEST, false, NULL, 0, digest, digest_len));
}

CK_RV C_DigestKey(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	return MODULE_LOCKED(crypto_digest_key(session, key));
}

/* --- recovering: signatures that contain what is signed --- */

CK_RV C_SignRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
	return MODULE_LOCKED(crypto_init(session, OPERATION_SIGN_RECOVER, mechanism, key));
}

CK_RV C_SignRecover(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len,
	CK_BYTE_PTR signature, CK_ULONG_PTR signature_len)
{
	return MODULE_LOCKED(crypto_finish(
		session, OPERATION_SIGN_RECOVER, true, data, data_len, signature, signature_len));
}

CK_RV C_VerifyRecoverInit(
	CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
	return MODULE_LOCKED(crypto_init(session, OPERATION_VERIFY_RECOVER, mechanism, key));
}

CK_RV C_VerifyRecover(CK_SESSION_HANDLE session, CK_BYTE_PTR signature, CK_ULONG signature_len,
	CK_BYTE_PTR data, CK_ULONG_PTR data_len)
{
	return MODULE_LOCKED(crypto_finish(
		session, OPERATION_VERIFY_RECOVER, true, signature, signature_len, data, data_len));
}

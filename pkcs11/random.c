/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random numbers come from OpenSSL: the card would be slower and no better. */
#include <openssl/rand.h>

#include "pkcs11/session.h"

static CK_RV generate(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG length)
{
	struct session *session;
	CK_RV rv = session_enter(handle, &session, NULL);

	if (rv != CKR_OK)
		return rv;
	if (!data && length)
		return CKR_ARGUMENTS_BAD;
	if (!crypto_context() || RAND_bytes_ex(crypto_context(), data, length, 0) != 1)
		return CKR_FUNCTION_FAILED;
	return CKR_OK;
}

static CK_RV seed(CK_SESSION_HANDLE handle)
{
	struct session *session;
	CK_RV rv = session_enter(handle, &session, NULL);

	return rv == CKR_OK ? CKR_RANDOM_SEED_NOT_SUPPORTED : rv;
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG length)
{
	return MODULE_LOCKED(generate(session, data, length));
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG length)
{
	(void)data;
	(void)length;
	return MODULE_LOCKED(seed(session));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * C_GenerateRandom and C_SeedRandom (PKCS#11 2.40, 5.14). A card is asked for nothing: its
 * generator is slow, may cost it a login, and is no better than OpenSSL's, which the kernel seeds.
 * Who asks an HSM for random numbers wants that HSM's, as a certificate of it may demand.
 */
#include <string.h>

#include <openssl/rand.h>

#include "pkcs11/errand.h"
#include "pkcs11/remote-object.h"

#define PART_MAXIMUM 16384 /* bytes that one call to the daemon asks for */
#define SEED_MAXIMUM 16384

static CK_RV generate_here(CK_BYTE_PTR data, CK_ULONG length)
{
	if (!crypto_context() || RAND_bytes_ex(crypto_context(), data, length, 0) != 1)
		return CKR_FUNCTION_FAILED;
	return CKR_OK;
}

static CK_RV fetch_part(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, uint32_t length)
{
	_cleanup_buffer_ struct buffer bytes = BUFFER_INIT_WIPE;
	struct errand errand;

	errand_begin(&errand, session_find(handle));
	bool done = remote_get_random(errand.remote, errand.slot, length, &bytes, &errand.error);
	CK_RV rv = errand_end(&errand, done, CKR_CONTEXT_RANDOM);
	if (rv == CKR_OK && bytes.length != length)
		return CKR_DEVICE_ERROR;
	if (rv == CKR_OK)
		memcpy(data, bytes.data, length);
	return rv;
}

static CK_RV generate(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG length)
{
	struct session *session;
	struct slot *slot;
	CK_RV rv = session_enter(handle, &session, &slot);

	if (rv != CKR_OK)
		return rv;
	if (!data && length)
		return CKR_ARGUMENTS_BAD;
	if (!(slot->token.flags & TOKEN_FIXED))
		return generate_here(data, length);
	while (rv == CKR_OK && length > 0) {
		uint32_t part = length < PART_MAXIMUM ? (uint32_t)length : PART_MAXIMUM;
		rv = fetch_part(handle, data, part);
		data += part;
		length -= part;
	}
	return rv;
}

static CK_RV seed(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG length)
{
	_cleanup_buffer_ struct buffer copy = BUFFER_INIT_WIPE;
	struct errand errand;
	struct session *session;
	struct slot *slot;
	CK_RV rv = session_enter(handle, &session, &slot);

	if (rv != CKR_OK)
		return rv;
	if ((!data && length) || length > SEED_MAXIMUM)
		return CKR_ARGUMENTS_BAD;
	if (!(slot->token.flags & TOKEN_FIXED))
		return CKR_RANDOM_SEED_NOT_SUPPORTED;
	buffer_append(&copy, data, length);
	if (copy.failed)
		return CKR_HOST_MEMORY;
	errand_begin(&errand, session);
	bool done = remote_seed_random(errand.remote, errand.slot, &copy, &errand.error);
	bool refused = !done && errand.error.code == ERROR_NOT_SUPPORTED;
	rv = errand_end(&errand, done, CKR_CONTEXT_RANDOM);
	return refused && rv != CKR_CRYPTOKI_NOT_INITIALIZED ? CKR_RANDOM_SEED_NOT_SUPPORTED : rv;
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG length)
{
	return MODULE_LOCKED(generate(session, data, length));
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG length)
{
	return MODULE_LOCKED(seed(session, data, length));
}

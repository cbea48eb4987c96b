/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance/operation.h"

#include <stdio.h>
#include <string.h>

/* --- the families --- */

static CK_RV encrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return P11->C_EncryptInit(session, mechanism, key);
}

static CK_RV encrypt_one(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length, CK_BYTE *output,
	CK_ULONG *output_length)
{
	return P11->C_Encrypt(session, data, length, output, output_length);
}

static CK_RV encrypt_update(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length,
	CK_BYTE *output, CK_ULONG *output_length)
{
	return P11->C_EncryptUpdate(session, data, length, output, output_length);
}

static CK_RV encrypt_final(CK_SESSION_HANDLE session, CK_BYTE *output, CK_ULONG *output_length)
{
	return P11->C_EncryptFinal(session, output, output_length);
}

const struct family family_encrypt = {
	"Encrypt", true, encrypt_init, encrypt_one, encrypt_update, encrypt_final};

static CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return P11->C_DecryptInit(session, mechanism, key);
}

static CK_RV decrypt_one(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length, CK_BYTE *output,
	CK_ULONG *output_length)
{
	return P11->C_Decrypt(session, data, length, output, output_length);
}

static CK_RV decrypt_update(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length,
	CK_BYTE *output, CK_ULONG *output_length)
{
	return P11->C_DecryptUpdate(session, data, length, output, output_length);
}

static CK_RV decrypt_final(CK_SESSION_HANDLE session, CK_BYTE *output, CK_ULONG *output_length)
{
	return P11->C_DecryptFinal(session, output, output_length);
}

const struct family family_decrypt = {
	"Decrypt", true, decrypt_init, decrypt_one, decrypt_update, decrypt_final};

static CK_RV digest_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	(void)key;
	return P11->C_DigestInit(session, mechanism);
}

static CK_RV digest_one(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length, CK_BYTE *output,
	CK_ULONG *output_length)
{
	return P11->C_Digest(session, data, length, output, output_length);
}

static CK_RV digest_update(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length,
	CK_BYTE *output, CK_ULONG *output_length)
{
	(void)output;
	*output_length = 0;
	return P11->C_DigestUpdate(session, data, length);
}

static CK_RV digest_final(CK_SESSION_HANDLE session, CK_BYTE *output, CK_ULONG *output_length)
{
	return P11->C_DigestFinal(session, output, output_length);
}

const struct family family_digest = {
	"Digest", false, digest_init, digest_one, digest_update, digest_final};

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return P11->C_SignInit(session, mechanism, key);
}

static CK_RV sign_one(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length, CK_BYTE *output,
	CK_ULONG *output_length)
{
	return P11->C_Sign(session, data, length, output, output_length);
}

static CK_RV sign_update(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length, CK_BYTE *output,
	CK_ULONG *output_length)
{
	(void)output;
	*output_length = 0;
	return P11->C_SignUpdate(session, data, length);
}

static CK_RV sign_final(CK_SESSION_HANDLE session, CK_BYTE *output, CK_ULONG *output_length)
{
	return P11->C_SignFinal(session, output, output_length);
}

const struct family family_sign = {"Sign", true, sign_init, sign_one, sign_update, sign_final};

static CK_RV verify_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return P11->C_VerifyInit(session, mechanism, key);
}

const struct family family_verify = {"Verify", true, verify_init, NULL, NULL, NULL};

/* --- running --- */

CK_RV init_elsewhere(const struct family *family, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_SESSION_HANDLE session = session_open(0);
	CK_RV rv = family->init(session, mechanism, key);

	P11->C_CloseSession(session);
	return rv;
}

CK_RV run_one(const struct family *family, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
	const CK_BYTE *data, CK_ULONG length, CK_BYTE *output, CK_ULONG *output_length)
{
	CK_RV rv = family->init(suite.session, mechanism, key);

	if (rv != CKR_OK)
		return rv;
	return family->one(suite.session, (CK_BYTE *)data, length, output, output_length);
}

CK_RV run_parts(const struct family *family, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
	const CK_BYTE *data, CK_ULONG length, CK_ULONG part, CK_BYTE *output,
	CK_ULONG *output_length)
{
	CK_RV rv = family->init(suite.session, mechanism, key);
	CK_ULONG room = *output_length, used = 0;

	for (CK_ULONG done = 0; rv == CKR_OK && done < length; done += part) {
		CK_ULONG now = length - done < part ? length - done : part;
		CK_ULONG made = room - used;
		rv = family->update(
			suite.session, (CK_BYTE *)data + done, now, output + used, &made);
		used += made;
	}
	if (rv != CKR_OK)
		return rv;
	CK_ULONG made = room - used;
	rv = family->final(suite.session, output + used, &made);
	*output_length = used + made;
	return rv;
}

/* --- names: C_EncryptUpdate.what --- */

static const char *named(const struct family *family, const char *what)
{
	return join(join("C_", family->name), what);
}

/* Ends what is active, whatever it is. */
static void end_operation(const struct family *family)
{
	CK_BYTE output[2048];
	CK_ULONG length = sizeof(output);

	family->final(suite.session, output, &length);
	length = sizeof(output);
	family->one(suite.session, output, 1, output, &length);
}

/* --- checks --- */

static void check_handles(
	const struct family *family, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_BYTE bytes[64] = {0};
	CK_ULONG length = sizeof(bytes);

	EXPECT(named(family, "Init.unknown_session"), family->init(NO_SESSION, mechanism, key),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT(named(family, ".unknown_session"),
		family->one(NO_SESSION, bytes, 16, bytes, &length), CKR_SESSION_HANDLE_INVALID);
	length = sizeof(bytes);
	EXPECT(named(family, "Update.unknown_session"),
		family->update(NO_SESSION, bytes, 16, bytes, &length), CKR_SESSION_HANDLE_INVALID);
	length = sizeof(bytes);
	EXPECT(named(family, "Final.unknown_session"), family->final(NO_SESSION, bytes, &length),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT(named(family, "Init.null_mechanism"), init_elsewhere(family, NULL, key),
		CKR_ARGUMENTS_BAD);
	if (!family->takes_key)
		return;
	EXPECT(named(family, "Init.unknown_key"), init_elsewhere(family, mechanism, NO_OBJECT),
		CKR_KEY_HANDLE_INVALID);
	EXPECT(named(family, "Init.zero_key"), init_elsewhere(family, mechanism, CK_INVALID_HANDLE),
		CKR_KEY_HANDLE_INVALID);
}

static void check_without_operation(const struct family *family)
{
	CK_BYTE bytes[64] = {0};
	CK_ULONG length = sizeof(bytes);

	EXPECT(named(family, ".not_initialized_operation"),
		family->one(suite.session, bytes, 16, bytes, &length),
		CKR_OPERATION_NOT_INITIALIZED);
	length = sizeof(bytes);
	EXPECT(named(family, "Update.not_initialized_operation"),
		family->update(suite.session, bytes, 16, bytes, &length),
		CKR_OPERATION_NOT_INITIALIZED);
	length = sizeof(bytes);
	EXPECT(named(family, "Final.not_initialized_operation"),
		family->final(suite.session, bytes, &length), CKR_OPERATION_NOT_INITIALIZED);
}

/* Neither the question for the length nor a buffer too small ends the operation (5.2). */
static void check_lengths(const struct family *family, CK_MECHANISM *mechanism,
	CK_OBJECT_HANDLE key, CK_BYTE *data, CK_ULONG length)
{
	CK_BYTE output[2048];
	CK_ULONG asked = 0, small = 0, made;

	NEED(family->init(suite.session, mechanism, key));
	EXPECT(named(family, "Init.twice"), family->init(suite.session, mechanism, key),
		CKR_OPERATION_ACTIVE);
	EXPECT(named(family, ".how_long"), family->one(suite.session, data, length, NULL, &asked),
		CKR_OK);
	EXPECT_THAT(named(family, ".how_long_is_enough"), asked > 0 && asked <= sizeof(output));
	EXPECT(named(family, ".too_small"),
		family->one(suite.session, data, length, output, &small), CKR_BUFFER_TOO_SMALL);
	EXPECT_THAT(
		named(family, ".too_small_says_how_long"), small > 0 && small <= sizeof(output));
	made = asked;
	EXPECT(named(family, ".works_afterwards"),
		family->one(suite.session, data, length, output, &made), CKR_OK);
	EXPECT_THAT(named(family, ".length_is_right"), made > 0 && made <= asked);
	made = sizeof(output);
	EXPECT(named(family, ".ends_operation"),
		family->one(suite.session, data, length, output, &made),
		CKR_OPERATION_NOT_INITIALIZED);
}

/* What is refused for its arguments ends the operation, or does not: it may begin anew after
 * another call. */
static void check_null(const struct family *family, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
	CK_BYTE *data, CK_ULONG length)
{
	CK_BYTE output[2048];
	CK_ULONG made = sizeof(output);

	NEED(family->init(suite.session, mechanism, key));
	EXPECT(named(family, ".null_length"),
		family->one(suite.session, data, length, output, NULL), CKR_ARGUMENTS_BAD);
	end_operation(family);
	NEED(family->init(suite.session, mechanism, key));
	EXPECT(named(family, ".null_data"), family->one(suite.session, NULL, 16, output, &made),
		CKR_ARGUMENTS_BAD);
	end_operation(family);
}

/* Sessions do not share operations. */
static void check_two_sessions(const struct family *family, CK_MECHANISM *mechanism,
	CK_OBJECT_HANDLE key, CK_BYTE *data, CK_ULONG length)
{
	CK_SESSION_HANDLE other = session_open(0);
	CK_BYTE output[2048];
	CK_ULONG made = sizeof(output);

	NEED(family->init(suite.session, mechanism, key));
	EXPECT(named(family, ".operation_of_another_session"),
		family->one(other, data, length, output, &made), CKR_OPERATION_NOT_INITIALIZED);
	EXPECT(named(family, "Init.in_two_sessions"), family->init(other, mechanism, key), CKR_OK);
	P11->C_CloseSession(other);
	made = sizeof(output);
	EXPECT(named(family, ".after_another_session_closed"),
		family->one(suite.session, data, length, output, &made), CKR_OK);
}

void family_check(const struct family *family, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
	const CK_BYTE *data, CK_ULONG length)
{
	check_handles(family, mechanism, key);
	check_without_operation(family);
	check_lengths(family, mechanism, key, (CK_BYTE *)data, length);
	check_null(family, mechanism, key, (CK_BYTE *)data, length);
	check_two_sessions(family, mechanism, key, (CK_BYTE *)data, length);
}

static void check_parts_null(const struct family *family, CK_MECHANISM *mechanism,
	CK_OBJECT_HANDLE key, CK_BYTE *data, CK_ULONG length)
{
	CK_BYTE output[2048];
	CK_ULONG made = sizeof(output);

	NEED(family->init(suite.session, mechanism, key));
	EXPECT(named(family, "Update.null_data"),
		family->update(suite.session, NULL, 16, output, &made), CKR_ARGUMENTS_BAD);
	end_operation(family);
	NEED(family->init(suite.session, mechanism, key));
	made = sizeof(output);
	NEED(family->update(suite.session, data, length, output, &made));
	EXPECT(named(family, "Final.null_length"), family->final(suite.session, output, NULL),
		CKR_ARGUMENTS_BAD);
	end_operation(family);
}

void family_check_parts(const struct family *family, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
	const CK_BYTE *data, CK_ULONG length)
{
	CK_BYTE output[2048];
	CK_ULONG made = sizeof(output), asked = 0;

	check_parts_null(family, mechanism, key, (CK_BYTE *)data, length);
	NEED(family->init(suite.session, mechanism, key));
	EXPECT(named(family, "Update.works"),
		family->update(suite.session, (CK_BYTE *)data, length, output, &made), CKR_OK);
	EXPECT(named(family, "Init.while_in_parts"), family->init(suite.session, mechanism, key),
		CKR_OPERATION_ACTIVE);
	EXPECT(named(family, "Final.how_long"), family->final(suite.session, NULL, &asked), CKR_OK);
	made = sizeof(output);
	EXPECT(named(family, "Final.works"), family->final(suite.session, output, &made), CKR_OK);
	made = sizeof(output);
	EXPECT(named(family, "Final.ends_operation"), family->final(suite.session, output, &made),
		CKR_OPERATION_NOT_INITIALIZED);
	/* C_Encrypt and the like do not end what is done in parts. */
	NEED(family->init(suite.session, mechanism, key));
	made = sizeof(output);
	NEED(family->update(suite.session, (CK_BYTE *)data, length, output, &made));
	made = sizeof(output);
	EXPECT_THAT(named(family, ".while_in_parts"),
		family->one(suite.session, (CK_BYTE *)data, length, output, &made) != CKR_OK);
	end_operation(family);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance/verify.h"

#include <string.h>

#include "conformance/operation.h"

static CK_RV verify(CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key, CK_BYTE *data, CK_ULONG length,
	CK_BYTE *signature, CK_ULONG signature_length)
{
	CK_RV rv = P11->C_VerifyInit(suite.session, mechanism, key);

	if (rv != CKR_OK)
		return rv;
	return P11->C_Verify(suite.session, data, length, signature, signature_length);
}

static void verify_arguments(CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_BYTE bytes[64] = {0};

	EXPECT("C_VerifyInit.unknown_session", P11->C_VerifyInit(NO_SESSION, mechanism, key),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_VerifyInit.null_mechanism", init_elsewhere(&family_verify, NULL, key),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_VerifyInit.unknown_key", init_elsewhere(&family_verify, mechanism, NO_OBJECT),
		CKR_KEY_HANDLE_INVALID);
	EXPECT("C_Verify.unknown_session", P11->C_Verify(NO_SESSION, bytes, 16, bytes, 16),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_Verify.not_initialized_operation",
		P11->C_Verify(suite.session, bytes, 16, bytes, 16), CKR_OPERATION_NOT_INITIALIZED);
	EXPECT("C_VerifyUpdate.unknown_session", P11->C_VerifyUpdate(NO_SESSION, bytes, 16),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_VerifyUpdate.not_initialized_operation",
		P11->C_VerifyUpdate(suite.session, bytes, 16), CKR_OPERATION_NOT_INITIALIZED);
	EXPECT("C_VerifyFinal.unknown_session", P11->C_VerifyFinal(NO_SESSION, bytes, 16),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_VerifyFinal.not_initialized_operation",
		P11->C_VerifyFinal(suite.session, bytes, 16), CKR_OPERATION_NOT_INITIALIZED);
}

void verify_check(CK_MECHANISM *mechanism, const struct pair *pair, CK_BYTE *data, CK_ULONG length)
{
	CK_BYTE signature[1024];
	CK_ULONG made = sizeof(signature);
	CK_OBJECT_HANDLE key = pair->public;

	verify_arguments(mechanism, key);
	EXPECT("C_VerifyInit.private_key", init_elsewhere(&family_verify, mechanism, pair->private),
		CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_HANDLE_INVALID);
	NEED(run_one(&family_sign, mechanism, pair->private, data, length, signature, &made));
	NEED(P11->C_VerifyInit(suite.session, mechanism, key));
	EXPECT("C_VerifyInit.twice", P11->C_VerifyInit(suite.session, mechanism, key),
		CKR_OPERATION_ACTIVE);
	EXPECT("C_Verify.works", P11->C_Verify(suite.session, data, length, signature, made),
		CKR_OK);
	EXPECT("C_Verify.ends_operation",
		P11->C_Verify(suite.session, data, length, signature, made),
		CKR_OPERATION_NOT_INITIALIZED);
	signature[made - 1] ^= 1;
	EXPECT("C_Verify.wrong", verify(mechanism, key, data, length, signature, made),
		CKR_SIGNATURE_INVALID);
	EXPECT("C_Verify.wrong_ends_operation",
		P11->C_Verify(suite.session, data, length, signature, made),
		CKR_OPERATION_NOT_INITIALIZED);
	NEED(P11->C_VerifyInit(suite.session, mechanism, key));
	EXPECT("C_Verify.null_signature", P11->C_Verify(suite.session, data, length, NULL, made),
		CKR_ARGUMENTS_BAD);
	P11->C_Verify(suite.session, data, length, signature, made);
	NEED(P11->C_VerifyInit(suite.session, mechanism, key));
	EXPECT("C_Verify.null_data", P11->C_Verify(suite.session, NULL, length, signature, made),
		CKR_ARGUMENTS_BAD);
	P11->C_Verify(suite.session, data, length, signature, made);
}

static CK_RV verify_parts(CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key, CK_BYTE *data,
	CK_ULONG length, CK_BYTE *signature, CK_ULONG signature_length)
{
	CK_RV rv = P11->C_VerifyInit(suite.session, mechanism, key);

	for (CK_ULONG done = 0; rv == CKR_OK && done < length; done += 50)
		rv = P11->C_VerifyUpdate(
			suite.session, data + done, length - done < 50 ? length - done : 50);
	if (rv != CKR_OK)
		return rv;
	return P11->C_VerifyFinal(suite.session, signature, signature_length);
}

void verify_check_parts(
	CK_MECHANISM *mechanism, const struct pair *pair, CK_BYTE *data, CK_ULONG length)
{
	CK_BYTE signature[1024];
	CK_ULONG made = sizeof(signature);
	CK_OBJECT_HANDLE key = pair->public;

	NEED(run_one(&family_sign, mechanism, pair->private, data, length, signature, &made));
	EXPECT("C_VerifyFinal.works", verify_parts(mechanism, key, data, length, signature, made),
		CKR_OK);
	EXPECT("C_VerifyFinal.ends_operation", P11->C_VerifyFinal(suite.session, signature, made),
		CKR_OPERATION_NOT_INITIALIZED);
	signature[made / 2] ^= 1;
	EXPECT("C_VerifyFinal.wrong", verify_parts(mechanism, key, data, length, signature, made),
		CKR_SIGNATURE_INVALID);
	EXPECT("C_VerifyFinal.too_short",
		verify_parts(mechanism, key, data, length, signature, made - 1),
		CKR_SIGNATURE_LEN_RANGE);
	NEED(P11->C_VerifyInit(suite.session, mechanism, key));
	NEED(P11->C_VerifyUpdate(suite.session, data, length));
	EXPECT_THAT("C_Verify.while_in_parts",
		P11->C_Verify(suite.session, data, length, signature, made) != CKR_OK);
	P11->C_VerifyFinal(suite.session, signature, made);
	NEED(P11->C_VerifyInit(suite.session, mechanism, key));
	EXPECT("C_VerifyUpdate.null_data", P11->C_VerifyUpdate(suite.session, NULL, 16),
		CKR_ARGUMENTS_BAD);
	P11->C_VerifyFinal(suite.session, signature, made);
}

void verify_signature(const char *name, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
	CK_BYTE *data, CK_ULONG length, CK_BYTE *signature, CK_ULONG signature_length)
{
	if (!has(mechanism->mechanism, CKF_VERIFY)) {
		check_skip(join(name, ".verify"), "the token does not verify so");
		return;
	}
	EXPECT(join(name, ".verify"),
		verify(mechanism, key, data, length, signature, signature_length), CKR_OK);
	EXPECT(join(name, ".verify_too_short"),
		verify(mechanism, key, data, length, signature, signature_length - 1),
		CKR_SIGNATURE_LEN_RANGE);
	EXPECT(join(name, ".verify_too_long"),
		verify(mechanism, key, data, length, signature, signature_length + 1),
		CKR_SIGNATURE_LEN_RANGE);
	data[0] ^= 1;
	EXPECT(join(name, ".verify_other_data"),
		verify(mechanism, key, data, length, signature, signature_length),
		CKR_SIGNATURE_INVALID);
	data[0] ^= 1;
}

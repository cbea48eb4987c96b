/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What C_Encrypt, C_Decrypt, C_Digest and C_Sign have in common: their states (5.2, 5.8 to 5.11).
 */
#pragma once

#include "conformance/conformance.h"

/* A family of functions: "Encrypt" stands for C_EncryptInit, C_Encrypt, C_EncryptUpdate,
 * C_EncryptFinal. */
struct family {
	const char *name;
	bool takes_key;
	CK_RV (*init)(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
	CK_RV(*one)
	(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length, CK_BYTE *output,
		CK_ULONG *output_length);
	/* without output: *output_length becomes 0 */
	CK_RV(*update)
	(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length, CK_BYTE *output,
		CK_ULONG *output_length);
	CK_RV (*final)(CK_SESSION_HANDLE session, CK_BYTE *output, CK_ULONG *output_length);
};

extern const struct family family_encrypt, family_decrypt, family_digest, family_sign;
/* For init alone. */
extern const struct family family_verify;

/* The arguments and states of a family, by a mechanism and key that work for these data. */
void family_check(const struct family *family, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
	const CK_BYTE *data, CK_ULONG length);
/* The states of the multi-part functions, where the mechanism has them. */
void family_check_parts(const struct family *family, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
	const CK_BYTE *data, CK_ULONG length);

/* C_EncryptInit and the like in a session of its own: what it should refuse and takes goes with
 * that. */
CK_RV init_elsewhere(const struct family *family, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
/* In one call. */
CK_RV run_one(const struct family *family, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
	const CK_BYTE *data, CK_ULONG length, CK_BYTE *output, CK_ULONG *output_length);
/* In parts of this size, the output in one piece. */
CK_RV run_parts(const struct family *family, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
	const CK_BYTE *data, CK_ULONG length, CK_ULONG part, CK_BYTE *output,
	CK_ULONG *output_length);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_Verify and the like (5.12). */
#pragma once

#include "conformance/conformance.h"

/* Arguments and states, with a signature that the pair makes. */
void verify_check(CK_MECHANISM *mechanism, const struct pair *pair, CK_BYTE *data, CK_ULONG length);
void verify_check_parts(
	CK_MECHANISM *mechanism, const struct pair *pair, CK_BYTE *data, CK_ULONG length);
/* The signature is good; changed, shortened or of other data it is not. */
void verify_signature(const char *name, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
	CK_BYTE *data, CK_ULONG length, CK_BYTE *signature, CK_ULONG signature_length);

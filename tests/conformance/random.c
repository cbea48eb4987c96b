/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random numbers (5.15), and the functions for parallel work that are no longer any (5.16). */
#include "conformance/conformance.h"

#include <string.h>

void random_functions(void)
{
	CK_BYTE one[64] = {0}, other[64] = {0}, zeros[64] = {0};

	section("5.15");
	EXPECT("C_SeedRandom.unknown_session", P11->C_SeedRandom(NO_SESSION, one, 16),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_SeedRandom.null", P11->C_SeedRandom(suite.session, NULL, 16), CKR_ARGUMENTS_BAD,
		CKR_RANDOM_SEED_NOT_SUPPORTED);
	EXPECT("C_SeedRandom.works", P11->C_SeedRandom(suite.session, one, 16), CKR_OK,
		CKR_RANDOM_SEED_NOT_SUPPORTED);
	EXPECT("C_GenerateRandom.unknown_session", P11->C_GenerateRandom(NO_SESSION, one, 16),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_GenerateRandom.null", P11->C_GenerateRandom(suite.session, NULL, 16),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_GenerateRandom.works", P11->C_GenerateRandom(suite.session, one, sizeof(one)),
		CKR_OK);
	NEED(P11->C_GenerateRandom(suite.session, other, sizeof(other)));
	EXPECT_THAT("C_GenerateRandom.is_never_the_same",
		memcmp(one, other, sizeof(one)) && memcmp(one, zeros, sizeof(one)));
	NEED(P11->C_GenerateRandom(suite.session, zeros, 1));
	EXPECT_THAT("C_GenerateRandom.no_more_than_asked", !zeros[1] && !zeros[2] && !zeros[3]);
}

void parallel_functions(void)
{
	section("5.16");
	EXPECT("C_GetFunctionStatus.works", P11->C_GetFunctionStatus(suite.session),
		CKR_FUNCTION_NOT_PARALLEL);
	EXPECT("C_CancelFunction.works", P11->C_CancelFunction(suite.session),
		CKR_FUNCTION_NOT_PARALLEL);
	EXPECT("C_GetFunctionStatus.unknown_session", P11->C_GetFunctionStatus(NO_SESSION),
		CKR_SESSION_HANDLE_INVALID, CKR_FUNCTION_NOT_PARALLEL);
	EXPECT("C_CancelFunction.unknown_session", P11->C_CancelFunction(NO_SESSION),
		CKR_SESSION_HANDLE_INVALID, CKR_FUNCTION_NOT_PARALLEL);
}

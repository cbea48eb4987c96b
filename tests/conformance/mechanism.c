/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_GetMechanismList and C_GetMechanismInfo (5.5), and whether the Init functions keep to them. */
#include "conformance/conformance.h"

#include <stdio.h>

#define MECHANISMS_MAX 256

static CK_MECHANISM_TYPE types[MECHANISMS_MAX];
static CK_ULONG type_count;

static bool list_is_without_doubles(void)
{
	for (CK_ULONG i = 0; i < type_count; i++) {
		for (CK_ULONG j = 0; j < i; j++) {
			if (types[i] == types[j])
				return false;
		}
	}
	return true;
}

static void mechanism_list(void)
{
	CK_ULONG count = 0, small = 0;

	EXPECT("C_GetMechanismList.unknown_slot", P11->C_GetMechanismList(NO_SLOT, NULL, &count),
		CKR_SLOT_ID_INVALID);
	EXPECT("C_GetMechanismList.null_count", P11->C_GetMechanismList(suite.slot, NULL, NULL),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_GetMechanismList.how_many", P11->C_GetMechanismList(suite.slot, NULL, &count),
		CKR_OK);
	EXPECT_THAT("C_GetMechanismList.there_are_some", count > 0 && count <= MECHANISMS_MAX);
	EXPECT("C_GetMechanismList.too_small", P11->C_GetMechanismList(suite.slot, types, &small),
		CKR_BUFFER_TOO_SMALL);
	EXPECT_THAT("C_GetMechanismList.too_small_says_how_many", small == count);
	type_count = MECHANISMS_MAX;
	NEED(P11->C_GetMechanismList(suite.slot, types, &type_count));
	EXPECT_THAT("C_GetMechanismList.has_each_once", list_is_without_doubles());
}

static void mechanism_info(void)
{
	CK_MECHANISM_INFO info;
	bool answered = true, range = true, used = true;

	EXPECT("C_GetMechanismInfo.unknown_slot", P11->C_GetMechanismInfo(NO_SLOT, types[0], &info),
		CKR_SLOT_ID_INVALID);
	EXPECT("C_GetMechanismInfo.unknown_mechanism",
		P11->C_GetMechanismInfo(suite.slot, NO_MECHANISM, &info), CKR_MECHANISM_INVALID);
	EXPECT("C_GetMechanismInfo.null", P11->C_GetMechanismInfo(suite.slot, types[0], NULL),
		CKR_ARGUMENTS_BAD);
	for (CK_ULONG i = 0; i < type_count; i++) {
		answered =
			P11->C_GetMechanismInfo(suite.slot, types[i], &info) == CKR_OK && answered;
		range = info.ulMinKeySize <= info.ulMaxKeySize && range;
		used = info.flags & ~CKF_HW && used;
	}
	EXPECT_THAT("C_GetMechanismInfo.each_that_is_listed", answered);
	EXPECT_THAT("C_GetMechanismInfo.key_sizes_are_a_range", range);
	EXPECT_THAT("C_GetMechanismInfo.each_is_good_for_something", used);
}

/* --- what is not listed for a use is refused by its Init function --- */

typedef CK_RV (*init_function)(CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);

static CK_RV encrypt_init(CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return P11->C_EncryptInit(suite.session, mechanism, key);
}

static CK_RV decrypt_init(CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return P11->C_DecryptInit(suite.session, mechanism, key);
}

static CK_RV digest_init(CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	(void)key;
	return P11->C_DigestInit(suite.session, mechanism);
}

static CK_RV sign_init(CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return P11->C_SignInit(suite.session, mechanism, key);
}

static CK_RV verify_init(CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return P11->C_VerifyInit(suite.session, mechanism, key);
}

static const struct {
	const char *name;
	init_function init;
	CK_FLAGS flag;
	bool private;
} functions[] = {
	{"C_EncryptInit.", encrypt_init, CKF_ENCRYPT, false},
	{"C_DecryptInit.", decrypt_init, CKF_DECRYPT, true},
	{"C_DigestInit.", digest_init, CKF_DIGEST, false},
	{"C_SignInit.", sign_init, CKF_SIGN, true},
	{"C_VerifyInit.", verify_init, CKF_VERIFY, false},
};

/* A new session, since some of the calls may begin an operation. */
static bool refuses(size_t function, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM mechanism = {type, NULL, 0};
	CK_SESSION_HANDLE mine = suite.session;

	suite.session = session_open(CKF_RW_SESSION);
	CK_RV rv = functions[function].init(&mechanism, key);
	P11->C_CloseSession(suite.session);
	suite.session = mine;
	if (rv == CKR_OK)
		fprintf(stderr, "%s takes 0x%lx\n", functions[function].name, type);
	return rv != CKR_OK;
}

static void init_keeps_to_list(void)
{
	CK_MECHANISM signs;
	struct pair pair;

	if (!pair_that_signs("mechanisms.init", &pair, &signs))
		return;
	for (size_t f = 0; f < ARRAY_SIZE(functions); f++) {
		CK_OBJECT_HANDLE key = functions[f].private ? pair.private : pair.public;
		bool refused = true;
		for (CK_ULONG i = 0; i < type_count; i++) {
			if (!has(types[i], functions[f].flag))
				refused = refuses(f, types[i], key) && refused;
		}
		EXPECT_THAT(join(functions[f].name, "not_listed_for_this"), refused);
	}
}

static void init_with_unknown(void)
{
	CK_MECHANISM mechanism = {NO_MECHANISM, NULL, 0};
	CK_MECHANISM signs;
	struct pair pair;

	if (!pair_that_signs("mechanisms.unknown", &pair, &signs))
		return;
	for (size_t f = 0; f < ARRAY_SIZE(functions); f++) {
		CK_OBJECT_HANDLE key = functions[f].private ? pair.private : pair.public;
		EXPECT(join(functions[f].name, "unknown_mechanism"),
			functions[f].init(&mechanism, key), CKR_MECHANISM_INVALID);
	}
}

void slot_mechanisms(void)
{
	section("5.5");
	mechanism_list();
	mechanism_info();
	init_keeps_to_list();
	init_with_unknown();
}

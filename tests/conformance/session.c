/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions (5.6) and what is logged in (login.c). */
#include "conformance/conformance.h"

#include <string.h>

/* --- opening and closing --- */

static void open_wrongly(void)
{
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

	EXPECT("C_OpenSession.unknown_slot",
		P11->C_OpenSession(NO_SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session),
		CKR_SLOT_ID_INVALID);
	EXPECT("C_OpenSession.parallel", P11->C_OpenSession(suite.slot, 0, NULL, NULL, &session),
		CKR_SESSION_PARALLEL_NOT_SUPPORTED);
	EXPECT("C_OpenSession.null_session",
		P11->C_OpenSession(suite.slot, CKF_SERIAL_SESSION, NULL, NULL, NULL),
		CKR_ARGUMENTS_BAD);
}

static void open_and_close(void)
{
	CK_SESSION_HANDLE one = CK_INVALID_HANDLE, other = CK_INVALID_HANDLE;

	EXPECT("C_OpenSession.works",
		P11->C_OpenSession(suite.slot, CKF_SERIAL_SESSION, NULL, NULL, &one), CKR_OK);
	other = session_open(0);
	EXPECT_THAT("C_OpenSession.each_has_its_handle",
		one && other && one != other && one != suite.session);
	EXPECT("C_CloseSession.works", P11->C_CloseSession(one), CKR_OK);
	EXPECT("C_CloseSession.twice", P11->C_CloseSession(one), CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_CloseSession.unknown_session", P11->C_CloseSession(NO_SESSION),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_CloseSession.zero", P11->C_CloseSession(CK_INVALID_HANDLE),
		CKR_SESSION_HANDLE_INVALID);
	P11->C_CloseSession(other);
}

static void close_all(void)
{
	CK_SESSION_HANDLE one = session_open(0), other = session_open(CKF_RW_SESSION);
	CK_SESSION_INFO info;

	EXPECT("C_CloseAllSessions.unknown_slot", P11->C_CloseAllSessions(NO_SLOT),
		CKR_SLOT_ID_INVALID);
	EXPECT("C_CloseAllSessions.works", P11->C_CloseAllSessions(suite.slot), CKR_OK);
	EXPECT("C_CloseAllSessions.closes_all", P11->C_GetSessionInfo(one, &info),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_CloseAllSessions.closes_all_rw", P11->C_GetSessionInfo(other, &info),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_CloseAllSessions.of_none", P11->C_CloseAllSessions(suite.slot), CKR_OK);
	suite.session = session_open(CKF_RW_SESSION);
}

static void session_information(void)
{
	CK_SESSION_INFO info;
	CK_SESSION_HANDLE reader = session_open(0);

	EXPECT("C_GetSessionInfo.unknown_session", P11->C_GetSessionInfo(NO_SESSION, &info),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_GetSessionInfo.null", P11->C_GetSessionInfo(suite.session, NULL),
		CKR_ARGUMENTS_BAD);
	NEED(P11->C_GetSessionInfo(suite.session, &info));
	EXPECT_THAT("C_GetSessionInfo.slot", info.slotID == suite.slot);
	EXPECT_THAT(
		"C_GetSessionInfo.rw_flags", info.flags == (CKF_SERIAL_SESSION | CKF_RW_SESSION));
	EXPECT_THAT("C_GetSessionInfo.rw_public", info.state == CKS_RW_PUBLIC_SESSION);
	NEED(P11->C_GetSessionInfo(reader, &info));
	EXPECT_THAT("C_GetSessionInfo.ro_flags", info.flags == CKF_SERIAL_SESSION);
	EXPECT_THAT("C_GetSessionInfo.ro_public", info.state == CKS_RO_PUBLIC_SESSION);
	P11->C_CloseSession(reader);
}

void session_functions(void)
{
	section("5.6");
	open_wrongly();
	open_and_close();
	session_information();
	close_all();
}

/* --- C_GetOperationState and C_SetOperationState --- */

static void state_arguments(void)
{
	CK_BYTE state[4096];
	CK_ULONG length = sizeof(state);

	EXPECT("C_GetOperationState.unknown_session",
		P11->C_GetOperationState(NO_SESSION, state, &length), CKR_SESSION_HANDLE_INVALID,
		CKR_FUNCTION_NOT_SUPPORTED);
	EXPECT("C_GetOperationState.null_length",
		P11->C_GetOperationState(suite.session, state, NULL), CKR_ARGUMENTS_BAD,
		CKR_FUNCTION_NOT_SUPPORTED);
	EXPECT("C_GetOperationState.no_operation",
		P11->C_GetOperationState(suite.session, state, &length),
		CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED);
	memset(state, 0x5a, sizeof(state));
	EXPECT("C_SetOperationState.unknown_session",
		P11->C_SetOperationState(NO_SESSION, state, 64, 0, 0), CKR_SESSION_HANDLE_INVALID,
		CKR_FUNCTION_NOT_SUPPORTED);
	EXPECT("C_SetOperationState.null_state",
		P11->C_SetOperationState(suite.session, NULL, 64, 0, 0), CKR_ARGUMENTS_BAD,
		CKR_FUNCTION_NOT_SUPPORTED);
	EXPECT("C_SetOperationState.is_no_state",
		P11->C_SetOperationState(suite.session, state, 64, 0, 0), CKR_SAVED_STATE_INVALID,
		CKR_FUNCTION_NOT_SUPPORTED);
}

/* The state goes to another session, which ends the digest that the first began. */
static void state_round_trip(void)
{
	static CK_BYTE abc[] = "abc";
	CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
	CK_BYTE state[4096], one[32], other[32];
	CK_ULONG length = sizeof(state), one_length = 32, other_length = 32;
	CK_SESSION_HANDLE session = session_open(0);

	if (!offers("C_GetOperationState.round_trip", CKM_SHA256, CKF_DIGEST))
		return;
	NEED(P11->C_DigestInit(suite.session, &sha256));
	NEED(P11->C_DigestUpdate(suite.session, abc, 3));
	CK_RV rv = P11->C_GetOperationState(suite.session, state, &length);
	EXPECT("C_GetOperationState.of_a_digest", rv, CKR_OK, CKR_STATE_UNSAVEABLE,
		CKR_FUNCTION_NOT_SUPPORTED);
	if (rv != CKR_OK) {
		check_skip("C_SetOperationState.round_trip", "operations cannot be saved");
		return;
	}
	NEED(P11->C_SetOperationState(session, state, length, 0, 0));
	NEED(P11->C_DigestFinal(suite.session, one, &one_length));
	NEED(P11->C_DigestFinal(session, other, &other_length));
	EXPECT_THAT("C_SetOperationState.round_trip",
		one_length == other_length && !memcmp(one, other, sizeof(one)));
}

void session_state(void)
{
	section("5.6");
	state_arguments();
	state_round_trip();
}

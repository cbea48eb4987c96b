/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_Login and C_Logout (5.6): one login for all sessions that the application has with the token.
 */
#include "conformance/conformance.h"

#include <string.h>

static CK_RV login_as(CK_SESSION_HANDLE session, CK_USER_TYPE user, const char *pin)
{
	return P11->C_Login(session, user, (CK_UTF8CHAR_PTR)pin, strlen(pin));
}

static CK_STATE state_of(CK_SESSION_HANDLE session)
{
	CK_SESSION_INFO info = {.state = CK_UNAVAILABLE_INFORMATION};

	P11->C_GetSessionInfo(session, &info);
	return info.state;
}

static void login_wrongly(void)
{
	EXPECT("C_Login.unknown_session", login_as(NO_SESSION, CKU_USER, suite.pin),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_Login.unknown_user_type", login_as(suite.session, 77, suite.pin),
		CKR_USER_TYPE_INVALID);
	if (suite.info.flags & CKF_PROTECTED_AUTHENTICATION_PATH || !token_wants_login())
		check_skip("C_Login.null_pin", "the token needs no PIN from the program");
	else
		EXPECT("C_Login.null_pin", P11->C_Login(suite.session, CKU_USER, NULL, 4),
			CKR_ARGUMENTS_BAD);
	EXPECT("C_Logout.unknown_session", P11->C_Logout(NO_SESSION), CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_Logout.not_logged_in", P11->C_Logout(suite.session), CKR_USER_NOT_LOGGED_IN);
	EXPECT("C_Login.context_without_operation",
		login_as(suite.session, CKU_CONTEXT_SPECIFIC, suite.pin),
		CKR_OPERATION_NOT_INITIALIZED);
	if (token_wants_login())
		EXPECT("C_Login.wrong_pin", login_as(suite.session, CKU_USER, "918273"),
			CKR_PIN_INCORRECT);
	else
		check_skip("C_Login.wrong_pin", "the token needs no PIN from the program");
	EXPECT_THAT("C_Login.wrong_pin_changes_nothing",
		state_of(suite.session) == CKS_RW_PUBLIC_SESSION);
}

static void login_is_of_all_sessions(void)
{
	CK_SESSION_HANDLE reader = session_open(0);

	EXPECT("C_Login.works", login_as(reader, CKU_USER, suite.pin), CKR_OK);
	EXPECT_THAT("C_Login.ro_user", state_of(reader) == CKS_RO_USER_FUNCTIONS);
	EXPECT_THAT("C_Login.others_too", state_of(suite.session) == CKS_RW_USER_FUNCTIONS);
	EXPECT("C_Login.twice", login_as(suite.session, CKU_USER, suite.pin),
		CKR_USER_ALREADY_LOGGED_IN);
	CK_SESSION_HANDLE later = session_open(0);
	EXPECT_THAT("C_OpenSession.is_logged_in_too", state_of(later) == CKS_RO_USER_FUNCTIONS);
	EXPECT("C_Logout.works", P11->C_Logout(later), CKR_OK);
	EXPECT_THAT(
		"C_Logout.all_sessions", state_of(reader) == CKS_RO_PUBLIC_SESSION &&
						 state_of(suite.session) == CKS_RW_PUBLIC_SESSION);
	EXPECT("C_Logout.twice", P11->C_Logout(later), CKR_USER_NOT_LOGGED_IN);
	P11->C_CloseSession(reader);
	P11->C_CloseSession(later);
}

static void last_session_logs_out(void)
{
	CK_SESSION_HANDLE other = session_open(0);

	NEED(login());
	P11->C_CloseSession(suite.session);
	EXPECT_THAT(
		"C_CloseSession.others_stay_logged_in", state_of(other) == CKS_RO_USER_FUNCTIONS);
	P11->C_CloseSession(other);
	suite.session = session_open(CKF_RW_SESSION);
	EXPECT_THAT("C_CloseSession.last_one_logs_out",
		state_of(suite.session) == CKS_RW_PUBLIC_SESSION);
	NEED(login());
	P11->C_CloseAllSessions(suite.slot);
	suite.session = session_open(CKF_RW_SESSION);
	EXPECT_THAT(
		"C_CloseAllSessions.logs_out", state_of(suite.session) == CKS_RW_PUBLIC_SESSION);
}

static CK_ULONG private_objects(CK_OBJECT_HANDLE *one)
{
	struct template like = {.count = 0};

	template_boolean(&like, CKA_PRIVATE, true);
	return find(suite.session, &like, one, 1);
}

/* What was of the logged in user is out of reach at once. */
static void logout_hides_private_objects(void)
{
	CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
	CK_BBOOL yes;
	CK_ATTRIBUTE attribute = {CKA_PRIVATE, &yes, sizeof(yes)};

	NEED(login());
	if (!private_objects(&key)) {
		check_skip("C_Logout.hides_private_objects", "the token has no private object");
		return;
	}
	NEED(logout());
	if (!token_wants_login()) {
		check_skip("C_Logout.hides_private_objects", "the token needs no login");
		return;
	}
	EXPECT("C_Logout.ends_private_handles",
		P11->C_GetAttributeValue(suite.session, key, &attribute, 1),
		CKR_OBJECT_HANDLE_INVALID);
	EXPECT_THAT("C_Logout.hides_private_objects", private_objects(&key) == 0);
}

/* An operation that was begun may end by it or go on. */
static void logout_with_operation(void)
{
	CK_BYTE data[32] = {1}, signature[1024];
	CK_ULONG length = sizeof(signature);
	CK_MECHANISM mechanism;
	struct pair pair;

	if (!token_wants_login()) {
		check_skip("C_Logout.with_operation", "the token needs no login");
		return;
	}
	if (!pair_that_signs("C_Logout.with_operation", &pair, &mechanism))
		return;
	NEED(P11->C_SignInit(suite.session, &mechanism, pair.private));
	NEED(logout());
	EXPECT("C_Logout.with_operation",
		P11->C_Sign(suite.session, data, sizeof(data), signature, &length), CKR_OK,
		CKR_OPERATION_NOT_INITIALIZED, CKR_USER_NOT_LOGGED_IN);
}

void session_login(void)
{
	section("5.6");
	login_wrongly();
	login_is_of_all_sessions();
	last_session_logs_out();
	logout_hides_private_objects();
	logout_with_operation();
}

/* --- the security officer --- */

static void officer_and_user(void)
{
	CK_SESSION_HANDLE reader = session_open(0);

	EXPECT("C_Login.officer_and_ro_session", login_as(suite.session, CKU_SO, suite.so_pin),
		CKR_SESSION_READ_ONLY_EXISTS);
	P11->C_CloseSession(reader);
	EXPECT("C_Login.wrong_officer_pin", login_as(suite.session, CKU_SO, "00998877"),
		CKR_PIN_INCORRECT);
	NEED(login());
	EXPECT("C_Login.officer_while_user", login_as(suite.session, CKU_SO, suite.so_pin),
		CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	NEED(logout());
	EXPECT("C_Login.officer", login_as(suite.session, CKU_SO, suite.so_pin), CKR_OK);
	EXPECT_THAT("C_Login.officer_state", state_of(suite.session) == CKS_RW_SO_FUNCTIONS);
	EXPECT("C_Login.officer_twice", login_as(suite.session, CKU_SO, suite.so_pin),
		CKR_USER_ALREADY_LOGGED_IN);
	EXPECT("C_Login.user_while_officer", login_as(suite.session, CKU_USER, suite.pin),
		CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	reader = CK_INVALID_HANDLE;
	EXPECT("C_OpenSession.ro_while_officer",
		P11->C_OpenSession(suite.slot, CKF_SERIAL_SESSION, NULL, NULL, &reader),
		CKR_SESSION_READ_WRITE_SO_EXISTS);
	if (reader)
		P11->C_CloseSession(reader);
}

static void officer_sees_no_private_objects(void)
{
	CK_OBJECT_HANDLE key;

	EXPECT_THAT("C_Login.officer_sees_no_private_objects", private_objects(&key) == 0);
	EXPECT("C_Logout.officer", P11->C_Logout(suite.session), CKR_OK);
	EXPECT_THAT("C_Logout.officer_state", state_of(suite.session) == CKS_RW_PUBLIC_SESSION);
}

void session_officer(void)
{
	section("5.6");
	if (!suite.so_pin) {
		check_skip("C_Login.officer", "the security officer's PIN is not known");
		return;
	}
	officer_and_user();
	officer_sees_no_private_objects();
}

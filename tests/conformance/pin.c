/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_SetPIN, C_InitPIN and C_InitToken (5.5). */
#include "conformance/conformance.h"

#include <stdio.h>
#include <string.h>

static CK_RV set_pin(CK_SESSION_HANDLE session, const char *old, const char *new)
{
	return P11->C_SetPIN(
		session, (CK_UTF8CHAR_PTR)old, strlen(old), (CK_UTF8CHAR_PTR) new, strlen(new));
}

static CK_RV init_pin(CK_SESSION_HANDLE session, const char *pin)
{
	return P11->C_InitPIN(session, (CK_UTF8CHAR_PTR)pin, strlen(pin));
}

static CK_RV login_as(CK_USER_TYPE user, const char *pin)
{
	return P11->C_Login(suite.session, user, (CK_UTF8CHAR_PTR)pin, strlen(pin));
}

static CK_RV init_token(CK_SLOT_ID slot, const char *pin, const char *label)
{
	char padded[33];

	snprintf(padded, sizeof(padded), "%-32s", label);
	return P11->C_InitToken(slot, (CK_UTF8CHAR_PTR)pin, strlen(pin), (CK_UTF8CHAR_PTR)padded);
}

static void set_pin_wrongly(void)
{
	CK_SESSION_HANDLE reader = session_open(0);

	EXPECT("C_SetPIN.unknown_session", set_pin(NO_SESSION, suite.pin, "192837"),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_SetPIN.ro_session", set_pin(reader, suite.pin, "192837"), CKR_SESSION_READ_ONLY);
	P11->C_CloseSession(reader);
	EXPECT("C_SetPIN.null_new",
		P11->C_SetPIN(
			suite.session, (CK_UTF8CHAR_PTR)suite.pin, strlen(suite.pin), NULL, 6),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_SetPIN.null_old",
		P11->C_SetPIN(suite.session, NULL, 6, (CK_UTF8CHAR_PTR) "192837", 6),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_SetPIN.wrong_old", set_pin(suite.session, "918273", "192837"), CKR_PIN_INCORRECT);
	char too_long[512];
	memset(too_long, '1', sizeof(too_long));
	EXPECT("C_SetPIN.too_long",
		P11->C_SetPIN(suite.session, (CK_UTF8CHAR_PTR)suite.pin, strlen(suite.pin),
			(CK_UTF8CHAR_PTR)too_long, sizeof(too_long)),
		CKR_PIN_LEN_RANGE);
}

static void set_pin_and_back(void)
{
	EXPECT("C_SetPIN.without_login", set_pin(suite.session, suite.pin, "192837"), CKR_OK);
	EXPECT("C_SetPIN.old_one_is_gone", login_as(CKU_USER, suite.pin), CKR_PIN_INCORRECT);
	EXPECT("C_SetPIN.new_one_works", login_as(CKU_USER, "192837"), CKR_OK);
	EXPECT("C_SetPIN.logged_in", set_pin(suite.session, "192837", suite.pin), CKR_OK);
	NEED(logout());
	EXPECT("C_SetPIN.changed_back", login_as(CKU_USER, suite.pin), CKR_OK);
}

static void init_pin_wrongly(void)
{
	EXPECT("C_InitPIN.unknown_session", init_pin(NO_SESSION, suite.pin),
		CKR_SESSION_HANDLE_INVALID);
	NEED(logout());
	EXPECT("C_InitPIN.not_logged_in", init_pin(suite.session, suite.pin),
		CKR_USER_NOT_LOGGED_IN);
	NEED(login());
	EXPECT("C_InitPIN.user", init_pin(suite.session, suite.pin), CKR_USER_NOT_LOGGED_IN);
	NEED(logout());
}

static void init_token_wrongly(void)
{
	CK_UTF8CHAR pin[] = "12345678", label[32];

	memset(label, ' ', sizeof(label));
	EXPECT("C_InitToken.unknown_slot", init_token(NO_SLOT, "12345678", "x"),
		CKR_SLOT_ID_INVALID);
	EXPECT("C_InitToken.session_exists", init_token(suite.slot, "00998877", "x"),
		CKR_SESSION_EXISTS);
	P11->C_CloseAllSessions(suite.slot);
	EXPECT("C_InitToken.null_label", P11->C_InitToken(suite.slot, pin, 8, NULL),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_InitToken.wrong_pin", init_token(suite.slot, "00998877", suite.token),
		unless_protected(CKR_PIN_INCORRECT));
	suite.session = session_open(CKF_RW_SESSION);
}

void slot_pins(void)
{
	section("5.5");
	set_pin_wrongly();
	set_pin_and_back();
	init_pin_wrongly();
	init_token_wrongly();
}

/* --- a token from the beginning --- */

static void token_after_init(CK_SLOT_ID slot)
{
	CK_TOKEN_INFO info;

	NEED(P11->C_GetTokenInfo(slot, &info));
	EXPECT_THAT("C_InitToken.label", !memcmp(info.label, suite.scratch, strlen(suite.scratch)));
	EXPECT_THAT("C_InitToken.is_initialized", info.flags & CKF_TOKEN_INITIALIZED);
	EXPECT_THAT("C_InitToken.user_pin_is_not", !(info.flags & CKF_USER_PIN_INITIALIZED));
}

static void user_pin_from_officer(void)
{
	EXPECT("C_Login.before_C_InitPIN", login_as(CKU_USER, suite.pin),
		CKR_USER_PIN_NOT_INITIALIZED);
	EXPECT("C_Login.officer_of_new_token", login_as(CKU_SO, suite.so_pin), CKR_OK);
	EXPECT("C_InitPIN.null", P11->C_InitPIN(suite.session, NULL, 6), CKR_ARGUMENTS_BAD);
	EXPECT("C_InitPIN.too_short", init_pin(suite.session, "1"), CKR_PIN_LEN_RANGE);
	EXPECT("C_InitPIN.works", init_pin(suite.session, suite.pin), CKR_OK);
	EXPECT("C_SetPIN.officer", set_pin(suite.session, suite.so_pin, "77665544"), CKR_OK);
	EXPECT("C_InitPIN.after_C_SetPIN", init_pin(suite.session, suite.pin), CKR_OK);
	EXPECT("C_SetPIN.officer_back", set_pin(suite.session, "77665544", suite.so_pin), CKR_OK);
	NEED(logout());
	EXPECT("C_InitPIN.user_logs_in", login_as(CKU_USER, suite.pin), CKR_OK);
}

static void objects_go_with_init(CK_SLOT_ID slot)
{
	struct template data = {.count = 0};
	CK_OBJECT_HANDLE object;

	template_number(&data, CKA_CLASS, CKO_DATA);
	template_boolean(&data, CKA_TOKEN, true);
	NEED(P11->C_CreateObject(suite.session, data.attributes, data.count, &object));
	NEED(P11->C_CloseAllSessions(slot));
	EXPECT("C_InitToken.again", init_token(slot, suite.so_pin, suite.scratch), CKR_OK);
	NEED(token_find(suite.scratch, &suite.slot) ? CKR_OK : CKR_TOKEN_NOT_PRESENT);
	suite.session = session_open(CKF_RW_SESSION);
	EXPECT_THAT("C_InitToken.objects_are_gone", find(suite.session, NULL, NULL, 0) == 0);
}

static void another_label(void)
{
	P11->C_CloseAllSessions(suite.slot);
	if (!EXPECT("C_InitToken.another_label", init_token(suite.slot, suite.so_pin, "another"),
		    CKR_OK))
		return;
	EXPECT_THAT("C_InitToken.another_label_is_it", token_find("another", &suite.slot));
	EXPECT("C_InitToken.back", init_token(suite.slot, suite.so_pin, suite.scratch), CKR_OK);
}

void slot_init_token(void)
{
	section("5.5");
	if (!suite.scratch || !suite.so_pin || !token_find(suite.scratch, &suite.slot)) {
		check_skip("C_InitToken.works", "no token here may be initialised anew");
		return;
	}
	EXPECT("C_InitToken.wrong_pin_again", init_token(suite.slot, "00998877", suite.scratch),
		CKR_PIN_INCORRECT);
	if (!EXPECT("C_InitToken.works", init_token(suite.slot, suite.so_pin, suite.scratch),
		    CKR_OK))
		return;
	NEED(token_find(suite.scratch, &suite.slot) ? CKR_OK : CKR_TOKEN_NOT_PRESENT);
	suite.session = session_open(CKF_RW_SESSION);
	token_after_init(suite.slot);
	user_pin_from_officer();
	objects_go_with_init(suite.slot);
	another_label();
}

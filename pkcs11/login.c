/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_Login, C_Logout, C_SetPIN and C_InitPIN (PKCS#11 2.40, 5.5 and 5.6). */
#include "pkcs11/ckr.h"
#include "pkcs11/session.h"

#define PIN_MAXIMUM 255 /* more than any card takes; the daemon knows the card's own limit */

static CK_RV copy_pin(struct secret *pin, CK_UTF8CHAR_PTR data, CK_ULONG length)
{
	if (!data)
		return CKR_ARGUMENTS_BAD;
	if (length > PIN_MAXIMUM)
		return CKR_PIN_INCORRECT;
	return secret_set(pin, data, length) ? CKR_OK : CKR_HOST_MEMORY;
}

/* Notes the login, unless the card or the daemon went in the meantime. */
static CK_RV finish_login(CK_SLOT_ID slot_id, unsigned life, bool done, const struct error *error)
{
	struct slot *slot = slot_find(slot_id);

	if (!slot || slot->life != life)
		return CKR_DEVICE_REMOVED;
	if (done)
		slot->logged_in = true;
	else if ((error->code == ERROR_WRONG_STATE || error->code == ERROR_PIN_BLOCKED) &&
		 slot->token.flags & TOKEN_PIN_NOT_SET)
		return CKR_USER_PIN_NOT_INITIALIZED;
	return done ? CKR_OK : ckr_of(error, CKR_CONTEXT_LOGIN);
}

static CK_RV login_user(struct slot *slot, CK_UTF8CHAR_PTR data, CK_ULONG length)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	CK_SLOT_ID slot_id = slot->id;
	uint32_t number = slot->token.number;
	unsigned life = slot->life;
	unsigned epoch = module.epoch;

	if (slot->logged_in)
		return CKR_USER_ALREADY_LOGGED_IN;
	if (slot_has_officer(slot))
		return CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
	CK_RV rv = copy_pin(&pin, data, length);
	if (rv != CKR_OK)
		return rv;
	struct remote *remote = module_call_begin();
	bool done = remote_login(remote, number, &pin, &error);
	if (!module_call_end(remote, epoch))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	return finish_login(slot_id, life, done, &error);
}

/*
 * The security officer's PIN is the card's unblock code. Nothing is logged in at the daemon: the
 * code is proved, kept here, and sent again with the new PIN.
 */
static CK_RV finish_officer_login(CK_SLOT_ID slot_id, unsigned life, struct secret *code, bool done,
	const struct error *error)
{
	struct slot *slot = slot_find(slot_id);

	if (!slot || slot->life != life)
		return CKR_DEVICE_REMOVED;
	if (!done)
		return ckr_of(error, CKR_CONTEXT_LOGIN);
	secret_move(&slot->unblock_code, code);
	return CKR_OK;
}

static CK_RV login_officer(struct slot *slot, CK_UTF8CHAR_PTR data, CK_ULONG length)
{
	_cleanup_secret_ struct secret code = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	CK_SLOT_ID slot_id = slot->id;
	uint32_t number = slot->token.number;
	unsigned life = slot->life;
	unsigned epoch = module.epoch;

	if (slot_has_officer(slot))
		return CKR_USER_ALREADY_LOGGED_IN;
	if (slot->logged_in)
		return CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
	if (sessions_has_read_only(slot->id))
		return CKR_SESSION_READ_ONLY_EXISTS;
	CK_RV rv = copy_pin(&code, data, length);
	if (rv != CKR_OK)
		return rv;
	struct remote *remote = module_call_begin();
	bool done = remote_check_unblock_code(remote, number, &code, &error);
	if (!module_call_end(remote, epoch))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	return finish_officer_login(slot_id, life, &code, done, &error);
}

/* The PIN travels with the use of the key: one round trip, and the card proves it just before. */
static CK_RV login_for_operation(struct session *session, CK_UTF8CHAR_PTR data, CK_ULONG length)
{
	for (size_t i = 0; i < OPERATION_KIND_COUNT; i++) {
		struct operation *operation = &session->operations[i];
		if (operation->active && operation->wants_pin) {
			/* To the daemon an empty PIN is none. */
			if (data && !length)
				return CKR_PIN_INCORRECT;
			return copy_pin(&operation->pin, data, length);
		}
	}
	return CKR_OPERATION_NOT_INITIALIZED;
}

static CK_RV login(
	CK_SESSION_HANDLE handle, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG length)
{
	struct session *session;
	struct slot *slot;
	CK_RV rv = session_enter(handle, &session, &slot);

	if (rv != CKR_OK)
		return rv;
	switch (user) {
	case CKU_USER:
		return login_user(slot, pin, length);
	case CKU_CONTEXT_SPECIFIC:
		return login_for_operation(session, pin, length);
	case CKU_SO:
		return login_officer(slot, pin, length);
	default:
		return CKR_USER_TYPE_INVALID;
	}
}

static CK_RV logout(CK_SESSION_HANDLE handle)
{
	struct session *session;
	struct slot *slot;
	CK_RV rv = session_enter(handle, &session, &slot);

	if (rv != CKR_OK)
		return rv;
	if (slot_has_officer(slot)) {
		secret_clear(&slot->unblock_code);
		return CKR_OK;
	}
	if (!slot->logged_in)
		return CKR_USER_NOT_LOGGED_IN;
	slot->logged_in = false;
	sessions_forget_login(slot->id);
	_cleanup_error_ struct error error = ERROR_INIT;
	uint32_t number = slot->token.number;
	unsigned epoch = module.epoch;
	struct remote *remote = module_call_begin();
	bool done = remote_logout(remote, number, &error);
	if (!module_call_end(remote, epoch))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	/* The card had forgotten the login by itself: the program has what it wants. */
	if (done || error.code == ERROR_PIN_REQUIRED)
		return CKR_OK;
	return ckr_of(&error, CKR_CONTEXT_TOKEN);
}

/* What the officer who is logged in does from now on is done with the new PIN. */
static void keep_officer_pin(
	CK_SLOT_ID slot_id, const struct secret *old_pin, struct secret *new_pin)
{
	struct slot *slot = slot_find(slot_id);

	if (slot && slot_has_officer(slot) && secret_equal(&slot->unblock_code, old_pin))
		secret_move(&slot->unblock_code, new_pin);
}

static CK_RV set_pin(CK_SESSION_HANDLE handle, CK_UTF8CHAR_PTR old_data, CK_ULONG old_length,
	CK_UTF8CHAR_PTR new_data, CK_ULONG new_length)
{
	_cleanup_secret_ struct secret old_pin = SECRET_INIT, new_pin = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	struct session *session;
	struct slot *slot;
	CK_RV rv = session_enter(handle, &session, &slot);

	if (rv == CKR_OK && !(session->flags & CKF_RW_SESSION))
		rv = CKR_SESSION_READ_ONLY;
	/* Of a card it would be the unblock code that changes: the daemon alone does that. */
	if (rv == CKR_OK && slot_has_officer(slot) && !(slot->token.flags & TOKEN_FIXED))
		rv = CKR_FUNCTION_NOT_SUPPORTED;
	if (rv == CKR_OK)
		rv = copy_pin(&old_pin, old_data, old_length);
	if (rv == CKR_OK && new_length > PIN_MAXIMUM)
		rv = CKR_PIN_LEN_RANGE;
	if (rv == CKR_OK)
		rv = copy_pin(&new_pin, new_data, new_length);
	if (rv != CKR_OK)
		return rv;
	uint32_t number = slot->token.number;
	CK_SLOT_ID slot_id = slot->id;
	bool officer = slot_has_officer(slot);
	bool old_pin_fits =
		old_length >= slot->token.pin_minimum && old_length <= slot->token.pin_maximum;
	unsigned epoch = module.epoch;
	struct remote *remote = module_call_begin();
	bool done = remote_change_pin(remote, number, officer, &old_pin, &new_pin, &error);
	if (!module_call_end(remote, epoch))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (done && officer)
		keep_officer_pin(slot_id, &old_pin, &new_pin);
	if (error.code == ERROR_PIN_LENGTH && !old_pin_fits)
		return CKR_PIN_INCORRECT;
	return done ? CKR_OK : ckr_of(&error, CKR_CONTEXT_TOKEN);
}

static CK_RV init_pin(CK_SESSION_HANDLE handle, CK_UTF8CHAR_PTR data, CK_ULONG length)
{
	_cleanup_secret_ struct secret code = SECRET_INIT, pin = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	struct session *session;
	struct slot *slot;
	CK_RV rv = session_enter(handle, &session, &slot);

	if (rv == CKR_OK && !slot_has_officer(slot))
		rv = CKR_USER_NOT_LOGGED_IN;
	if (rv == CKR_OK && length > PIN_MAXIMUM)
		rv = CKR_PIN_LEN_RANGE;
	if (rv == CKR_OK)
		rv = copy_pin(&pin, data, length);
	if (rv != CKR_OK)
		return rv;
	if (!secret_copy(&code, &slot->unblock_code))
		return CKR_HOST_MEMORY;
	uint32_t number = slot->token.number;
	unsigned epoch = module.epoch;
	struct remote *remote = module_call_begin();
	bool done = remote_init_pin(remote, number, &code, &pin, &error);
	if (!module_call_end(remote, epoch))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	return done ? CKR_OK : ckr_of(&error, CKR_CONTEXT_INIT_PIN);
}

CK_RV C_InitPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len)
{
	return MODULE_LOCKED(init_pin(session, pin, pin_len));
}

CK_RV C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len)
{
	return MODULE_LOCKED(login(session, user, pin, pin_len));
}

CK_RV C_Logout(CK_SESSION_HANDLE session)
{
	return MODULE_LOCKED(logout(session));
}

CK_RV C_SetPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR old_pin, CK_ULONG old_len,
	CK_UTF8CHAR_PTR new_pin, CK_ULONG new_len)
{
	return MODULE_LOCKED(set_pin(session, old_pin, old_len, new_pin, new_len));
}

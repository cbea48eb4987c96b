/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * C_InitToken (PKCS#11 2.40, 5.5), for tokens that are no cards and whose PINs are the program's. A
 * card is issued, and a slot whose PIN the daemon keeps is `tessera slot`'s.
 */
#include <string.h>

#include "pkcs11/ckr.h"
#include "pkcs11/remote-object.h"
#include "pkcs11/session.h"

#define LABEL_SIZE  32
#define PIN_MAXIMUM 255

static bool has_sessions(CK_SLOT_ID slot_id)
{
	for (size_t i = 0; i < module.session_count; i++) {
		if (module.sessions[i]->slot_id == slot_id)
			return true;
	}
	return false;
}

static CK_RV check(CK_SLOT_ID slot_id, CK_UTF8CHAR_PTR pin, CK_ULONG length, CK_UTF8CHAR_PTR label)
{
	CK_RV rv = slots_update();
	const struct slot *slot = slot_find(slot_id);

	if (rv != CKR_OK)
		return rv;
	if (!slot)
		return CKR_SLOT_ID_INVALID;
	if (!label || (!pin && length))
		return CKR_ARGUMENTS_BAD;
	if (!slot_has_token(slot))
		return CKR_TOKEN_NOT_PRESENT;
	if (has_sessions(slot_id))
		return CKR_SESSION_EXISTS;
	if (!(slot->token.flags & TOKEN_FIXED))
		return CKR_TOKEN_WRITE_PROTECTED;
	return !pin || length > PIN_MAXIMUM ? CKR_PIN_INCORRECT : CKR_OK;
}

static void trim(char *text)
{
	size_t length = strlen(text);

	while (length && text[length - 1] == ' ')
		text[--length] = '\0';
}

static CK_RV init_token(
	CK_SLOT_ID slot_id, CK_UTF8CHAR_PTR pin, CK_ULONG length, CK_UTF8CHAR_PTR padded_label)
{
	_cleanup_secret_ struct secret so_pin = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	char label[LABEL_SIZE + 1] = "";
	CK_RV rv = check(slot_id, pin, length, padded_label);

	if (rv != CKR_OK)
		return rv;
	memcpy(label, padded_label, LABEL_SIZE);
	trim(label);
	if (!remote_is_text(label))
		return CKR_ARGUMENTS_BAD;
	if (!secret_set(&so_pin, pin, length))
		return CKR_HOST_MEMORY;
	uint32_t number = slot_find(slot_id)->token.number;
	unsigned epoch = module.epoch;
	struct remote *remote = module_call_begin();
	bool done = remote_init_token(remote, number, &so_pin, label, &error);
	if (!module_call_end(remote, epoch))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	return done ? CKR_OK : ckr_of(&error, CKR_CONTEXT_TOKEN);
}

CK_RV C_InitToken(CK_SLOT_ID slot, CK_BYTE_PTR pin, CK_ULONG pin_len, CK_BYTE_PTR label)
{
	return MODULE_LOCKED(init_token(slot, pin, pin_len, label));
}

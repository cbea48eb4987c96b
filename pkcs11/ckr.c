/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/ckr.h"

#include <errno.h>

#define LOGIN	 (1U << CKR_CONTEXT_LOGIN)
#define SIGN	 (1U << CKR_CONTEXT_SIGN)
#define DECRYPT	 (1U << CKR_CONTEXT_DECRYPT)
#define TOKEN	 (1U << CKR_CONTEXT_TOKEN)
#define INIT_PIN (1U << CKR_CONTEXT_INIT_PIN)
#define ANYWHERE (~0U)

/* Where the general meaning (error_ckr) is not what the call may answer. */
static const struct {
	enum error_code code;
	unsigned contexts;
	CK_RV rv;
} exceptions[] = {
	/* The rules of a slot. */
	{ERROR_ACCESS_DENIED, SIGN | DECRYPT, CKR_KEY_FUNCTION_NOT_PERMITTED},
	{ERROR_ACCESS_DENIED, ANYWHERE, CKR_FUNCTION_FAILED},
	{ERROR_NOT_FOUND, TOKEN | LOGIN | INIT_PIN, CKR_TOKEN_NOT_PRESENT},
	{ERROR_NOT_SUPPORTED, SIGN | DECRYPT, CKR_KEY_FUNCTION_NOT_PERMITTED},
	{ERROR_WRONG_STATE, SIGN | DECRYPT, CKR_KEY_FUNCTION_NOT_PERMITTED},
	{ERROR_WRONG_STATE, TOKEN | LOGIN | INIT_PIN, CKR_FUNCTION_FAILED},
	/* The login is over; the next one says why. */
	{ERROR_PIN_EXPIRED, SIGN | DECRYPT, CKR_USER_NOT_LOGGED_IN},
	/* No try is lost, but programs ask again only after this one. */
	{ERROR_PIN_LENGTH, LOGIN | SIGN | DECRYPT, CKR_PIN_INCORRECT},
	/* An unblock code that was mistyped. */
	{ERROR_INVALID_ARGUMENT, LOGIN, CKR_PIN_INCORRECT},
	/* The unblock code that the security officer logged in with is good no more. */
	{ERROR_PIN_WRONG, INIT_PIN, CKR_USER_NOT_LOGGED_IN},
	{ERROR_CODE_EXPIRED, INIT_PIN, CKR_USER_NOT_LOGGED_IN},
	/* C_SetPIN, where PINs of before cannot be compared. */
	{ERROR_LOCKED, TOKEN | INIT_PIN, CKR_FUNCTION_FAILED},
	{ERROR_DATA_INVALID, DECRYPT, CKR_ENCRYPTED_DATA_INVALID},
	{ERROR_DATA_LENGTH, DECRYPT, CKR_ENCRYPTED_DATA_LEN_RANGE},
};

CK_RV ckr_of(const struct error *error, enum ckr_context context)
{
	if (error->code == ERROR_FAILED && error->detail == ENOMEM)
		return CKR_HOST_MEMORY;
	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++) {
		if (exceptions[i].code == error->code && exceptions[i].contexts & 1U << context)
			return exceptions[i].rv;
	}
	return error_ckr(error->code);
}

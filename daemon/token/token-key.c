/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects by label, and the symmetric keys. */
#include <string.h>

#include "token/ckr.h"
#include "token/token-private.h"

bool token_find_objects(struct session *session, CK_OBJECT_CLASS object_class, const char *label,
	CK_OBJECT_HANDLE handles[TOKEN_OBJECTS_MAX], size_t *count, struct error *error)
{
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &object_class, sizeof(object_class)},
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_LABEL, (void *)label, (CK_ULONG)strlen(label)},
	};
	CK_ULONG found = 0;
	CK_RV rv = session->functions->C_FindObjectsInit(
		session->handle, template, ARRAY_SIZE(template));

	if (rv != CKR_OK)
		return session_failed(session, rv, "searching the token", error);
	rv = session->functions->C_FindObjects(session->handle, handles, TOKEN_OBJECTS_MAX, &found);
	session->functions->C_FindObjectsFinal(session->handle);
	if (rv != CKR_OK)
		return session_failed(session, rv, "searching the token", error);
	*count = found;
	return true;
}

bool token_find_object(struct session *session, CK_OBJECT_CLASS object_class, const char *label,
	CK_OBJECT_HANDLE *handle, struct error *error)
{
	CK_OBJECT_HANDLE handles[TOKEN_OBJECTS_MAX];
	size_t count = 0;

	if (!token_find_objects(session, object_class, label, handles, &count, error))
		return false;
	if (count == 0)
		return error_set(error, ERROR_NOT_FOUND, "the token holds no key \"%s\"", label);
	*handle = handles[0];
	return true;
}

static bool find_any_key(
	struct session *session, const char *label, bool *found, struct error *error)
{
	static const CK_OBJECT_CLASS classes[] = {CKO_SECRET_KEY, CKO_PRIVATE_KEY};
	CK_OBJECT_HANDLE handles[TOKEN_OBJECTS_MAX];

	*found = false;
	for (size_t i = 0; i < ARRAY_SIZE(classes) && !*found; i++) {
		size_t count = 0;
		if (!token_find_objects(session, classes[i], label, handles, &count, error))
			return false;
		*found = count > 0;
	}
	return true;
}

bool token_label_is_free(struct session *session, const char *label, struct error *error)
{
	bool found = false;

	if (!find_any_key(session, label, &found, error))
		return false;
	return !found ||
	       error_set(error, ERROR_EXISTS, "the token already holds a key \"%s\"", label);
}

bool token_has_own_key(struct token *token, const char *label, bool *found, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;

	return session_take(token->sessions, &session, error) &&
	       find_any_key(&session, label, found, error);
}

bool token_has_key(struct token *token, const char *label, bool *found, struct error *error)
{
	for (*found = false; token && !*found; token = token->older) {
		if (!token_has_own_key(token, label, found, error))
			return false;
	}
	return true;
}

/* The chain behind the token that a key is about to be made in. */
bool token_older_lacks(struct token *token, const char *label, struct error *error)
{
	bool found = false;

	return !token->older || (token_has_key(token->older, label, &found, error) &&
					(!found || error_set(error, ERROR_EXISTS,
							   "the older token already holds a key "
							   "\"%s\"",
							   label)));
}

/*
 * CKA_ENCRYPT is for the key check value; nothing but this file uses the key,
 * and only with a zero block.
 */
static CK_RV generate_aes(struct session *session, const char *label)
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_ULONG length = 32;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_OBJECT_HANDLE key;
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &class, sizeof(class)},
		{CKA_KEY_TYPE, &type, sizeof(type)},
		{CKA_VALUE_LEN, &length, sizeof(length)},
		{CKA_LABEL, (void *)label, (CK_ULONG)strlen(label)},
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_PRIVATE, &yes, sizeof(yes)},
		{CKA_SENSITIVE, &yes, sizeof(yes)},
		{CKA_EXTRACTABLE, &no, sizeof(no)},
		{CKA_SIGN, &yes, sizeof(yes)},
		{CKA_VERIFY, &no, sizeof(no)},
		{CKA_ENCRYPT, &yes, sizeof(yes)},
		{CKA_DECRYPT, &no, sizeof(no)},
		{CKA_WRAP, &no, sizeof(no)},
		{CKA_UNWRAP, &no, sizeof(no)},
		{CKA_DERIVE, &no, sizeof(no)},
	};

	return session->functions->C_GenerateKey(
		session->handle, &mechanism, template, ARRAY_SIZE(template), &key);
}

bool token_generate_aes(struct token *token, const char *label, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	bool made = false;

	if (!token_older_lacks(token, label, error) ||
		!session_take(token->sessions, &session, error))
		return false;
	pthread_mutex_lock(&token->making);
	if (token_label_is_free(&session, label, error)) {
		CK_RV rv = generate_aes(&session, label);
		made = rv == CKR_OK || session_failed(&session, rv, "making an AES key", error);
	}
	pthread_mutex_unlock(&token->making);
	return made;
}

bool token_cmac(struct token *token, const char *label, const uint8_t *data, size_t length,
	uint8_t mac[16], struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	CK_MECHANISM mechanism = {CKM_AES_CMAC, NULL, 0};
	CK_OBJECT_HANDLE key;
	uint8_t result[16];
	CK_ULONG mac_length = sizeof(result);

	if (!token_find_holder(&token, label, error) ||
		!session_take(token->sessions, &session, error) ||
		!token_find_object(&session, CKO_SECRET_KEY, label, &key, error))
		return false;
	CK_RV rv = session.functions->C_SignInit(session.handle, &mechanism, key);
	if (rv == CKR_OK)
		rv = session.functions->C_Sign(
			session.handle, (CK_BYTE *)data, (CK_ULONG)length, result, &mac_length);
	if (rv != CKR_OK)
		return session_failed(&session, rv, "computing AES-CMAC", error);
	if (mac_length != sizeof(result))
		return error_set(error, ERROR_TOKEN_FAILED,
			"the token's AES-CMAC is %lu bytes long", mac_length);
	memcpy(mac, result, sizeof(result));
	explicit_bzero(result, sizeof(result));
	return true;
}

bool token_key_check_value(
	struct token *token, const char *label, uint8_t value[3], struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	CK_MECHANISM mechanism = {CKM_AES_ECB, NULL, 0};
	CK_OBJECT_HANDLE key;
	uint8_t zero[16] = {0}, result[16] = {0};
	CK_ULONG length = sizeof(result);

	if (!token_find_holder(&token, label, error) ||
		!session_take(token->sessions, &session, error) ||
		!token_find_object(&session, CKO_SECRET_KEY, label, &key, error))
		return false;
	CK_RV rv = session.functions->C_EncryptInit(session.handle, &mechanism, key);
	if (rv == CKR_OK)
		rv = session.functions->C_Encrypt(
			session.handle, zero, sizeof(zero), result, &length);
	if (rv != CKR_OK)
		return session_failed(&session, rv, "computing a key check value", error);
	memcpy(value, result, 3);
	explicit_bzero(result, sizeof(result));
	return true;
}

static bool destroy_class(struct session *session, CK_OBJECT_CLASS object_class, const char *label,
	struct error *error)
{
	CK_OBJECT_HANDLE handles[TOKEN_OBJECTS_MAX];
	size_t count = 0;

	do {
		if (!token_find_objects(session, object_class, label, handles, &count, error))
			return false;
		for (size_t i = 0; i < count; i++) {
			CK_RV rv = session->functions->C_DestroyObject(session->handle, handles[i]);
			if (rv != CKR_OK)
				return session_failed(session, rv, "removing a key", error);
		}
	} while (count == TOKEN_OBJECTS_MAX);
	return true;
}

bool token_destroy(struct token *token, const char *label, struct error *error)
{
	static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY};
	_cleanup_session_ struct session session = SESSION_INIT;
	bool done = true;

	if ((token->older && !token_destroy(token->older, label, error)) ||
		!session_take(token->sessions, &session, error))
		return false;
	pthread_mutex_lock(&token->making);
	for (size_t i = 0; i < ARRAY_SIZE(classes) && done; i++)
		done = destroy_class(&session, classes[i], label, error);
	pthread_mutex_unlock(&token->making);
	return done;
}

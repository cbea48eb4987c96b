/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The uses of an HSM's private keys. */
#include <string.h>

#include "token/ckr.h"
#include "token/hsm-private.h"

#define OUTPUT_MAX 2048 /* bytes: RSA of 16,384 bits */

/* A mechanism with the memory that its parameter needs. */
struct prepared {
	CK_MECHANISM mechanism;
	union {
		CK_RSA_PKCS_PSS_PARAMS pss;
		CK_RSA_PKCS_OAEP_PARAMS oaep;
		CK_ECDH1_DERIVE_PARAMS ecdh;
	} parameter;
};

static bool prepare_plain(struct prepared *prepared, const struct hsm_use *use)
{
	(void)prepared;
	return use->parameter.length == 0;
}

/* hash, mask generation function, salt's length: 32 bits each */
static bool prepare_pss(struct prepared *prepared, const struct hsm_use *use)
{
	struct reader reader = use->parameter;
	CK_RSA_PKCS_PSS_PARAMS *pss = &prepared->parameter.pss;

	pss->hashAlg = reader_u32(&reader);
	pss->mgf = reader_u32(&reader);
	pss->sLen = reader_u32(&reader);
	prepared->mechanism.pParameter = pss;
	prepared->mechanism.ulParameterLen = sizeof(*pss);
	return !reader.failed && reader_left(&reader) == 0;
}

/* hash, mask generation function: 32 bits each; the label */
static bool prepare_oaep(struct prepared *prepared, const struct hsm_use *use)
{
	struct reader reader = use->parameter;
	CK_RSA_PKCS_OAEP_PARAMS *oaep = &prepared->parameter.oaep;

	oaep->hashAlg = reader_u32(&reader);
	oaep->mgf = reader_u32(&reader);
	oaep->source = CKZ_DATA_SPECIFIED;
	oaep->ulSourceDataLen = reader_left(&reader);
	oaep->pSourceData = oaep->ulSourceDataLen
				    ? (void *)(uintptr_t)reader_bytes(&reader, reader_left(&reader))
				    : NULL;
	prepared->mechanism.pParameter = oaep;
	prepared->mechanism.ulParameterLen = sizeof(*oaep);
	return !reader.failed;
}

/* The input is the peer's point. */
static bool prepare_ecdh(struct prepared *prepared, const struct hsm_use *use)
{
	CK_ECDH1_DERIVE_PARAMS *ecdh = &prepared->parameter.ecdh;

	ecdh->kdf = CKD_NULL;
	ecdh->pPublicData = (CK_BYTE *)(uintptr_t)use->input;
	ecdh->ulPublicDataLen = use->length;
	prepared->mechanism.pParameter = ecdh;
	prepared->mechanism.ulParameterLen = sizeof(*ecdh);
	return use->parameter.length == 0;
}

static const struct {
	enum key_use use;
	CK_MECHANISM_TYPE type;
	bool (*prepare)(struct prepared *prepared, const struct hsm_use *use);
} mechanisms[] = {
	{KEY_USE_SIGN, CKM_RSA_PKCS, prepare_plain},
	{KEY_USE_SIGN, CKM_RSA_PKCS_PSS, prepare_pss},
	{KEY_USE_SIGN, CKM_RSA_X_509, prepare_plain},
	{KEY_USE_SIGN, CKM_ECDSA, prepare_plain},
	{KEY_USE_DECRYPT, CKM_RSA_PKCS, prepare_plain},
	{KEY_USE_DECRYPT, CKM_RSA_PKCS_OAEP, prepare_oaep},
	{KEY_USE_DECRYPT, CKM_RSA_X_509, prepare_plain},
	{KEY_USE_DERIVE, CKM_ECDH1_DERIVE, prepare_ecdh},
};

static bool prepare(struct prepared *prepared, const struct hsm_use *use, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(mechanisms); i++) {
		if (mechanisms[i].use != use->use || mechanisms[i].type != use->mechanism)
			continue;
		*prepared = (struct prepared){.mechanism = {.mechanism = use->mechanism}};
		return mechanisms[i].prepare(prepared, use) ||
		       error_set_field(error, ERROR_INVALID_ARGUMENT, "parameter",
			       "the mechanism's parameter is malformed");
	}
	return error_set(error, ERROR_NOT_SUPPORTED,
		"keys of HSM slots are not used with mechanism 0x%X in this way", use->mechanism);
}

/* One use on its way. */
struct running {
	struct session *session;
	const struct hsm_object *object;
	struct prepared prepared;
	const struct hsm_use *use;
	const struct secret *pin; /* proved between C_SignInit and C_Sign; NULL: not wanted */
};

/* What a session can be made ready for: a signature without a parameter and without a PIN. */
static struct session_ready readiness(
	const struct hsm_object *object, enum key_use use, CK_MECHANISM_TYPE mechanism)
{
	bool possible = use == KEY_USE_SIGN && !object->wants_pin &&
			(mechanism == CKM_RSA_PKCS || mechanism == CKM_ECDSA);

	return possible ? (struct session_ready){object->handle, mechanism}
			: (struct session_ready){.key = CK_INVALID_HANDLE};
}

static CK_RV prove_pin(const struct running *running)
{
	const struct secret *pin = running->pin;

	if (!pin)
		return CKR_OK;
	return running->session->functions->C_Login(
		running->session->handle, CKU_CONTEXT_SPECIFIC, pin->data, (CK_ULONG)pin->length);
}

static CK_RV sign(struct running *running, uint8_t *output, CK_ULONG *length)
{
	struct session *session = running->session;
	bool is_ready = session->ready.key != CK_INVALID_HANDLE;
	CK_RV rv = CKR_OK;

	session->ready.key = CK_INVALID_HANDLE;
	if (!is_ready)
		rv = session->functions->C_SignInit(
			session->handle, &running->prepared.mechanism, running->object->handle);
	if (rv == CKR_OK)
		rv = prove_pin(running);
	return rv != CKR_OK ? rv
			    : session->functions->C_Sign(session->handle,
				      (CK_BYTE *)(uintptr_t)running->use->input,
				      running->use->length, output, length);
}

static CK_RV decrypt(struct running *running, uint8_t *output, CK_ULONG *length)
{
	const struct session *session = running->session;
	CK_RV rv = session->functions->C_DecryptInit(
		session->handle, &running->prepared.mechanism, running->object->handle);

	if (rv == CKR_OK)
		rv = prove_pin(running);
	return rv != CKR_OK ? rv
			    : session->functions->C_Decrypt(session->handle,
				      (CK_BYTE *)(uintptr_t)running->use->input,
				      running->use->length, output, length);
}

/* The secret is read out of the token; the object that it is in there lives as long as this. */
static CK_RV derive(struct running *running, uint8_t *output, CK_ULONG *length)
{
	const struct session *session = running->session;
	CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ULONG size = (running->use->length - 1) / 2;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_OBJECT_HANDLE secret;
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &object_class, sizeof(object_class)},
		{CKA_KEY_TYPE, &type, sizeof(type)},
		{CKA_TOKEN, &no, sizeof(no)},
		{CKA_SENSITIVE, &no, sizeof(no)},
		{CKA_EXTRACTABLE, &yes, sizeof(yes)},
		{CKA_VALUE_LEN, &size, sizeof(size)},
	};
	CK_ATTRIBUTE value = {CKA_VALUE, output, *length};
	CK_RV rv = session->functions->C_DeriveKey(session->handle, &running->prepared.mechanism,
		running->object->handle, template, ARRAY_SIZE(template), &secret);

	if (rv != CKR_OK)
		return rv;
	rv = session->functions->C_GetAttributeValue(session->handle, secret, &value, 1);
	session->functions->C_DestroyObject(session->handle, secret);
	*length = value.ulValueLen;
	return rv;
}

static CK_RV run(struct running *running, uint8_t *output, CK_ULONG *length)
{
	switch (running->use->use) {
	case KEY_USE_SIGN:
		return sign(running, output, length);
	case KEY_USE_DECRYPT:
		return decrypt(running, output, length);
	default:
		return running->use->length == 0 ? CKR_DATA_LEN_RANGE
						 : derive(running, output, length);
	}
}

/* What is the caller's doing; all else is the token's. */
static const struct {
	CK_RV rv;
	enum error_code code;
} meanings[] = {
	{CKR_DATA_LEN_RANGE, ERROR_DATA_LENGTH},
	{CKR_ENCRYPTED_DATA_LEN_RANGE, ERROR_DATA_LENGTH},
	{CKR_DATA_INVALID, ERROR_DATA_INVALID},
	{CKR_ENCRYPTED_DATA_INVALID, ERROR_DATA_INVALID},
	{CKR_MECHANISM_INVALID, ERROR_NOT_SUPPORTED},
	{CKR_MECHANISM_PARAM_INVALID, ERROR_NOT_SUPPORTED},
	{CKR_ARGUMENTS_BAD, ERROR_NOT_SUPPORTED}, /* of SoftHSM2, for OAEP with other hashes */
	{CKR_KEY_FUNCTION_NOT_PERMITTED, ERROR_NOT_SUPPORTED},
	{CKR_KEY_TYPE_INCONSISTENT, ERROR_NOT_SUPPORTED},
	{CKR_USER_NOT_LOGGED_IN, ERROR_PIN_REQUIRED},
	{CKR_PIN_INCORRECT, ERROR_PIN_WRONG},
	{CKR_PIN_LOCKED, ERROR_PIN_BLOCKED},
};

static bool fail(struct session *session, CK_RV rv, enum key_use use, struct error *error)
{
	/* SoftHSM2's name for a block that is padded wrongly. */
	if (use == KEY_USE_DECRYPT && rv == CKR_GENERAL_ERROR)
		rv = CKR_ENCRYPTED_DATA_INVALID;
	session_failed(session, rv, "using a key", error);
	for (size_t i = 0; error && i < ARRAY_SIZE(meanings); i++) {
		if (meanings[i].rv == rv)
			error->code = meanings[i].code;
	}
	return false;
}

/* The PIN for one use: the caller's, or else that of the login. */
static bool find_pin(
	struct hsm *hsm, const struct hsm_use *use, struct secret *pin, struct error *error)
{
	if (use->pin && secret_is_set(use->pin))
		return secret_copy(pin, use->pin) ||
		       error_set(error, ERROR_FAILED, "out of memory");
	pthread_mutex_lock(&hsm->login_lock);
	bool found = secret_is_set(&hsm->pin) && secret_copy(pin, &hsm->pin);
	pthread_mutex_unlock(&hsm->login_lock);
	return found || error_set(error, ERROR_PIN_REQUIRED, "log in first");
}

/* A derived secret is an object that is made and removed: with SoftHSM2 nobody else may be there.
 */
static bool take_session(struct hsm *hsm, const struct hsm_object *object,
	const struct hsm_use *use, struct session *session, struct error *error)
{
	const struct session_ready wanted = readiness(object, use->use, use->mechanism);

	return use->use == KEY_USE_DERIVE
		       ? session_take(hsm->sessions, session, error)
		       : session_take_ready(hsm->sessions, &wanted, session, error);
}

/* *again is set for a failure in a session that was ready, which may be that one's own. */
static bool use_in_session(
	struct hsm *hsm, struct running *running, bool *again, CK_RV *rv, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	const struct hsm_use *use = running->use;
	uint8_t output[OUTPUT_MAX];
	CK_ULONG length = sizeof(output);

	if (!take_session(hsm, running->object, use, &session, error))
		return false;
	running->session = &session;
	bool was_ready = session.ready.key != CK_INVALID_HANDLE;
	*rv = run(running, output, &length);
	if (*rv == CKR_OK)
		buffer_append(use->output, output, length);
	explicit_bzero(output, *rv == CKR_OK ? length : sizeof(output));
	*again = *rv != CKR_OK && was_ready;
	return *rv == CKR_OK || fail(&session, *rv, use->use, error);
}

static bool use_object(struct hsm *hsm, const struct hsm_object *object, const struct hsm_use *use,
	CK_RV *rv, struct error *error)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	struct running running = {.object = object, .use = use};
	bool again = false;

	if (object->wants_pin) {
		if (!find_pin(hsm, use, &pin, error))
			return false;
		running.pin = &pin;
	}
	if (!prepare(&running.prepared, use, error))
		return false;
	if (use_in_session(hsm, &running, &again, rv, error))
		return true;
	if (!again)
		return false;
	session_pool_forget_ready(hsm->sessions);
	return use_in_session(hsm, &running, &again, rv, error);
}

void hsm_make_ready(struct hsm *hsm, uint32_t number, enum key_use use, uint32_t mechanism)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(hsm);
	const struct hsm_object *object = hsm_objects_find(objects, number);
	CK_MECHANISM plain = {.mechanism = mechanism};

	if (!object)
		return;
	struct session_ready wanted = readiness(object, use, mechanism);
	if (wanted.key == CK_INVALID_HANDLE || !session_pool_has_room(hsm->sessions) ||
		!session_take_for_use(hsm->sessions, &session, NULL))
		return;
	if (session.functions->C_SignInit(session.handle, &plain, wanted.key) == CKR_OK)
		session.ready = wanted;
	else
		session.broken = true;
}

static bool use_once(
	struct hsm *hsm, uint32_t number, const struct hsm_use *use, CK_RV *rv, struct error *error)
{
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(hsm);
	const struct hsm_object *object = hsm_objects_find(objects, number);

	*rv = CKR_OK;
	if (!object || object->object_class != CKO_PRIVATE_KEY)
		return error_set(error, ERROR_NOT_FOUND, "the slot has no private key %u", number);
	return use_object(hsm, object, use, rv, error);
}

/* A module that was cut off from its device, or a token that another program has logged out. */
static bool may_help_to_log_in(CK_RV rv)
{
	return rv == CKR_USER_NOT_LOGGED_IN || rv == CKR_SESSION_HANDLE_INVALID ||
	       rv == CKR_SESSION_CLOSED || rv == CKR_KEY_HANDLE_INVALID ||
	       rv == CKR_OBJECT_HANDLE_INVALID || rv == CKR_DEVICE_REMOVED;
}

bool hsm_use_key(struct hsm *hsm, uint32_t object, const struct hsm_use *use, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	unsigned relogins = hsm->relogins;
	CK_RV rv;

	if (use_once(hsm, object, use, &rv, &failure))
		return true;
	if (!may_help_to_log_in(rv))
		return error_move(error, &failure);
	return hsm_login_again(hsm, relogins, error) && use_once(hsm, object, use, &rv, error);
}

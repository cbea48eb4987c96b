/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The uses of an HSM's private and secret keys. */
#include <string.h>

#include "common/alloc.h"
#include "token/hsm-child.h"
#include "token/hsm-private.h"

#define OUTPUT_MAX	 2048 /* bytes: RSA of 16,384 bits, the longest MAC, ... */
#define CIPHERTEXT_EXTRA 64   /* padding, or a tag */

/* One use on its way. */
struct use {
	struct hsm_work *work;
	struct session *session;
	const struct secret *pin; /* proved between C_SignInit and C_Sign; NULL: not wanted */
	uint8_t *output;
	CK_ULONG length;
};

/* What a session can be made ready for: a signature without a parameter and without a PIN. */
static struct session_ready readiness(
	const struct hsm_object *object, enum hsm_operation operation, CK_MECHANISM_TYPE mechanism)
{
	bool possible = operation == HSM_SIGN && !object->wants_pin &&
			(mechanism == CKM_RSA_PKCS || mechanism == CKM_ECDSA);

	return possible ? (struct session_ready){object->handle, mechanism}
			: (struct session_ready){.key = CK_INVALID_HANDLE};
}

static CK_RV prove_pin(const struct use *use)
{
	const struct secret *pin = use->pin;

	if (!pin)
		return CKR_OK;
	return use->session->functions->C_Login(
		use->session->handle, CKU_CONTEXT_SPECIFIC, pin->data, (CK_ULONG)pin->length);
}

static CK_BYTE *input_of(const struct use *use)
{
	static CK_BYTE nothing;
	const struct reader *input = &use->work->request->input;

	/* Some tokens take no data for missing ones when the pointer is NULL. */
	return input->length ? (CK_BYTE *)(uintptr_t)input->data : &nothing;
}

static CK_RV sign(struct use *use)
{
	struct session *session = use->session;
	bool is_ready = session->ready.key != CK_INVALID_HANDLE;
	CK_RV rv = CKR_OK;

	session->ready.key = CK_INVALID_HANDLE;
	if (!is_ready)
		rv = session->functions->C_SignInit(
			session->handle, &use->work->prepared.mechanism, use->work->object->handle);
	if (rv == CKR_OK)
		rv = prove_pin(use);
	return rv != CKR_OK ? rv
			    : session->functions->C_Sign(session->handle, input_of(use),
				      use->work->request->input.length, use->output, &use->length);
}

static CK_RV decrypt(struct use *use)
{
	const struct session *session = use->session;
	CK_RV rv = session->functions->C_DecryptInit(
		session->handle, &use->work->prepared.mechanism, use->work->object->handle);

	if (rv == CKR_OK)
		rv = prove_pin(use);
	return rv != CKR_OK ? rv
			    : session->functions->C_Decrypt(session->handle, input_of(use),
				      use->work->request->input.length, use->output, &use->length);
}

static CK_RV encrypt(struct use *use)
{
	const struct session *session = use->session;
	CK_RV rv = session->functions->C_EncryptInit(
		session->handle, &use->work->prepared.mechanism, use->work->object->handle);

	return rv != CKR_OK ? rv
			    : session->functions->C_Encrypt(session->handle, input_of(use),
				      use->work->request->input.length, use->output, &use->length);
}

/* The size of the secret: that of a coordinate, or of an X25519 or X448 point. */
static CK_ULONG secret_size(const struct hsm_request *request)
{
	size_t length = request->input.length;

	return length > 0 && request->input.data[0] == 0x04 && length % 2 == 1 ? (length - 1) / 2
									       : length;
}

/* The secret is read out of the token; the object that it is in there lives as long as this. */
static CK_RV derive(struct use *use)
{
	const struct session *session = use->session;
	CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ULONG size = secret_size(use->work->request);
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
	CK_ATTRIBUTE value = {CKA_VALUE, use->output, use->length};

	if (size == 0)
		return CKR_DATA_LEN_RANGE;
	CK_RV rv = session->functions->C_DeriveKey(session->handle, &use->work->prepared.mechanism,
		use->work->object->handle, template, ARRAY_SIZE(template), &secret);
	if (rv != CKR_OK)
		return rv;
	rv = session->functions->C_GetAttributeValue(session->handle, secret, &value, 1);
	session->functions->C_DestroyObject(session->handle, secret);
	use->length = value.ulValueLen;
	return rv;
}

static CK_RV (*const uses[])(struct use *use) = {
	[HSM_SIGN] = sign, [HSM_DECRYPT] = decrypt, [HSM_DERIVE] = derive, [HSM_ENCRYPT] = encrypt};

/* What SoftHSM2 says when it means something else. */
CK_RV hsm_translate(enum hsm_operation use, const struct hsm_prepared *prepared, CK_RV rv)
{
	/* A block, or text, that is padded wrongly, or a tag that is wrong. */
	if (use == HSM_DECRYPT && rv == CKR_GENERAL_ERROR)
		return CKR_ENCRYPTED_DATA_INVALID;
	/* OAEP with other hashes. */
	if (rv == CKR_ARGUMENTS_BAD && prepared->mechanism.ulParameterLen > 0)
		return CKR_MECHANISM_PARAM_INVALID;
	return rv;
}

static CK_RV translate(const struct hsm_work *work, CK_RV rv)
{
	return hsm_translate(work->request->operation, &work->prepared, rv);
}

bool hsm_find_pin(const struct hsm_work *work, struct secret *pin, struct error *error)
{
	const struct secret *given = work->request->pin;
	struct hsm *hsm = work->hsm;

	if (given && secret_is_set(given))
		return secret_copy(pin, given) || error_set(error, ERROR_FAILED, "out of memory");
	pthread_mutex_lock(&hsm->login_lock);
	bool found = secret_is_set(&hsm->pin) && secret_copy(pin, &hsm->pin);
	pthread_mutex_unlock(&hsm->login_lock);
	return found || error_set(error, ERROR_PIN_REQUIRED, "log in first");
}

/* A derived secret is an object that is made and removed: with SoftHSM2 nobody else may be there.
 */
static bool take_session(const struct hsm_work *work, struct session *session, struct error *error)
{
	const struct hsm_request *request = work->request;
	const struct session_ready wanted =
		readiness(work->object, request->operation, request->mechanism);

	return request->operation == HSM_DERIVE
		       ? session_take(work->hsm->sessions, session, error)
		       : session_take_ready(work->hsm->sessions, &wanted, session, error);
}

/* *again is set for a failure in a session that was ready, which may be that one's own. */
static bool use_in_session(struct use *use, bool *again, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	struct hsm_work *work = use->work;

	if (!take_session(work, &session, error))
		return false;
	use->session = &session;
	bool was_ready = session.ready.key != CK_INVALID_HANDLE;
	const CK_ULONG room = use->length;
	CK_RV rv = uses[work->request->operation](use);
	if (rv == CKR_OK && use->length > room)
		rv = CKR_DEVICE_ERROR; /* a token that lies about lengths */
	if (rv == CKR_OK) {
		buffer_append(work->reply->output, use->output, use->length);
		return true;
	}
	*again = was_ready;
	return hsm_work_failed(work, &session, translate(work, rv), "using a key", error);
}

static bool use_twice(struct use *use, struct error *error)
{
	const CK_ULONG room = use->length;
	bool again = false;

	if (use_in_session(use, &again, error))
		return true;
	if (!again)
		return false;
	session_pool_forget_ready(use->work->hsm->sessions);
	use->length = room;
	return use_in_session(use, &again, error);
}

/* Most outputs are short; text is as long as it is. */
static bool use_with_room(struct use *use, struct error *error)
{
	enum hsm_operation operation = use->work->request->operation;
	size_t length = use->work->request->input.length;
	uint8_t few[OUTPUT_MAX];
	_cleanup_buffer_ struct buffer many = BUFFER_INIT_WIPE;
	bool is_text = operation == HSM_ENCRYPT || operation == HSM_DECRYPT;

	use->output = few;
	use->length = sizeof(few);
	if (is_text && length + CIPHERTEXT_EXTRA > sizeof(few)) {
		use->length = length + CIPHERTEXT_EXTRA;
		use->output = buffer_extend(&many, use->length);
		if (!use->output)
			return error_set(error, ERROR_FAILED, "out of memory");
	}
	bool done = use_twice(use, error);
	if (use->output == few)
		explicit_bzero(few, done ? use->length : sizeof(few));
	return done;
}

bool hsm_do_use(struct hsm_work *work, struct error *error)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	struct use use = {.work = work};

	if (work->object->wants_pin) {
		if (!hsm_find_pin(work, &pin, error))
			return false;
		use.pin = &pin;
	}
	return use_with_room(&use, error);
}

bool hsm_do_verify(struct hsm_work *work, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	const struct hsm_request *request = work->request;

	if (!session_take_for_use(work->hsm->sessions, &session, error))
		return false;
	CK_RV rv = session.functions->C_VerifyInit(
		session.handle, &work->prepared.mechanism, work->object->handle);
	if (rv == CKR_OK)
		rv = session.functions->C_Verify(session.handle,
			(CK_BYTE *)(uintptr_t)request->input.data, request->input.length,
			(CK_BYTE *)(uintptr_t)request->signature.data, request->signature.length);
	return rv == CKR_OK ||
	       hsm_work_failed(work, &session, translate(work, rv), "verifying with a key", error);
}

void hsm_make_ready(struct hsm *hsm, uint32_t number, enum key_use use, uint32_t mechanism)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	_cleanup_hsm_object_ struct hsm_object *object = hsm_find_object(hsm, NULL, number);
	CK_MECHANISM plain = {.mechanism = mechanism};

	if (!object)
		return;
	if (hsm->child) {
		hsm_child_make_ready(hsm->child, number, use, mechanism);
		return;
	}
	struct session_ready wanted = readiness(object, (enum hsm_operation)use, mechanism);
	if (wanted.key == CK_INVALID_HANDLE || !session_pool_has_room(hsm->sessions) ||
		!session_take_for_use(hsm->sessions, &session, NULL))
		return;
	if (session.functions->C_SignInit(session.handle, &plain, wanted.key) == CKR_OK)
		session.ready = wanted;
	else
		session.broken = true;
}

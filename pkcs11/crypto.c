/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The C_ functions of operations (PKCS#11 2.40, 5.8 to 5.13). All kinds share
 * the functions here; only C_Verify has another shape.
 */
#include <string.h>

#include "pkcs11/ckr.h"
#include "pkcs11/public.h"
#include "pkcs11/session.h"

/* The active operation of a kind that no other thread is busy with. */
static CK_RV enter(CK_SESSION_HANDLE handle, enum operation_kind kind, struct operation **operation)
{
	struct session *session;
	CK_RV rv = session_enter(handle, &session, NULL);

	if (rv != CKR_OK)
		return rv;
	*operation = &session->operations[kind];
	if (!(*operation)->active)
		return CKR_OPERATION_NOT_INITIALIZED;
	return (*operation)->calling ? CKR_OPERATION_ACTIVE : CKR_OK;
}

static CK_RV find_key(struct slot *slot, CK_OBJECT_HANDLE handle, struct object **object)
{
	*object = objects_find(&slot->objects, handle);
	if (!*object)
		return CKR_KEY_HANDLE_INVALID;
	return (*object)->is_private && !slot_is_open(slot) ? CKR_USER_NOT_LOGGED_IN : CKR_OK;
}

static CK_RV init(CK_SESSION_HANDLE handle, enum operation_kind kind, CK_MECHANISM_PTR mechanism,
	CK_OBJECT_HANDLE key)
{
	struct session *session;
	struct slot *slot;
	struct object *object = NULL;
	CK_RV rv = session_enter(handle, &session, &slot);

	if (rv != CKR_OK)
		return rv;
	if (!mechanism)
		return CKR_ARGUMENTS_BAD;
	if (session->operations[kind].active)
		return CKR_OPERATION_ACTIVE;
	if (kind != OPERATION_DIGEST)
		rv = find_key(slot, key, &object);
	if (rv != CKR_OK)
		return rv;
	return operation_start(&session->operations[kind], kind, mechanism, object);
}

static CK_RV update(
	CK_SESSION_HANDLE handle, enum operation_kind kind, const void *data, CK_ULONG length)
{
	struct operation *operation;
	CK_RV rv = enter(handle, kind, &operation);

	if (rv != CKR_OK)
		return rv;
	operation->in_parts = true;
	rv = operation_feed(operation, data, length);
	if (rv != CKR_OK)
		operation_clear(operation);
	return rv;
}

/* RSA gives nothing before the end. */
static CK_RV update_silently(CK_SESSION_HANDLE handle, enum operation_kind kind, const void *data,
	CK_ULONG length, CK_BYTE_PTR out, CK_ULONG_PTR out_length)
{
	if (!out_length)
		return CKR_ARGUMENTS_BAD;
	*out_length = 0;
	return out ? update(handle, kind, data, length) : CKR_OK; /* else it asks for the length */
}

/*
 * One round trip with the private key. The lock is given up: *operation is found again or NULL
 * when the session ended.
 */
static CK_RV use_key(CK_SESSION_HANDLE handle, struct operation **operation,
	const struct request *request, struct buffer *output)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	struct session *session = session_find(handle);
	enum operation_kind kind = (*operation)->kind;
	CK_SLOT_ID slot_id = session->slot_id;
	const struct slot *slot = slot_find(slot_id);
	const struct remote_use use = {.slot = slot->token.number,
		.key = (*operation)->object->key->reference,
		.operation = kind == OPERATION_DECRYPT ? "decrypt" : "sign",
		.mechanism = (uint32_t)request->mechanism,
		.parameter = &request->parameter,
		.pin = &pin,
		.input = &request->input,
		.needs_no_login = slot_is_without_pin(slot)};
	uint64_t serial = (*operation)->serial;
	unsigned epoch = module.epoch;

	secret_move(&pin, &(*operation)->pin);
	(*operation)->calling = true;
	*operation = NULL;
	struct remote *remote = module_call_begin();
	bool done = remote_use_key(remote, &use, output, &error);
	if (!module_call_end(remote, epoch))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	session = session_find(handle);
	if (session && session->operations[kind].serial == serial) {
		*operation = &session->operations[kind];
		(*operation)->calling = false;
	}
	if (error.code == ERROR_PIN_REQUIRED || error.code == ERROR_PIN_EXPIRED)
		slot_forget_login(slot_id);
	if (!done)
		return ckr_of(
			&error, kind == OPERATION_DECRYPT ? CKR_CONTEXT_DECRYPT : CKR_CONTEXT_SIGN);
	return *operation ? CKR_OK : CKR_DEVICE_REMOVED;
}

static CK_RV compute_private(
	CK_SESSION_HANDLE handle, struct operation **operation, struct buffer *result)
{
	_cleanup_(request_clear) struct request request = REQUEST_INIT;
	_cleanup_buffer_ struct buffer answer = BUFFER_INIT_WIPE;

	if ((*operation)->wants_pin && !secret_is_set(&(*operation)->pin))
		return CKR_USER_NOT_LOGGED_IN;
	CK_RV rv = operation_request(*operation, &request);
	if (rv == CKR_OK)
		rv = use_key(handle, operation, &request, &answer);
	return rv == CKR_OK ? operation_answer(*operation, &answer, result) : rv;
}

static CK_RV compute(CK_SESSION_HANDLE handle, struct operation **operation, struct buffer *result)
{
	switch ((*operation)->kind) {
	case OPERATION_DIGEST:
		return operation_message(*operation, result);
	case OPERATION_ENCRYPT:
		return public_encrypt(*operation, result);
	default:
		return compute_private(handle, operation, result);
	}
}

/* Hands the result out and ends the operation, unless the caller's buffer is too small. */
static CK_RV deliver(struct operation *operation, CK_BYTE_PTR out, CK_ULONG_PTR out_length)
{
	CK_ULONG room = *out_length;

	*out_length = operation->result.length;
	if (room < operation->result.length)
		return CKR_BUFFER_TOO_SMALL;
	if (operation->result.length)
		memcpy(out, operation->result.data, operation->result.length);
	operation_clear(operation);
	return CKR_OK;
}

/* Everything before the computation: arguments, and callers that ask for the length. */
static CK_RV check_output(const struct operation *operation, bool at_once, CK_BYTE_PTR out,
	CK_ULONG_PTR out_length, bool *answered)
{
	*answered = true;
	if (!out_length)
		return CKR_ARGUMENTS_BAD;
	if (at_once && operation->in_parts)
		return CKR_OPERATION_ACTIVE;
	size_t size = operation_output_size(operation);
	bool exact = operation->has_result || operation->kind != OPERATION_DECRYPT;
	if (!out || (exact && *out_length < size)) {
		*out_length = size;
		return out ? CKR_BUFFER_TOO_SMALL : CKR_OK;
	}
	*answered = false;
	return CKR_OK;
}

/* Finishes an operation; data and length are the input of one that is done at once. */
static CK_RV finish(CK_SESSION_HANDLE handle, enum operation_kind kind, bool at_once,
	const void *data, CK_ULONG length, CK_BYTE_PTR out, CK_ULONG_PTR out_length)
{
	_cleanup_buffer_ struct buffer result = BUFFER_INIT_WIPE;
	struct operation *operation;
	bool answered;
	CK_RV rv = enter(handle, kind, &operation);

	if (rv != CKR_OK)
		return rv;
	rv = check_output(operation, at_once, out, out_length, &answered);
	if (answered)
		return rv;
	if (operation->has_result)
		return deliver(operation, out, out_length);
	if (at_once)
		rv = operation_feed(operation, data, length);
	if (rv == CKR_OK)
		rv = compute(handle, &operation, &result);
	if (rv != CKR_OK) {
		if (operation)
			operation_clear(operation);
		return rv;
	}
	buffer_move(&operation->result, &result);
	operation->has_result = true;
	return deliver(operation, out, out_length);
}

static CK_RV verify(CK_SESSION_HANDLE handle, bool at_once, const void *data, CK_ULONG length,
	const void *signature, CK_ULONG signature_length)
{
	struct operation *operation;
	CK_RV rv = enter(handle, OPERATION_VERIFY, &operation);

	if (rv != CKR_OK)
		return rv;
	if (at_once && operation->in_parts)
		return CKR_OPERATION_ACTIVE;
	if (!signature)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK && at_once)
		rv = operation_feed(operation, data, length);
	if (rv == CKR_OK)
		rv = public_verify(operation, signature, signature_length);
	operation_clear(operation);
	return rv;
}

CK_RV C_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
	return MODULE_LOCKED(init(session, OPERATION_SIGN, mechanism, key));
}

CK_RV C_Sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature,
	CK_ULONG_PTR signature_len)
{
	return MODULE_LOCKED(
		finish(session, OPERATION_SIGN, true, data, data_len, signature, signature_len));
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len)
{
	return MODULE_LOCKED(update(session, OPERATION_SIGN, part, part_len));
}

CK_RV C_SignFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR signature, CK_ULONG_PTR signature_len)
{
	return MODULE_LOCKED(
		finish(session, OPERATION_SIGN, false, NULL, 0, signature, signature_len));
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
	return MODULE_LOCKED(init(session, OPERATION_VERIFY, mechanism, key));
}

CK_RV C_Verify(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len,
	CK_BYTE_PTR signature, CK_ULONG signature_len)
{
	return MODULE_LOCKED(verify(session, true, data, data_len, signature, signature_len));
}

CK_RV C_VerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len)
{
	return MODULE_LOCKED(update(session, OPERATION_VERIFY, part, part_len));
}

CK_RV C_VerifyFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR signature, CK_ULONG signature_len)
{
	return MODULE_LOCKED(verify(session, false, NULL, 0, signature, signature_len));
}

CK_RV C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
	return MODULE_LOCKED(init(session, OPERATION_ENCRYPT, mechanism, key));
}

CK_RV C_Encrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len,
	CK_BYTE_PTR encrypted, CK_ULONG_PTR encrypted_len)
{
	return MODULE_LOCKED(
		finish(session, OPERATION_ENCRYPT, true, data, data_len, encrypted, encrypted_len));
}

CK_RV C_EncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len,
	CK_BYTE_PTR encrypted, CK_ULONG_PTR encrypted_len)
{
	return MODULE_LOCKED(update_silently(
		session, OPERATION_ENCRYPT, part, part_len, encrypted, encrypted_len));
}

CK_RV C_EncryptFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR last, CK_ULONG_PTR last_len)
{
	return MODULE_LOCKED(finish(session, OPERATION_ENCRYPT, false, NULL, 0, last, last_len));
}

CK_RV C_DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
	return MODULE_LOCKED(init(session, OPERATION_DECRYPT, mechanism, key));
}

CK_RV C_Decrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR encrypted, CK_ULONG encrypted_len,
	CK_BYTE_PTR data, CK_ULONG_PTR data_len)
{
	return MODULE_LOCKED(
		finish(session, OPERATION_DECRYPT, true, encrypted, encrypted_len, data, data_len));
}

CK_RV C_DecryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR encrypted, CK_ULONG encrypted_len,
	CK_BYTE_PTR part, CK_ULONG_PTR part_len)
{
	return MODULE_LOCKED(update_silently(
		session, OPERATION_DECRYPT, encrypted, encrypted_len, part, part_len));
}

CK_RV C_DecryptFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR last, CK_ULONG_PTR last_len)
{
	return MODULE_LOCKED(finish(session, OPERATION_DECRYPT, false, NULL, 0, last, last_len));
}

CK_RV C_DigestInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism)
{
	return MODULE_LOCKED(init(session, OPERATION_DIGEST, mechanism, CK_INVALID_HANDLE));
}

CK_RV C_Digest(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR digest,
	CK_ULONG_PTR digest_len)
{
	return MODULE_LOCKED(
		finish(session, OPERATION_DIGEST, true, data, data_len, digest, digest_len));
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len)
{
	return MODULE_LOCKED(update(session, OPERATION_DIGEST, part, part_len));
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR digest, CK_ULONG_PTR digest_len)
{
	return MODULE_LOCKED(finish(session, OPERATION_DIGEST, false, NULL, 0, digest, digest_len));
}

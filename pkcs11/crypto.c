/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/crypto.h"

#include <string.h>

#include "pkcs11/attribute.h"
#include "pkcs11/change.h"
#include "pkcs11/public.h"
#include "pkcs11/remote-object.h"
#include "pkcs11/stream.h"
#include "pkcs11/token-stream.h"

#define SIGNATURE_MAXIMUM 64 /* bytes of a MAC */

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

/* Version 3.0: no mechanism ends the operation that there is. */
static CK_RV cancel(struct operation *operation)
{
	if (!operation->active)
		return CKR_ARGUMENTS_BAD;
	if (operation->calling)
		return CKR_OPERATION_CANCEL_FAILED;
	operation_clear(operation);
	return CKR_OK;
}

/* The mechanism and the session's slot; what a token can do may have to be asked for. */
static CK_RV find_mechanism(CK_SESSION_HANDLE handle, enum operation_kind kind,
	CK_MECHANISM_TYPE type, const struct mechanism **mechanism)
{
	CK_SLOT_ID slot_id = session_find(handle)->slot_id;
	CK_RV rv = slot_learn_mechanisms(slot_id);

	if (rv != CKR_OK)
		return rv;
	return mechanism_for(slot_find(slot_id), type, operation_flag(kind), mechanism);
}

CK_RV crypto_init(CK_SESSION_HANDLE handle, enum operation_kind kind, CK_MECHANISM_PTR given,
	CK_OBJECT_HANDLE key)
{
	struct session *session;
	struct object *object = NULL;
	const struct mechanism *mechanism;
	CK_RV rv = session_enter(handle, &session, NULL);

	if (rv != CKR_OK)
		return rv;
	if (!given)
		return cancel(&session->operations[kind]);
	if (session->operations[kind].active)
		return CKR_OPERATION_ACTIVE;
	rv = find_mechanism(handle, kind, given->mechanism, &mechanism);
	if (rv != CKR_OK)
		return rv;
	session = session_find(handle);
	if (!session)
		return CKR_SESSION_HANDLE_INVALID;
	if (session->operations[kind].active)
		return CKR_OPERATION_ACTIVE;
	if (kind != OPERATION_DIGEST)
		rv = session_find_key(session, key, &object);
	if (rv != CKR_OK)
		return rv;
	return operation_start(&session->operations[kind], kind, mechanism, given, object);
}

/* More input. What comes of it so early is appended to result. The lock may be given up. */
static CK_RV feed(CK_SESSION_HANDLE handle, struct operation **operation, struct view data,
	struct buffer *result)
{
	if (data.length && !data.data)
		return CKR_ARGUMENTS_BAD;
	return operation_is_long(*operation, data.length)
		       ? token_stream_feed(handle, operation, data, result)
		       : operation_feed(*operation, data.data, data.length);
}

CK_RV crypto_update(
	CK_SESSION_HANDLE handle, enum operation_kind kind, const void *data, CK_ULONG length)
{
	_cleanup_buffer_ struct buffer nothing = BUFFER_INIT;
	struct operation *operation;
	CK_RV rv = enter(handle, kind, &operation);

	if (rv != CKR_OK)
		return rv;
	operation->in_parts = true;
	rv = feed(handle, &operation, (struct view){data, length}, &nothing);
	if (rv != CKR_OK && operation)
		operation_clear(operation);
	return rv;
}

/*
 * One round trip with the token's key. The lock is given up: *operation is found again or NULL
 * when the session ended.
 */
static CK_RV use_key(CK_SESSION_HANDLE handle, struct operation **operation,
	const struct request *request, struct buffer *output)
{
	static const char *const names[OPERATION_KIND_COUNT] = {[OPERATION_SIGN] = "sign",
		[OPERATION_SIGN_RECOVER] = "sign",
		[OPERATION_ENCRYPT] = "encrypt",
		[OPERATION_DECRYPT] = "decrypt"};
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	struct session *session = session_find(handle);
	enum operation_kind kind = (*operation)->kind;
	const struct slot *slot = slot_find(session->slot_id);
	const struct remote_use use = {.slot = slot->token.number,
		.key = object_number((*operation)->object),
		.operation = names[kind],
		.mechanism = (uint32_t)request->mechanism,
		.parameter = &request->parameter,
		.pin = &pin,
		.input = &request->input};
	struct errand errand;

	secret_move(&pin, &(*operation)->pin);
	errand_begin_operation(&errand, session, operation);
	bool done = remote_use_key(errand.remote, &use, output, &errand.error);
	return errand_end_operation(&errand, done,
		kind == OPERATION_DECRYPT ? CKR_CONTEXT_DECRYPT : CKR_CONTEXT_SIGN, operation);
}

static CK_RV ask_token(
	CK_SESSION_HANDLE handle, struct operation **operation, struct buffer *result)
{
	_cleanup_(request_clear) struct request request = REQUEST_INIT;
	_cleanup_buffer_ struct buffer answer = BUFFER_INIT_WIPE;

	if ((*operation)->wants_pin && !secret_is_set(&(*operation)->pin))
		return CKR_USER_NOT_LOGGED_IN;
	CK_RV rv = operation_request(*operation, &request);
	if (rv != CKR_OK)
		return rv;
	if (request.input.length == 0 && stream_is(*operation) &&
		(*operation)->mechanism->scheme != SCHEME_AES_CBC_PAD)
		return CKR_OK; /* nothing is left to do */
	rv = use_key(handle, operation, &request, &answer);
	return rv == CKR_OK ? operation_answer(*operation, &answer, result) : rv;
}

static CK_RV compute_remotely(
	CK_SESSION_HANDLE handle, struct operation **operation, struct buffer *result)
{
	if ((*operation)->stream)
		return token_stream_end(handle, operation, NULL, result);
	CK_RV rv = ask_token(handle, operation, result);
	if (rv != CKR_MECHANISM_PARAM_INVALID || !*operation || !operation_make_bare(*operation))
		return rv;
	rv = ask_token(handle, operation, result);
	/* A slot's rules may let the padded operation and not the bare one. */
	return rv == CKR_KEY_FUNCTION_NOT_PERMITTED ? CKR_MECHANISM_PARAM_INVALID : rv;
}

static CK_RV compute(CK_SESSION_HANDLE handle, struct operation **operation, struct buffer *result)
{
	if (operation_is_remote(*operation))
		return compute_remotely(handle, operation, result);
	switch ((*operation)->kind) {
	case OPERATION_DIGEST:
		return operation_message(*operation, result);
	case OPERATION_VERIFY_RECOVER:
		return public_recover(*operation, result);
	default:
		return public_encrypt(*operation, result);
	}
}

/* --- ciphers in parts --- */

/* Works on all that can be worked on, in one call to the daemon or several. */
static CK_RV run_parts(CK_SESSION_HANDLE handle, struct operation **operation, struct view data,
	struct buffer *result)
{
	CK_RV rv = CKR_OK;

	while (rv == CKR_OK && data.length > 0) {
		_cleanup_(request_clear) struct request request = REQUEST_INIT;
		_cleanup_buffer_ struct buffer answer = BUFFER_INIT_WIPE;
		rv = stream_part(*operation, &data, &request);
		if (rv != CKR_OK || request.input.length == 0)
			continue;
		rv = use_key(handle, operation, &request, &answer);
		if (rv == CKR_OK)
			rv = stream_advance(*operation, &request, &answer);
		buffer_append(result, answer.data, answer.length);
	}
	return rv == CKR_OK && result->failed ? CKR_HOST_MEMORY : rv;
}

/* Bytes that come of so much input at most. */
static size_t part_size(const struct operation *operation, size_t length)
{
	if (stream_is(operation))
		return stream_size(operation, length);
	return operation_is_long(operation, length) ? token_stream_size(operation, length) : 0;
}

CK_RV crypto_cipher_update(CK_SESSION_HANDLE handle, enum operation_kind kind, const void *data,
	CK_ULONG length, CK_BYTE_PTR out, CK_ULONG_PTR out_length)
{
	_cleanup_buffer_ struct buffer result = BUFFER_INIT_WIPE;
	struct operation *operation;
	CK_RV rv = enter(handle, kind, &operation);

	if (rv != CKR_OK)
		return rv;
	bool valid = out_length && (data || !length);
	CK_ULONG size = valid ? part_size(operation, length) : 0;
	CK_ULONG room = valid ? *out_length : 0;
	/* What a token made of all that waited may be more than the program reckons with. */
	bool may_wait = !stream_is(operation);
	if (valid)
		*out_length = size;
	if (valid && (!out || (room < size && !may_wait)))
		return out ? CKR_BUFFER_TOO_SMALL : CKR_OK;
	operation->in_parts = true;
	if (!valid)
		rv = CKR_ARGUMENTS_BAD;
	else if (stream_is(operation))
		rv = run_parts(handle, &operation, (struct view){data, length}, &result);
	else
		rv = feed(handle, &operation, (struct view){data, length}, &result);
	if (rv == CKR_OK && may_wait)
		rv = token_stream_give(operation, &result, room);
	if (rv == CKR_OK && result.length)
		memcpy(out, result.data, result.length);
	if (rv == CKR_OK)
		*out_length = result.length;
	if (rv != CKR_OK && operation)
		operation_clear(operation);
	return rv;
}

/* --- ends --- */

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

/* Arguments, and callers that ask for the length. *answered: that was all. */
static CK_RV check_output(const struct operation *operation, CK_ULONG length, CK_BYTE_PTR out,
	CK_ULONG_PTR out_length, bool *answered)
{
	bool exact;
	size_t size = operation_output_size(operation, length, &exact);

	*answered = !out || (exact && *out_length < size);
	if (!*answered)
		return CKR_OK;
	*out_length = size;
	return out ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

/* All of the input of an operation that is done at once. */
static CK_RV feed_all(CK_SESSION_HANDLE handle, struct operation **operation, const void *data,
	CK_ULONG length, struct buffer *result)
{
	if (stream_is(*operation) && data && length > STREAM_PART_MAXIMUM)
		return run_parts(handle, operation, (struct view){data, length}, result);
	return feed(handle, operation, (struct view){data, length}, result);
}

static CK_RV run(CK_SESSION_HANDLE handle, struct operation **operation, bool at_once,
	const void *data, CK_ULONG length, struct buffer *result)
{
	_cleanup_buffer_ struct buffer last = BUFFER_INIT_WIPE;
	CK_RV rv = at_once ? feed_all(handle, operation, data, length, result) : CKR_OK;

	if (rv == CKR_OK)
		rv = compute(handle, operation, &last);
	buffer_append(result, last.data, last.length);
	if (rv == CKR_OK && (*operation)->fed > 0)
		rv = token_stream_check(*operation, result);
	return rv == CKR_OK && result->failed ? CKR_HOST_MEMORY : rv;
}

static CK_RV end_with(struct operation *operation, CK_RV rv)
{
	operation_clear(operation);
	return rv;
}

CK_RV crypto_finish(CK_SESSION_HANDLE handle, enum operation_kind kind, bool at_once,
	const void *data, CK_ULONG length, CK_BYTE_PTR out, CK_ULONG_PTR out_length)
{
	_cleanup_buffer_ struct buffer result = BUFFER_INIT_WIPE;
	struct operation *operation;
	bool answered;
	CK_RV rv = enter(handle, kind, &operation);

	if (rv != CKR_OK)
		return rv;
	if (!out_length)
		return end_with(operation, CKR_ARGUMENTS_BAD);
	if (at_once && operation->in_parts)
		return end_with(operation, CKR_OPERATION_NOT_INITIALIZED);
	rv = check_output(operation, at_once ? length : 0, out, out_length, &answered);
	if (answered)
		return rv;
	if (operation->has_result)
		return deliver(operation, out, out_length);
	buffer_move(&result, &operation->result);
	rv = run(handle, &operation, at_once, data, length, &result);
	if (rv != CKR_OK) {
		if (operation)
			operation_clear(operation);
		return rv;
	}
	buffer_move(&operation->result, &result);
	operation->has_result = true;
	return deliver(operation, out, out_length);
}

/* --- verification --- */

/* By the token: the lock is given up, and *operation NULL when the session ended. */
static CK_RV verify_remotely(
	CK_SESSION_HANDLE handle, struct operation **operation, const struct buffer *signature)
{
	_cleanup_(request_clear) struct request request = REQUEST_INIT;
	struct session *session = session_find(handle);
	struct errand errand;
	CK_RV rv = signature->failed ? CKR_HOST_MEMORY : operation_request(*operation, &request);

	if (rv != CKR_OK)
		return rv;
	if (signature->length != (*operation)->parameter.mac_length)
		return CKR_SIGNATURE_LEN_RANGE;
	if ((*operation)->stream)
		return token_stream_end(handle, operation, signature, NULL);
	const struct remote_use use = {.slot = slot_find(session->slot_id)->token.number,
		.key = object_number((*operation)->object),
		.mechanism = (uint32_t)request.mechanism,
		.parameter = &request.parameter,
		.input = &request.input};
	errand_begin_operation(&errand, session, operation);
	bool done = remote_verify(errand.remote, &use, signature, &errand.error);
	return errand_end_operation(&errand, done, CKR_CONTEXT_VERIFY, operation);
}

CK_RV crypto_verify(CK_SESSION_HANDLE handle, bool at_once, const void *data, CK_ULONG length,
	const void *signature, CK_ULONG signature_length)
{
	_cleanup_buffer_ struct buffer copy = BUFFER_INIT, nothing = BUFFER_INIT;
	struct operation *operation;
	CK_RV rv = enter(handle, OPERATION_VERIFY, &operation);

	if (rv != CKR_OK)
		return rv;
	if (at_once && operation->in_parts)
		rv = CKR_OPERATION_NOT_INITIALIZED;
	else if (!signature)
		rv = CKR_ARGUMENTS_BAD;
	else if (at_once)
		rv = feed(handle, &operation, (struct view){data, length}, &nothing);
	if (rv == CKR_OK && operation_is_remote(operation)) {
		if (signature_length <= SIGNATURE_MAXIMUM)
			buffer_append(&copy, signature, signature_length);
		rv = verify_remotely(handle, &operation, &copy);
	} else if (rv == CKR_OK) {
		rv = public_verify(operation, signature, signature_length);
	}
	if (operation)
		operation_clear(operation);
	return rv;
}

/* --- C_DigestKey --- */

/* The lock may be given up. */
static CK_RV read_secret(
	const struct session *session, const struct object *object, struct buffer *value)
{
	if (object->class != CKO_SECRET_KEY || !attribute_value_is_shown(object))
		return CKR_KEY_INDIGESTIBLE;
	if (object->number)
		return change_fetch_secret(session, object, value);
	struct view view = values_find(&object->values, CKA_VALUE);
	buffer_append(value, view.data, view.length);
	return value->failed ? CKR_HOST_MEMORY : CKR_OK;
}

CK_RV crypto_digest_key(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE key)
{
	_cleanup_buffer_ struct buffer value = BUFFER_INIT_WIPE;
	struct operation *operation;
	struct object *object;
	CK_RV rv = enter(handle, OPERATION_DIGEST, &operation);

	if (rv != CKR_OK)
		return rv;
	rv = session_find_key(session_find(handle), key, &object);
	if (rv == CKR_OK)
		rv = read_secret(session_find(handle), object, &value);
	if (rv == CKR_OK)
		return crypto_update(handle, OPERATION_DIGEST, value.data, value.length);
	struct session *session = rv == CKR_CRYPTOKI_NOT_INITIALIZED ? NULL : session_find(handle);
	if (session)
		operation_clear(&session->operations[OPERATION_DIGEST]);
	return rv;
}

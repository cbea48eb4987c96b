/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/token-stream.h"

#include <string.h>

#include "pkcs11/errand.h"

static const struct {
	const char *name;
	enum ckr_context context;
} kinds[OPERATION_KIND_COUNT] = {
	[OPERATION_SIGN] = {"sign", CKR_CONTEXT_SIGN},
	[OPERATION_VERIFY] = {"verify", CKR_CONTEXT_VERIFY},
	[OPERATION_ENCRYPT] = {"encrypt", CKR_CONTEXT_SIGN},
	[OPERATION_DECRYPT] = {"decrypt", CKR_CONTEXT_DECRYPT},
};

void token_stream_cancel(struct operation *operation)
{
	if (operation->stream && module.remote)
		remote_cancel_use_quietly(module.remote, operation->stream_slot, operation->stream);
	operation->stream = 0;
}

static CK_RV begin(CK_SESSION_HANDLE handle, struct operation **operation)
{
	_cleanup_buffer_ struct buffer parameter = BUFFER_INIT;
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	struct session *session = session_find(handle);
	enum operation_kind kind = (*operation)->kind;
	struct errand errand;
	uint32_t number = 0;

	if ((*operation)->wants_pin && !secret_is_set(&(*operation)->pin))
		return CKR_USER_NOT_LOGGED_IN;
	CK_RV rv = parameter_write(&(*operation)->parameter, (*operation)->mechanism, &parameter);
	if (rv != CKR_OK)
		return rv;
	const struct remote_use use = {.slot = slot_find(session->slot_id)->token.number,
		.key = object_number((*operation)->object),
		.operation = kinds[kind].name,
		.mechanism = (uint32_t)mechanism_of_token((*operation)->mechanism),
		.parameter = &parameter,
		.pin = &pin};
	secret_move(&pin, &(*operation)->pin);
	errand_begin_operation(&errand, session, operation);
	bool done = remote_begin_use(errand.remote, &use, &number, &errand.error);
	rv = errand_end_operation(&errand, done, kinds[kind].context, operation);
	if (*operation) {
		(*operation)->stream = number;
		(*operation)->stream_slot = use.slot;
	} else if (done && rv != CKR_CRYPTOKI_NOT_INITIALIZED) {
		remote_cancel_use_quietly(module.remote, use.slot, number);
	}
	return rv;
}

static CK_RV pass_part(CK_SESSION_HANDLE handle, struct operation **operation, struct view part,
	struct buffer *result)
{
	uint32_t slot = (*operation)->stream_slot, number = (*operation)->stream;
	enum ckr_context context = kinds[(*operation)->kind].context;
	struct errand errand;

	errand_begin_operation(&errand, session_find(handle), operation);
	bool done = remote_continue_use(
		errand.remote, slot, number, part.data, part.length, result, &errand.error);
	CK_RV rv = errand_end_operation(&errand, done, context, operation);
	if (rv == CKR_OK)
		(*operation)->fed += part.length;
	return rv;
}

static CK_RV pass(CK_SESSION_HANDLE handle, struct operation **operation, struct view data,
	struct buffer *result)
{
	CK_RV rv = CKR_OK;

	while (rv == CKR_OK && data.length > 0) {
		size_t length = data.length < REMOTE_PART_MAX ? data.length : REMOTE_PART_MAX;
		rv = pass_part(handle, operation, (struct view){data.data, length}, result);
		data = (struct view){data.data + length, data.length - length};
	}
	return rv;
}

/* Moves it to the token. */
static CK_RV move(CK_SESSION_HANDLE handle, struct operation **operation, struct buffer *result)
{
	_cleanup_buffer_ struct buffer collected = BUFFER_INIT_WIPE;
	CK_RV rv = begin(handle, operation);

	if (rv != CKR_OK)
		return rv;
	buffer_move(&collected, &(*operation)->data);
	return pass(handle, operation, (struct view){collected.data, collected.length}, result);
}

CK_RV token_stream_feed(CK_SESSION_HANDLE handle, struct operation **operation, struct view data,
	struct buffer *result)
{
	CK_RV rv = (*operation)->stream ? CKR_OK : move(handle, operation, result);

	return rv == CKR_OK ? pass(handle, operation, data, result) : rv;
}

CK_RV token_stream_end(CK_SESSION_HANDLE handle, struct operation **operation,
	const struct buffer *signature, struct buffer *result)
{
	static const struct buffer none = BUFFER_INIT;
	_cleanup_buffer_ struct buffer nothing = BUFFER_INIT;
	uint32_t slot = (*operation)->stream_slot, number = (*operation)->stream;
	enum ckr_context context = kinds[(*operation)->kind].context;
	struct errand errand;

	errand_begin_operation(&errand, session_find(handle), operation);
	bool done = remote_end_use(errand.remote, slot, number, signature ? signature : &none,
		result ? result : &nothing, &errand.error);
	CK_RV rv = errand_end_operation(&errand, done, context, operation);
	if (rv == CKR_OK)
		(*operation)->stream = 0;
	return rv;
}

size_t token_stream_size(const struct operation *operation, size_t more)
{
	size_t all = operation->fed + operation->data.length + more;

	return all > operation->given ? all - operation->given : 0;
}

/* Takes bytes off the front. */
static void drop(struct buffer *buffer, size_t length)
{
	if (length > 0)
		memmove(buffer->data, buffer->data + length, buffer->length - length);
	buffer_truncate(buffer, buffer->length - length);
}

CK_RV token_stream_give(struct operation *operation, struct buffer *result, size_t room)
{
	struct buffer *waiting = &operation->result;

	buffer_append(waiting, result->data, result->length);
	if (waiting->failed)
		return CKR_HOST_MEMORY;
	buffer_truncate(result, 0);
	size_t now = waiting->length < room ? waiting->length : room;
	buffer_append(result, waiting->data, now);
	drop(waiting, now);
	operation->given += now;
	return result->failed ? CKR_HOST_MEMORY : CKR_OK;
}

CK_RV token_stream_check(const struct operation *operation, const struct buffer *result)
{
	bool exact;

	return result->length == operation_output_size(operation, 0, &exact) ? CKR_OK
									     : CKR_DEVICE_ERROR;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is done with a stream. What a token does in one piece only is collected here until its end.
 */
#include <string.h>

#include "common/alloc.h"
#include "token/hsm-stream.h"

#define OUTPUT_EXTRA 64	  /* bytes: padding, or a tag */
#define OUTPUT_LEAST 2048 /* bytes: the longest MAC or signature */

/* --- begin --- */

static struct stream *stream_new(const struct hsm_work *work)
{
	const struct hsm_request *request = work->request;
	struct stream *stream = xnew(struct stream);

	*stream = (struct stream){.owner = work->owner,
		.number = request->stream,
		.use = request->use,
		.key = request->object,
		.mechanism = request->mechanism,
		.is_private = work->object->is_private,
		.session = CK_INVALID_HANDLE,
		/* Signing and verifying so is one function of all of the input
		   (PKCS#11 3.1, 6.3.15). */
		.collects = request->mechanism == CKM_EDDSA,
		.collected = BUFFER_INIT_WIPE,
		.output = BUFFER_INIT_WIPE,
		.room = BUFFER_INIT_WIPE};
	buffer_append(&stream->parameter, request->parameter.data, request->parameter.length);
	return stream;
}

static CK_RV init(const struct stream *stream, struct hsm_work *work)
{
	CK_FUNCTION_LIST *functions = work->hsm->module.functions;
	CK_MECHANISM *mechanism = &work->prepared.mechanism;
	CK_OBJECT_HANDLE key = work->object->handle;

	switch (stream->use) {
	case HSM_SIGN:
		return functions->C_SignInit(stream->session, mechanism, key);
	case HSM_VERIFY:
		return functions->C_VerifyInit(stream->session, mechanism, key);
	case HSM_ENCRYPT:
		return functions->C_EncryptInit(stream->session, mechanism, key);
	default:
		return functions->C_DecryptInit(stream->session, mechanism, key);
	}
}

static CK_RV open_and_init(struct stream *stream, struct hsm_work *work)
{
	struct hsm *hsm = work->hsm;
	CK_FUNCTION_LIST *functions = hsm->module.functions;
	const struct secret *pin = &stream->pin;

	module_enter_alone(&hsm->module);
	CK_RV rv = functions->C_OpenSession(
		hsm->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &stream->session);
	if (rv != CKR_OK)
		stream->session = CK_INVALID_HANDLE;
	else
		rv = init(stream, work);
	if (rv == CKR_OK && secret_is_set(pin))
		rv = functions->C_Login(
			stream->session, CKU_CONTEXT_SPECIFIC, pin->data, (CK_ULONG)pin->length);
	module_leave(&hsm->module);
	return rv;
}

static bool fail(const struct stream *stream, struct hsm_work *work, CK_RV rv, struct error *error)
{
	struct session session = SESSION_INIT;

	rv = hsm_translate(stream->use, &work->prepared, rv);
	return hsm_work_failed(work, &session, rv, "using a key", error);
}

static bool start(struct stream *stream, struct hsm_work *work, struct error *error)
{
	if (stream->parameter.failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	if (work->object->wants_pin && !hsm_find_pin(work, &stream->pin, error))
		return false;
	if (stream->collects)
		return true;
	CK_RV rv = open_and_init(stream, work);
	return rv == CKR_OK || fail(stream, work, rv, error);
}

static bool check_begin(struct hsm_work *work, struct error *error)
{
	struct hsm_request use = *work->request;

	use.operation = use.use;
	if (!work->owner || use.stream == 0)
		return error_set(error, ERROR_INVALID_ARGUMENT, "an operation needs a number");
	if (!hsm_mechanism_has_parts(use.use, use.mechanism))
		return error_set(error, ERROR_NOT_SUPPORTED,
			"mechanism 0x%X gets its input at once, not in parts", use.mechanism);
	return hsm_prepare(&work->prepared, &use, work->object, error);
}

bool hsm_do_begin(struct hsm_work *work, struct error *error)
{
	struct hsm *hsm = work->hsm;

	if (!check_begin(work, error))
		return false;
	struct stream *stream = stream_new(work);
	if (!streams_add(hsm->streams, stream, error)) {
		stream_free(hsm, stream);
		return false;
	}
	bool done = start(stream, work, error);
	streams_leave(hsm, stream, !done);
	return done;
}

void hsm_end_streams(struct hsm *hsm)
{
	const struct hsm_request request = {.operation = HSM_CANCEL};
	struct hsm_reply reply = {0};

	if (hsm->has_streamed)
		hsm_call(hsm, NULL, &request, &reply, NULL);
}

/* --- parts --- */

static bool collect(struct stream *stream, const struct reader *input, struct error *error)
{
	buffer_append(&stream->collected, input->data, input->length);
	return !stream->collected.failed || error_set(error, ERROR_FAILED, "out of memory");
}

static bool make_room(struct stream *stream, size_t length)
{
	size_t wanted = length > OUTPUT_LEAST ? length : OUTPUT_LEAST;

	if (stream->room.length >= wanted)
		return true;
	buffer_clear(&stream->room);
	return buffer_extend(&stream->room, 2 * wanted) != NULL;
}

static CK_RV update(
	const struct stream *stream, struct hsm_work *work, CK_BYTE *input, CK_ULONG *output)
{
	CK_FUNCTION_LIST *functions = work->hsm->module.functions;
	CK_ULONG length = work->request->input.length;

	switch (stream->use) {
	case HSM_SIGN:
		return functions->C_SignUpdate(stream->session, input, length);
	case HSM_VERIFY:
		return functions->C_VerifyUpdate(stream->session, input, length);
	case HSM_ENCRYPT:
		return functions->C_EncryptUpdate(
			stream->session, input, length, stream->room.data, output);
	default:
		return functions->C_DecryptUpdate(
			stream->session, input, length, stream->room.data, output);
	}
}

/* What came of a step: to the output. */
static CK_RV keep_output(struct stream *stream, CK_ULONG length)
{
	if (length > stream->room.length)
		return CKR_DEVICE_ERROR; /* a token that lies about lengths */
	if (length == 0)
		return CKR_OK;
	buffer_append(&stream->output, stream->room.data, length);
	explicit_bzero(stream->room.data, length);
	stream->in_token -= length < stream->in_token ? length : stream->in_token;
	return stream->output.failed ? CKR_HOST_MEMORY : CKR_OK;
}

static CK_RV pass_on(struct stream *stream, struct hsm_work *work)
{
	const struct reader *input = &work->request->input;
	CK_BYTE *data = (CK_BYTE *)(uintptr_t)input->data;
	size_t more = stream_is_text(stream) ? input->length : 0;

	if (stream_is_text(stream) && !make_room(stream, stream->in_token + more + OUTPUT_EXTRA))
		return CKR_HOST_MEMORY;
	CK_ULONG length = stream_is_text(stream) ? stream->room.length : 0;
	module_enter_beside_others(&work->hsm->module);
	CK_RV rv = update(stream, work, data, &length);
	module_leave(&work->hsm->module);
	if (rv != CKR_OK)
		return rv;
	stream->in_token += more;
	return keep_output(stream, length);
}

/* Answers to the first part of a token that does such a thing in one piece only. */
static bool wants_one_piece(CK_RV rv)
{
	return rv == CKR_OPERATION_NOT_INITIALIZED || rv == CKR_FUNCTION_NOT_SUPPORTED ||
	       rv == CKR_MECHANISM_INVALID;
}

static bool go_on(struct stream *stream, struct hsm_work *work, struct error *error)
{
	const struct reader *input = &work->request->input;

	if (stream->has_ended)
		return error_set_refused(
			error, CKR_OPERATION_NOT_INITIALIZED, "the operation has been ended");
	if (input->length == 0)
		return true;
	if (stream->collects)
		return collect(stream, input, error);
	CK_RV rv = pass_on(stream, work);
	if (!stream->has_input && wants_one_piece(rv)) {
		stream_close_session(work->hsm, stream);
		stream->collects = true;
		return collect(stream, input, error);
	}
	stream->has_input = true;
	secret_clear(&stream->pin);
	return rv == CKR_OK || fail(stream, work, rv, error);
}

/* As much of the output as an answer has room for. Answers how much is left. */
static size_t give(struct stream *stream, struct hsm_work *work)
{
	struct buffer *output = &stream->output;
	size_t left = output->length - stream->taken;
	size_t wanted = work->request->length;
	size_t most = wanted && wanted < HSM_STREAM_OUTPUT_MAX ? wanted : HSM_STREAM_OUTPUT_MAX;
	size_t now = left < most ? left : most;

	if (now > 0)
		buffer_append(work->reply->output, output->data + stream->taken, now);
	stream->taken += now;
	if (now == left) {
		buffer_truncate(output, 0);
		stream->taken = 0;
	}
	return left - now;
}

bool hsm_do_continue(struct hsm_work *work, struct error *error)
{
	struct stream *stream = streams_enter(work, error);

	if (!stream)
		return false;
	bool done = go_on(stream, work, error);
	if (done)
		give(stream, work);
	streams_leave(work->hsm, stream, !done);
	return done;
}

/* --- end --- */

/* With the input that was collected. */
static bool use_at_once(struct stream *stream, struct hsm_work *work, struct error *error)
{
	const struct hsm_request whole = {.operation = stream->use,
		.object = stream->key,
		.mechanism = stream->mechanism,
		.parameter = reader_of(&stream->parameter),
		.input = reader_of(&stream->collected),
		.signature = work->request->signature,
		.pin = &stream->pin};
	struct hsm_reply reply = {.output = &stream->output};

	bool done = hsm_call(work->hsm, work->owner, &whole, &reply, error);
	buffer_clear(&stream->collected);
	return done;
}

static CK_RV finish(const struct stream *stream, struct hsm_work *work, CK_ULONG *output)
{
	CK_FUNCTION_LIST *functions = work->hsm->module.functions;
	const struct reader *signature = &work->request->signature;

	switch (stream->use) {
	case HSM_SIGN:
		return functions->C_SignFinal(stream->session, stream->room.data, output);
	case HSM_VERIFY:
		return functions->C_VerifyFinal(
			stream->session, (CK_BYTE *)(uintptr_t)signature->data, signature->length);
	case HSM_ENCRYPT:
		return functions->C_EncryptFinal(stream->session, stream->room.data, output);
	default:
		return functions->C_DecryptFinal(stream->session, stream->room.data, output);
	}
}

static bool end_in_token(struct stream *stream, struct hsm_work *work, struct error *error)
{
	if (!make_room(stream, stream->in_token + OUTPUT_EXTRA))
		return error_set(error, ERROR_FAILED, "out of memory");
	CK_ULONG length = stream->use == HSM_VERIFY ? 0 : stream->room.length;
	module_enter_beside_others(&work->hsm->module);
	CK_RV rv = finish(stream, work, &length);
	module_leave(&work->hsm->module);
	if (rv == CKR_OK)
		rv = keep_output(stream, length);
	stream->in_token = 0;
	buffer_clear(&stream->room);
	return rv == CKR_OK || fail(stream, work, rv, error);
}

static bool end(struct stream *stream, struct hsm_work *work, struct error *error)
{
	if (stream->has_ended)
		return true;
	stream->has_ended = true;
	bool done = stream->collects ? use_at_once(stream, work, error)
				     : end_in_token(stream, work, error);
	stream_close_session(work->hsm, stream);
	return done;
}

bool hsm_do_end(struct hsm_work *work, struct error *error)
{
	struct stream *stream = streams_enter(work, error);
	size_t left = 0;

	if (!stream)
		return false;
	bool done = end(stream, work, error);
	if (done)
		left = give(stream, work);
	work->reply->numbers[0] = (uint32_t)left;
	streams_leave(work->hsm, stream, !done || left == 0);
	return done;
}

bool hsm_do_cancel(struct hsm_work *work, struct error *error)
{
	(void)error;
	streams_cancel(work->hsm, work->owner, work->request->stream);
	return true;
}

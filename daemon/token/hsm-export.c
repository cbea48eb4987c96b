/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes out of an HSM, or goes in, that is no object: wrapped keys, values, random numbers. */
#include "common/alloc.h"
#include "token/hsm-private.h"

#define WRAPPED_MAX (64 * 1024)
#define RANDOM_MAX  (64 * 1024)
#define VALUE_MAX   (64 * 1024)

static bool no_memory(struct error *error)
{
	return error_set(error, ERROR_FAILED, "out of memory");
}

bool hsm_do_wrap(struct hsm_work *work, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	_cleanup_buffer_ struct buffer wrapped = BUFFER_INIT_WIPE;
	CK_ULONG length = WRAPPED_MAX;
	uint8_t *room = buffer_extend(&wrapped, length);

	if (!room)
		return no_memory(error);
	if (!session_take_for_use(work->hsm->sessions, &session, error))
		return false;
	CK_RV rv = session.functions->C_WrapKey(session.handle, &work->prepared.mechanism,
		work->object->handle, work->second->handle, room, &length);
	if (rv == CKR_OK && length > WRAPPED_MAX)
		rv = CKR_DEVICE_ERROR;
	if (rv != CKR_OK)
		return hsm_work_failed(work, &session, rv, "wrapping a key", error);
	buffer_append(work->reply->output, room, length);
	return true;
}

bool hsm_do_get_value(struct hsm_work *work, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	_cleanup_buffer_ struct buffer value = BUFFER_INIT_WIPE;
	CK_ATTRIBUTE attribute = {.type = CKA_VALUE, .ulValueLen = VALUE_MAX};

	if (!(attribute.pValue = buffer_extend(&value, VALUE_MAX)))
		return no_memory(error);
	/* Private keys may be readable, too; their parts are nobody's business. */
	if (work->object->object_class != CKO_SECRET_KEY)
		return error_set_refused(error, CKR_ATTRIBUTE_SENSITIVE,
			"the key %u is no secret key", work->object->number);
	if (!session_take_for_use(work->hsm->sessions, &session, error))
		return false;
	CK_RV rv = session.functions->C_GetAttributeValue(
		session.handle, work->object->handle, &attribute, 1);
	if (rv == CKR_OK && attribute.ulValueLen > VALUE_MAX)
		rv = CKR_DEVICE_ERROR;
	if (rv != CKR_OK)
		return hsm_work_failed(work, &session, rv, "reading a secret key", error);
	buffer_append(work->reply->output, attribute.pValue, attribute.ulValueLen);
	return true;
}

bool hsm_do_get_random(struct hsm_work *work, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	_cleanup_buffer_ struct buffer random = BUFFER_INIT_WIPE;
	CK_ULONG length = work->request->length;

	if (length > RANDOM_MAX)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "length",
			"at most %d random bytes are given at once", RANDOM_MAX);
	uint8_t *room = buffer_extend(&random, length + 1);
	if (!room)
		return no_memory(error);
	if (!session_take_for_use(work->hsm->sessions, &session, error))
		return false;
	CK_RV rv = session.functions->C_GenerateRandom(session.handle, room, length);
	if (rv != CKR_OK)
		return hsm_work_failed(work, &session, rv, "making random numbers", error);
	buffer_append(work->reply->output, room, length);
	return true;
}

bool hsm_do_seed_random(struct hsm_work *work, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	const struct reader *seed = &work->request->input;

	if (!session_take_for_use(work->hsm->sessions, &session, error))
		return false;
	CK_RV rv = session.functions->C_SeedRandom(
		session.handle, (CK_BYTE *)(uintptr_t)seed->data, seed->length);
	return rv == CKR_OK || hsm_work_failed(work, &session, rv, "seeding random numbers", error);
}

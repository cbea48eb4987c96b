/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one way in to what is done with a token's objects. */
#include <string.h>

#include "token/ckr.h"
#include "token/hsm-child.h"
#include "token/hsm-private.h"
#include "token/attributes.h"
#include "token/softhsm-guard.h"

enum need {
	NEEDS_KEY = 1 << 0,    /* object is a private or secret key */
	NEEDS_OBJECT = 1 << 1, /* object is any */
	NEEDS_SECOND = 1 << 2,
	NEEDS_MECHANISM = 1 << 3,
	HAS_TEMPLATES = 1 << 4,
	IS_ONCE = 1 << 5, /* a login anew does not help it */
};
#define NEEDS_USE (NEEDS_KEY | NEEDS_MECHANISM)

static const struct {
	bool (*run)(struct hsm_work *work, struct error *error);
	unsigned needs;
} operations[HSM_OPERATION_COUNT] = {
	[HSM_SIGN] = {hsm_do_use, NEEDS_USE},
	[HSM_DECRYPT] = {hsm_do_use, NEEDS_USE},
	[HSM_DERIVE] = {hsm_do_use, NEEDS_USE},
	[HSM_ENCRYPT] = {hsm_do_use, NEEDS_USE},
	[HSM_VERIFY] = {hsm_do_verify, NEEDS_USE},
	[HSM_CREATE] = {hsm_do_make, HAS_TEMPLATES},
	[HSM_COPY] = {hsm_do_make, NEEDS_OBJECT | HAS_TEMPLATES},
	[HSM_SET_ATTRIBUTES] = {hsm_do_set, NEEDS_OBJECT | HAS_TEMPLATES},
	[HSM_DESTROY] = {hsm_do_destroy, NEEDS_OBJECT},
	[HSM_GENERATE_KEY] = {hsm_do_make, NEEDS_MECHANISM | HAS_TEMPLATES},
	[HSM_GENERATE_PAIR] = {hsm_do_make, NEEDS_MECHANISM | HAS_TEMPLATES},
	/* The wrapping key may be a public one. */
	[HSM_WRAP] = {hsm_do_wrap, NEEDS_OBJECT | NEEDS_SECOND | NEEDS_MECHANISM},
	[HSM_UNWRAP] = {hsm_do_make, NEEDS_USE | HAS_TEMPLATES},
	[HSM_DERIVE_KEY] = {hsm_do_make, NEEDS_USE | HAS_TEMPLATES},
	[HSM_GET_VALUE] = {hsm_do_get_value, NEEDS_KEY},
	[HSM_GET_RANDOM] = {hsm_do_get_random, 0},
	[HSM_SEED_RANDOM] = {hsm_do_seed_random, 0},
	[HSM_BEGIN] = {hsm_do_begin, NEEDS_KEY},
	[HSM_CONTINUE] = {hsm_do_continue, IS_ONCE},
	[HSM_END] = {hsm_do_end, IS_ONCE},
	[HSM_CANCEL] = {hsm_do_cancel, IS_ONCE},
	[HSM_INIT_TOKEN] = {hsm_do_pin, 0},
	[HSM_CHECK_SO_PIN] = {hsm_do_pin, 0},
	[HSM_INIT_PIN] = {hsm_do_pin, 0},
	[HSM_SET_PIN] = {hsm_do_pin, 0},
	[HSM_SET_SO_PIN] = {hsm_do_pin, 0},
};

/* --- answers of tokens --- */

/* What a caller can do something about has its own code. */
static const struct {
	CK_RV rv;
	enum error_code code;
} meanings[] = {
	{CKR_DATA_LEN_RANGE, ERROR_DATA_LENGTH},
	{CKR_ENCRYPTED_DATA_LEN_RANGE, ERROR_DATA_LENGTH},
	{CKR_DATA_INVALID, ERROR_DATA_INVALID},
	{CKR_ENCRYPTED_DATA_INVALID, ERROR_DATA_INVALID},
	{CKR_SIGNATURE_INVALID, ERROR_SIGNATURE_INVALID},
	{CKR_SIGNATURE_LEN_RANGE, ERROR_SIGNATURE_INVALID},
	{CKR_USER_NOT_LOGGED_IN, ERROR_PIN_REQUIRED},
	{CKR_PIN_INCORRECT, ERROR_PIN_WRONG},
	{CKR_PIN_INVALID, ERROR_PIN_POLICY},
	{CKR_PIN_LEN_RANGE, ERROR_PIN_LENGTH},
	{CKR_PIN_LOCKED, ERROR_PIN_BLOCKED},
	{CKR_PIN_EXPIRED, ERROR_PIN_EXPIRED},
};

/* These tell of the token's or its module's state, not of what was asked for. */
static const CK_RV failures[] = {CKR_HOST_MEMORY, CKR_SLOT_ID_INVALID, CKR_GENERAL_ERROR,
	CKR_FUNCTION_FAILED, CKR_NEED_TO_CREATE_THREADS, CKR_CANT_LOCK, CKR_DEVICE_ERROR,
	CKR_DEVICE_REMOVED, CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED, CKR_SESSION_CLOSED,
	CKR_SESSION_COUNT, CKR_SESSION_HANDLE_INVALID, CKR_TOKEN_NOT_PRESENT,
	CKR_TOKEN_NOT_RECOGNIZED, CKR_BUFFER_TOO_SMALL, CKR_CRYPTOKI_NOT_INITIALIZED,
	CKR_CRYPTOKI_ALREADY_INITIALIZED, CKR_MUTEX_BAD, CKR_MUTEX_NOT_LOCKED};

static enum error_code code_of(CK_RV rv)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (meanings[i].rv == rv)
			return meanings[i].code;
	}
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		if (failures[i] == rv)
			return ERROR_TOKEN_FAILED;
	}
	return ERROR_TOKEN_REFUSED;
}

bool hsm_work_failed(struct hsm_work *work, struct session *session, CK_RV rv, const char *what,
	struct error *error)
{
	work->rv = rv;
	session_failed(session, rv, what, error);
	if (error) {
		error->code = code_of(rv);
		error->ckr = rv;
	}
	return false;
}

/* --- calls --- */

static bool is_key(const struct hsm_object *object)
{
	return object->object_class == CKO_PRIVATE_KEY || object->object_class == CKO_SECRET_KEY;
}

static bool not_found(uint32_t number, const char *kind, struct error *error)
{
	return error_set(error, ERROR_NOT_FOUND, "the slot has no %s %u", kind, number);
}

static bool find_objects(struct hsm_work *work, unsigned needs, struct error *error)
{
	const struct hsm_request *request = work->request;

	if (needs & (NEEDS_KEY | NEEDS_OBJECT)) {
		work->object = hsm_find_object(work->hsm, work->owner, request->object);
		if (!work->object || (needs & NEEDS_KEY && !is_key(work->object)))
			return not_found(
				request->object, needs & NEEDS_KEY ? "key" : "object", error);
	}
	if (needs & NEEDS_SECOND) {
		work->second = hsm_find_object(work->hsm, work->owner, request->second);
		if (!work->second || !is_key(work->second))
			return not_found(request->second, "key", error);
	}
	work->is_private = (work->object && work->object->is_private) ||
			   (work->second && work->second->is_private);
	return true;
}

static bool survives_use(const struct hsm_work *work, struct error *error)
{
	return !work->hsm->module.is_softhsm || !work->object ||
	       softhsm_survives_use(work->request, work->object, error);
}

static bool call_once(struct hsm_work *work, struct error *error)
{
	enum hsm_operation operation = work->request->operation;
	unsigned needs = operations[operation].needs;
	bool done = find_objects(work, needs, error) &&
		    (!(needs & NEEDS_MECHANISM) ||
			    hsm_prepare(&work->prepared, work->request, work->object, error)) &&
		    survives_use(work, error) && operations[operation].run(work, error);

	hsm_object_unref(steal_pointer(&work->object));
	hsm_object_unref(steal_pointer(&work->second));
	return done;
}

/* A module that was cut off from its device, or a token that another program has logged out. */
static bool may_help_to_log_in(CK_RV rv)
{
	return rv == CKR_USER_NOT_LOGGED_IN || rv == CKR_SESSION_HANDLE_INVALID ||
	       rv == CKR_SESSION_CLOSED || rv == CKR_KEY_HANDLE_INVALID ||
	       rv == CKR_OBJECT_HANDLE_INVALID || rv == CKR_DEVICE_REMOVED;
}

static bool check_request(
	const struct hsm *hsm, const struct hsm_request *request, struct error *error)
{
	if (operations[request->operation].needs & HAS_TEMPLATES &&
		!(attributes_check(request->templates[0], error) &&
			attributes_check(request->templates[1], error)))
		return false;
	return !hsm->module.is_softhsm || softhsm_survives(request, error);
}

static bool call(struct hsm *hsm, struct hsm_owner *owner, const struct hsm_request *request,
	struct hsm_reply *reply, struct error *error)
{
	struct hsm_work work = {.hsm = hsm, .owner = owner, .request = request, .reply = reply};
	struct error failure _cleanup_error_ = ERROR_INIT;
	unsigned relogins = hsm->relogins;

	if (call_once(&work, &failure))
		return true;
	if (!may_help_to_log_in(work.rv) || operations[request->operation].needs & IS_ONCE)
		return error_move(error, &failure);
	/* Where nobody is logged in, what is private has no valid handle, and the rest has. */
	if (!hsm_login_again(hsm, relogins, error))
		return work.rv == CKR_USER_NOT_LOGGED_IN || work.is_private
			       ? false
			       : error_move(error, &failure);
	work.rv = CKR_OK;
	return call_once(&work, error);
}

bool hsm_call(struct hsm *hsm, struct hsm_owner *owner, const struct hsm_request *request,
	struct hsm_reply *reply, struct error *error)
{
	if (!check_request(hsm, request, error))
		return false;
	bool done = hsm->child ? hsm_child_call(hsm->child, owner, request, reply, error)
			       : call(hsm, owner, request, reply, error);
	if (done && request->operation == HSM_BEGIN)
		hsm->has_streamed = true;
	return done;
}

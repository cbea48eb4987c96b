/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects that come, change and go. */
#include "common/alloc.h"
#include "token/hsm-private.h"
#include "token/attributes.h"

/* The templates of a request, as the module takes them, and what came of them. */
struct making {
	struct attribute_list attributes[2];
	CK_OBJECT_HANDLE handles[2];
	struct hsm_object *made[2];
};

static void making_clear(struct making *making)
{
	for (size_t i = 0; i < 2; i++) {
		attribute_list_clear(&making->attributes[i]);
		hsm_object_unref(making->made[i]);
	}
}

static CK_RV create(struct hsm_work *work, struct session *session, struct making *making)
{
	const struct attribute_list *attributes = &making->attributes[0];

	(void)work;
	return session->functions->C_CreateObject(
		session->handle, attributes->items, attributes->count, &making->handles[0]);
}

static CK_RV copy(struct hsm_work *work, struct session *session, struct making *making)
{
	const struct attribute_list *attributes = &making->attributes[0];

	return session->functions->C_CopyObject(session->handle, work->object->handle,
		attributes->items, attributes->count, &making->handles[0]);
}

static CK_RV generate_key(struct hsm_work *work, struct session *session, struct making *making)
{
	const struct attribute_list *attributes = &making->attributes[0];

	return session->functions->C_GenerateKey(session->handle, &work->prepared.mechanism,
		attributes->items, attributes->count, &making->handles[0]);
}

static CK_RV generate_pair(struct hsm_work *work, struct session *session, struct making *making)
{
	return session->functions->C_GenerateKeyPair(session->handle, &work->prepared.mechanism,
		making->attributes[0].items, making->attributes[0].count,
		making->attributes[1].items, making->attributes[1].count, &making->handles[0],
		&making->handles[1]);
}

static CK_RV unwrap(struct hsm_work *work, struct session *session, struct making *making)
{
	const struct attribute_list *attributes = &making->attributes[0];
	const struct reader *wrapped = &work->request->input;

	return session->functions->C_UnwrapKey(session->handle, &work->prepared.mechanism,
		work->object->handle, (CK_BYTE *)(uintptr_t)wrapped->data, wrapped->length,
		attributes->items, attributes->count, &making->handles[0]);
}

static CK_RV derive(struct hsm_work *work, struct session *session, struct making *making)
{
	const struct attribute_list *attributes = &making->attributes[0];

	return session->functions->C_DeriveKey(session->handle, &work->prepared.mechanism,
		work->object->handle, attributes->items, attributes->count, &making->handles[0]);
}

static const struct {
	CK_RV (*make)(struct hsm_work *work, struct session *session, struct making *making);
	size_t count; /* of objects */
	const char *what;
} makers[HSM_OPERATION_COUNT] = {
	[HSM_CREATE] = {create, 1, "creating an object"},
	[HSM_COPY] = {copy, 1, "copying an object"},
	[HSM_GENERATE_KEY] = {generate_key, 1, "generating a key"},
	[HSM_GENERATE_PAIR] = {generate_pair, 2, "generating a key pair"},
	[HSM_UNWRAP] = {unwrap, 1, "unwrapping a key"},
	[HSM_DERIVE_KEY] = {derive, 1, "deriving a key"},
};

/* Whether an object that is made stays: a copy of one that does not, does not. */
static bool is_token_object(const struct hsm_work *work, size_t which)
{
	bool otherwise =
		work->request->operation == HSM_COPY && work->object->number < HSM_SESSION_OBJECT;

	return attributes_flag(work->request->templates[which], CKA_TOKEN, otherwise);
}

static bool all_stay(const struct hsm_work *work)
{
	for (size_t i = 0; i < makers[work->request->operation].count; i++) {
		if (!is_token_object(work, i))
			return false;
	}
	return true;
}

static bool make_in(
	struct hsm_work *work, struct session *session, struct making *making, struct error *error)
{
	enum hsm_operation operation = work->request->operation;
	CK_RV rv = makers[operation].make(work, session, making);

	/* SoftHSM2's word for a wrapped key that is none. */
	if (operation == HSM_UNWRAP && rv == CKR_GENERAL_ERROR)
		rv = CKR_WRAPPED_KEY_INVALID;
	if (rv != CKR_OK)
		return hsm_work_failed(work, session, rv, makers[operation].what, error);
	for (size_t i = 0; i < makers[operation].count; i++)
		making->made[i] = hsm_read_object(session, making->handles[i]);
	return true;
}

/* In the owner's session what does not stay lives until its end. */
static bool make_for_owner(struct hsm_work *work, struct making *making, struct error *error)
{
	struct session session;

	if (!work->owner)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"objects that do not stay in the token are made for nobody");
	if (!hsm_owner_enter(work->owner, &session, error))
		return false;
	bool done = make_in(work, &session, making, error);
	hsm_owner_leave(work->owner, &session);
	return done;
}

static bool make(struct hsm_work *work, struct making *making, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;

	return session_take(work->hsm->sessions, &session, error) &&
	       make_in(work, &session, making, error);
}

bool hsm_do_make(struct hsm_work *work, struct error *error)
{
	struct making making _cleanup_(making_clear) = {0};
	uint32_t since = work->hsm->last_number;
	struct hsm_reply *reply = work->reply;

	for (size_t i = 0; i < makers[work->request->operation].count; i++)
		attributes_decode(work->request->templates[i], &making.attributes[i]);
	if (!(all_stay(work) ? make(work, &making, error) : make_for_owner(work, &making, error)))
		return false;
	for (size_t i = 0; i < makers[work->request->operation].count; i++) {
		bool stays = is_token_object(work, i);
		reply->numbers[i] = stays ? hsm_list_add(work->hsm, making.made[i], since)
					  : hsm_owner_add(work->owner, making.made[i]);
		reply->changed |= stays;
	}
	return true;
}

/* Sessions that are ready to sign with an object may not do so with what it has become. */
bool hsm_do_set(struct hsm_work *work, struct error *error)
{
	struct attribute_list attributes _cleanup_attributes_ = {0};
	_cleanup_hsm_object_ struct hsm_object *fresh = NULL;
	_cleanup_session_ struct session session = SESSION_INIT;
	struct hsm_object *object = work->object;

	attributes_decode(work->request->templates[0], &attributes);
	if (!session_take(work->hsm->sessions, &session, error))
		return false;
	CK_RV rv = session.functions->C_SetAttributeValue(
		session.handle, object->handle, attributes.items, attributes.count);
	if (rv != CKR_OK)
		return hsm_work_failed(work, &session, rv, "changing an object", error);
	fresh = hsm_read_object(&session, object->handle);
	session_return(&session);
	work->reply->numbers[0] = object->number;
	work->reply->changed = object->number < HSM_SESSION_OBJECT;
	if (work->reply->changed)
		hsm_list_replace(work->hsm, object->number, fresh);
	else
		hsm_owner_replace(work->owner, object->number, fresh);
	session_pool_forget_ready(work->hsm->sessions);
	return true;
}

static bool destroy(struct hsm_work *work, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;

	if (!session_take(work->hsm->sessions, &session, error))
		return false;
	CK_RV rv = session.functions->C_DestroyObject(session.handle, work->object->handle);
	return rv == CKR_OK || hsm_work_failed(work, &session, rv, "destroying an object", error);
}

bool hsm_do_destroy(struct hsm_work *work, struct error *error)
{
	uint32_t number = work->object->number;

	if (!destroy(work, error))
		return false;
	work->reply->changed = number < HSM_SESSION_OBJECT;
	if (work->reply->changed)
		hsm_list_remove(work->hsm, number);
	else
		hsm_owner_remove(work->owner, number);
	session_pool_forget_ready(work->hsm->sessions);
	return true;
}

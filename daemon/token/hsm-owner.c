/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Session objects of one program. */
#include "common/alloc.h"
#include "token/ckr.h"
#include "token/hsm-child.h"
#include "token/hsm-private.h"

#define OBJECTS_OF_AN_OWNER_MAX 1000

struct hsm_owner *hsm_owner_new(struct hsm *hsm)
{
	struct hsm_owner *owner = xnew(struct hsm_owner);

	owner->hsm = hsm;
	owner->session = CK_INVALID_HANDLE;
	owner->objects = hsm_objects_new();
	pthread_mutex_init(&owner->session_lock, NULL);
	pthread_mutex_init(&owner->lock, NULL);
	return owner;
}

/* With it the token ends all that is in it. */
static void close_session(struct hsm_owner *owner)
{
	struct hsm *hsm = owner->hsm;

	if (owner->session == CK_INVALID_HANDLE)
		return;
	module_enter_alone(&hsm->module);
	hsm->module.functions->C_CloseSession(owner->session);
	module_leave(&hsm->module);
	owner->session = CK_INVALID_HANDLE;
	hsm->owners--;
}

void hsm_owner_free(struct hsm_owner *owner)
{
	if (!owner)
		return;
	if (owner->hsm->child)
		hsm_child_end_owner(owner->hsm->child, owner);
	else
		close_session(owner);
	hsm_streams_end(owner->hsm, owner, false);
	hsm_objects_unref(owner->objects);
	pthread_mutex_destroy(&owner->session_lock);
	pthread_mutex_destroy(&owner->lock);
	free(owner);
}

static bool is_full(struct hsm_owner *owner)
{
	pthread_mutex_lock(&owner->lock);
	bool full = owner->objects->count >= OBJECTS_OF_AN_OWNER_MAX;
	pthread_mutex_unlock(&owner->lock);
	return full;
}

static bool open_session(struct hsm_owner *owner, struct error *error)
{
	struct hsm *hsm = owner->hsm;

	if (owner->session != CK_INVALID_HANDLE)
		return true;
	CK_RV rv = hsm->module.functions->C_OpenSession(
		hsm->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &owner->session);
	if (rv == CKR_OK) {
		hsm->owners++;
		return true;
	}
	owner->session = CK_INVALID_HANDLE;
	return ckr_error(rv, "opening a session", error);
}

bool hsm_owner_enter(struct hsm_owner *owner, struct session *session, struct error *error)
{
	if (is_full(owner))
		return error_set_refused(error, CKR_DEVICE_MEMORY,
			"a program has at most %d session objects", OBJECTS_OF_AN_OWNER_MAX);
	pthread_mutex_lock(&owner->session_lock);
	module_enter_alone(&owner->hsm->module);
	if (!open_session(owner, error)) {
		module_leave(&owner->hsm->module);
		pthread_mutex_unlock(&owner->session_lock);
		return false;
	}
	*session = (struct session){
		.functions = owner->hsm->module.functions, .handle = owner->session};
	return true;
}

/* A session that the token has lost took its objects along. */
static void forget(struct hsm_owner *owner)
{
	struct hsm_objects *empty = hsm_objects_new();

	owner->session = CK_INVALID_HANDLE;
	owner->hsm->owners--;
	pthread_mutex_lock(&owner->lock);
	struct hsm_objects *old = owner->objects;
	owner->objects = empty;
	pthread_mutex_unlock(&owner->lock);
	hsm_objects_unref(old);
}

void hsm_owner_leave(struct hsm_owner *owner, const struct session *session)
{
	CK_SESSION_INFO info;
	bool lost = session->broken &&
		    session->functions->C_GetSessionInfo(session->handle, &info) != CKR_OK;

	module_leave(&owner->hsm->module);
	if (lost)
		forget(owner);
	pthread_mutex_unlock(&owner->session_lock);
}

static void destroy(struct hsm_owner *owner, const struct hsm_object *object)
{
	struct hsm *hsm = owner->hsm;

	pthread_mutex_lock(&owner->session_lock);
	module_enter_alone(&hsm->module);
	if (owner->session != CK_INVALID_HANDLE)
		hsm->module.functions->C_DestroyObject(owner->session, object->handle);
	module_leave(&hsm->module);
	pthread_mutex_unlock(&owner->session_lock);
	hsm_owner_remove(owner, object->number);
}

void hsm_owner_logout(struct hsm_owner *owner)
{
	if (owner->hsm->child) {
		hsm_child_logout_owner(owner->hsm->child, owner);
		return;
	}
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_owner_objects(owner);

	hsm_streams_end(owner->hsm, owner, true);
	for (size_t i = 0; i < objects->count; i++) {
		if (objects->items[i]->is_private)
			destroy(owner, objects->items[i]);
	}
}

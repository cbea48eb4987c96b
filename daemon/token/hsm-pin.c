/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PINs of an HSM, and its beginning anew. */
#include <string.h>

#include "token/hsm-private.h"

static CK_BYTE *data_of(const struct secret *secret)
{
	return secret && secret_is_set(secret) ? secret->data : NULL;
}

static CK_ULONG length_of(const struct secret *secret)
{
	return secret && secret_is_set(secret) ? (CK_ULONG)secret->length : 0;
}

static bool fail(struct hsm_work *work, CK_RV rv, const char *what, struct error *error)
{
	struct session session = SESSION_INIT;

	return hsm_work_failed(work, &session, rv, what, error);
}

/* --- as the security officer --- */

static CK_RV run_as_officer(struct session *session, void *context)
{
	const struct hsm_work *work = context;
	const struct secret *pin = work->request->pin, *new_pin = work->request->new_pin;

	switch (work->request->operation) {
	case HSM_INIT_PIN:
		return session->functions->C_InitPIN(
			session->handle, data_of(new_pin), length_of(new_pin));
	case HSM_SET_SO_PIN:
		return session->functions->C_SetPIN(session->handle, data_of(pin), length_of(pin),
			data_of(new_pin), length_of(new_pin));
	default: /* the login was all */
		return CKR_OK;
	}
}

static bool act_as_officer(struct hsm_work *work, struct error *error)
{
	CK_RV rv = session_pool_as_officer(
		work->hsm->sessions, work->request->pin, run_as_officer, work);

	return rv == CKR_OK || fail(work, rv, "acting as the security officer", error);
}

/*
 * No other token may have the label, by which tokens are found, nor the serial number, by which
 * this one is while it gets another label.
 */
static bool check_label(struct hsm_work *work, const CK_UTF8CHAR label[], struct error *error)
{
	struct hsm *hsm = work->hsm;
	const CK_TOKEN_INFO *own = &hsm->facts.info;
	_cleanup_free_ CK_SLOT_ID *slots = NULL;
	CK_ULONG count = 0;
	CK_TOKEN_INFO info;

	if (!module_list_slots(&hsm->module, &slots, &count, error))
		return false;
	for (CK_ULONG i = 0; i < count; i++) {
		if (slots[i] == hsm->slot ||
			hsm->module.functions->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
			!(info.flags & CKF_TOKEN_INITIALIZED))
			continue;
		if (memcmp(info.label, label, sizeof(info.label)) == 0)
			return error_set_field(error, ERROR_INVALID_ARGUMENT, "label",
				"another token of the module has this label");
		if (memcmp(info.serialNumber, own->serialNumber, sizeof(info.serialNumber)) == 0)
			return error_set_field(error, ERROR_INVALID_ARGUMENT, "label",
				"the token keeps its label: another one has the same serial "
				"number");
	}
	return true;
}

static bool init_token(void *context, struct error *error)
{
	struct hsm_work *work = context;
	struct hsm *hsm = work->hsm;
	struct reader wanted = work->request->input;
	CK_UTF8CHAR label[sizeof(hsm->facts.info.label)];

	memcpy(label, hsm->facts.info.label, sizeof(label));
	if (wanted.length > sizeof(label))
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "label",
			"a token's label has at most %zu bytes", sizeof(label));
	if (wanted.length > 0) {
		memset(label, ' ', sizeof(label));
		memcpy(label, wanted.data, wanted.length);
		if (!check_label(work, label, error))
			return false;
	}
	CK_RV rv = hsm->module.functions->C_InitToken(
		hsm->slot, data_of(work->request->pin), length_of(work->request->pin), label);
	hsm->keeps_private = false;
	return rv == CKR_OK || fail(work, rv, "initialising the token", error);
}

/* --- with the lock of the login held --- */

static bool refuse_logged_in(struct hsm_work *work, struct error *error)
{
	bool is_init = work->request->operation == HSM_INIT_TOKEN;

	if (work->hsm->logins > 0)
		return error_set_refused(error,
			is_init ? CKR_SESSION_EXISTS : CKR_USER_ANOTHER_ALREADY_LOGGED_IN,
			"programs are logged in to the token: this takes a token that nobody uses");
	return !is_init || (work->hsm->owners == 0 && hsm_streams_count(work->hsm) == 0) ||
	       error_set_refused(error, CKR_SESSION_EXISTS,
		       "programs have objects or work in the token: this takes a token that nobody "
		       "uses");
}

static bool set_pin(struct hsm_work *work, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	const struct hsm_request *request = work->request;
	struct hsm *hsm = work->hsm;

	if (!session_take(hsm->sessions, &session, error))
		return false;
	CK_RV rv = session.functions->C_SetPIN(session.handle, data_of(request->pin),
		length_of(request->pin), data_of(request->new_pin), length_of(request->new_pin));
	if (rv != CKR_OK)
		return hsm_work_failed(work, &session, rv, "changing the PIN", error);
	/* Those who are logged in stay so, and what is asked for again is the new one. */
	if (hsm->logins > 0 && !secret_copy(&hsm->pin, request->new_pin))
		return error_set(error, ERROR_FAILED, "out of locked memory for a PIN");
	return true;
}

static bool run(struct hsm_work *work, struct error *error)
{
	switch (work->request->operation) {
	case HSM_SET_PIN:
		return set_pin(work, error);
	case HSM_INIT_TOKEN:
		return refuse_logged_in(work, error) &&
		       session_pool_without_sessions(work->hsm->sessions, init_token, work, error);
	default:
		return refuse_logged_in(work, error) && act_as_officer(work, error);
	}
}

bool hsm_do_pin(struct hsm_work *work, struct error *error)
{
	enum hsm_operation operation = work->request->operation;

	pthread_mutex_lock(&work->hsm->login_lock);
	bool done = run(work, error);
	pthread_mutex_unlock(&work->hsm->login_lock);
	/*
	 * Without sessions SoftHSM2 forgets all handles, also where the token stays as it is. What
	 * the token says of its PIN is read with the objects.
	 */
	if (operation != HSM_INIT_TOKEN && !(done && operation == HSM_INIT_PIN))
		return done;
	return hsm_refresh(work->hsm, &work->reply->changed, done ? error : NULL) && done;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/errand.h"

void errand_begin(struct errand *errand, const struct session *session)
{
	const struct slot *slot = slot_find(session->slot_id);

	*errand = (struct errand){.session = session->handle,
		.slot_id = slot->id,
		.slot = slot->token.number,
		.life = slot->life,
		.epoch = module.epoch,
		.error = ERROR_INIT};
	errand->remote = module_call_begin();
}

static CK_RV judge(const struct errand *errand, bool done, enum ckr_context context)
{
	const struct slot *slot = slot_find(errand->slot_id);
	enum error_code code = errand->error.code;

	if (!slot || slot->life != errand->life || !session_find(errand->session))
		return CKR_DEVICE_REMOVED;
	if (!done && (code == ERROR_PIN_REQUIRED || code == ERROR_PIN_EXPIRED))
		slot_forget_login(errand->slot_id);
	return done ? CKR_OK : ckr_of(&errand->error, context);
}

CK_RV errand_end(struct errand *errand, bool done, enum ckr_context context)
{
	bool lives = module_call_end(errand->remote, errand->epoch);
	CK_RV rv = lives ? judge(errand, done, context) : CKR_CRYPTOKI_NOT_INITIALIZED;

	error_clear(&errand->error);
	return rv;
}

void errand_begin_operation(
	struct errand *errand, const struct session *session, struct operation **operation)
{
	enum operation_kind kind = (*operation)->kind;
	uint64_t serial = (*operation)->serial;

	(*operation)->calling = true;
	*operation = NULL;
	errand_begin(errand, session);
	errand->kind = kind;
	errand->serial = serial;
}

CK_RV errand_end_operation(
	struct errand *errand, bool done, enum ckr_context context, struct operation **operation)
{
	CK_RV rv = errand_end(errand, done, context);
	struct session *session =
		rv == CKR_CRYPTOKI_NOT_INITIALIZED ? NULL : session_find(errand->session);

	if (session && session->operations[errand->kind].serial == errand->serial) {
		*operation = &session->operations[errand->kind];
		(*operation)->calling = false;
	}
	return rv != CKR_OK || *operation ? rv : CKR_DEVICE_REMOVED;
}

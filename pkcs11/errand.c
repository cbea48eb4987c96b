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

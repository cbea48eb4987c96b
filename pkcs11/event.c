/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * C_WaitForSlotEvent (PKCS#11 2.40, 5.5): sleeps on a connection of its own until the daemon tells
 * that tokens changed, so that nothing is polled and other threads' answers stay theirs.
 */
#include "pkcs11/remote.h"
#include "pkcs11/slot.h"

static CK_RV take_event(CK_SLOT_ID_PTR slot_id)
{
	CK_RV rv = slots_update();

	if (rv != CKR_OK)
		return rv;
	for (size_t i = 0; i < module.slot_count; i++) {
		if (module.slots[i]->event) {
			module.slots[i]->event = false;
			*slot_id = module.slots[i]->id;
			return CKR_OK;
		}
	}
	return CKR_NO_EVENT;
}

static CK_RV wait_for_event(CK_SLOT_ID_PTR slot_id)
{
	unsigned epoch = module.epoch;
	struct remote *watch = remote_new();
	CK_RV rv = watch ? take_event(slot_id) : CKR_HOST_MEMORY;

	while (rv == CKR_NO_EVENT) {
		struct remote *owner = module_call_begin();
		remote_wait(watch, owner);
		rv = module_call_end(owner, epoch) ? take_event(slot_id)
						   : CKR_CRYPTOKI_NOT_INITIALIZED;
	}
	remote_unref(watch);
	return rv;
}

static CK_RV event(CK_FLAGS flags, CK_SLOT_ID_PTR slot_id, void *reserved)
{
	if (!slot_id || reserved)
		return CKR_ARGUMENTS_BAD;
	return flags & CKF_DONT_BLOCK ? take_event(slot_id) : wait_for_event(slot_id);
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID_PTR slot_id, void *reserved)
{
	return MODULE_LOCKED(event(flags, slot_id, reserved));
}

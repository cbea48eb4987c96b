/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * C_WaitForSlotEvent (PKCS#11 2.40, 5.5): sleeps on a connection of its own until the daemon tells
 * that tokens changed, so that nothing is polled and other threads' answers stay theirs.
 */
#include "pkcs11/remote.h"
#include "pkcs11/slot.h"

/* How often a thread looks again for a daemon that its own connection has found already. */
#define RETRY_INTERVAL_MS 500

static CK_RV take_event(CK_SLOT_ID_PTR slot_id)
{
	for (size_t i = 0; i < module.slot_count; i++) {
		if (module.slots[i]->event) {
			module.slots[i]->event = false;
			*slot_id = module.slots[i]->id;
			return CKR_OK;
		}
	}
	return CKR_NO_EVENT;
}

static CK_RV look_for_event(CK_SLOT_ID_PTR slot_id)
{
	CK_RV rv = slots_update();

	return rv == CKR_OK ? take_event(slot_id) : rv;
}

/* Another thread may take the event; then the wait goes on. */
static CK_RV wait_once(struct remote *watch, struct remote_news *news, CK_SLOT_ID_PTR slot_id)
{
	unsigned epoch = module.epoch;
	int timeout_ms = module.loaded ? -1 : RETRY_INTERVAL_MS;
	struct remote *owner = module_call_begin();

	remote_wait(watch, news, timeout_ms);
	if (!module_call_end(owner, epoch))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	CK_RV rv = slots_update_now();
	return rv == CKR_OK ? take_event(slot_id) : rv;
}

static CK_RV wait_for_event(CK_SLOT_ID_PTR slot_id)
{
	struct remote_news news = {0};
	CK_RV rv = look_for_event(slot_id);

	if (rv != CKR_NO_EVENT)
		return rv;
	struct remote *watch = remote_new(module.remote);
	if (!watch)
		return CKR_HOST_MEMORY;
	while (rv == CKR_NO_EVENT)
		rv = wait_once(watch, &news, slot_id);
	remote_unref(watch);
	return rv;
}

static CK_RV event(CK_FLAGS flags, CK_SLOT_ID_PTR slot_id, void *reserved)
{
	if (!slot_id || reserved)
		return CKR_ARGUMENTS_BAD;
	return flags & CKF_DONT_BLOCK ? look_for_event(slot_id) : wait_for_event(slot_id);
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID_PTR slot_id, void *reserved)
{
	return MODULE_LOCKED(event(flags, slot_id, reserved));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/slot-keys.h"

static bool log_in(struct slot_access *access, const struct secret *pin, struct error *error)
{
	bool changed = false;

	if (!pin || !secret_is_set(pin))
		return error_set(error, ERROR_PIN_REQUIRED,
			"the PIN of the slot \"%s\" is not kept: give it with the request",
			slot_record(access->slot)->name);
	if (!slot_may_try_pin(access->slot))
		return error_set(error, ERROR_PIN_BLOCKED,
			"too many wrong PINs: wait a minute and try again");
	access->logged_in = hsm_login(access->hsm, pin, &changed, error);
	if (!access->logged_in && error && error->code == ERROR_PIN_WRONG)
		slot_note_wrong_pin(access->slot);
	return access->logged_in;
}

bool slot_access_open(struct slot_access *access, struct services *services, const char *name,
	const struct secret *pin, struct error *error)
{
	slots_await(services->slots);
	access->slot = slots_find(services->slots, name, error);
	access->hsm = access->slot ? slot_hsm(access->slot, error) : NULL;
	if (!access->hsm)
		return false;
	if (slot_record(access->slot)->pin == SLOT_PIN_CALLER && !log_in(access, pin, error))
		return false;
	slot_keys_tidy(access->slot, access->logged_in);
	return true;
}

void slot_access_close(struct slot_access *access)
{
	if (access->logged_in)
		hsm_logout(access->hsm);
	if (access->slot && access->hsm)
		slot_touch(access->slot);
	slot_unref(access->slot);
	*access = (struct slot_access)SLOT_ACCESS_INIT;
}

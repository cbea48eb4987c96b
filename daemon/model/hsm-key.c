/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/hsm-key.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

static const char *const step_names[HSM_KEY_STEP_COUNT] = {
	[HSM_KEY_SETTLED] = "",
	[HSM_KEY_ENROLL] = "enroll",
	[HSM_KEY_RENEW] = "renew",
	[HSM_KEY_CLEAN] = "clean",
	[HSM_KEY_DISCARD] = "discard",
	[HSM_KEY_RETIRE] = "retire",
};

const char *hsm_key_step_name(enum hsm_key_step step)
{
	return (size_t)step < HSM_KEY_STEP_COUNT ? step_names[step] : NULL;
}

enum hsm_key_step hsm_key_step_from_name(const char *name)
{
	enum hsm_key_step step = 0;

	while (step < HSM_KEY_STEP_COUNT && (!name || strcmp(step_names[step], name) != 0))
		step++;
	return step;
}

void hsm_key_clear(struct hsm_key *key)
{
	free(key->slot);
	free(key->label);
	buffer_clear(&key->id);
	buffer_clear(&key->new_id);
	buffer_clear(&key->old_id);
	*key = (struct hsm_key)HSM_KEY_INIT;
}

char *hsm_key_serial(const struct buffer *id)
{
	_cleanup_free_ char *hex = hex_encode(id->data, id->length);

	return xasprintf(HSM_KEY_SERIAL_PREFIX "%s", hex);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/puk.h"

#include <stddef.h>
#include <string.h>

static const char *const names[PUK_STATE_COUNT] = {
	[PUK_OURS] = "ours",
	[PUK_EXPOSED] = "exposed",
	[PUK_FOREIGN] = "foreign",
};

const char *puk_state_name(enum puk_state state)
{
	return (size_t)state < PUK_STATE_COUNT ? names[state] : NULL;
}

enum puk_state puk_state_from_name(const char *name)
{
	enum puk_state state = 0;

	while (state < PUK_STATE_COUNT && (!name || strcmp(names[state], name) != 0))
		state++;
	return state;
}

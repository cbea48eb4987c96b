/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of a card's PUK. */
#ifndef TESSERA_MODEL_PUK_H
#define TESSERA_MODEL_PUK_H

enum puk_state {
	PUK_OURS,    /* nobody was shown it */
	PUK_EXPOSED, /* it was shown as an unblock code: it is changed at the next contact */
	PUK_FOREIGN, /* another program has set or blocked it: only retiring the card helps */
	PUK_STATE_COUNT
};

const char *puk_state_name(enum puk_state state); /* "exposed"; NULL for none */
/* PUK_STATE_COUNT for an unknown name. */
enum puk_state puk_state_from_name(const char *name);

#endif

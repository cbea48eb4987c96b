/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A card that answers from a list: for answers that no honest card gives. */
#ifndef TESSERA_TESTS_TRANSPORT_SCRIPT_H
#define TESSERA_TESTS_TRANSPORT_SCRIPT_H

#include "pcsc/transport.h"

struct script_step {
	const char *command; /* hex that the command starts with; NULL: any command */
	const char *answer;  /* hex with status word; NULL: the card is pulled out */
};

/*
 * steps: the first whose command fits answers, as often as it fits; an empty
 * answer ends the list, and any other command is answered 6D00. Borrowed.
 */
struct transport *transport_script_new(const struct script_step *steps);

/* Another list, from now on. */
void transport_script_set(struct transport *transport, const struct script_step *steps);

/* The next begin tells of a reset. */
void transport_script_reset(struct transport *transport);

/* Hex of all commands since the last call, each followed by a space; heap. */
char *transport_script_take_log(struct transport *transport);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a command APDU to the function that does it: classes, chaining, the table of commands. */
#ifndef TESSERA_VCARD_DISPATCH_H
#define TESSERA_VCARD_DISPATCH_H

#include "vcard/card.h"

/*
 * Does one command APDU and saves what it changed. Appends as much response data as the
 * command asked for, keeps the rest for GET RESPONSE, and returns the status word.
 */
uint16_t dispatch_command(
	struct vcard *card, const uint8_t *apdu, size_t length, struct buffer *data);

/*
 * Answers with this status word in place of doing the command. In a secure channel it counts
 * as one nevertheless, so that the two sides stay in step.
 */
uint16_t dispatch_failure(struct vcard *card, const uint8_t *apdu, size_t length, uint16_t status,
	struct buffer *data);

#endif

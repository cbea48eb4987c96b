/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the information- files and detect.c share. */
#ifndef TESSERA_OPERATION_INFORMATION_PRIVATE_H
#define TESSERA_OPERATION_INFORMATION_PRIVATE_H

#include <jansson.h>

#include "card/card.h"
#include "operation/contact.h"

/* A card that was taken out of curiosity: begun, and without a driver when none knows it. */
struct look {
	struct contact_status status;
	struct card *card;
};
#define LOOK_INIT                                                                                  \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_look_ _cleanup_(look_end)

bool look_begin(struct look *look, struct services *services, unsigned reader, struct error *error);
void look_end(struct look *look);

/* Each answers with a new JSON value; what the card does not tell is left out. */
json_t *information_atr(const uint8_t *atr, size_t length);
json_t *information_applications(struct card *card);
json_t *information_piv(struct card *card);
json_t *information_secrets(struct card *card);
json_t *information_keys(struct card *card);

/* Sets a member to hex, or leaves it out when there are no bytes. */
void information_set_hex(json_t *object, const char *member, const uint8_t *bytes, size_t length);
/* The text of printable ASCII bytes with '.' for others, heap. */
char *information_text(const uint8_t *bytes, size_t length);

#endif

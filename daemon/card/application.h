/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which applications are on a card (ISO/IEC 7816-4, 8.2.1.2). The card is begun for all of these.
 */
#ifndef TESSERA_CARD_APPLICATION_H
#define TESSERA_CARD_APPLICATION_H

#include "card/card.h"

/*
 * Whether the application can be selected by its name, which may be cut at the right. response (or
 * NULL) is what the card says of it. The driver's own application is selected again afterwards, so
 * that what was proven to it is lost; asking for that one itself costs no command without response.
 */
bool card_application_is_there(
	struct card *card, const uint8_t *name, size_t length, struct buffer *response);

/* An application that is worth looking for. */
struct card_application {
	const char *title;  /* "PIV (NIST SP 800-73)" */
	const char *driver; /* that speaks to it, or NULL */
	uint8_t name[16];
	size_t length;
};
/* The known applications one after the other; NULL past the end. */
const struct card_application *card_application_at(size_t index);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What card.c shares with the drivers, and with nobody else. */
#ifndef TESSERA_CARD_CARD_PRIVATE_H
#define TESSERA_CARD_CARD_PRIVATE_H

#include <pthread.h>

#include "card/apdu.h"
#include "card/card.h"
#include "card/scp11.h"
#include "card/secure-channel.h"

#define APPLICATION_MAXIMUM 16 /* bytes of an application identifier (ISO/IEC 7816-4, 8.2.1.2) */

struct card_private {
	atomic_uint references;
	/* Held between card_begin and card_end; guards everything below and the transport. Nothing
	 * else is locked by a thread that waits for it, but the store. */
	pthread_mutex_t lock;
	struct apdu_channel channel;
	uint8_t application[APPLICATION_MAXIMUM];
	size_t application_length;
	struct card_types *types; /* borrowed while the card is identified */
	X509_STORE *trust;	  /* borrowed likewise; NULL: no card is trusted to be one */
	/* Once it is known, nothing but SELECT and the opening of a channel goes in the clear. */
	struct scp11_key secure_key;
	struct secure_channel *secure; /* to the selected application; NULL while there is none */
	/* The application is known to be the selected one: nobody else can have selected another
	 * since this was set, as the card has been ours all the time. */
	bool selected;
};

extern const struct card_driver piv_driver;

/*
 * SELECT by name; the application is selected again after each reset.
 * response: the application's property template. ERROR_CARD_UNKNOWN when it is not there.
 */
bool card_select(struct card *card, const uint8_t *application, size_t length,
	struct buffer *response, struct error *error);

/* Selects the application again; whatever was proven to it is lost. */
bool card_select_again(struct card *card, struct error *error);

/*
 * SELECT by name and no more: which application it is is not remembered. It ends a channel.
 * response may be NULL; *status is the card's.
 */
bool card_select_plain(struct card *card, const uint8_t *application, size_t length,
	struct buffer *response, uint16_t *status, struct error *error);

/*
 * The application is selected: if the card is far away, can have an encrypted channel and is
 * vouched for, opens one, and for good: info.is_encrypted. ERROR_CARD_FOREIGN when no trusted CA
 * vouches for the card, ERROR_CARD_FAILED.
 */
bool card_secure(struct card *card, struct error *error);

/* One command to the selected application, by the channel where there is one. */
bool card_exchange(struct card *card, const struct apdu *command, struct buffer *response,
	uint16_t *status, struct error *error);

/*
 * Finds card->type for a card that this driver has identified, by the firmware version that the
 * card tells (0: none). ERROR_CARD_UNKNOWN when no type fits.
 */
bool card_find_type(struct card *card, unsigned firmware, struct error *error);

/* The card may have lost what was proven to it. */
void card_note_security_lost(struct card *card);

#endif

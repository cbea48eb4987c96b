/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading one card: what contact.c keeps of it. No state of its own. */
#ifndef TESSERA_OPERATION_CONTACT_READ_H
#define TESSERA_OPERATION_CONTACT_READ_H

#include "card/transport-remote.h"
#include "operation/contact.h"

/* Everything that is known of a card; all owned. */
struct contact_view {
	struct card *card;
	struct card_type *type; /* also of a card that cannot be used; NULL: of no known type */
	struct credential *credential;
	struct card_secret_state pin;
	int64_t pin_expires_at;	    /* seconds since 1970, 0: never */
	bool pin_expiry_told;	    /* programs were told that it has expired */
	int64_t unblock_code_until; /* an unblock code is good so long; 0: none was given out */
	int64_t certificates_end;   /* the first of them, but for retired keys'; 0: never */
	struct contact_key *keys;
	size_t key_count;
	char *problem;
	enum error_code problem_code;
};
#define CONTACT_VIEW_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}
void contact_view_clear(struct contact_view *view);

/* Where a card is. */
struct contact_place {
	char *reader_name;	      /* owned */
	bool is_remote;		      /* on another machine */
	struct remote_reader *remote; /* reference; NULL here, or when it has gone */
};
void contact_place_clear(struct contact_place *place);
/* ERROR_NO_CARD, ERROR_NO_READER_SERVICE, ERROR_BUSY. */
struct transport *contact_place_open(const struct contact_place *place, struct error *error);

/*
 * Connects the card in a reader, recovers what was interrupted and reads it.
 * Never fails: what went wrong is view->problem.
 * claimed: the serial number of the card that the caller has claimed; NULL for none.
 */
void contact_view_open(struct contact_view *view, struct services *services,
	const struct contact_place *place, const char *claimed);

/* Until when the holder of the card's unblock code may use it; 0 for none. */
int64_t contact_unblock_code_until(struct services *services, const struct credential *credential);

/* Reads credential and PIN state (and, with objects, the keys) again. The card is held. */
void contact_view_refresh(struct contact_view *view, struct services *services, bool objects);

#endif

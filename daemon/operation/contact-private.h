/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What contact.c and contact-events.c share. */
#ifndef TESSERA_OPERATION_CONTACT_PRIVATE_H
#define TESSERA_OPERATION_CONTACT_PRIVATE_H

#include <pthread.h>

#include "pcsc/reader-watch.h"
#include "operation/contact-read.h"

/* One reader. It stays in the list, with its number, when the reader goes. */
struct contact {
	unsigned number;
	char *reader_name;
	/* Of a reader on another machine (contact-remote.c); the entry of one that has gone may
	 * become another's. */
	struct remote_reader *remote; /* NULL when it has gone */
	bool is_remote;
	uid_t user;	     /* whose agent offers it */
	char *user_name;     /* for people; NULL of a reader here */
	unsigned being_read; /* threads of first_contacts that are at this reader */
	bool attached;
	bool card_present;
	unsigned insertion; /* counts insertions: tells a slow first contact that its card went */
	struct buffer atr;
	struct contact_view view;
	unsigned logins;
	uint64_t generation;
};

struct contacts {
	struct services *services;
	contacts_changed changed;
	void *context;
	struct reader_watch *watch;
	/* Guards all below. Taken after a card's lock, never before; no device is touched under it.
	 */
	pthread_mutex_t lock;
	pthread_cond_t settled;	 /* signalled when a thread of first_contacts has ended */
	unsigned first_contacts; /* threads reading a card that was just inserted */
	bool service_available;
	uint64_t generation;
	struct contact **items;
	size_t count;
	char **claims; /* serials of cards under a management operation */
	size_t claim_count;
};

/* The attached reader of a number, or NULL. Under the lock. */
struct contact *contact_find(struct contacts *contacts, unsigned number);
/* Gives the contact a new generation. Under the lock. */
void contact_touch(struct contacts *contacts, struct contact *contact);
/* Tells the listener. Without the lock. */
void contact_notify(struct contacts *contacts, unsigned number, bool gone);

/* Where its card is; a copy. Under the lock. */
struct contact_place contact_place_of(const struct contact *contact);
/* A reader comes and goes; who calls notifies. Under the lock. */
void contact_attach(struct contacts *contacts, struct contact *contact);
void contact_detach(struct contacts *contacts, struct contact *contact);
/* A card comes and goes. Ignored unless the reader is there, and is this one on another machine
 * (or, with NULL, here). Without the lock. */
void contact_put_card_in(struct contacts *contacts, unsigned number,
	const struct remote_reader *remote, const uint8_t *atr, size_t atr_length);
void contact_take_card_out(
	struct contacts *contacts, unsigned number, const struct remote_reader *remote);
/* A new entry, with the next number. Under the lock. */
struct contact *contact_add(struct contacts *contacts);

/* What the reader watch calls, with the contacts as context. */
extern const struct reader_events contact_events;
/* Reads a card again that could not be used before: the store was full, the card was busy. With
 * `others`, one that is none of ours, too. claimed: the serial number
 * of the card that the caller has claimed; NULL for none. */
void contact_retry(struct contacts *contacts, unsigned number, bool others, const char *claimed);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What contact.c and contact-events.c share. */
#ifndef TESSERA_OPERATION_CONTACT_PRIVATE_H
#define TESSERA_OPERATION_CONTACT_PRIVATE_H

#include <pthread.h>

#include "card/reader-watch.h"
#include "operation/contact-read.h"

/* One reader. It stays in the list, with its number, when the reader goes. */
struct contact {
	unsigned number;
	char *reader_name;
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

/* What the reader watch calls, with the contacts as context. */
extern const struct reader_events contact_events;
/* Reads a card again that could not be used before: the store was full, the card was busy. With
 * `others`, one that is none of ours, too. */
void contact_retry(struct contacts *contacts, unsigned number, bool others);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contacts: what is in the readers at this moment. When a card is inserted it
 * is identified on a thread of its own, interrupted changes are recovered, and
 * its public objects are read once and kept until the card or its credential
 * changes. All functions may be called from any thread.
 */
#ifndef TESSERA_OPERATION_CONTACT_H
#define TESSERA_OPERATION_CONTACT_H

#include "card/card.h"
#include "model/credential.h"
#include "operation/services.h"

struct remote_card;
struct remote_reader;

/* A copy of what is known of one reader. */
struct contact_status {
	unsigned number; /* of the reader, from 1 */
	char *reader_name;
	bool is_remote;	   /* on another machine */
	bool is_encrypted; /* the way to the card there is */
	uid_t user;	   /* whose agent offers it */
	char *user_name;   /* NULL of a reader here */
	bool card_present;
	struct buffer atr;
	char *card_type, *model, *manufacturer, *serial; /* NULL while unknown */
	char *label; /* for people: the holder's name, or the model */
	unsigned pin_minimum, pin_maximum;
	struct credential *credential; /* NULL when it is none of ours */
	struct card_secret_state pin;  /* as last seen */
	int64_t pin_expires_at;	       /* seconds since 1970; 0: never */
	int64_t unblock_code_until;    /* a code was given out and is good so long; 0: none */
	int64_t certificates_end;      /* when the first of them ends; 0: never */
	bool without_pin;	       /* it has keys, and none of them wants the PIN */
	char *problem;		       /* why the card cannot be used, or NULL */
	uint64_t generation;	       /* grows with every change of this contact */
};
void contact_status_clear(struct contact_status *status);
#define _cleanup_contact_status_ _cleanup_(contact_status_clear)

/* What the provider shows of one key; borrowed buffers are copies. */
struct contact_key {
	key_slot slot;
	char *label;		   /* "Authentication Ada Lovelace"; as in docs */
	struct buffer certificate; /* DER, may be empty */
	struct buffer public_key;  /* SubjectPublicKeyInfo, DER */
	enum key_algorithm algorithm;
	enum pin_use pin;
};
void contact_keys_free(struct contact_key *keys, size_t count);

/* Called without locks held, on any thread: contact `number` changed or went (gone). 0: pcscd came
 * or went. */
typedef void (*contacts_changed)(void *context, unsigned number, bool gone);

struct contacts *contacts_new(struct services *services, contacts_changed changed, void *context);
/* Starts watching the readers; pcscd need not be there yet. */
bool contacts_start(struct contacts *contacts, struct error *error);
void contacts_free(struct contacts *contacts);

bool contacts_service_available(struct contacts *contacts);
/* Reads the cards again that are none of ours: the credential types have changed. */
void contacts_look_again(struct contacts *contacts);
/* The highest generation of all contacts. */
uint64_t contacts_generation(struct contacts *contacts);
/* A new one, for what is shown to programs beside cards (operation/slots.h). */
uint64_t contacts_next_generation(struct contacts *contacts);
/* Numbers of the readers, ascending; heap array. */
unsigned *contacts_list(struct contacts *contacts, size_t *count);
/* ERROR_NOT_FOUND */
bool contacts_status(struct contacts *contacts, unsigned number, struct contact_status *status,
	struct error *error);
/* Reader that holds the credential's card, 0 when it is in none; one here goes before others. */
unsigned contacts_find(struct contacts *contacts, int64_t credential_id);
/* The same among the readers that are within reach. */
unsigned contacts_find_within(
	struct contacts *contacts, const struct contact_reach *reach, int64_t credential_id);
/* Whether the reader of a status is within reach. ERROR_ACCESS_DENIED. */
bool contact_check_reach(const struct contact_status *status, const struct contact_reach *reach,
	struct error *error);
/*
 * Waits until a card that was just inserted has been read, in reader `number`, or with 0 in any of
 * them that is here; at most some seconds. For threads that may wait, and hold no card.
 */
void contacts_await(struct contacts *contacts, unsigned number);
/* The same for any reader that is within reach. */
void contacts_await_within(struct contacts *contacts, const struct contact_reach *reach);
/* The keys of the card; no APDU. ERROR_NOT_FOUND, ERROR_NO_CARD. */
bool contacts_keys(struct contacts *contacts, unsigned number, uint64_t *generation,
	struct contact_key **keys, size_t *count, struct error *error);
/* The card in a reader. ERROR_NOT_FOUND, ERROR_NO_CARD, or why it cannot be used. */
struct card *contacts_card(struct contacts *contacts, unsigned number, struct error *error);
/* The same for who has claimed the card with this serial number, and else would stand in the way of
 * its recovery. It may be another card that is there by now. */
struct card *contacts_card_claimed(
	struct contacts *contacts, unsigned number, const char *serial, struct error *error);
/* Another transport to it. ERROR_NOT_FOUND, ERROR_NO_CARD, ERROR_NO_READER_SERVICE, ERROR_BUSY. */
struct transport *contacts_open(struct contacts *contacts, unsigned number, struct error *error);
/*
 * Looks at the card again after an operation: credential and PIN state, and with `objects` its
 * keys and certificates too. The caller holds the card (card_begin).
 */
void contacts_refresh(struct contacts *contacts, unsigned number, bool objects);
/* Notes what the card said about its PIN, without asking it again. */
void contacts_note_pin(
	struct contacts *contacts, unsigned number, const struct card_secret_state *pin);
/* Whether the age of the card's PIN is beyond its template's limit; programs are told once. */
bool contacts_pin_has_expired(struct contacts *contacts, unsigned number);
/* Algorithm and PIN policy of one key; false when the card has no such key. */
bool contacts_key_info(struct contacts *contacts, unsigned number, key_slot slot,
	enum key_algorithm *algorithm, enum pin_use *pin);
/*
 * Counts the clients that have proved the PIN to a card: adds `change` (1 or -1) and returns the
 * new count, so that the last one out ends the card's PIN state. 0 when the card has left the
 * reader.
 */
unsigned contacts_count_login(
	struct contacts *contacts, unsigned number, const struct card *card, int change);
/* Reads all cards again that could not be used before. */
void contacts_retry(struct contacts *contacts);
/* Tells that the credential changed in the store, whether its card is there or not. */
void contacts_credential_changed(struct contacts *contacts, int64_t credential_id);

/*
 * Claims a card for one management operation, whether the card is there or not: ERROR_BUSY while
 * another operation has it. serial is copied; contacts_release() gives it back.
 */
bool contacts_claim(struct contacts *contacts, const char *serial, struct error *error);
void contacts_release(struct contacts *contacts, const char *serial);
/* What a card in a reader is claimed by, heap: its serial, or its place when it has none. */
char *contact_claim_name(const char *serial, unsigned reader);

/* --- readers on other machines (contact-remote.c) --- */

struct remote_offer {
	uid_t user;
	const char *user_name;
	const char *machine, *reader_name; /* as the agent says: for people */
	struct remote_reader *remote;	   /* is referenced */
};
/*
 * Adds a reader, by the name "user@machine: reader"; a reader of the same name of the same user
 * ends: its agent has come again. 0 with ERROR_BUSY when the user, or all, have too many;
 * ERROR_INVALID_ARGUMENT for a name that is none.
 */
unsigned contacts_offer(
	struct contacts *contacts, const struct remote_offer *offer, struct error *error);
/*
 * A card has come, or gone. The first waits until nobody reads the card that was there before.
 * ERROR_NOT_FOUND for a reader that is another agent's by now; ERROR_INVALID_ARGUMENT.
 */
bool contacts_offer_inserted(struct contacts *contacts, struct remote_reader *remote,
	const struct remote_card *card, struct error *error);
void contacts_offer_removed(struct contacts *contacts, struct remote_reader *remote);
/* The reader has gone, and its card. */
void contacts_withdraw(struct contacts *contacts, struct remote_reader *remote);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decision 5 of the design, walked: a card that vanishes at any APDU of an
 * operation recovers at the next contact. Real store, real token, real local CA;
 * the card is the virtual one, in this process.
 */
#ifndef TESSERA_TESTS_OPERATION_WALK_H
#define TESSERA_TESTS_OPERATION_WALK_H

#include "card/card.h"
#include "model/lifecycle.h"
#include "operation/services.h"
#include "vcard/vcard.h"

#define TEMPLATE_NAME "walk"
/* A template that sets the numbers of PIN and PUK tries, and keeps a PIN history. */
#define TRIES_TEMPLATE_NAME "tries"
/* An issue of two keys that took fewer APDUs than this would not have been walked. */
#define FEWEST_APDUS_OF_ISSUE 20

extern struct services services;
extern struct operation operation;
extern const char *template_name; /* that issue_once() issues by; TEMPLATE_NAME */

/* For cmocka's groups. */
int walk_make_services(void **state);
int walk_free_services(void **state);

/* A card and the contact with it; the card outlives contacts. */
struct contact_with {
	struct vcard *vcard;
	struct card *card;
};
struct vcard *fresh_card(uint32_t firmware);
void connect_card(struct contact_with *contact);
void disconnect_card(struct contact_with *contact);

bool issue_once(struct card *card, struct error *error);
bool retire_once(struct card *card, struct error *error);
enum lifecycle_state state_of(const char *serial);
void assert_nothing_pending(const struct card *card);
/* The secrets that the store believes in are those on the card: a PIN can be set by the PUK. */
void assert_usable(struct card *card);

/* Before the card does what the APDU asks, or after it. */
enum vanish { VANISH_BEFORE, VANISH_AFTER };
void arm(struct vcard *vcard, enum vanish how, uint64_t apdu);
void disarm(struct vcard *vcard);
/* Connects the card and recovers it; fails the test if that fails. */
void recover(struct contact_with *contact, uint64_t apdu);
/* The same, with each APDU of the recovery cut off in turn. */
void recover_in_spite_of_interruptions(
	struct contact_with *contact, enum vanish how, uint64_t apdu);

/* Answers true when the operation ended before its Nth APDU: the walk is over. */
typedef bool (*interruption)(uint32_t firmware, enum vanish how, uint64_t apdu);
bool interrupt_issue(uint32_t firmware, enum vanish how, uint64_t apdu);
/* Interrupts at the first APDU, the second, ... in both ways; there are more than `fewest`. */
void walk(interruption interrupt, uint32_t firmware, uint64_t fewest);

#endif

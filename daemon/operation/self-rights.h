/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose a card is, and what that one may do with it: what the caller has proved (operation/self.h,
 * operation/login.h, and its user id) against what the card's template takes as a proof, in the
 * version that the card has. The one place where holders' rights are decided.
 */
#ifndef TESSERA_OPERATION_SELF_RIGHTS_H
#define TESSERA_OPERATION_SELF_RIGHTS_H

#include "operation/self.h"

struct self_caller {
	const char *name;
	uid_t uid;
};

/* What lets the caller do it. */
struct self_leave {
	int64_t code; /* the one-time code that it uses up; 0: none */
	char *label;  /* of the proof (struct self_identity), or NULL; heap */
};
void self_leave_clear(struct self_leave *leave);
#define _cleanup_self_leave_ _cleanup_(self_leave_clear)

/* Whether the card is the caller's, and its template lets them do it. leave may be NULL. */
bool self_may(struct services *services, const struct self_caller *caller,
	const struct credential *credential, enum self_service service, struct self_leave *leave);

/* To whom a template's card is issued that people issue to themselves. */
struct self_person {
	char *id; /* as struct credential's user_id; NULL: an operator has given the fields only */
	struct fields holder;
	/* Instead, of templates whose holders come from a directory: one of these. */
	char *login, *person_id;
	struct self_leave leave;
};
void self_person_clear(struct self_person *person);
#define _cleanup_self_person_ _cleanup_(self_person_clear)
/*
 * Who the caller has proved to be for that; an operator who may issue cards needs no proof of being
 * the user of the own process. ERROR_ACCESS_DENIED says what is missing.
 */
bool self_find_person(struct services *services, const struct self_caller *caller,
	const struct template *template, bool is_operator, struct self_person *person,
	struct error *error);

/* A card of the caller's, for people. */
struct self_card {
	struct credential *credential;
	int64_t expires_at; /* of what ends first: the card or one of its certificates; 0: nothing
			       does */
	bool may[SELF_SERVICE_COUNT]; /* now */
};
#define SELF_CARDS_MAX 100
/* Those that are managed; heap array, free with self_cards_free. */
bool self_cards(struct services *services, const struct self_caller *caller,
	struct self_card **cards, size_t *count, struct error *error);
void self_cards_free(struct self_card *cards, size_t count);

#endif

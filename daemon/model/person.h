/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* People of directories: whose a card is, and how the directory had them last. */
#ifndef TESSERA_MODEL_PERSON_H
#define TESSERA_MODEL_PERSON_H

#include <stdint.h>

#include "common/error.h"
#include "common/fields.h"
#include "common/macros.h"

/* Which person of which directory a card is of. */
struct person_link {
	char *connection;    /* name of the connection; NULL: it is nobody's of a directory */
	char *id;	     /* what the directory knows them by; NULL with it */
	struct fields given; /* of the holder: those that the directory did not have at issue */
};
void person_link_clear(struct person_link *link);
/* Replaces *to; from may be NULL, for nobody. */
void person_link_copy(struct person_link *to, const struct person_link *from);

enum person_state { PERSON_PRESENT, PERSON_DISABLED, PERSON_GONE, PERSON_STATE_COUNT };
const char *person_state_name(enum person_state state);	    /* "present" */
enum person_state person_state_from_name(const char *name); /* PERSON_STATE_COUNT for none */

/* What was found and is still to be said and done something about. */
#define PERSON_NEWS_NONE     ""
#define PERSON_NEWS_DISABLED "disabled"
#define PERSON_NEWS_GONE     "gone"
#define PERSON_NEWS_BACK     "back"
#define PERSON_NEWS_CHANGED  "changed" /* some of the fields */

/* A person as the directory had them last. */
struct person_record {
	char *connection, *id;
	char *name; /* for people */
	enum person_state state;
	int64_t since;	 /* of the state, seconds since 1970 */
	char *reason;	 /* the directory's for having them disabled; "" for none */
	int64_t seen_at; /* when the directory had them, disabled or not */
	struct fields fields;
	const char *news; /* one of the above */
};
#define PERSON_RECORD_INIT                                                                         \
	{                                                                                          \
		0                                                                                  \
	}
void person_record_clear(struct person_record *record);
void person_records_free(struct person_record *records, size_t count);
#define _cleanup_person_record_ _cleanup_(person_record_clear)
/* The constant of that text; NULL for another one. */
const char *person_news_find(const char *text);

/*
 * The holder's fields that are not as the directory has them now: by their names, with what they
 * are now ("": there is none any more). What the holder does not have is not missed.
 */
void person_changes(const struct person_record *record, const struct person_link *link,
	const struct fields *holder, struct fields *changes);

/* The reasons that tesserad itself suspends cards with; no one else may give them. */
#define PERSON_REASON_DISABLED "person-disabled"
#define PERSON_REASON_GONE     "person-gone"
bool person_reason_is_ours(const char *reason); /* NULL is allowed */

#endif

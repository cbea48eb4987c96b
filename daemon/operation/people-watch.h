/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * People whose cards are in use are looked up in their directories from time to time. Who is
 * disabled there, is gone, is back, or has other fields is told (people-news.c), and what the
 * template says is done with the cards. What a directory does not answer says nothing about
 * anybody.
 */
#ifndef TESSERA_OPERATION_PEOPLE_WATCH_H
#define TESSERA_OPERATION_PEOPLE_WATCH_H

#include "operation/services.h"

/*
 * So many at once are rather a wrong base or filter than so many leaving: more than the least
 * number and more than the share of a connection's people who become disabled or gone in one look.
 * Nothing is done about any of them until an operator confirms.
 */
#define PEOPLE_LOST_LEAST 5
#define PEOPLE_LOST_SHARE 10 /* percent */

struct people_check {
	const char *connection; /* NULL: all that cards name */
	bool is_confirmed;	/* also when so many are disabled or gone at once */
};

/*
 * Looks everybody up now, one after the other. Result fields for each connection: its name with
 * what was found. ERROR_FAILED when a directory could not be asked, or when too many are gone;
 * the other connections are looked through all the same. ERROR_NOT_FOUND for a connection that no
 * card names; ERROR_BUSY while another check is under way. Writes the audit record.
 */
bool operation_check_people(
	struct operation *operation, const struct people_check *check, struct error *error);
/* Starts a job that does so by itself, when it is due again (services->people_seconds; 0: never),
 * or goes on with what was interrupted. */
bool people_watch_start(struct services *services, struct error *error);

#endif

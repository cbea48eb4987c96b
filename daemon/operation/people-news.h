/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was found about people is told, and done something about by the template of each card: in
 * the audit trail, in the journal, by the signal PersonChanged, and in one mail to the operators.
 * It is kept with the person (people_note) until that is done: whoever was interrupted goes on, and
 * says a thing twice rather than never.
 */
#ifndef TESSERA_OPERATION_PEOPLE_NEWS_H
#define TESSERA_OPERATION_PEOPLE_NEWS_H

#include "operation/services.h"

/* What was told so far, for the mail. */
struct people_summary {
	char *lines; /* or NULL */
	size_t count;
	size_t suspended, resumed;
};
void people_summary_clear(struct people_summary *summary);
#define _cleanup_people_summary_ _cleanup_(people_summary_clear)

/* All news of a connection's people. False for what ends the whole; a card that cannot be suspended
 * or resumed now keeps its person's news. */
bool people_tell_news(struct operation *operation, const char *connection,
	struct people_summary *summary, struct error *error);
/* That too many are gone or disabled at once: an alarm, and a line of the summary. */
void people_tell_alarm(struct operation *operation, const char *connection, size_t lost,
	size_t count, struct people_summary *summary);
/* The mail, if there is anything to be said. */
bool people_mail_summary(
	struct services *services, const struct people_summary *summary, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mail that waits in the store until the server has taken it. The server is that of the connection
 * of kind "smtp", of the first by name where there are several. Without one nothing is kept.
 */
#ifndef TESSERA_OPERATION_MAILS_H
#define TESSERA_OPERATION_MAILS_H

#include "operation/services.h"

/* Whether there is a connection for mail; whether it names operators. */
bool mails_can_be_sent(struct services *services);
bool mails_have_operators(struct services *services);

/*
 * Keep a mail to be sent, inside the caller's transaction where there is one. card: the serial that
 * the audit trail names, or NULL; about: what it calls the mail. *is_kept: false where no
 * connection, or no operator in it, is there to be written to.
 */
bool mails_to_operators(struct services *services, const char *about, const char *subject,
	const char *text, bool *is_kept, struct error *error);
bool mails_to_holder(struct services *services, const char *about, const char *card,
	const char *address, const char *subject, const char *text, struct error *error);

/* Starts a job that gives those that are due to the server, if there are any. */
bool mails_start(struct services *services, struct error *error);

#endif

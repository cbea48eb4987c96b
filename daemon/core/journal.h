/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Structured messages for the system's log: journald where it runs, else syslog. */
#ifndef TESSERA_CORE_JOURNAL_H
#define TESSERA_CORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

struct journal_field {
	const char *name;  /* "TESSERA_CARD": upper-case letters, digits and '_' */
	const char *value; /* NULL or "": the field is left out */
};

/*
 * Sends a message of priority notice with its fields to journald
 * (systemd.io/JOURNAL_NATIVE_PROTOCOL); when nobody listens at the socket, to
 * syslog(3) (facility authpriv) with the fields as name="value" behind the message.
 */
void journal_send(
	const char *socket, const char *message, const struct journal_field *fields, size_t count);
/* The same with a priority of syslog(3) to journald alone; false when nobody listens there. */
bool journal_send_native(const char *socket, int priority, const char *message,
	const struct journal_field *fields, size_t count);

#endif

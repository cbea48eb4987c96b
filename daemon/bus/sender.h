/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who the callers on the system bus are. Their calls wait until the bus has
 * said whose a name is; what it said is remembered, since a unique name is
 * never given twice.
 */
#ifndef TESSERA_BUS_SENDER_H
#define TESSERA_BUS_SENDER_H

#include <stdbool.h>
#include <sys/types.h>

#include <dbus/dbus.h>

struct sender {
	char *name;   /* unique name */
	char *caller; /* "system NAME": what logins know it by */
	bool is_known;
	dbus_uint32_t serial; /* of the question, while it is not known */
	uid_t uid;
	pid_t pid;
	bool is_manager;
	char *actor;
	DBusMessage **waiting; /* calls, while it is not known */
	size_t waiting_count;
	unsigned long used; /* grows with each use of any sender */
};

/* All of them; used by the loop's thread only. */
struct senders {
	struct sender *items;
	size_t count;
	unsigned long uses;
};

/* NULL when it was never seen, or was forgotten. */
struct sender *senders_find(struct senders *senders, const char *name);
/* A new one, in place of the one not used for longest when there are many. */
struct sender *senders_add(struct senders *senders, const char *name);
/* The one that the answer with that serial is about, or NULL. */
struct sender *senders_find_question(struct senders *senders, dbus_uint32_t serial);
void senders_remove(struct senders *senders, struct sender *sender);
void senders_clear(struct senders *senders);
/* Keeps a call until the sender is known. False when too many wait. */
bool sender_keep(struct sender *sender, DBusMessage *message);

/* uid and pid in an answer to GetConnectionCredentials. False without a uid. */
bool credentials_read(DBusMessage *reply, uid_t *uid, pid_t *pid);

#endif

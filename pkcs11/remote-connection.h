/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections and messages, private to the files remote*.c: the only ones with libdbus. */
#ifndef TESSERA_PKCS11_REMOTE_CONNECTION_H
#define TESSERA_PKCS11_REMOTE_CONNECTION_H

#include <dbus/dbus.h>

#include "pkcs11/remote.h"

/* Makes a method call with arguments as in dbus_message_append_args(). NULL when out of memory. */
DBusMessage *remote_message_new(const char *method, int first_type, ...);
/* Wipes all byte arrays: PINs, plain texts and secrets do not stay in libdbus's memory. */
void remote_message_free(DBusMessage *message);
DEFINE_CLEANUP(DBusMessage *, remote_message_free);
#define _cleanup_message_ _cleanup_(remote_message_freep)
/*
 * How long a call may take that waits for a card or a token: a key may wait for a touch, a card for
 * its turn. TESSERA_PKCS11_TIMEOUT in the environment sets it, in seconds.
 */
int remote_timeout_ms(void);
/*
 * One round trip over the connection that there is. message: NULL counts as out of memory;
 * not taken. Answers a reply of that signature, or NULL with error set.
 */
DBusMessage *remote_call(struct remote *remote, DBusMessage *message, int timeout_ms,
	const char *signature, struct error *error);
/* Sends without waiting. */
void remote_send_only(struct remote *remote, DBusMessage *message);

/* Several steps in one: false when wait is and another thread is between begin and end. */
bool remote_begin(struct remote *remote, bool wait);
void remote_end(struct remote *remote);
/* Between begin and end: connects (two attempts a second at most), calls, tells the number. */
void remote_connect_if_needed(struct remote *remote);
DBusMessage *remote_call_locked(struct remote *remote, DBusMessage *message, int timeout_ms,
	const char *signature, struct error *error);
uint64_t remote_number(const struct remote *remote);
/* The number of the connection that there is; 0: none. */
uint64_t remote_connected(struct remote *remote);
/* Ends that connection, unless there is another one by now. */
void remote_lose(struct remote *remote, uint64_t number);
struct remote_channels *remote_channels(struct remote *remote);
/*
 * The lock around libdbus, which is held across a fork, too. Nothing is locked under it, and nobody
 * waits under it.
 */
void remote_bus_lock(void);
void remote_bus_unlock(void);

/* For a thread that waits for signals on a connection which no other thread uses. */
int remote_descriptor(const struct remote *remote);
bool remote_is_stopped(const struct remote *remote);
/*
 * Sleeps until the descriptor (-1: none) is readable or the connection is stopped. False after
 * timeout_ms.
 */
bool remote_sleep(const struct remote *remote, int descriptor, int timeout_ms);

/* Fills error so that ckr_of() answers CKR_HOST_MEMORY. Returns false. */
bool remote_out_of_memory(struct error *error);
/* ERROR_NO_SERVICE. Returns false. */
bool remote_no_service(struct error *error);

#endif

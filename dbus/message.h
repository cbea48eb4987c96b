/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Building and reading the contents of D-Bus messages. Appending aborts when
 * memory is out. Reading is for messages whose signature has been checked.
 */
#ifndef TESSERA_DBUS_MESSAGE_H
#define TESSERA_DBUS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dbus/dbus.h>

#include "common/error.h"
#include "common/secret.h"

DEFINE_CLEANUP(DBusMessage *, dbus_message_unref);
#define _cleanup_message_ _cleanup_(dbus_message_unrefp)

/* NULL is appended as "", bytes that are not UTF-8 as '?'. */
void message_append_string(DBusMessageIter *iter, const char *string);
/* A valid path; NULL is appended as "/". */
void message_append_path(DBusMessageIter *iter, const char *path);
void message_append_bool(DBusMessageIter *iter, bool value);
void message_append_u32(DBusMessageIter *iter, uint32_t value);
void message_append_u64(DBusMessageIter *iter, uint64_t value);
void message_append_i64(DBusMessageIter *iter, int64_t value);
/* ay; data may be NULL with length 0 */
void message_append_bytes(DBusMessageIter *iter, const uint8_t *data, size_t length);
/* as */
void message_append_strings(DBusMessageIter *iter, char *const *strings, size_t count);
/* Opens a container: DBUS_TYPE_ARRAY with the elements' signature, else NULL. */
void message_open(DBusMessageIter *iter, int type, const char *signature, DBusMessageIter *inside);
void message_close(DBusMessageIter *iter, DBusMessageIter *inside);
/* An entry of an open a{ss}. */
void message_append_entry(DBusMessageIter *dictionary, const char *name, const char *value);

/* The next value, stepping over it. Strings and bytes lie in the message. */
const char *message_read_string(DBusMessageIter *iter); /* s, o */
bool message_read_bool(DBusMessageIter *iter);
uint32_t message_read_u32(DBusMessageIter *iter);
uint64_t message_read_u64(DBusMessageIter *iter);
int64_t message_read_i64(DBusMessageIter *iter);
void message_read_bytes(DBusMessageIter *iter, const uint8_t **data, size_t *length);
/* A PIN, as s. ERROR_PIN_POLICY for one that is no text. */
bool message_append_secret(DBusMessageIter *iter, const struct secret *secret, struct error *error);
/* A PIN, as s or ay. ERROR_FAILED when no locked memory is left. */
bool message_read_secret(DBusMessageIter *iter, struct secret *secret, struct error *error);
/*
 * a{ss}: calls add(context, name, value) for each. ERROR_INVALID_ARGUMENT for a name that comes
 * twice, or more than limit entries.
 */
bool message_read_dictionary(DBusMessageIter *iter, size_t limit,
	void (*add)(void *context, const char *name, const char *value), void *context,
	struct error *error);

/* An error reply; never NULL. */
DBusMessage *message_error(DBusMessage *call, const char *name, const char *text);
/*
 * The name is org.tessera1.Error.*; the text starts with the field that is wrong, if known.
 * ERROR_TOKEN_REFUSED has the CKR_ value as a second argument (u).
 */
DBusMessage *message_error_of(DBusMessage *call, const struct error *error);
/* "FIELD: MESSAGE", or the message alone when it names the field already. Heap. */
char *message_error_text(const struct error *error);

/*
 * Overwrites all strings and bytes in the body, as far as one can: what libdbus read from the
 * socket has been copied before. The message is good for nothing but unref afterwards.
 */
void message_wipe(DBusMessage *message);

#endif

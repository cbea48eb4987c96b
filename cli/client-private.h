/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between D-Bus messages and the values of client.h. Private to client*.c. */
#ifndef TESSERA_CLI_CLIENT_PRIVATE_H
#define TESSERA_CLI_CLIENT_PRIVATE_H

#include <dbus/dbus.h>

#include "cli/client.h"

/* Appends the arguments. ERROR_INVALID_ARGUMENT for text that D-Bus cannot carry. */
bool message_append(DBusMessage *message, const struct client_argument *arguments, size_t count,
	struct error *error);
/* All arguments of a message as a JSON array; never NULL. */
json_t *message_to_json(DBusMessage *message);
/* Overwrites every string in the body of a message that is not needed any more. */
void message_wipe(DBusMessage *message);
/* Fills error from a D-Bus error name and text; returns false. */
bool message_error(const char *name, const char *text, struct error *error);

#endif

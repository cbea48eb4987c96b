/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between D-Bus messages and the values of client.h. Private to client*.c. */
#ifndef TESSERA_CLI_CLIENT_PRIVATE_H
#define TESSERA_CLI_CLIENT_PRIVATE_H

#include <dbus/dbus.h>

#include "cli/client.h"

/* Appends the arguments. ERROR_INVALID_ARGUMENT for text that D-Bus cannot carry. */
bool client_append(DBusMessage *message, const struct client_argument *arguments, size_t count,
	struct error *error);
/* All arguments of a message as a JSON array; never NULL. */
json_t *client_results(DBusMessage *message);
/* Fills error from a D-Bus error name and text; returns false. */
bool client_take_error(const char *name, const char *text, struct error *error);

#endif

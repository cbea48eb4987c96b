/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way to the tesserad of another machine: ssh runs "tessera bridge" there, and its standard
 * input and output are the stream that libdbus speaks over. Private to client*.c.
 *
 * libdbus could start ssh itself (unixexec:), but tells neither the process nor how it ended, which
 * is what a person needs to know.
 */
#ifndef TESSERA_CLI_CLIENT_HOST_H
#define TESSERA_CLI_CLIENT_HOST_H

#include <dbus/dbus.h>

#include "common/error.h"
#include "common/macros.h"

/* Absolute path of another ssh. */
#define CLIENT_SSH_VARIABLE "TESSERA_SSH"

struct client_host;

/*
 * Whether it can be given to ssh: "[USER@]HOST" or "ssh://[USER@]HOST[:PORT]", HOST being a name,
 * an address or a Host of ssh's configuration. ERROR_INVALID_ARGUMENT for what ssh, a shell or a
 * ProxyCommand could take for anything else.
 */
bool client_host_check(const char *name, struct error *error);

/*
 * Starts ssh and waits until tesserad is reached; ssh may ask the person at the terminal. socket:
 * the path of tesserad's private socket there, or NULL for the default one. NULL with
 * ERROR_INVALID_ARGUMENT, ERROR_CANCELLED (by a signal), ERROR_NETWORK_FAILED (ssh did not get
 * there; it has said why on standard error) or ERROR_NO_SERVICE (no tessera or no tesserad there).
 */
struct client_host *client_host_open(const char *name, const char *socket, struct error *error);
/* Closes the connection and ends ssh. */
void client_host_free(struct client_host *host);
DEFINE_CLEANUP(struct client_host *, client_host_free);

/* The connection stays the host's. */
DBusConnection *client_host_connection(const struct client_host *host);
const char *client_host_name(const struct client_host *host);

/* Why the connection that has ended did so; waits for ssh's end. Returns false. */
bool client_host_ended(struct client_host *host, struct error *error);

#endif

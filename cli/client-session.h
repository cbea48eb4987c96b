/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection to tesserad that other programs use through a socket of ours. */
#ifndef TESSERA_CLI_CLIENT_SESSION_H
#define TESSERA_CLI_CLIENT_SESSION_H

#include "cli/client.h"

/* Set for the programs of a session: the socket's path. */
#define CLIENT_SESSION_VARIABLE "TESSERA_SESSION"
/* The machine that commands are for, as --host; in a session that of the session. */
#define CLIENT_HOST_VARIABLE "TESSERA_HOST"

struct client_session;

/*
 * Listens at the path, which only this user and root may use. The client must
 * outlive the session; nothing else may be called with it meanwhile.
 */
struct client_session *client_session_new(
	struct client *client, const char *path, struct error *error);
void client_session_free(struct client_session *session);
DEFINE_CLEANUP(struct client_session *, client_session_free);

/*
 * Passes calls on until the descriptor `until` can be read. False with
 * ERROR_NO_SERVICE when tesserad goes away before.
 */
bool client_session_serve(struct client_session *session, int until, struct error *error);

#endif

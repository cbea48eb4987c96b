/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secrets of connections (API keys, passwords): sealed values of the store. */
#ifndef TESSERA_CONNECTION_SECRET_H
#define TESSERA_CONNECTION_SECRET_H

#include "connection/services.h"

/* Under which name the store keeps a sealed secret of a connection, heap. */
char *connection_secret_name(const char *connection, const char *name);

/*
 * Opens one that the connection needs; *secret is cleared by the caller. ERROR_INVALID_CONNECTION
 * when it was not set, and how to do so; ERROR_LOCKED.
 */
bool connection_need_secret(const struct connection_services *services, const char *connection,
	const char *name, struct secret *secret, struct error *error);

/* Whether a secret is a password of one line, as it can be a line of a protocol.
 * ERROR_INVALID_ARGUMENT. */
bool connection_check_password(const struct secret *secret, const char *name, struct error *error);

#endif

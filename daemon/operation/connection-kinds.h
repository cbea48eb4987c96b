/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All kinds of connections, whichever family they are of: what is the same for each of them. */
#ifndef TESSERA_OPERATION_CONNECTION_KINDS_H
#define TESSERA_OPERATION_CONNECTION_KINDS_H

#include "connection/services.h"
#include "connection/steps.h"

/*
 * Checks a connection document without saving it and fills name, kind and
 * document. ERROR_INVALID_CONNECTION with the path.
 */
bool connection_check_document(
	const char *document, struct connection *connection, struct error *error);
/*
 * Makes what a saved connection needs before its first use (a local CA: key pair and certificate).
 * ERROR_NOT_FOUND, ERROR_INVALID_CONNECTION, and what the kind says.
 */
bool connection_prepare(
	const struct connection_services *services, const char *name, struct error *error);
/* Tries a connection step by step. ERROR_NOT_FOUND, ERROR_INVALID_CONNECTION. */
bool connection_test(const struct connection_services *services, const char *name,
	struct connection_steps *steps, bool *works, struct error *error);
/* Removes what is kept of a connection besides its document: secrets and the like. */
bool connection_forget(struct store *store, const char *name, struct error *error);

/*
 * Whether the connection can have a secret of that name, and, where it is not NULL, this one.
 * ERROR_NOT_FOUND; ERROR_INVALID_ARGUMENT names those that it can have.
 */
bool connection_check_secret(const struct connection_services *services, const char *connection,
	const char *name, const struct secret *secret, struct error *error);
/* Name of the index-th secret of a kind of connection, NULL past the end. */
const char *connection_secret_at(const char *kind, size_t index);

#endif

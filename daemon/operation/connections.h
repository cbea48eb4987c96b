/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Secrets of connections (API keys, client keys): sealed in the store by a key of
 * the token; they can be replaced and removed, and are never given out.
 */
#ifndef TESSERA_OPERATION_CONNECTIONS_H
#define TESSERA_OPERATION_CONNECTIONS_H

#include "operation/services.h"

/* Checks and keeps a secret. ERROR_NOT_FOUND, ERROR_INVALID_ARGUMENT, ERROR_LOCKED. */
bool connection_set_secret(struct services *services, const char *connection, const char *name,
	const struct secret *secret, struct error *error);
/* ERROR_NOT_FOUND when it is not there. */
bool connection_forget_secret(
	struct services *services, const char *connection, const char *name, struct error *error);
/* Names of the secrets that are there; heap array of heap strings. */
char **connection_secrets(
	struct services *services, const char *kind, const char *connection, size_t *count);
/* For struct connection_services; context is the struct services. */
bool connection_open_secret(void *context, const char *connection, const char *name,
	struct secret *secret, struct error *error);

/*
 * Adds to *fields the holder's fields that connections of the template's keys need beyond those
 * that the template names itself, with their prompts as values ("" for none).
 */
void connection_required_fields(
	struct services *services, const struct template *template, struct fields *fields);

#endif

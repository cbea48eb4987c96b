/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/documents.h"

#include <string.h>

#include "common/alloc.h"
#include "operation/connection-kinds.h"

static bool check_connection_name(struct services *services, const char *name,
	const struct connection *connection, struct connection *present, struct error *error)
{
	bool found = store_connection_get(
		services->store, name ? name : connection->name, present, NULL);

	if (!name && found)
		return error_set(error, ERROR_EXISTS, "there is a connection \"%s\" already",
			connection->name);
	if (name && !found)
		return error_set(error, ERROR_NOT_FOUND, "there is no connection \"%s\"", name);
	if (name && strcmp(name, connection->name) != 0)
		return error_set_field(error, ERROR_INVALID_CONNECTION, "/name",
			"the name must stay \"%s\"", name);
	if (name && strcmp(present->kind, connection->kind) != 0)
		return error_set_field(error, ERROR_INVALID_CONNECTION, "/kind",
			"the kind must stay \"%s\"", present->kind);
	return true;
}

/* The document did not work: what was there before comes back. */
static void take_back(struct services *services, const char *name, const struct connection *present)
{
	if (present->document)
		store_connection_save(services->store, present, NULL);
	else
		store_connection_remove(services->store, name, NULL);
}

bool connection_document_save(struct services *services, const char *name, const char *document,
	char **saved, struct error *error)
{
	_cleanup_connection_ struct connection connection = CONNECTION_INIT;
	_cleanup_connection_ struct connection present = CONNECTION_INIT;

	if (!connection_check_document(document, &connection, error) ||
		!check_connection_name(services, name, &connection, &present, error) ||
		!store_connection_save(services->store, &connection, error))
		return false;
	if (!connection_prepare(&services->connections, connection.name, error)) {
		take_back(services, connection.name, &present);
		return false;
	}
	if (saved)
		*saved = xstrdup(connection.name);
	return true;
}

bool connection_remove(struct services *services, const char *name, struct error *error)
{
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return connection_forget(transaction, name, error) &&
	       store_connection_remove(transaction, name, error) &&
	       store_commit(transaction, error);
}

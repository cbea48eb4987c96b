/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/authority.h"

#include <string.h>

#include "authority/local-ca.h"
#include "common/alloc.h"
#include "model/document.h"

static const struct authority_driver *const drivers[] = {&local_ca_driver};

static const char *kind_at(size_t index)
{
	return index < ARRAY_SIZE(drivers) ? drivers[index]->kind : NULL;
}

static const struct authority_driver *driver_find(const char *kind, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (strcmp(drivers[i]->kind, kind) == 0)
			return drivers[i];
	error_set_field(error, ERROR_INVALID_CONNECTION, "/kind",
		"there is no kind of connection called \"%s\"", kind);
	return NULL;
}

struct authority *authority_open(
	const struct authority_services *services, const char *name, struct error *error)
{
	_cleanup_connection_ struct connection connection = CONNECTION_INIT;
	_cleanup_authority_ struct authority *authority = NULL;

	if (!store_connection_get(services->store, name, &connection, error))
		return NULL;
	const struct authority_driver *driver = driver_find(connection.kind, error);
	if (!driver)
		return NULL;
	authority = xnew(struct authority);
	authority->driver = driver;
	authority->services = services;
	authority->name = xstrdup(name);
	if (!driver->open(authority, connection.document, error)) {
		error_prefix(error, "connection %s", name);
		return NULL;
	}
	return steal_pointer(&authority);
}

void authority_close(struct authority *authority)
{
	if (!authority)
		return;
	authority->driver->close(authority);
	free(authority->name);
	free(authority);
}

bool authority_check_document(
	const char *document, struct connection *connection, struct error *error)
{
	json_t *json _cleanup_json_ = document_load(document, ERROR_INVALID_CONNECTION, error);
	struct document_node name_node, kind_node;
	const char *name;
	size_t kind;

	if (!json)
		return false;
	struct document_node root = document_root(json, ERROR_INVALID_CONNECTION);
	if (!json_is_object(json))
		return document_fail(&root, error, "an object is expected");
	if (!document_member(&root, "name", &name_node, error) ||
		!document_name(&name_node, &name, error) ||
		!document_member(&root, "kind", &kind_node, error) ||
		!document_choice(&kind_node, kind_at, &kind, error) ||
		!drivers[kind]->check(document, error))
		return false;
	connection_clear(connection);
	connection->name = xstrdup(name);
	connection->kind = xstrdup(drivers[kind]->kind);
	connection->document = xstrdup(document);
	return true;
}

bool authority_prepare(
	const struct authority_services *services, const char *name, struct error *error)
{
	_cleanup_authority_ struct authority *authority = authority_open(services, name, error);

	return authority && authority->driver->prepare(authority, error);
}

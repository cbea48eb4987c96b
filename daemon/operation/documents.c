/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/documents.h"

#include <string.h>

#include "common/alloc.h"
#include "operation/types.h"

/* --- templates --- */

/* Whether the authority that a key names is there and has the profile. */
static bool check_certificate(struct services *services, size_t index,
	const struct template_key *key, struct error *error)
{
	_cleanup_free_ char *path = xasprintf("/keys/%zu/certificate", index);
	_cleanup_authority_ struct authority *authority = NULL;
	char **profiles = NULL;
	size_t count = 0;
	bool found = false;

	if (!key->authority)
		return true;
	authority = authority_open(&services->authority, key->authority, NULL);
	if (!authority)
		return error_set_field(error, ERROR_INVALID_TEMPLATE, path,
			"there is no usable connection \"%s\"", key->authority);
	if (!authority->driver->profiles(authority, &profiles, &count, error))
		return false;
	for (size_t i = 0; i < count; i++)
		found = found || strcmp(profiles[i], key->profile) == 0;
	store_names_free(profiles, count);
	return found ||
	       error_set_field(error, ERROR_INVALID_TEMPLATE, path,
		       "connection \"%s\" has no profile \"%s\"", key->authority, key->profile);
}

/* Whether the name is free (for a new one) or the present one (for a change). */
static bool check_template_name(struct services *services, const char *name,
	const struct template *template, struct error *error)
{
	_cleanup_template_ struct template *present =
		store_template_get(services->store, name ? name : template->name, 0, NULL);

	if (!name && present)
		return error_set(
			error, ERROR_EXISTS, "there is a template \"%s\" already", template->name);
	if (name && !present)
		return error_set(error, ERROR_NOT_FOUND, "there is no template \"%s\"", name);
	if (name && strcmp(name, template->name) != 0)
		return error_set_field(
			error, ERROR_INVALID_TEMPLATE, "/name", "the name must stay \"%s\"", name);
	return true;
}

bool template_document_save(struct services *services, const char *name, const char *document,
	char **saved, struct error *error)
{
	_cleanup_template_ struct template *template = template_parse(document, error);

	if (!template || !check_template_name(services, name, template, error) ||
		!type_check_template(services, template, error))
		return false;
	for (size_t i = 0; i < template->key_count; i++) {
		if (!check_certificate(services, i, &template->keys[i], error))
			return false;
	}
	if (!store_template_save(services->store, template, error))
		return false;
	if (saved)
		*saved = xstrdup(template->name);
	return true;
}

/* --- connections --- */

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

	if (!authority_check_document(document, &connection, error) ||
		!check_connection_name(services, name, &connection, &present, error) ||
		!store_connection_save(services->store, &connection, error))
		return false;
	if (!authority_prepare(&services->authority, connection.name, error)) {
		take_back(services, connection.name, &present);
		return false;
	}
	if (saved)
		*saved = xstrdup(connection.name);
	return true;
}

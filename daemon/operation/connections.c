/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/connections.h"

#include <string.h>

#include "common/alloc.h"
#include "connection/secret.h"
#include "directory/directory.h"
#include "keys/at-rest.h"
#include "operation/connection-kinds.h"
#include "operation/vault.h"

static char *purpose_of(const char *connection, const char *name)
{
	return xasprintf("connection %s %s", connection, name);
}

bool connection_set_secret(struct services *services, const char *connection, const char *name,
	const struct secret *secret, struct error *error)
{
	_cleanup_free_ char *purpose = purpose_of(connection, name);
	_cleanup_free_ char *value = connection_secret_name(connection, name);
	_cleanup_buffer_ struct buffer sealed = BUFFER_INIT;

	bool is_kept =
		connection_check_secret(&services->connections, connection, name, secret, error) &&
		vault_check_open(services, error) &&
		at_rest_seal(services->token, purpose, secret, &sealed, error) &&
		store_value_set(services->store, value, sealed.data, sealed.length, error);
	if (is_kept)
		directory_forget(&services->connections, connection);
	return is_kept;
}

bool connection_forget_secret(
	struct services *services, const char *connection, const char *name, struct error *error)
{
	_cleanup_free_ char *value = connection_secret_name(connection, name);
	_cleanup_error_ struct error missing = ERROR_INIT;
	_cleanup_buffer_ struct buffer sealed = BUFFER_INIT;

	if (!connection_check_secret(&services->connections, connection, name, NULL, error))
		return false;
	if (!store_value_get(services->store, value, &sealed, &missing))
		return missing.code == ERROR_NOT_FOUND
			       ? error_set(error, ERROR_NOT_FOUND,
					 "the connection has no secret %s", name)
			       : error_move(error, &missing);
	directory_forget(&services->connections, connection);
	return store_value_remove(services->store, value, error);
}

char **connection_secrets(
	struct services *services, const char *kind, const char *connection, size_t *count)
{
	char **names = NULL;
	const char *name;

	*count = 0;
	for (size_t i = 0; (name = connection_secret_at(kind, i)); i++) {
		_cleanup_free_ char *value = connection_secret_name(connection, name);
		_cleanup_buffer_ struct buffer sealed = BUFFER_INIT;
		if (!store_value_get(services->store, value, &sealed, NULL))
			continue;
		names = xreallocarray(names, *count + 1, sizeof(*names));
		names[(*count)++] = xstrdup(name);
	}
	return names;
}

bool connection_open_secret(void *context, const char *connection, const char *name,
	struct secret *secret, struct error *error)
{
	struct services *services = context;
	_cleanup_free_ char *purpose = purpose_of(connection, name);
	_cleanup_free_ char *value = connection_secret_name(connection, name);
	_cleanup_buffer_ struct buffer sealed = BUFFER_INIT;

	return store_value_get(services->store, value, &sealed, error) &&
	       vault_check_open(services, error) &&
	       at_rest_open(services->token, purpose, &sealed, secret, error);
}

/* --- fields --- */

static void add_fields_of_key(
	struct services *services, const struct template_key *key, struct fields *fields)
{
	_cleanup_authority_ struct authority *authority =
		authority_open(&services->connections, key->authority, NULL);
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;

	if (!authority || !authority->driver->profiles(authority, &profiles, NULL))
		return;
	const struct authority_profile *profile =
		authority_profiles_find(&profiles, key->profile, NULL);
	for (size_t i = 0; profile && i < profile->field_count; i++) {
		const struct authority_field *field = &profile->fields[i];
		if (field->pattern && !field->fixed)
			pattern_add_fields(field->pattern, field->prompt, fields);
	}
}

void connection_required_fields(
	struct services *services, const struct template *template, struct fields *fields)
{
	for (size_t i = 0; i < template->key_count; i++) {
		if (template->keys[i].authority)
			add_fields_of_key(services, &template->keys[i], fields);
	}
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection/secret.h"

#include <string.h>

#include "common/alloc.h"

char *connection_secret_name(const char *connection, const char *name)
{
	return xasprintf("connection-secret/%s/%s", connection, name);
}

bool connection_need_secret(const struct connection_services *services, const char *connection,
	const char *name, struct secret *secret, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;

	if (!services->open_secret)
		return error_set(error, ERROR_LOCKED, "secrets cannot be opened here");
	if (services->open_secret(services->secret_context, connection, name, secret, &failure))
		return true;
	if (failure.code != ERROR_NOT_FOUND)
		return error_move(error, &failure);
	return error_set(error, ERROR_INVALID_CONNECTION,
		"the connection has no secret %s yet: tessera connection secret %s %s", name,
		connection, name);
}

bool connection_check_password(const struct secret *secret, const char *name, struct error *error)
{
	return (secret->length > 0 && !memchr(secret->data, '\0', secret->length) &&
		       !memchr(secret->data, '\n', secret->length) &&
		       !memchr(secret->data, '\r', secret->length)) ||
	       error_set_field(
		       error, ERROR_INVALID_ARGUMENT, name, "a password of one line is expected");
}

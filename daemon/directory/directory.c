/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/directory.h"

#include <string.h>

#include "common/alloc.h"
#include "directory/active-directory.h"
#include "directory/entra.h"
#include "directory/ldap-pool.h"

static const struct directory_driver *const drivers[] = {
	&ldap_driver,
	&active_directory_driver,
	&entra_driver,
};

/* NULL past the end. */
static const struct directory_driver *driver_at(size_t index)
{
	return index < ARRAY_SIZE(drivers) ? drivers[index] : NULL;
}

static const struct directory_driver *driver_find(const char *kind)
{
	const struct directory_driver *driver;

	for (size_t i = 0; (driver = driver_at(i)); i++) {
		if (strcmp(driver->kind, kind) == 0)
			return driver;
	}
	return NULL;
}

struct directory *directory_open(
	const struct connection_services *services, const char *name, struct error *error)
{
	_cleanup_connection_ struct connection connection = CONNECTION_INIT;
	_cleanup_directory_ struct directory *directory = NULL;

	if (!store_connection_get(services->store, name, &connection, error))
		return NULL;
	const struct directory_driver *driver = driver_find(connection.kind);
	if (!driver) {
		error_set(error, ERROR_NOT_SUPPORTED,
			"connection %s, of kind %s, is no directory of people", name,
			connection.kind);
		return NULL;
	}
	directory = xnew(struct directory);
	directory->driver = driver;
	directory->services = services;
	directory->name = xstrdup(name);
	if (!driver->open(directory, connection.document, error)) {
		error_prefix(error, "connection %s", name);
		return NULL;
	}
	return steal_pointer(&directory);
}

void directory_close(struct directory *directory)
{
	if (!directory)
		return;
	directory->driver->close(directory);
	free(directory->name);
	free(directory);
}

void directory_forget(const struct connection_services *services, const char *connection)
{
	ldap_pool_forget(services->ldap, connection);
}

/* --- as kinds of connections --- */

static const char *kind_at(size_t index)
{
	const struct directory_driver *driver = driver_at(index);

	return driver ? driver->kind : NULL;
}

static bool check(size_t kind, const char *document, struct error *error)
{
	return drivers[kind]->check(document, error);
}

static const char *secret_at(size_t kind, size_t index)
{
	return drivers[kind]->secret_at ? drivers[kind]->secret_at(index) : NULL;
}

static bool check_secret(const struct connection_services *services, const char *connection,
	const char *name, const struct secret *secret, struct error *error)
{
	_cleanup_directory_ struct directory *directory =
		directory_open(services, connection, error);

	return directory &&
	       (!directory->driver->check_secret ||
		       directory->driver->check_secret(directory, name, secret, error));
}

static bool test(const struct connection_services *services, const char *connection,
	struct connection_steps *steps, bool *works, struct error *error)
{
	_cleanup_directory_ struct directory *directory =
		directory_open(services, connection, error);

	if (directory)
		*works = directory->driver->test(directory, steps);
	return directory != NULL;
}

const struct connection_family directory_family = {
	.kind_at = kind_at,
	.check = check,
	.secret_at = secret_at,
	.check_secret = check_secret,
	.test = test,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asks a directory without a daemon, for what no door offers:
 *
 *     directory-ask DOCUMENT SECRET authenticate LOGIN PASSWORD
 *
 * DOCUMENT is the file of a connection of kind ldap, SECRET the value of each of its secrets.
 * Prints the person's name, or "ERROR: message" and ends with 1.
 */
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "core/text-file.h"
#include "directory/ldap-pool.h"

static bool open_secret(void *context, const char *connection, const char *name,
	struct secret *secret, struct error *error)
{
	(void)connection, (void)name, (void)error;
	return secret_set(secret, context, strlen(context));
}

static bool authenticate(
	struct directory *directory, const char *login, const char *password, struct error *error)
{
	_cleanup_person_ struct directory_person person = {0};
	_cleanup_secret_ struct secret secret = SECRET_INIT;

	secret_set(&secret, password, strlen(password));
	if (!directory->driver->authenticate(directory, login, &secret, &person, error))
		return false;
	puts(person.name);
	return true;
}

int main(int argc, char **argv)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct ldap_pool *pool = ldap_pool_new();
	const struct connection_services services = {.ldap = pool,
		.open_secret = open_secret,
		.secret_context = argc > 2 ? argv[2] : NULL};
	struct directory directory = {
		.driver = &ldap_driver, .services = &services, .name = (char *)"asked"};
	_cleanup_free_ char *document = argc == 6 ? text_file_read(argv[1], 65536, &error) : NULL;

	bool works = document && ldap_driver.open(&directory, document, &error) &&
		     strcmp(argv[3], "authenticate") == 0 &&
		     authenticate(&directory, argv[4], argv[5], &error);
	if (!works)
		printf("%s: %s\n", error_name(error.code), error_message(&error));
	if (document)
		ldap_driver.close(&directory);
	ldap_pool_free(pool);
	return works ? 0 : 1;
}

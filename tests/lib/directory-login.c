/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * directory-login DOCUMENT SECRET LOGIN...: whether the password on standard input is that of each
 * of these people, by the directory of a connection's document, whose own secret is in the file
 * SECRET. A line for each: "LOGIN is NAME", or "LOGIN: ERROR: message".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "directory/directory.h"
#include "lib/scratch.h"
#include "operation/connection-kinds.h"

/* The first line of a file. */
static bool read_line(FILE *file, struct secret *secret)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length = file ? getline(&line, &room, file) : -1;
	bool is_read = length > 0 && secret_set(secret, line, (size_t)length - 1);

	free(line);
	return is_read;
}

static bool open_secret(void *context, const char *connection, const char *name,
	struct secret *secret, struct error *error)
{
	FILE *file = fopen(context, "r");
	bool is_read = read_line(file, secret);

	if (file)
		fclose(file);
	return is_read ||
	       error_set(error, ERROR_NOT_FOUND, "%s has no secret %s", connection, name);
}

static bool save(struct store *store, const char *path, struct connection *connection)
{
	char text[8192] = "";
	FILE *file = fopen(path, "r");
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!file || fread(text, 1, sizeof(text) - 1, file) == 0)
		return false;
	fclose(file);
	if (connection_check_document(text, connection, &error) &&
		store_connection_save(store, connection, &error))
		return true;
	fprintf(stderr, "%s: %s\n", path, error_message(&error));
	return false;
}

static void try(struct directory *directory, const char *login, const struct secret *password)
{
	_cleanup_person_ struct directory_person person = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	if (directory->driver->authenticate(directory, login, password, &person, &error))
		printf("%s is %s\n", login, person.name);
	else
		printf("%s: %s: %s\n", login, error_name(error.code), error_message(&error));
}

static int try_all(struct directory *directory, char *const logins[])
{
	_cleanup_secret_ struct secret password = SECRET_INIT;

	if (!directory || !read_line(stdin, &password))
		return 1;
	for (; *logins; logins++)
		try(directory, *logins, &password);
	directory_close(directory);
	return 0;
}

int main(int count, char **arguments)
{
	if (count < 4)
		return 2;
	char *folder = scratch_new();
	_cleanup_free_ char *path = xasprintf("%s/store.db", folder);
	_cleanup_connection_ struct connection connection = CONNECTION_INIT;
	struct connection_services services = {.store = store_open(path, NULL),
		.open_secret = open_secret,
		.secret_context = arguments[2]};
	int status = 1;
	if (services.store && save(services.store, arguments[1], &connection))
		status = try_all(directory_open(&services, connection.name, NULL), arguments + 3);
	store_close(services.store);
	scratch_free(folder);
	return status;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The private socket in the file system. */
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus/bus-private.h"
#include "common/alloc.h"

/* A socket that nobody listens at is left from a daemon that was killed. */
static bool remove_stale_socket(const char *path, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat status;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"the path of the private socket is longer than %zu bytes",
			sizeof(address.sun_path) - 1);
	if (lstat(path, &status) != 0)
		return true;
	if (!S_ISSOCK(status.st_mode))
		return error_set(error, ERROR_EXISTS, "%s is there and is no socket", path);
	strcpy(address.sun_path, path);
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive = descriptor >= 0 &&
		     connect(descriptor, (struct sockaddr *)&address, sizeof(address)) == 0;
	if (descriptor >= 0)
		close(descriptor);
	if (alive)
		return error_set(error, ERROR_EXISTS, "another program listens at %s", path);
	if (unlink(path) != 0)
		return error_set(error, ERROR_FAILED, "cannot remove the old %s: %m", path);
	return true;
}

DBusServer *private_socket_listen(const char *path, struct error *error)
{
	DBusError failure = DBUS_ERROR_INIT;
	if (!remove_stale_socket(path, error))
		return NULL;
	char *escaped = dbus_address_escape_value(path);
	_cleanup_free_ char *address = xasprintf("unix:path=%s", escaped ? escaped : "");

	dbus_free(escaped);
	DBusServer *server = dbus_server_listen(address, &failure);
	if (!server)
		error_set(error, ERROR_FAILED, "cannot listen at %s: %s", path, failure.message);
	dbus_error_free(&failure);
	return server;
}

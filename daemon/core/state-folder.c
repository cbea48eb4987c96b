/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/state-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"

#define PIN_BYTES_MAX 255

static void closep(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
}

static bool fail_errno(const char *what, const char *path, struct error *error)
{
	enum error_code code = errno == EROFS			    ? ERROR_STORE_READ_ONLY
			       : errno == ENOSPC || errno == EDQUOT ? ERROR_STORE_FULL
			       : errno == EACCES || errno == EPERM  ? ERROR_ACCESS_DENIED
								    : ERROR_STORE_FAILED;

	return error_set(error, code, "%s %s: %m", what, path);
}

static bool check_folder(const char *path, struct error *error)
{
	struct stat status;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fail_errno("cannot make the state folder", path, error);
	if (stat(path, &status) != 0)
		return fail_errno("cannot open the state folder", path, error);
	if (!S_ISDIR(status.st_mode))
		return error_set(error, ERROR_STORE_FAILED, "%s is no folder", path);
	if (status.st_uid != geteuid())
		return error_set(error, ERROR_ACCESS_DENIED,
			"the state folder %s belongs to user %lu, not to user %lu that tesserad "
			"runs as",
			path, (unsigned long)status.st_uid, (unsigned long)geteuid());
	if (status.st_mode & 077)
		return error_set(error, ERROR_ACCESS_DENIED,
			"others may enter the state folder %s: chmod 0700 %s", path, path);
	return true;
}

/* A few bytes that are kept tell a folder that is full from one that is not. */
static bool write_process_id(int descriptor, const char *path, struct error *error)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(descriptor, 0) != 0 || write(descriptor, text, (size_t)length) != length)
		return fail_errno("cannot write", path, error);
	return true;
}

bool state_folder_open(const char *path, int *lock, struct error *error)
{
	_cleanup_free_ char *name = xasprintf("%s/lock", path);

	if (!check_folder(path, error))
		return false;
	int descriptor _cleanup_(closep) =
		open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (descriptor < 0)
		return fail_errno("cannot write", name, error);
	if (flock(descriptor, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK
			       ? error_set(error, ERROR_BUSY,
					 "another tesserad uses the state folder %s", path)
			       : fail_errno("cannot lock", name, error);
	if (!write_process_id(descriptor, name, error))
		return false;
	*lock = descriptor;
	descriptor = -1;
	return true;
}

static bool check_pin_file(int descriptor, const char *path, struct error *error)
{
	struct stat status;

	if (fstat(descriptor, &status) != 0)
		return error_set(error, ERROR_FAILED, "cannot open the PIN file %s: %m", path);
	if (!S_ISREG(status.st_mode))
		return error_set(
			error, ERROR_INVALID_ARGUMENT, "the PIN file %s is no regular file", path);
	if (status.st_mode & 027)
		return error_set(error, ERROR_ACCESS_DENIED,
			"others may read or change the PIN file %s: chmod 0600 %s", path, path);
	return true;
}

static bool read_pin(int descriptor, const char *path, struct secret *pin, struct error *error)
{
	/* One byte more tells a file that is too long; secret_truncate() cuts the rest. */
	if (!secret_allocate(pin, PIN_BYTES_MAX + 1))
		return error_set(error, ERROR_FAILED, "no memory is left for a secret");
	ssize_t length = read(descriptor, pin->data, pin->length);
	if (length < 0)
		return error_set(error, ERROR_FAILED, "cannot read the PIN file %s: %m", path);
	if (length > PIN_BYTES_MAX)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"the PIN file %s is longer than %d bytes", path, PIN_BYTES_MAX);
	while (length > 0 && (pin->data[length - 1] == '\n' || pin->data[length - 1] == '\r'))
		length--;
	secret_truncate(pin, (size_t)length);
	return length > 0 ||
	       error_set(error, ERROR_INVALID_ARGUMENT, "the PIN file %s is empty", path);
}

bool pin_file_read(const char *path, struct secret *pin, struct error *error)
{
	int descriptor _cleanup_(closep) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (descriptor < 0 && errno == ENOENT)
		return error_set(error, ERROR_NOT_FOUND,
			"the file with the token's PIN is missing; make one: (umask 077; openssl "
			"rand -hex 16 > %s)",
			path);
	if (descriptor < 0)
		return error_set(
			error, ERROR_ACCESS_DENIED, "cannot open the PIN file %s: %m", path);
	return check_pin_file(descriptor, path, error) && read_pin(descriptor, path, pin, error);
}

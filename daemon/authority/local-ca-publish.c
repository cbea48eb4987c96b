/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "authority/local-ca-private.h"
#include "common/alloc.h"

DEFINE_CLEANUP(BIO *, BIO_free_all);

static bool write_all(int fd, const uint8_t *data, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, data, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		data += written;
		length -= (size_t)written;
	}
	return true;
}

/* Written beside it, synced and renamed: a reader sees the old file or the new one. */
static bool replace(const char *path, const uint8_t *data, size_t length, struct error *error)
{
	_cleanup_free_ char *next = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(next, O_CLOEXEC);
	bool done = false;

	if (fd >= 0) {
		done = write_all(fd, data, length) && fchmod(fd, 0644) == 0 && fsync(fd) == 0 &&
		       rename(next, path) == 0;
		int saved = errno;
		close(fd);
		if (!done)
			unlink(next);
		errno = saved;
	}
	return done || error_set(error, ERROR_AUTHORITY_FAILED, "cannot publish %s: %m", path);
}

static bool replace_pem(
	const char *path, const char *pem_type, const struct buffer *der, struct error *error)
{
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new(BIO_s_mem());
	char *text = NULL;

	if (!bio || PEM_write_bio(bio, pem_type, "", der->data, (long)der->length) <= 0)
		return error_set(error, ERROR_AUTHORITY_FAILED, "cannot publish %s", path);
	long length = BIO_get_mem_data(bio, &text);
	return replace(path, (const uint8_t *)text, (size_t)length, error);
}

bool local_ca_publish(const char *folder, const char *name, const char *suffix,
	const char *pem_type, const struct buffer *der, struct error *error)
{
	if (!folder)
		return true;
	_cleanup_free_ char *path = xasprintf("%s/%s.%s", folder, name, suffix);
	_cleanup_free_ char *pem_path = xasprintf("%s.pem", path);
	if (mkdir(folder, 0755) != 0 && errno != EEXIST)
		return error_set(error, ERROR_AUTHORITY_FAILED, "cannot make %s: %m", folder);
	return replace(path, der->data, der->length, error) &&
	       replace_pem(pem_path, pem_type, der, error);
}

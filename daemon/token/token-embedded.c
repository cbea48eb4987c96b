/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The embedded SoftHSM2: its folder, its configuration file and its first token. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "common/alloc.h"
#include "common/buffer.h"
#include "token/ckr.h"
#include "token/token-private.h"

#define CONFIGURATION	   "softhsm2.conf"
#define CONFIGURATION_NEXT CONFIGURATION ".new"
#define TOKENS		   TOKEN_OBJECTS_FOLDER

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Opens a folder below parent (or by path), making it if missing, for its owner only. */
static int folder_open(int parent, const char *path, struct error *error)
{
	struct stat status;

	if (mkdirat(parent, path, 0700) != 0 && errno != EEXIST) {
		error_set(error, ERROR_TOKEN_FAILED, "cannot make the token's folder %s: %m", path);
		return -1;
	}
	int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		error_set(error, ERROR_TOKEN_FAILED, "cannot open the token's folder %s: %m", path);
		return -1;
	}
	if (fstat(fd, &status) == 0 && ((status.st_mode & 07777) == 0700 || fchmod(fd, 0700) == 0))
		return fd;
	error_set(error, ERROR_TOKEN_FAILED, "cannot make the token's folder %s private: %m", path);
	close(fd);
	return -1;
}

/* SoftHSM2 reads line by line, '#' starts a comment. */
static bool path_can_be_configured(const char *path, struct error *error)
{
	if (!strpbrk(path, "#\n\r"))
		return true;
	return error_set(error, ERROR_TOKEN_FAILED,
		"the path of the token's folder must not contain '#' or line breaks");
}

static char *configuration_text(const char *folder)
{
	return xasprintf("directories.tokendir = %s/" TOKENS "\n"
			 "objectstore.backend = file\n"
			 "log.level = ERROR\n"
			 "slots.removable = false\n",
		folder);
}

static bool configuration_is(int folder, const char *text)
{
	char present[8192];
	int fd _cleanup_(close_fd) = openat(folder, CONFIGURATION, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t length = read(fd, present, sizeof(present));
	return length >= 0 && (size_t)length == strlen(text) &&
	       memcmp(present, text, (size_t)length) == 0;
}

static bool write_all(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t written = write(fd, text, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		text += written;
		length -= (size_t)written;
	}
	return true;
}

/* Written only when it differs, so that a folder that has become read-only can still be used. */
static bool configuration_write(int folder, const char *text, struct error *error)
{
	if (configuration_is(folder, text))
		return true;
	int fd _cleanup_(close_fd) = openat(folder, CONFIGURATION_NEXT,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && write_all(fd, text) && fsync(fd) == 0 &&
		renameat(folder, CONFIGURATION_NEXT, folder, CONFIGURATION) == 0)
		return true;
	error_set(error, ERROR_TOKEN_FAILED, "cannot write the token's " CONFIGURATION ": %m");
	unlinkat(folder, CONFIGURATION_NEXT, 0);
	return false;
}

bool token_embedded_prepare(const char *folder, struct error *error)
{
	int fd _cleanup_(close_fd) = folder_open(AT_FDCWD, folder, error);
	_cleanup_free_ char *resolved = NULL;

	if (fd < 0)
		return false;
	int tokens _cleanup_(close_fd) = folder_open(fd, TOKENS, error);
	if (tokens < 0)
		return false;
	resolved = realpath(folder, NULL);
	if (!resolved)
		return error_set(error, ERROR_TOKEN_FAILED, "the token's folder %s: %m", folder);
	if (!path_can_be_configured(resolved, error))
		return false;
	_cleanup_free_ char *text = configuration_text(resolved);
	if (!configuration_write(fd, text, error))
		return false;
	_cleanup_free_ char *path = xasprintf("%s/" CONFIGURATION, resolved);
	if (setenv("SOFTHSM2_CONF", path, 1) != 0)
		return error_set(error, ERROR_TOKEN_FAILED, "cannot set SOFTHSM2_CONF: %m");
	return true;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *position)
{
	(void)status, (void)kind, (void)position;
	return remove(path);
}

bool token_embedded_remove(const char *folder, struct error *error)
{
	_cleanup_free_ char *path = xasprintf("%s/" TOKENS, folder);

	if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
		return true;
	return error_set(error, ERROR_TOKEN_FAILED, "cannot remove the old token %s: %m", path);
}

/* SoftHSM2 always shows one slot whose token is not initialised. */
static bool free_slot(CK_FUNCTION_LIST *functions, CK_SLOT_ID *slot, struct error *error)
{
	CK_SLOT_ID slots[64];
	CK_ULONG count = ARRAY_SIZE(slots);
	CK_TOKEN_INFO info;
	CK_RV rv = functions->C_GetSlotList(CK_TRUE, slots, &count);

	if (rv != CKR_OK)
		return ckr_error(rv, "listing the slots", error);
	for (CK_ULONG i = 0; i < count; i++) {
		if (functions->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
			!(info.flags & CKF_TOKEN_INITIALIZED)) {
			*slot = slots[i];
			return true;
		}
	}
	return error_set(error, ERROR_TOKEN_FAILED, "the module has no free slot for a new token");
}

/* 32 random hex digits: SoftHSM2 takes any bytes, other modules want characters. */
static bool random_so_pin(struct secret *pin, struct error *error)
{
	static const char digits[] = "0123456789abcdef";

	if (!secret_allocate(pin, 32) || RAND_priv_bytes(pin->data, (int)pin->length) != 1)
		return error_set(error, ERROR_FAILED, "no random numbers for the token's SO PIN");
	for (size_t i = 0; i < pin->length; i++)
		pin->data[i] = (uint8_t)digits[pin->data[i] & 15];
	return true;
}

static bool initialize_user_pin(CK_FUNCTION_LIST *functions, CK_SLOT_ID slot,
	const struct secret *so_pin, const struct secret *pin, struct error *error)
{
	CK_SESSION_HANDLE session;
	CK_RV rv = functions->C_OpenSession(
		slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);

	if (rv != CKR_OK)
		return ckr_error(rv, "opening a session", error);
	rv = functions->C_Login(session, CKU_SO, so_pin->data, (CK_ULONG)so_pin->length);
	if (rv == CKR_OK) {
		rv = functions->C_InitPIN(session, pin->data, (CK_ULONG)pin->length);
		functions->C_Logout(session);
	}
	functions->C_CloseSession(session);
	return rv == CKR_OK || ckr_error(rv, "setting the new token's PIN", error);
}

/*
 * When this is cut off before the user PIN is set, that token is never found
 * again (token_find_slot) and the next call makes another one.
 */
bool token_embedded_initialize(const struct module *module, const char *label,
	const struct secret *pin, struct error *error)
{
	CK_FUNCTION_LIST *functions = module->functions;
	_cleanup_secret_ struct secret so_pin = SECRET_INIT;
	CK_SLOT_ID slot = 0;
	CK_UTF8CHAR padded[32];

	memset(padded, ' ', sizeof(padded));
	memcpy(padded, label, strnlen(label, sizeof(padded)));
	if (!free_slot(functions, &slot, error) || !random_so_pin(&so_pin, error))
		return false;
	CK_RV rv = functions->C_InitToken(slot, so_pin.data, (CK_ULONG)so_pin.length, padded);
	if (rv != CKR_OK)
		return ckr_error(rv, "initialising the token", error);
	return initialize_user_pin(functions, slot, &so_pin, pin, error);
}

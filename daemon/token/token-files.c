/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/token-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "token/token-private.h"

#define FILE_MAXIMUM (64 * 1024) /* bytes of one object */
#define NAME_LENGTH  255

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static void close_folder(DIR **folder)
{
	if (*folder)
		closedir(*folder);
}

void token_files_clear(struct token_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free(files->items[i].folder);
		free(files->items[i].name);
		buffer_clear(&files->items[i].content);
	}
	free(files->items);
	*files = (struct token_files)TOKEN_FILES_INIT;
}

static bool is_plain_name(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && strlen(name) <= NAME_LENGTH &&
	       !strchr(name, '/');
}

bool token_files_add(struct token_files *files, const char *folder, const char *name,
	struct buffer *content, struct error *error)
{
	if (!is_plain_name(folder) || !is_plain_name(name) || files->count == TOKEN_FILES_MAXIMUM)
		return error_set(
			error, ERROR_DATA_INVALID, "these are not the files of an embedded token");
	files->items = xreallocarray(files->items, files->count + 1, sizeof(*files->items));
	struct token_file *file = &files->items[files->count++];
	*file = (struct token_file){.folder = xstrdup(folder), .name = xstrdup(name)};
	buffer_move(&file->content, content);
	return true;
}

static bool fail_errno(const char *what, const char *path, struct error *error)
{
	enum error_code code = errno == ENOSPC || errno == EDQUOT ? ERROR_STORE_FULL
			       : errno == EROFS			  ? ERROR_STORE_READ_ONLY
								  : ERROR_TOKEN_FAILED;

	return error_set(error, code, "cannot %s %s: %m", what, path);
}

/* --- reading --- */

static bool read_file(int folder, const char *name, struct buffer *content, struct error *error)
{
	int fd _cleanup_(close_fd) = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0)
		return fail_errno("read the token's file", name, error);
	if (!S_ISREG(status.st_mode) || status.st_size > FILE_MAXIMUM)
		return error_set(error, ERROR_TOKEN_FAILED,
			"the token's file %s is none, or has more than %d bytes", name,
			FILE_MAXIMUM);
	size_t left = (size_t)status.st_size;
	for (uint8_t *room = buffer_extend(content, left); room && left > 0;) {
		ssize_t length = read(fd, room, left);
		if (length <= 0)
			return fail_errno("read the token's file", name, error);
		room += length;
		left -= (size_t)length;
	}
	return left == 0 || error_set(error, ERROR_FAILED, "out of memory");
}

/* A folder below parent as a stream; NULL with error. */
static DIR *open_folder(int parent, const char *name, struct error *error)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

	if (folder)
		return folder;
	fail_errno("read the token's folder", name, error);
	close_fd(&fd);
	return NULL;
}

static bool read_token(int parent, const char *name, struct token_files *files, struct error *error)
{
	DIR *folder _cleanup_(close_folder) = open_folder(parent, name, error);

	if (!folder)
		return false;
	for (struct dirent *entry; (entry = readdir(folder));) {
		struct buffer content _cleanup_buffer_ = BUFFER_INIT;
		if (entry->d_name[0] == '.')
			continue;
		if (!read_file(dirfd(folder), entry->d_name, &content, error) ||
			!token_files_add(files, name, entry->d_name, &content, error))
			return false;
	}
	return true;
}

static bool read_tokens(const char *path, struct token_files *files, struct error *error)
{
	DIR *folder _cleanup_(close_folder) = open_folder(AT_FDCWD, path, error);

	if (!folder)
		return false;
	for (struct dirent *entry; (entry = readdir(folder));) {
		if (entry->d_name[0] != '.' &&
			!read_token(dirfd(folder), entry->d_name, files, error))
			return false;
	}
	return true;
}

/* While its only session is lent, the module changes no file. */
bool token_files_read(struct token *token, struct token_files *files, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct token_files read _cleanup_token_files_ = TOKEN_FILES_INIT;

	if (!token->embedded_folder)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"the master key is in an HSM, which gives no key away: back the HSM up by "
			"its maker's means");
	_cleanup_free_ char *path = xasprintf("%s/" TOKEN_OBJECTS_FOLDER, token->embedded_folder);
	if (!session_take(token->sessions, &session, error) || !read_tokens(path, &read, error))
		return false;
	token_files_clear(files);
	*files = read;
	read = (struct token_files)TOKEN_FILES_INIT;
	return true;
}

/* --- writing --- */

static bool write_file(const char *folder, const struct token_file *file, struct error *error)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", folder, file->name);
	int fd _cleanup_(close_fd) =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	const uint8_t *data = file->content.data;
	size_t left = file->content.length;

	while (fd >= 0 && left > 0) {
		ssize_t length = write(fd, data, left);
		if (length <= 0)
			return fail_errno("write", path, error);
		data += length;
		left -= (size_t)length;
	}
	return (fd >= 0 && fsync(fd) == 0) || fail_errno("write", path, error);
}

static bool make_folder(const char *path, struct error *error)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST || fail_errno("make", path, error);
}

static bool sync_folder(const char *path, struct error *error)
{
	int fd _cleanup_(close_fd) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return (fd >= 0 && fsync(fd) == 0) || fail_errno("write", path, error);
}

bool token_files_write(
	const char *embedded_folder, const struct token_files *files, struct error *error)
{
	_cleanup_free_ char *objects = xasprintf("%s/" TOKEN_OBJECTS_FOLDER, embedded_folder);

	if (!token_files_remove(embedded_folder, error) || !make_folder(embedded_folder, error) ||
		!make_folder(objects, error))
		return false;
	for (size_t i = 0; i < files->count; i++) {
		_cleanup_free_ char *folder = xasprintf("%s/%s", objects, files->items[i].folder);
		if (!make_folder(folder, error) || !write_file(folder, &files->items[i], error) ||
			!sync_folder(folder, error))
			return false;
	}
	return sync_folder(objects, error) && sync_folder(embedded_folder, error);
}

bool token_files_move(const char *from, const char *to, struct error *error)
{
	_cleanup_free_ char *source = xasprintf("%s/" TOKEN_OBJECTS_FOLDER, from);
	_cleanup_free_ char *target = xasprintf("%s/" TOKEN_OBJECTS_FOLDER, to);

	if (!make_folder(to, error))
		return false;
	/* It takes the place of an empty folder only. */
	if (rename(source, target) != 0)
		return errno == ENOTEMPTY || errno == EEXIST
			       ? error_set(error, ERROR_EXISTS, "there is a token in %s", to)
			       : fail_errno("make", target, error);
	return sync_folder(to, error) && token_files_remove(from, error);
}

bool token_files_exist(const char *embedded_folder)
{
	_cleanup_free_ char *path = xasprintf("%s/" TOKEN_OBJECTS_FOLDER, embedded_folder);
	DIR *folder _cleanup_(close_folder) = opendir(path);
	struct dirent *entry = NULL;

	while (folder && (entry = readdir(folder)) && entry->d_name[0] == '.')
		;
	return entry != NULL;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *position)
{
	(void)status, (void)kind, (void)position;
	return remove(path);
}

bool token_files_remove(const char *embedded_folder, struct error *error)
{
	return nftw(embedded_folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0 ||
	       errno == ENOENT || fail_errno("remove", embedded_folder, error);
}

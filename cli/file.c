/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"

#define FILE_MAXIMUM (1024 * 1024)

static void closep(FILE **file)
{
	if (*file && *file != stdin)
		fclose(*file);
}

static bool read_error(const char *path, const char *reason, struct error *error)
{
	return error_set(error, ERROR_INVALID_ARGUMENT, "cannot read %s: %s", path, reason);
}

static bool read_all(FILE *file, const char *path, struct buffer *content, struct error *error)
{
	char block[4096];
	size_t length;

	while ((length = fread(block, 1, sizeof(block), file)) > 0) {
		buffer_append(content, block, length);
		if (content->length > FILE_MAXIMUM)
			return read_error(path, "it is longer than a mebibyte", error);
	}
	if (ferror(file))
		return read_error(path, strerror(errno), error);
	if (content->length && memchr(content->data, 0, content->length))
		return read_error(path, "it is no text", error);
	return true;
}

char *file_read(const char *path, struct error *error)
{
	_cleanup_buffer_ struct buffer content = BUFFER_INIT;

	_cleanup_(closep) FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (!file) {
		read_error(path, strerror(errno), error);
		return NULL;
	}
	if (!read_all(file, path, &content, error))
		return NULL;
	buffer_append_u8(&content, '\0');
	if (content.failed)
		abort();
	return (char *)steal_pointer(&content.data);
}

static bool write_all(FILE *file, const struct buffer *content)
{
	bool written = fwrite(content->data, 1, content->length, file) == content->length &&
		       fflush(file) == 0 &&
		       (fsync(fileno(file)) == 0 || errno == EINVAL || errno == EROFS);

	return fclose(file) == 0 && written;
}

static bool is_special(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static bool write_error(const char *path, struct error *error)
{
	return error_set(error, ERROR_FAILED, "cannot write %s: %s", path, strerror(errno));
}

bool file_write(const char *path, const struct buffer *content, struct error *error)
{
	bool special = is_special(path);
	_cleanup_free_ char *beside =
		special ? xstrdup(path) : xasprintf("%s.%ld", path, (long)getpid());

	FILE *file = fopen(beside, special ? "we" : "wxe");
	if (!file)
		return write_error(path, error);
	if (write_all(file, content) && (special || rename(beside, path) == 0))
		return true;
	write_error(path, error);
	if (!special)
		unlink(beside);
	return false;
}

bool file_output_open(struct file_output *output, const char *path, struct error *error)
{
	*output = (struct file_output){.file = stdout};
	if (!path || strcmp(path, "-") == 0)
		return true;
	bool special = is_special(path);
	output->path = xstrdup(path);
	output->beside = special ? NULL : xasprintf("%s.%ld", path, (long)getpid());
	output->file = fopen(special ? path : output->beside, special ? "we" : "wxe");
	return output->file || write_error(path, error);
}

bool file_output_close(struct file_output *output, struct error *error)
{
	FILE *file = steal_pointer(&output->file);
	bool written = fflush(file) == 0 && !ferror(file);

	if (file != stdout)
		written = fclose(file) == 0 && written;
	if (written && output->beside)
		written = rename(output->beside, output->path) == 0;
	if (!written)
		return write_error(output->path ? output->path : "standard output", error);
	free(steal_pointer(&output->beside));
	return true;
}

void file_output_clear(struct file_output *output)
{
	if (output->file && output->file != stdout)
		fclose(output->file);
	if (output->beside)
		unlink(output->beside);
	free(output->beside);
	free(output->path);
	*output = (struct file_output){0};
}

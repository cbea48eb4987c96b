/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/data-file.h"

#include <stdio.h>

#include "common/alloc.h"

#define DOCUMENT_BYTES_MAX (256 * 1024)

char *data_file_read(const char *path, struct error *error)
{
	FILE *file = fopen(path, "re");

	if (!file) {
		error_set(error, ERROR_FAILED, "cannot open %s: %m", path);
		return NULL;
	}
	char *text = xcalloc(1, DOCUMENT_BYTES_MAX + 1);
	size_t length = fread(text, 1, DOCUMENT_BYTES_MAX, file);
	bool whole = !ferror(file) && length < DOCUMENT_BYTES_MAX;
	fclose(file);
	if (!whole) {
		error_set(error, ERROR_FAILED, "cannot read %s, or it is too long", path);
		free(text);
		return NULL;
	}
	return text;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/text-file.h"

#include <stdio.h>

#include "common/alloc.h"

char *text_file_read(const char *path, size_t maximum, struct error *error)
{
	FILE *file = fopen(path, "re");

	if (!file) {
		error_set(error, ERROR_FAILED, "cannot open %s: %m", path);
		return NULL;
	}
	char *text = xcalloc(1, maximum + 1);
	size_t length = fread(text, 1, maximum, file);
	bool whole = !ferror(file) && length < maximum;
	fclose(file);
	if (!whole) {
		error_set(error, ERROR_FAILED, "cannot read %s, or it is too long", path);
		free(text);
		return NULL;
	}
	return text;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/types-fixture.h"

#include <glob.h>
#include <stdio.h>

#include "common/alloc.h"

#define DOCUMENT_SIZE 65536

static struct card_types *types;

__attribute__((destructor)) static void free_types(void)
{
	card_types_free(types);
}

/* Without what operation/ needs, so that the fuzzers can have it. */
static void add_file(const char *path)
{
	_cleanup_free_ char *document = xcalloc(1, DOCUMENT_SIZE);
	FILE *file = fopen(path, "re");

	if (!file || fread(document, 1, DOCUMENT_SIZE - 1, file) == 0)
		abort();
	fclose(file);
	_cleanup_card_type_ struct card_type *type = card_type_parse(document, NULL);
	if (!type)
		abort();
	type->is_shipped = true;
	if (!card_types_add(types, type, NULL))
		abort();
}

struct card_types *types_fixture(void)
{
	glob_t files;

	if (types)
		return types;
	types = card_types_new();
	if (glob(SOURCE_FOLDER "/data/types/*.json", 0, NULL, &files) != 0)
		abort();
	for (size_t i = 0; i < files.gl_pathc; i++)
		add_file(files.gl_pathv[i]);
	globfree(&files);
	return types;
}

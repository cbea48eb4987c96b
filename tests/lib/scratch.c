/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/alloc.h"

char *scratch_new(void)
{
	const char *parent = getenv("TMPDIR");
	char *folder = xasprintf("%s/tessera-test-XXXXXX", parent ? parent : "/tmp");

	if (!mkdtemp(folder))
		abort();
	return folder;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *position)
{
	(void)status;
	(void)kind;
	(void)position;
	return remove(path);
}

void scratch_free(char *folder)
{
	if (folder)
		nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(folder);
}

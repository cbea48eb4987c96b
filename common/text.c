/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/text.h"

#include <string.h>

#include "common/alloc.h"

char *text_shown(const char *text, size_t maximum)
{
	char *copy = xasprintf("%.*s%s", (int)maximum, text, strlen(text) > maximum ? "..." : "");

	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	}
	return copy;
}

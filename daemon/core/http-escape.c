/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "core/http.h"

char *http_escape(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	char *escaped = xcalloc(strlen(text) * 3 + 1, 1);
	char *to = escaped;

	for (; *text; text++) {
		if (strchr(plain, *text))
			*to++ = *text;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*text);
	}
	return escaped;
}

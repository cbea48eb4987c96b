/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void *checked(void *pointer)
{
	if (!pointer) {
		fputs("<2>out of memory\n", stderr);
		abort();
	}
	return pointer;
}

void *xcalloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *xreallocarray(void *pointer, size_t count, size_t size)
{
	return checked(reallocarray(pointer, count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *string)
{
	return string ? checked(strdup(string)) : NULL;
}

void *xmemdup(const void *data, size_t length)
{
	if (length == 0)
		return NULL;
	return memcpy(xcalloc(1, length), data, length);
}

char *xvasprintf(const char *format, va_list arguments)
{
	char *string = NULL;

	return checked(vasprintf(&string, format, arguments) < 0 ? NULL : string);
}

char *xasprintf(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	char *string = xvasprintf(format, arguments);
	va_end(arguments);
	return string;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Allocation that aborts when memory is out: for the daemon and the command.
 * The PKCS#11 module lives in other people's programs and never uses these.
 */
#ifndef TESSERA_COMMON_ALLOC_H
#define TESSERA_COMMON_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

#include "common/macros.h"

/* Zeroed memory for count elements of size bytes. */
void *xcalloc(size_t count, size_t size);
/* Grows or shrinks an array; the new part is not zeroed. */
void *xreallocarray(void *pointer, size_t count, size_t size);
/* Copies a string; NULL gives NULL. */
char *xstrdup(const char *string);
/* A copy of length bytes; NULL for length 0. */
void *xmemdup(const void *data, size_t length);
char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2);
char *xvasprintf(const char *format, va_list arguments) PRINTF_LIKE(1, 0);

#define xnew(type) ((type *)xcalloc(1, sizeof(type)))

#endif

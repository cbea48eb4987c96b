/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files as a whole. */
#ifndef TESSERA_CLI_FILE_H
#define TESSERA_CLI_FILE_H

#include "common/buffer.h"
#include "common/error.h"

/* A text file of at most a mebibyte, "-" for standard input; heap. ERROR_INVALID_ARGUMENT. */
char *file_read(const char *path, struct error *error);

/*
 * Writes a file whole or not at all: beside it first, then renamed. What is no
 * regular file ("/dev/stdout") is written to as it is. ERROR_FAILED.
 */
bool file_write(const char *path, const struct buffer *content, struct error *error);

#endif

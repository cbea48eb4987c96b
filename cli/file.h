/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files as a whole. */
#ifndef TESSERA_CLI_FILE_H
#define TESSERA_CLI_FILE_H

#include <stdio.h>

#include "common/buffer.h"
#include "common/error.h"

/* A text file of at most a mebibyte, "-" for standard input; heap. ERROR_INVALID_ARGUMENT. */
char *file_read(const char *path, struct error *error);

/*
 * Writes a file whole or not at all: beside it first, then renamed. What is no
 * regular file ("/dev/stdout") is written to as it is. ERROR_FAILED.
 */
bool file_write(const char *path, const struct buffer *content, struct error *error);

/*
 * A file that is written piece by piece and is there as a whole at its end or not
 * at all. path NULL or "-": standard output.
 */
struct file_output {
	FILE *file;
	char *path;   /* NULL for standard output */
	char *beside; /* where it is until then; NULL for what is no regular file */
};
bool file_output_open(struct file_output *output, const char *path, struct error *error);
/* Ends it. ERROR_FAILED: what was written before may have failed, too. */
bool file_output_close(struct file_output *output, struct error *error);
/* Gives up what was not closed. */
void file_output_clear(struct file_output *output);

#endif

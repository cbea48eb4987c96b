/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of an embedded token, for backups: SoftHSM2 keeps a token as a
 * folder with a file for each object, encrypted under the token's PIN.
 */
#ifndef TESSERA_TOKEN_TOKEN_FILES_H
#define TESSERA_TOKEN_TOKEN_FILES_H

#include "token/token.h"

#define TOKEN_FILES_MAXIMUM 1000

struct token_file {
	char *folder; /* a name without '/' */
	char *name;   /* of the file in it, without '/' */
	struct buffer content;
};
struct token_files {
	struct token_file *items;
	size_t count;
};
#define TOKEN_FILES_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_token_files_ _cleanup_(token_files_clear)
void token_files_clear(struct token_files *files);
/* Moves content. ERROR_DATA_INVALID for a name that leads elsewhere, and for too many. */
bool token_files_add(struct token_files *files, const char *folder, const char *name,
	struct buffer *content, struct error *error);

/*
 * Reads all files of the embedded token while nothing is done in it. ERROR_NOT_SUPPORTED when it is
 * no embedded one.
 */
bool token_files_read(struct token *token, struct token_files *files, struct error *error);

/*
 * A folder as token_options.embedded_folder wants it, with these files, all of it on disk when this
 * returns. What lies there is removed before. ERROR_STORE_FULL, ERROR_STORE_READ_ONLY,
 * ERROR_TOKEN_FAILED.
 */
bool token_files_write(
	const char *embedded_folder, const struct token_files *files, struct error *error);
/*
 * The token of one embedded folder becomes that of another one, which must have none
 * (ERROR_EXISTS): in one step, either all or nothing of it. Neither is open.
 */
bool token_files_move(const char *from, const char *to, struct error *error);
/* Whether there is a token in an embedded folder. */
bool token_files_exist(const char *embedded_folder);
/* Removes an embedded folder that is not open; what is not there is no error. */
bool token_files_remove(const char *embedded_folder, struct error *error);

#endif

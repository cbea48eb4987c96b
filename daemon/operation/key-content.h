/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a backup of the master key hides (docs/security.md): the embedded token's
 * PIN and files. Numbers are big-endian:
 *
 *   [format 1]8 [length]16 PIN [count]32, and for each file
 *   [length]16 folder [length]16 name [length]32 content
 */
#ifndef TESSERA_OPERATION_KEY_CONTENT_H
#define TESSERA_OPERATION_KEY_CONTENT_H

#include "common/secret.h"
#include "token/token-files.h"

/* content should wipe itself. ERROR_FAILED. */
bool key_content_build(const struct secret *pin, const struct token_files *files,
	struct buffer *content, struct error *error);
/* ERROR_DATA_INVALID */
bool key_content_parse(const struct buffer *content, struct secret *pin, struct token_files *files,
	struct error *error);

#endif

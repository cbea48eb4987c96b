/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small text files as a whole. */
#ifndef TESSERA_CORE_TEXT_FILE_H
#define TESSERA_CORE_TEXT_FILE_H

#include <stddef.h>

#include "common/error.h"

/* What a shipped document, a template or a type, may have at most. */
#define TEXT_FILE_DOCUMENT_MAX (256 * 1024) /* bytes */

/* The file's text, heap; NULL with ERROR_FAILED, also when it has `maximum` bytes or more. */
char *text_file_read(const char *path, size_t maximum, struct error *error);

#endif

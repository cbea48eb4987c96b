/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that are installed with the program. */
#ifndef TESSERA_OPERATION_DATA_FILE_H
#define TESSERA_OPERATION_DATA_FILE_H

#include "common/error.h"

/* The file's text, heap; NULL with error when it cannot be read or is longer than any document. */
char *data_file_read(const char *path, struct error *error);

#endif

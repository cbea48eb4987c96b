/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The folder that holds all the daemon must not lose, and the file with its token's PIN. */
#ifndef TESSERA_CORE_STATE_FOLDER_H
#define TESSERA_CORE_STATE_FOLDER_H

#include "common/error.h"
#include "common/secret.h"

/*
 * Makes the folder (mode 0700) if it is not there, checks that it is ours alone and can be
 * written, and locks it against a second daemon. *lock is a descriptor that holds the lock until
 * it is closed. ERROR_ACCESS_DENIED, ERROR_BUSY, ERROR_STORE_READ_ONLY, ERROR_STORE_FULL,
 * ERROR_STORE_FAILED.
 */
bool state_folder_open(const char *path, int *lock, struct error *error);

/*
 * Reads a PIN: the file without the line's end, at most 255 bytes; a regular file that others can
 * neither read nor write. ERROR_NOT_FOUND, ERROR_ACCESS_DENIED, ERROR_INVALID_ARGUMENT,
 * ERROR_FAILED.
 */
bool pin_file_read(const char *path, struct secret *pin, struct error *error);

#endif

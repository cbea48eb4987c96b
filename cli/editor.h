/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts in the editor that the person has chosen. */
#ifndef TESSERA_CLI_EDITOR_H
#define TESSERA_CLI_EDITOR_H

#include <jansson.h>

#include "common/error.h"

/*
 * A file of its own for the draft, mode 0600; its path, heap. The name is part of it. NULL with
 * ERROR_FAILED.
 */
char *editor_write_draft(const char *name, const char *text, struct error *error);
/* Runs $VISUAL, $EDITOR or vi and waits for its end. ERROR_CANCELLED when it fails. */
bool editor_run(const char *path, struct error *error);
/* Edits a JSON value: the new one, or NULL with the error; *draft (heap) stays where it is then. */
json_t *editor_edit_json(const char *name, const json_t *before, char **draft, struct error *error);
/* Removes a draft that has been dealt with, or says where it is kept. */
void editor_end(const char *draft, bool done, const char *what_next);

#endif

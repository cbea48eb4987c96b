/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of names, as people give and read them: "auditor,normal" and "auditor normal". */
#ifndef TESSERA_CLI_NAMES_H
#define TESSERA_CLI_NAMES_H

#include <jansson.h>

/* "auditor,normal" as an array of strings; an empty one for NULL. */
json_t *names_split(const char *text);
/* An array of strings as one text with `between` between them: "auditor normal"; heap. */
char *names_join(const json_t *names, const char *between);

#endif

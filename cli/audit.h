/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Audit records as tesserad answers them. */
#ifndef TESSERA_CLI_AUDIT_H
#define TESSERA_CLI_AUDIT_H

#include <jansson.h>

#include "cli/client.h"

#define AUDIT_PAGE 1000 /* the most that ListAudit answers */

/*
 * Calls ListAudit: appends at most limit (1 to AUDIT_PAGE) records behind *after to an array;
 * *after becomes what it answers as next, 0 at the end. filter: an object of strings, or NULL.
 */
bool audit_page(struct client *client, const json_t *filter, int64_t limit, int64_t *after,
	json_t *records, struct error *error);

/* The members of a tuple under their keys; "" becomes null. */
json_t *audit_object(const json_t *members, const char *const *keys, size_t count);

#endif

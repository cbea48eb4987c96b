/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tesserad's objects as records: JSON objects whose keys are the D-Bus property
 * names in lower case with underscores ("card_type"). Numbers stand for paths:
 * "number" is the object's own (readers, jobs) and "credential" and "reader" are
 * numbers or null.
 */
#ifndef TESSERA_CLI_OBJECT_H
#define TESSERA_CLI_OBJECT_H

#include <stdint.h>

#include <jansson.h>

#include "cli/client.h"
#include "common/error.h"

/* The number at the end of an object's path; 0 for none ("/"). */
int64_t object_number(const char *path);
/* The path of a numbered object ("reader", "credential", "job"); heap. */
char *object_path(const char *kind, int64_t number);
/* The path of a named object ("template", "connection"): all but letters and digits is _HH. */
char *object_path_of_name(const char *kind, const char *name);

/* One object. ERROR_NOT_FOUND when there is none at this path. */
json_t *object_get(
	struct client *client, const char *path, const char *interface, struct error *error);

/* The same in two steps (client_begin()). */
struct client_pending *object_begin(
	struct client *client, const char *path, const char *interface, struct error *error);
json_t *object_finish(struct client_pending *pending, const char *path, struct error *error);

/* Those at the paths, a JSON array of strings, in their order; many are asked for at a time. */
json_t *object_get_all(
	struct client *client, const json_t *paths, const char *interface, struct error *error);

/*
 * All objects with this interface in the object tree (readers, templates,
 * connections, jobs and the credentials whose cards are in readers), in the
 * order of their numbers, or of their names where they have none.
 */
json_t *object_list(struct client *client, const char *interface, struct error *error);

/* The same from the answer of GetManagedObjects, for who wants several kinds at one moment. */
json_t *object_fetch_all(struct client *client, struct error *error);
struct client_pending *object_begin_all(struct client *client, struct error *error);
json_t *object_finish_all(struct client_pending *pending, struct error *error);
json_t *object_select(const json_t *all, const char *interface);

#endif

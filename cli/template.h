/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the subcommands about templates share. */
#ifndef TESSERA_CLI_TEMPLATE_H
#define TESSERA_CLI_TEMPLATE_H

#include <jansson.h>

#include "cli/arguments.h"
#include "cli/client.h"
#include "common/error.h"

/* Says the name in place of a path that means nothing to a person. Returns false. */
bool template_missing(const char *name, struct error *error);
/* The newest version's document; NULL with error. */
json_t *template_document(struct client *client, const char *name, struct error *error);

/*
 * Calls each() for every card that has a version of the template: its path and serial. Stops when
 * that returns false.
 */
bool template_each_card(struct client *client, const char *name, int64_t version,
	bool (*each)(void *context, const char *path, const char *serial, struct error *error),
	void *context, struct error *error);
/* The answer of the template's Plan: versions that cards have, and their way to the newest one or
 * to `document` ("" for the newest). NULL with error. */
json_t *template_plan_of(
	struct client *client, const char *name, const char *document, struct error *error);

/*
 * Whether cards of the template get their first PIN at issue. *sets stays as it is for a template
 * that is not there or that the caller may not see: issuing will say what is wrong.
 */
bool template_sets_first_pin(
	struct client *client, const char *name, bool *sets, struct error *error);

/* The same: whether cards of the template are issued to people of a directory (--person). */
bool template_is_of_directory(
	struct client *client, const char *name, bool *is_of_directory, struct error *error);

#endif

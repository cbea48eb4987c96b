/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What templates and connections have in common: JSON documents with a name. */
#ifndef TESSERA_CLI_DOCUMENT_H
#define TESSERA_CLI_DOCUMENT_H

#include "cli/arguments.h"
#include "cli/table.h"
#include "common/error.h"

/* One kind of document. */
struct document_kind {
	const char *kind;      /* in object paths: "template" */
	const char *interface; /* "org.tessera1.Template" */
	const char *add;       /* the Manager's method: "AddTemplate" */
	const struct column *columns;
	size_t column_count;
	const char *nothing_text;
};

bool document_list(
	const struct document_kind *kind, struct invocation *invocation, struct error *error);
/* The document itself, as JSON: what add and update take. */
bool document_show(
	const struct document_kind *kind, struct invocation *invocation, struct error *error);
bool document_add(
	const struct document_kind *kind, struct invocation *invocation, struct error *error);
/* Replaces the document whose name the file's "name" member is. */
bool document_update(
	const struct document_kind *kind, struct invocation *invocation, struct error *error);
bool document_remove(
	const struct document_kind *kind, struct invocation *invocation, struct error *error);

/* Calls a method without arguments of the object that the first argument names; NULL with error. */
json_t *document_call(const struct document_kind *kind, struct invocation *invocation,
	const char *method, struct error *error);

#endif

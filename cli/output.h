/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a subcommand prints on standard output: JSON or text for people, and files. */
#ifndef TESSERA_CLI_OUTPUT_H
#define TESSERA_CLI_OUTPUT_H

#include <jansson.h>

#include "cli/arguments.h"
#include "cli/table.h"
#include "common/buffer.h"
#include "common/error.h"

/* A JSON value on lines of its own. */
void output_json(const json_t *value);

/* Records as JSON or as a table; nothing_text is said instead of an empty table. */
void output_records(const struct invocation *invocation, const json_t *records,
	const struct column *columns, size_t count, const char *nothing_text);

/* One record as JSON or line by line. */
void output_record(const struct invocation *invocation, const json_t *record,
	const struct column *columns, size_t count);

/* A line for people, which --json leaves out. */
void output_text(const struct invocation *invocation, const char *format, ...) PRINTF_LIKE(2, 3);

/* Writes to the file of --output, whole or not at all, or to standard output. */
bool output_content(
	const struct invocation *invocation, const struct buffer *content, struct error *error);

/*
 * A certificate or revocation list (hex of its DER) as --pem or --der say, to
 * the file of --output or standard output; with --json an object with "pem".
 * label: "CERTIFICATE". A file is written whole or not at all.
 */
bool output_der(const struct invocation *invocation, const char *label, const char *hex,
	struct error *error);

#endif

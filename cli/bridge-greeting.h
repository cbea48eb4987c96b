/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's side of what D-Bus peers say before the first message (D-Bus Specification,
 * "Authentication Protocol"), for a stream whose other end somebody else has let in already:
 * EXTERNAL is taken with any name, descriptors are refused.
 */
#ifndef TESSERA_CLI_BRIDGE_GREETING_H
#define TESSERA_CLI_BRIDGE_GREETING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buffer.h"

/* Of a client that says more than this before it begins nothing good is to be expected. */
#define GREETING_BYTES_MAX 4096

struct greeting {
	const char *guid; /* of the server that the client gets to */
	/* Whether to answer the question for descriptors with "OK", before it is asked: it is known
	 * to be asked then, and a round trip is saved. */
	bool is_ahead;
	bool has_nul, awaits_data, is_accepted, has_begun;
};

/*
 * Takes what has come so far and appends the answers to *answers. *taken says how many bytes were
 * used: what is left is the beginning of a line, or after has_begun the first message. False when
 * the client has to be sent away.
 */
bool greeting_take(struct greeting *greeting, const char *bytes, size_t length, size_t *taken,
	struct buffer *answers);

#endif

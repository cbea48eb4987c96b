/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ciphers in parts. The token is asked for whole data; the chaining between parts (the IV of CBC,
 * the counter of CTR) is done here.
 */
#ifndef TESSERA_PKCS11_STREAM_H
#define TESSERA_PKCS11_STREAM_H

#include "pkcs11/operation.h"

#define STREAM_PART_MAXIMUM 32768 /* bytes that one call to the daemon works on */

/* Whether the operation gives output before its end. */
bool stream_is(const struct operation *operation);
/* Bytes of output once `more` bytes of input have come, which are as many bytes of the input. */
size_t stream_size(const struct operation *operation, size_t more);
/*
 * Takes bytes off *data (all of them, or as many as one call to the daemon may have). The request
 * is what can be worked on now: empty when that is nothing.
 */
CK_RV stream_part(struct operation *operation, struct view *data, struct request *request);
/* The request was answered: the next part goes on from here. */
CK_RV stream_advance(
	struct operation *operation, const struct request *request, const struct buffer *answer);

#endif

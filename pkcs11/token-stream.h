/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations whose input is longer than one call to the daemon has room for, and which a token
 * works on as a whole: GCM, MACs and EdDSA. They begin as all others do. When their input becomes
 * too long they move to the token (Provider.BeginUse), which gets each part from then on.
 */
#ifndef TESSERA_PKCS11_TOKEN_STREAM_H
#define TESSERA_PKCS11_TOKEN_STREAM_H

#include "pkcs11/operation.h"

/*
 * Passes on what has been collected and data; what comes of it is appended to result. The lock is
 * given up: *operation is found again, or NULL when it has gone. operation_is_long() was asked.
 */
CK_RV token_stream_feed(CK_SESSION_HANDLE handle, struct operation **operation, struct view data,
	struct buffer *result);
/* Ends it, as above. signature: to be verified, and then result is NULL; or NULL. */
CK_RV token_stream_end(CK_SESSION_HANDLE handle, struct operation **operation,
	const struct buffer *signature, struct buffer *result);
/* Gives up what the token has of it, if it has. */
void token_stream_cancel(struct operation *operation);

/* Bytes that may come of the next `more` bytes of input. */
size_t token_stream_size(const struct operation *operation, size_t more);
/*
 * Leaves in result what an Update function gives to a program that has room for so much; the rest
 * waits for the next one.
 */
CK_RV token_stream_give(struct operation *operation, struct buffer *result, size_t room);
/* Whether all of the output that was left is as long as it has to be. */
CK_RV token_stream_check(const struct operation *operation, const struct buffer *result);

#endif

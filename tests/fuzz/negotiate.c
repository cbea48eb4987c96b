/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a service may say in the header WWW-Authenticate. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/alloc.h"
#include "core/negotiate.h"
#include "fuzz/fuzz.h"

/* A token that was read is read again from what it is written as. */
static void check_token(const struct buffer *token)
{
	_cleanup_free_ char *encoded = xcalloc(1, (token->length + 2) / 3 * 4 + 1);
	_cleanup_buffer_ struct buffer again = BUFFER_INIT;

	EVP_EncodeBlock((unsigned char *)encoded, token->data, (int)token->length);
	_cleanup_free_ char *value = xasprintf("Other, Negotiate %s", encoded);
	if (negotiate_read_challenge(value, &again) != CHALLENGE_TOKEN ||
		again.length != token->length ||
		memcmp(again.data, token->data, token->length) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	_cleanup_free_ char *value = xasprintf("%.*s", (int)length, (const char *)data);
	_cleanup_buffer_ struct buffer token = BUFFER_INIT;
	enum negotiate_challenge challenge = negotiate_read_challenge(value, &token);

	if ((challenge == CHALLENGE_TOKEN) != (token.length > 0))
		abort();
	if (challenge == CHALLENGE_TOKEN)
		check_token(&token);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which token is meant: a pkcs11: URI (RFC 7512), read by p11-kit. */
#ifndef TESSERA_TOKEN_TOKEN_URI_H
#define TESSERA_TOKEN_TOKEN_URI_H

#include <p11-kit/pkcs11.h>

#include "common/error.h"
#include "common/macros.h"

struct token_uri;

/*
 * Needs "token" and the query attribute "module-path"; "manufacturer", "model" and "serial" narrow
 * it, "pin-source" names the file with the PIN ("file:/path" or "/path"). "pin-value", and what
 * says something of objects, is refused. NULL with ERROR_INVALID_ARGUMENT.
 */
struct token_uri *token_uri_parse(const char *text, struct error *error);
void token_uri_free(struct token_uri *uri);
DEFINE_CLEANUP(struct token_uri *, token_uri_free);
#define _cleanup_token_uri_ _cleanup_(token_uri_freep)

const char *token_uri_module(const struct token_uri *uri);
const char *token_uri_label(const struct token_uri *uri);
/* Path of the file with the PIN, or NULL. */
const char *token_uri_pin_file(const struct token_uri *uri);
bool token_uri_matches(const struct token_uri *uri, CK_TOKEN_INFO *info);

#endif

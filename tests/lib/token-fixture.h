/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A SoftHSM2 token in a scratch folder, for unit tests. */
#ifndef TESSERA_TESTS_LIB_TOKEN_FIXTURE_H
#define TESSERA_TESTS_LIB_TOKEN_FIXTURE_H

#include <stdbool.h>

#include <p11-kit/pkcs11.h>

#include "token/token.h"

struct token_fixture {
	char *folder;	    /* scratch folder */
	char *token_folder; /* FOLDER/token */
	struct token *token;
};

/* Makes the folder and opens a new token with PIN "123456". Aborts on failure. */
struct token_fixture *token_fixture_new(void);
/* Opens the token of the folder (again). */
struct token *token_fixture_open(
	const struct token_fixture *fixture, const char *pin, struct error *error);
/* Closes and removes everything. */
void token_fixture_free(struct token_fixture *fixture);

/* Puts an AES key of known value into the token (C_CreateObject). */
void token_fixture_import_aes(
	struct token_fixture *fixture, const char *label, const uint8_t *key, size_t length);

#endif

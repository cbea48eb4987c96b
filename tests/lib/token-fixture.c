/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/token-fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "lib/scratch.h"
#include "token/token-private.h"

struct token *token_fixture_open(
	const struct token_fixture *fixture, const char *pin, struct error *error)
{
	struct token_options options = {.module = TOKEN_MODULE,
		.label = "tessera",
		.embedded_folder = fixture->token_folder};
	_cleanup_secret_ struct secret secret = SECRET_INIT;

	secret_set(&secret, pin, strlen(pin));
	return token_open(&options, &secret, error);
}

struct token_fixture *token_fixture_new(void)
{
	struct token_fixture *fixture = xnew(struct token_fixture);
	_cleanup_error_ struct error error = ERROR_INIT;

	fixture->folder = scratch_new();
	fixture->token_folder = xasprintf("%s/token", fixture->folder);
	fixture->token = token_fixture_open(fixture, "123456", &error);
	if (!fixture->token) {
		fprintf(stderr, "%s\n", error_message(&error));
		abort();
	}
	return fixture;
}

void token_fixture_free(struct token_fixture *fixture)
{
	token_close(fixture->token);
	scratch_free(fixture->folder);
	free(fixture->token_folder);
	free(fixture);
}

void token_fixture_import_aes(
	struct token_fixture *fixture, const char *label, const uint8_t *key, size_t length)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_BBOOL yes = CK_TRUE;
	CK_OBJECT_HANDLE handle;
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &class, sizeof(class)},
		{CKA_KEY_TYPE, &type, sizeof(type)},
		{CKA_VALUE, (void *)key, (CK_ULONG)length},
		{CKA_LABEL, (void *)label, (CK_ULONG)strlen(label)},
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_SIGN, &yes, sizeof(yes)},
		{CKA_ENCRYPT, &yes, sizeof(yes)},
	};

	if (!session_take(fixture->token->sessions, &session, NULL) ||
		session.functions->C_CreateObject(
			session.handle, template, ARRAY_SIZE(template), &handle) != CKR_OK)
		abort();
}

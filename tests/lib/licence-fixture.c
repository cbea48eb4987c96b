/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/licence-fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "common/alloc.h"
#include "model/licence.h"
#include "operation/licence.h"

#define SIGNATURE_LENGTH 64

/* base64url by OpenSSL's base64. */
static char *encode(const void *data, size_t length)
{
	char *text = xcalloc(1, length * 2 + 8);

	EVP_EncodeBlock((unsigned char *)text, data, (int)length);
	for (char *digit = text; *digit; digit++)
		*digit = (char)(*digit == '+' ? '-' : *digit == '/' ? '_' : *digit);
	text[strcspn(text, "=")] = '\0';
	return text;
}

char *licence_fixture_sign(const void *payload, size_t length, EVP_PKEY *key)
{
	uint8_t signature[SIGNATURE_LENGTH];
	size_t signature_length = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
		EVP_DigestSign(context, signature, &signature_length, payload, length) != 1)
		abort();
	EVP_MD_CTX_free(context);
	_cleanup_free_ char *first = encode(payload, length);
	_cleanup_free_ char *second = encode(signature, signature_length);
	return xasprintf("{\"format\": \"" LICENCE_FORMAT "\", \"payload\": \"%s\", "
			 "\"signature\": \"%s\"}",
		first, second);
}

static void write_public_key(const char *path, EVP_PKEY *key)
{
	FILE *file = fopen(path, "we");

	if (!file || PEM_write_PUBKEY(file, key) != 1 || fclose(file) != 0)
		abort();
}

void licence_fixture_install(struct services *services, const char *folder)
{
	static char path[256];
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	_cleanup_free_ char *id = NULL;
	_cleanup_free_ char *payload =
		xasprintf("{\"customer\": \"test\", \"id\": \"test\", \"store-id\": \"%s\", "
			  "\"credentials\": 1000000, \"not-after\": \"2099-12-31T23:59:59Z\"}",
			store_id(services->store));
	_cleanup_free_ char *document = licence_fixture_sign(payload, strlen(payload), key);

	snprintf(path, sizeof(path), "%s/licence.pub", folder);
	write_public_key(path, key);
	EVP_PKEY_free(key);
	services->licensing.public_key_file = path;
	if (!licence_install(services, document, &id, NULL))
		abort();
}

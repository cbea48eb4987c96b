/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/self-code.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "common/alloc.h"
#include "model/operator.h"

/* RFC 7914: 16 MiB and some hundredths of a second. */
#define SCRYPT_N     16384
#define SCRYPT_R     8
#define SCRYPT_P     1
#define SCRYPT_BYTES ((uint64_t)64 * 1024 * 1024)
#define GROUP	     4	/* characters between two hyphens */
#define TYPED_MAX    64 /* characters */
#define TRIES	     100

static bool hash_rest(const struct secret *rest, const uint8_t salt[SELF_CODE_SALT_BYTES],
	uint8_t hash[SELF_CODE_HASH_BYTES])
{
	return EVP_PBE_scrypt((const char *)rest->data, rest->length, salt, SELF_CODE_SALT_BYTES,
		       SCRYPT_N, SCRYPT_R, SCRYPT_P, SCRYPT_BYTES, hash, SELF_CODE_HASH_BYTES) == 1;
}

/* The alphabet has no characters that look like others. */
static bool random_rest(struct secret *rest, struct error *error)
{
	char *characters = operator_id_random(SELF_CODE_REST, error);

	if (!characters)
		return false;
	bool kept = secret_set(rest, characters, SELF_CODE_REST) ||
		    error_set(error, ERROR_FAILED, "out of memory");
	OPENSSL_cleanse(characters, SELF_CODE_REST);
	free(characters);
	return kept;
}

/* "K7M2-P9QX-AB3D-EF4G" */
static bool write_text(const char *selector, const struct secret *rest, struct secret *text)
{
	if (!secret_allocate(text, SELF_CODE_SELECTOR + SELF_CODE_REST + SELF_CODE_REST / GROUP))
		return false;
	memcpy(text->data, selector, SELF_CODE_SELECTOR);
	uint8_t *place = text->data + SELF_CODE_SELECTOR;
	for (size_t i = 0; i < SELF_CODE_REST; i++) {
		if (i % GROUP == 0)
			*place++ = '-';
		*place++ = rest->data[i];
	}
	return true;
}

/* Selectors are few (31^4): one that is taken is drawn again. */
static bool keep(struct services *services, struct self_code *code, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;

	for (int i = 0; i < TRIES; i++) {
		free(code->selector);
		code->selector = operator_id_random(SELF_CODE_SELECTOR, error);
		if (!code->selector)
			return false;
		error_clear(&failure);
		if (store_self_code_add(services->store, code, &failure))
			return true;
		if (failure.code != ERROR_EXISTS)
			break;
	}
	return error_move(error, &failure);
}

bool self_code_make(
	struct services *services, struct self_code *code, struct secret *text, struct error *error)
{
	struct secret rest _cleanup_secret_ = SECRET_INIT;

	code->created_at = time(NULL);
	if (!random_rest(&rest, error))
		return false;
	if (RAND_bytes(code->salt, sizeof(code->salt)) != 1 ||
		!hash_rest(&rest, code->salt, code->hash))
		return error_set(error, ERROR_FAILED, "the code could not be made");
	if (!store_self_code_purge(services->store,
		    code->created_at - (int64_t)SELF_CODE_KEEP_HOURS * 3600, error) ||
		!keep(services, code, error))
		return false;
	return write_text(code->selector, &rest, text) ||
	       error_set(error, ERROR_FAILED, "out of memory");
}

void self_code_typed_clear(struct self_code_typed *typed)
{
	secret_clear(&typed->rest);
}

bool self_code_read(const struct secret *text, struct self_code_typed *typed, struct error *error)
{
	size_t count = 0;

	*typed = (struct self_code_typed){.selector = "????", .rest = SECRET_INIT};
	if (!secret_allocate(&typed->rest, SELF_CODE_REST))
		return error_set(error, ERROR_FAILED, "out of memory");
	memset(typed->rest.data, '?', SELF_CODE_REST);
	for (size_t i = 0; i < text->length && i < TYPED_MAX; i++) {
		char character = (char)toupper(text->data[i]);
		if (character == ' ' || character == '-')
			continue;
		if (!isalnum((unsigned char)character))
			character = '?';
		if (count < SELF_CODE_SELECTOR)
			typed->selector[count] = character;
		else if (count < SELF_CODE_SELECTOR + SELF_CODE_REST)
			typed->rest.data[count - SELF_CODE_SELECTOR] = (uint8_t)character;
		count++;
	}
	/* Too long is as wrong as any other. */
	if (count != SELF_CODE_SELECTOR + SELF_CODE_REST)
		memset(typed->rest.data, '?', SELF_CODE_REST);
	return true;
}

static bool is_open(const struct self_code *code, int64_t now)
{
	return code->id != 0 && code->used_at == 0 && now < code->expires_at &&
	       code->failures < SELF_CODE_FAILURES;
}

bool self_code_fits(const struct self_code *code, const struct self_code_typed *typed, int64_t now)
{
	uint8_t hash[SELF_CODE_HASH_BYTES];
	bool same = hash_rest(&typed->rest, code->salt, hash) &&
		    CRYPTO_memcmp(hash, code->hash, sizeof(hash)) == 0;

	return same && is_open(code, now);
}

bool self_code_is_open(struct services *services, const char *selector, int64_t now)
{
	struct self_code code _cleanup_self_code_ = {0};

	return store_self_code_get(services->store, selector, &code, NULL) && is_open(&code, now);
}

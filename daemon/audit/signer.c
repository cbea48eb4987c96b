/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "audit/signer.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "common/alloc.h"
#include "common/audit-signature.h"
#include "common/secret.h"

#define SEED_BYTES 32 /* RFC 8032, 5.1.5 */

struct audit_signer {
	atomic_uint references;
	struct secret seed; /* the private key */
	uint8_t key[AUDIT_SESSION_KEY_BYTES];
	/* Set once, before any other thread has the signer. */
	char *name;
	int64_t record;
};

/* OpenSSL's copy of the key lives for one use only; it wipes it. */
static EVP_PKEY *open_key(const struct audit_signer *signer)
{
	return EVP_PKEY_new_raw_private_key(
		EVP_PKEY_ED25519, NULL, signer->seed.data, signer->seed.length);
}

static bool make_key(struct audit_signer *signer)
{
	size_t length = sizeof(signer->key);

	if (!secret_allocate(&signer->seed, SEED_BYTES) ||
		RAND_priv_bytes(signer->seed.data, SEED_BYTES) != 1)
		return false;
	EVP_PKEY *key = open_key(signer);
	bool made = key && EVP_PKEY_get_raw_public_key(key, signer->key, &length) == 1;
	EVP_PKEY_free(key);
	return made;
}

struct audit_signer *audit_signer_new(struct error *error)
{
	struct audit_signer *signer = xnew(struct audit_signer);

	atomic_init(&signer->references, 1);
	if (make_key(signer))
		return signer;
	ERR_clear_error();
	audit_signer_unref(signer);
	error_set(error, ERROR_FAILED, "no key for the login could be made");
	return NULL;
}

struct audit_signer *audit_signer_ref(struct audit_signer *signer)
{
	atomic_fetch_add(&signer->references, 1);
	return signer;
}

void audit_signer_unref(struct audit_signer *signer)
{
	if (!signer || atomic_fetch_sub(&signer->references, 1) > 1)
		return;
	secret_clear(&signer->seed);
	free(signer->name);
	free(signer);
}

const uint8_t *audit_signer_key(const struct audit_signer *signer)
{
	return signer->key;
}

void audit_signer_set_login(struct audit_signer *signer, const char *name, int64_t record)
{
	free(signer->name);
	signer->name = xstrdup(name);
	signer->record = record;
}

const char *audit_signer_name(const struct audit_signer *signer)
{
	return signer->name;
}

static bool sign(const struct audit_signer *signer, const struct buffer *message,
	struct audit_signature *signature)
{
	size_t length = sizeof(signature->bytes);
	EVP_PKEY *key = open_key(signer);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = key && context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestSign(context, signature->bytes, &length, message->data,
			    message->length) == 1 &&
		    length == sizeof(signature->bytes);

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return done;
}

bool audit_signer_sign(const struct audit_signer *signer, struct audit_record *record,
	const uint8_t previous[AUDIT_HASH_BYTES], const char *store_id, struct error *error)
{
	struct buffer message _cleanup_buffer_ = BUFFER_INIT;
	struct audit_signature signature = {.login = signer->record};

	audit_signature_message(record, previous, store_id, signer->record, &message);
	if (!sign(signer, &message, &signature))
		return error_set(
			error, ERROR_FAILED, "operator %s's login did not sign", signer->name);
	audit_signature_append(&record->signature, &signature);
	return true;
}

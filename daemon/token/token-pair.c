/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Key pairs in the token and the EVP_PKEYs that sign with them. */
#include <string.h>

#include <openssl/rand.h>

#include "common/alloc.h"
#include "core/signing-key.h"
#include "token/ckr.h"
#include "token/public-key.h"
#include "token/token-private.h"

#define RSA_BYTES_MAX 1024 /* of a signature: an 8192-bit modulus */

/* DER of the named curves' object identifiers (SEC 2; RFC 5480, 2.1.1.1). */
static const uint8_t curve_p256[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
static const uint8_t curve_p384[] = {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22};

struct pair_parameters {
	CK_MECHANISM_TYPE mechanism;
	CK_ATTRIBUTE attributes[2]; /* of the public key */
	CK_ULONG count;
	CK_ULONG bits;
};

static bool pair_parameters(
	enum key_algorithm algorithm, struct pair_parameters *parameters, struct error *error)
{
	static const CK_BYTE exponent[] = {1, 0, 1};

	switch (algorithm) {
	case KEY_ALGORITHM_RSA_2048:
	case KEY_ALGORITHM_RSA_3072:
	case KEY_ALGORITHM_RSA_4096:
		parameters->mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
		parameters->bits = key_algorithm_bits(algorithm);
		parameters->attributes[0] = (CK_ATTRIBUTE){
			CKA_MODULUS_BITS, &parameters->bits, sizeof(parameters->bits)};
		parameters->attributes[1] =
			(CK_ATTRIBUTE){CKA_PUBLIC_EXPONENT, (void *)exponent, sizeof(exponent)};
		parameters->count = 2;
		return true;
	case KEY_ALGORITHM_EC_P256:
	case KEY_ALGORITHM_EC_P384:
		parameters->mechanism = CKM_EC_KEY_PAIR_GEN;
		parameters->attributes[0] =
			algorithm == KEY_ALGORITHM_EC_P256
				? (CK_ATTRIBUTE){CKA_EC_PARAMS, (void *)curve_p256,
					  sizeof(curve_p256)}
				: (CK_ATTRIBUTE){
					  CKA_EC_PARAMS, (void *)curve_p384, sizeof(curve_p384)};
		parameters->count = 1;
		return true;
	default:
		return error_set(error, ERROR_NOT_SUPPORTED, "no key pairs of algorithm %s here",
			key_algorithm_name(algorithm) ? key_algorithm_name(algorithm) : "none");
	}
}

static CK_RV generate_pair(
	struct session *session, const char *label, const struct pair_parameters *parameters)
{
	CK_MECHANISM mechanism = {parameters->mechanism, NULL, 0};
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_OBJECT_HANDLE public_handle, private_handle;
	uint8_t id[8];
	CK_ATTRIBUTE private_template[] = {
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_PRIVATE, &yes, sizeof(yes)},
		{CKA_SENSITIVE, &yes, sizeof(yes)},
		{CKA_EXTRACTABLE, &no, sizeof(no)},
		{CKA_SIGN, &yes, sizeof(yes)},
		{CKA_DECRYPT, &no, sizeof(no)},
		{CKA_UNWRAP, &no, sizeof(no)},
		{CKA_LABEL, (void *)label, (CK_ULONG)strlen(label)},
		{CKA_ID, id, sizeof(id)},
	};
	CK_ATTRIBUTE public_template[7] = {
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_PRIVATE, &no, sizeof(no)},
		{CKA_VERIFY, &yes, sizeof(yes)},
		{CKA_LABEL, (void *)label, (CK_ULONG)strlen(label)},
		{CKA_ID, id, sizeof(id)},
	};

	if (RAND_bytes(id, sizeof(id)) != 1)
		return CKR_RANDOM_NO_RNG;
	memcpy(public_template + 5, parameters->attributes,
		parameters->count * sizeof(*parameters->attributes));
	return session->functions->C_GenerateKeyPair(session->handle, &mechanism, public_template,
		5 + parameters->count, private_template, ARRAY_SIZE(private_template),
		&public_handle, &private_handle);
}

bool token_generate_pair(
	struct token *token, const char *label, enum key_algorithm algorithm, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	struct pair_parameters parameters;
	bool made = false;

	if (!pair_parameters(algorithm, &parameters, error) ||
		!token_older_lacks(token, label, error) ||
		!session_take(token->sessions, &session, error))
		return false;
	pthread_mutex_lock(&token->making);
	if (token_label_is_free(&session, label, error)) {
		CK_RV rv = generate_pair(&session, label, &parameters);
		made = rv == CKR_OK || session_failed(&session, rv, "making a key pair", error);
	}
	pthread_mutex_unlock(&token->making);
	return made;
}

static bool mechanism_signs(struct token *token, CK_MECHANISM_TYPE mechanism)
{
	CK_MECHANISM_INFO info;

	return token->module.functions->C_GetMechanismInfo(token->slot, mechanism, &info) ==
		       CKR_OK &&
	       (info.flags & CKF_SIGN);
}

bool token_padding_remove(const uint8_t **input, size_t *length, struct error *error)
{
	struct reader block = READER_INIT(*input, *length);
	bool padded = reader_u8(&block) == 0 && reader_u8(&block) == 1;
	uint8_t byte = 0xFF;

	while (padded && byte == 0xFF && !block.failed)
		byte = reader_u8(&block);
	if (!padded || block.failed || byte != 0)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"the token signs with PKCS #1 v1.5 padding only");
	*input = block.data + block.position;
	*length = reader_left(&block);
	return true;
}

/* The signing_function of all keys in a token. */
static bool signer_sign(void *context, const uint8_t *input, size_t length, struct buffer *output,
	struct error *error)
{
	struct token_signer *signer = context;
	_cleanup_session_ struct session session = SESSION_INIT;
	CK_MECHANISM mechanism = {signer->mechanism, NULL, 0};
	CK_OBJECT_HANDLE key;
	uint8_t signature[RSA_BYTES_MAX];
	CK_ULONG signature_length = sizeof(signature);

	if (signer->mechanism == CKM_RSA_PKCS && !token_padding_remove(&input, &length, error))
		return false;
	if (!session_take(signer->token->sessions, &session, error) ||
		!token_find_object(&session, CKO_PRIVATE_KEY, signer->label, &key, error))
		return false;
	CK_RV rv = session.functions->C_SignInit(session.handle, &mechanism, key);
	if (rv == CKR_OK)
		rv = session.functions->C_Sign(session.handle, (CK_BYTE *)input, (CK_ULONG)length,
			signature, &signature_length);
	if (rv != CKR_OK)
		return session_failed(&session, rv, "signing", error);
	buffer_append(output, signature, signature_length);
	return true;
}

static CK_MECHANISM_TYPE signer_mechanism(struct token *token, const EVP_PKEY *public_key)
{
	if (EVP_PKEY_get_base_id(public_key) == EVP_PKEY_EC)
		return CKM_ECDSA;
	return mechanism_signs(token, CKM_RSA_X_509) ? CKM_RSA_X_509 : CKM_RSA_PKCS;
}

/* One signer per label and mechanism; the token owns it. */
static struct token_signer *signer_get(
	struct token *token, const char *label, CK_MECHANISM_TYPE mechanism)
{
	struct token_signer *signer;

	pthread_mutex_lock(&token->signers_lock);
	for (signer = token->signers; signer; signer = signer->next)
		if (strcmp(signer->label, label) == 0 && signer->mechanism == mechanism)
			break;
	if (!signer) {
		signer = xnew(struct token_signer);
		signer->token = token;
		signer->label = xstrdup(label);
		signer->mechanism = mechanism;
		signer->next = token->signers;
		token->signers = signer;
	}
	pthread_mutex_unlock(&token->signers_lock);
	return signer;
}

static EVP_PKEY *read_public_key(struct token *token, const char *label, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	CK_OBJECT_HANDLE handle;

	if (!session_take(token->sessions, &session, error) ||
		!token_find_object(&session, CKO_PRIVATE_KEY, label, &handle, error) ||
		!token_find_object(&session, CKO_PUBLIC_KEY, label, &handle, error))
		return NULL;
	return public_key_read(&session, handle, error);
}

EVP_PKEY *token_signing_key(struct token *token, const char *label, struct error *error)
{
	EVP_PKEY *public_key _cleanup_(EVP_PKEY_freep) =
		token_find_holder(&token, label, error) ? read_public_key(token, label, error)
							: NULL;

	if (!public_key)
		return NULL;
	struct token_signer *signer = signer_get(token, label, signer_mechanism(token, public_key));
	return signing_key_new(public_key, signer_sign, signer, error);
}

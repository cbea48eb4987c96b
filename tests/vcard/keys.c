/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard/keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "common/tlv.h"

static const struct key_algorithm algorithms[] = {
	{ALGORITHM_RSA1024, FAMILY_RSA, 128, 0, NULL, 0, false},
	{ALGORITHM_RSA2048, FAMILY_RSA, 256, 0, NULL, 0, true},
	{ALGORITHM_RSA3072, FAMILY_RSA, 384, 0, NULL, VCARD_FIRMWARE(5, 7, 0), true},
	{ALGORITHM_RSA4096, FAMILY_RSA, 512, 0, NULL, VCARD_FIRMWARE(5, 7, 0), false},
	{ALGORITHM_P256, FAMILY_EC, 32, NID_X9_62_prime256v1, "P-256", 0, true},
	{ALGORITHM_P384, FAMILY_EC, 48, NID_secp384r1, "P-384", 0, true},
	{ALGORITHM_ED25519, FAMILY_ED25519, 32, 0, NULL, VCARD_FIRMWARE(5, 7, 0), false},
	{ALGORITHM_X25519, FAMILY_X25519, 32, 0, NULL, VCARD_FIRMWARE(5, 7, 0), false},
};

static const struct block_cipher ciphers[] = {
	{ALGORITHM_3DES, 24, 8, "DES-EDE3-ECB"},
	{ALGORITHM_AES128, 16, 16, "AES-128-ECB"},
	{ALGORITHM_AES192, 24, 16, "AES-192-ECB"},
	{ALGORITHM_AES256, 32, 16, "AES-256-ECB"},
};

#define _cleanup_bn_	  _cleanup_(free_bn)
#define _cleanup_context_ _cleanup_(free_context)

static void free_bn(BIGNUM **number)
{
	BN_clear_free(*number);
}

static void free_context(EVP_PKEY_CTX **context)
{
	EVP_PKEY_CTX_free(*context);
}

const struct key_algorithm *key_algorithm_find(
	uint8_t id, enum vcard_profile profile, uint32_t firmware)
{
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		const struct key_algorithm *algorithm = &algorithms[i];
		if (algorithm->id != id)
			continue;
		bool has = profile == VCARD_PROFILE_NIST ? algorithm->nist
							 : firmware >= algorithm->since;
		return has ? algorithm : NULL;
	}
	return NULL;
}

EVP_PKEY *key_generate(const struct key_algorithm *algorithm)
{
	switch (algorithm->family) {
	case FAMILY_RSA:
		return EVP_RSA_gen(algorithm->length * 8);
	case FAMILY_EC:
		return EVP_EC_gen(algorithm->group);
	case FAMILY_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case FAMILY_X25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	}
	return NULL;
}

static BIGNUM *number_of(struct reader elements, uint32_t tag)
{
	struct reader value;

	if (!tlv_find(elements, tag, &value) || reader_left(&value) == 0)
		return NULL;
	int length = (int)reader_left(&value);
	return BN_bin2bn(reader_bytes(&value, (size_t)length), length, NULL);
}

static EVP_PKEY *pkey_from(const char *type, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
	_cleanup_context_ EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (parameters && context && EVP_PKEY_fromdata_init(context) == 1 &&
		EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_KEYPAIR, parameters) != 1)
		pkey = NULL;
	OSSL_PARAM_free(parameters);
	return pkey;
}

/* n and d for the primes, with the public exponent 65537 that the card fixes. */
static bool complete_rsa(const BIGNUM *p, const BIGNUM *q, BIGNUM *n, BIGNUM *e, BIGNUM *d)
{
	_cleanup_bn_ BIGNUM *p1 = BN_dup(p);
	_cleanup_bn_ BIGNUM *q1 = BN_dup(q);
	_cleanup_bn_ BIGNUM *phi = BN_new();
	BN_CTX *context = BN_CTX_new();
	bool done = p1 && q1 && phi && context && BN_sub_word(p1, 1) && BN_sub_word(q1, 1) &&
		    BN_mul(n, p, q, context) && BN_mul(phi, p1, q1, context) &&
		    BN_set_word(e, RSA_F4) && BN_mod_inverse(d, e, phi, context);

	BN_CTX_free(context);
	return done;
}

static bool rsa_is_consistent(EVP_PKEY *pkey, size_t length)
{
	_cleanup_context_ EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);

	return context && (size_t)EVP_PKEY_get_size(pkey) == length &&
	       EVP_PKEY_get_bits(pkey) == (int)length * 8 && EVP_PKEY_pairwise_check(context) == 1;
}

static EVP_PKEY *import_rsa(const struct key_algorithm *algorithm, struct reader elements)
{
	static const char *const names[] = {OSSL_PKEY_PARAM_RSA_FACTOR1,
		OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1,
		OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
		OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D};
	BIGNUM *numbers[ARRAY_SIZE(names)] = {0};
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;
	bool whole = builder != NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		numbers[i] = i < 5 ? number_of(elements, 1 + (uint32_t)i) : BN_new();
		whole = whole && numbers[i];
	}
	whole = whole && complete_rsa(numbers[0], numbers[1], numbers[5], numbers[6], numbers[7]);
	for (size_t i = 0; whole && i < ARRAY_SIZE(names); i++)
		whole = OSSL_PARAM_BLD_push_BN(builder, names[i], numbers[i]) == 1;
	if (whole)
		pkey = pkey_from("RSA", builder);
	if (pkey && !rsa_is_consistent(pkey, algorithm->length)) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	OSSL_PARAM_BLD_free(builder);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		BN_clear_free(numbers[i]);
	return pkey;
}

static bool append_public_point(
	const struct key_algorithm *algorithm, const BIGNUM *scalar, struct buffer *out)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(algorithm->curve);
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	size_t length = 1 + 2 * algorithm->length;
	uint8_t *room = buffer_extend(out, length);
	bool done = point && room && !BN_is_zero(scalar) &&
		    BN_cmp(scalar, EC_GROUP_get0_order(group)) < 0 &&
		    EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) == 1 &&
		    EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, room, length,
			    NULL) == length;

	EC_POINT_free(point);
	EC_GROUP_free(group);
	return done;
}

static EVP_PKEY *import_ec(const struct key_algorithm *algorithm, struct reader elements)
{
	_cleanup_bn_ BIGNUM *scalar = number_of(elements, 0x06);
	_cleanup_buffer_ struct buffer point = BUFFER_INIT;
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;

	if (builder && scalar && append_public_point(algorithm, scalar, &point) &&
		OSSL_PARAM_BLD_push_utf8_string(
			builder, OSSL_PKEY_PARAM_GROUP_NAME, algorithm->group, 0) &&
		OSSL_PARAM_BLD_push_octet_string(
			builder, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.length) &&
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar))
		pkey = pkey_from("EC", builder);
	OSSL_PARAM_BLD_free(builder);
	return pkey;
}

static EVP_PKEY *import_raw(const char *type, uint32_t tag, size_t length, struct reader elements)
{
	struct reader value;

	if (!tlv_find(elements, tag, &value) || reader_left(&value) != length)
		return NULL;
	return EVP_PKEY_new_raw_private_key_ex(
		NULL, type, NULL, reader_bytes(&value, length), length);
}

EVP_PKEY *key_import(const struct key_algorithm *algorithm, struct reader elements)
{
	switch (algorithm->family) {
	case FAMILY_RSA:
		return import_rsa(algorithm, elements);
	case FAMILY_EC:
		return import_ec(algorithm, elements);
	case FAMILY_ED25519:
		return import_raw("ED25519", 0x07, algorithm->length, elements);
	case FAMILY_X25519:
		return import_raw("X25519", 0x08, algorithm->length, elements);
	}
	return NULL;
}

static bool append_number(EVP_PKEY *pkey, const char *name, uint32_t tag, struct buffer *out)
{
	_cleanup_bn_ BIGNUM *number = NULL;

	if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1)
		return false;
	size_t length = (size_t)BN_num_bytes(number);
	tlv_append_header(out, tag, length);
	uint8_t *room = buffer_extend(out, length);
	return room && BN_bn2bin(number, room) == (int)length;
}

bool key_append_public(const struct key_algorithm *algorithm, EVP_PKEY *pkey, struct buffer *out)
{
	if (algorithm->family == FAMILY_RSA)
		return append_number(pkey, OSSL_PKEY_PARAM_RSA_N, 0x81, out) &&
		       append_number(pkey, OSSL_PKEY_PARAM_RSA_E, 0x82, out);
	uint8_t point[1 + 2 * 48];
	size_t length = 0;
	const char *name = algorithm->family == FAMILY_EC ? OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY
							  : OSSL_PKEY_PARAM_PUB_KEY;
	if (EVP_PKEY_get_octet_string_param(pkey, name, point, sizeof(point), &length) != 1)
		return false;
	tlv_append(out, 0x86, point, length);
	return true;
}

static bool sign_rsa(EVP_PKEY *pkey, struct reader input, size_t length, struct buffer *out)
{
	_cleanup_context_ EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
	size_t written = length;

	if (reader_left(&input) != length)
		return false;
	const uint8_t *bytes = reader_bytes(&input, length);
	uint8_t *room = buffer_extend(out, length);
	return context && room && EVP_PKEY_decrypt_init(context) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1 &&
	       EVP_PKEY_decrypt(context, room, &written, bytes, length) == 1 && written == length;
}

/* A hash shorter than the order counts as a number, as if padded with zeros on the left. */
static bool sign_ec(EVP_PKEY *pkey, struct reader input, size_t length, struct buffer *out)
{
	_cleanup_context_ EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
	size_t count = reader_left(&input);
	uint8_t signature[128];
	size_t written = sizeof(signature);

	if (count == 0 || count > length || !context || EVP_PKEY_sign_init(context) != 1 ||
		EVP_PKEY_sign(context, signature, &written, reader_bytes(&input, count), count) !=
			1)
		return false;
	buffer_append(out, signature, written);
	return !out->failed;
}

static bool sign_ed25519(EVP_PKEY *pkey, struct reader input, struct buffer *out)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t count = reader_left(&input);
	size_t written = 64;
	uint8_t *room = buffer_extend(out, written);
	bool done =
		context && room && EVP_DigestSignInit(context, NULL, NULL, NULL, pkey) == 1 &&
		EVP_DigestSign(context, room, &written, reader_bytes(&input, count), count) == 1;

	EVP_MD_CTX_free(context);
	return done;
}

bool key_sign(const struct key_algorithm *algorithm, EVP_PKEY *pkey, struct reader input,
	struct buffer *out)
{
	switch (algorithm->family) {
	case FAMILY_RSA:
		return sign_rsa(pkey, input, algorithm->length, out);
	case FAMILY_EC:
		return sign_ec(pkey, input, algorithm->length, out);
	case FAMILY_ED25519:
		return sign_ed25519(pkey, input, out);
	case FAMILY_X25519:
		return false;
	}
	return false;
}

static EVP_PKEY *peer_of(EVP_PKEY *pkey, struct reader point)
{
	EVP_PKEY *peer = EVP_PKEY_new();
	size_t length = reader_left(&point);

	if (peer && EVP_PKEY_copy_parameters(peer, pkey) == 1 &&
		EVP_PKEY_set1_encoded_public_key(peer, reader_bytes(&point, length), length) == 1)
		return peer;
	EVP_PKEY_free(peer);
	return NULL;
}

bool key_derive(const struct key_algorithm *algorithm, EVP_PKEY *pkey, struct reader point,
	struct buffer *out)
{
	bool is_x25519 = algorithm->family == FAMILY_X25519;
	size_t written = algorithm->length;

	if (algorithm->family != FAMILY_EC && !is_x25519)
		return false;
	EVP_PKEY *peer = is_x25519 ? EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL,
					     reader_bytes(&point, 32), point.failed ? 0 : 32)
				   : peer_of(pkey, point);
	_cleanup_context_ EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
	uint8_t *room = buffer_extend(out, written);
	bool done = peer && context && room && EVP_PKEY_derive_init(context) == 1 &&
		    EVP_PKEY_derive_set_peer(context, peer) == 1 &&
		    EVP_PKEY_derive(context, room, &written) == 1 && written == algorithm->length;
	EVP_PKEY_free(peer);
	return done;
}

const struct block_cipher *block_cipher_find(uint8_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++)
		if (ciphers[i].id == id)
			return &ciphers[i];
	return NULL;
}

bool block_encrypt(
	const struct block_cipher *cipher, const uint8_t *key, const uint8_t *in, uint8_t *out)
{
	EVP_CIPHER *fetched = EVP_CIPHER_fetch(NULL, cipher->name, NULL);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int written = 0;
	bool done = fetched && context &&
		    EVP_EncryptInit_ex2(context, fetched, key, NULL, NULL) == 1 &&
		    EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
		    EVP_EncryptUpdate(context, out, &written, in, cipher->block_length) == 1 &&
		    written == cipher->block_length;

	EVP_CIPHER_CTX_free(context);
	EVP_CIPHER_free(fetched);
	return done;
}

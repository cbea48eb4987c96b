/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/piv.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

/* SP 800-73-4 part 2, table 11 */
#define TAG_MODULUS  0x81
#define TAG_EXPONENT 0x82
#define TAG_POINT    0x86

#define EXPONENT_LENGTH_MAXIMUM 8

DEFINE_CLEANUP(BIGNUM *, BN_free);
DEFINE_CLEANUP(OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free);
DEFINE_CLEANUP(OSSL_PARAM *, OSSL_PARAM_free);
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free);

static const char *group_of(enum key_algorithm algorithm)
{
	return algorithm == KEY_ALGORITHM_EC_P256 ? "prime256v1" : "secp384r1";
}

static EVP_PKEY *key_from_builder(const char *type, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *parameters _cleanup_(OSSL_PARAM_freep) = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context _cleanup_(EVP_PKEY_CTX_freep) =
		EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!parameters || !context || EVP_PKEY_fromdata_init(context) <= 0 ||
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) <= 0)
		return NULL;
	return key;
}

static BIGNUM *number_of(const struct reader *bytes)
{
	return BN_bin2bn(bytes->data, (int)bytes->length, NULL);
}

static EVP_PKEY *rsa_key(struct reader elements, enum key_algorithm algorithm)
{
	struct reader modulus, exponent;

	if (!tlv_find(elements, TAG_MODULUS, &modulus) ||
		!tlv_find(elements, TAG_EXPONENT, &exponent) || reader_left(&exponent) == 0 ||
		reader_left(&exponent) > EXPONENT_LENGTH_MAXIMUM ||
		reader_left(&modulus) > 1 + key_algorithm_bits(algorithm) / 8)
		return NULL;
	BIGNUM *n _cleanup_(BN_freep) = number_of(&modulus);
	BIGNUM *e _cleanup_(BN_freep) = number_of(&exponent);
	OSSL_PARAM_BLD *builder _cleanup_(OSSL_PARAM_BLD_freep) = OSSL_PARAM_BLD_new();
	if (!n || !e || !builder || BN_num_bits(n) != (int)key_algorithm_bits(algorithm) ||
		!BN_is_odd(n) || !BN_is_odd(e) || BN_is_one(e) ||
		!OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) ||
		!OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
		return NULL;
	return key_from_builder("RSA", builder);
}

static EVP_PKEY *ec_key(struct reader elements, enum key_algorithm algorithm)
{
	size_t field = key_algorithm_bits(algorithm) / 8;
	OSSL_PARAM_BLD *builder _cleanup_(OSSL_PARAM_BLD_freep) = OSSL_PARAM_BLD_new();
	struct reader point;

	/* Uncompressed; OpenSSL refuses a point that is not on the curve. */
	if (!builder || !tlv_find(elements, TAG_POINT, &point) ||
		reader_left(&point) != 1 + 2 * field || point.data[0] != 0x04 ||
		!OSSL_PARAM_BLD_push_utf8_string(
			builder, OSSL_PKEY_PARAM_GROUP_NAME, group_of(algorithm), 0) ||
		!OSSL_PARAM_BLD_push_octet_string(
			builder, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.length))
		return NULL;
	return key_from_builder("EC", builder);
}

EVP_PKEY *piv_public_key(struct reader elements, enum key_algorithm algorithm, struct error *error)
{
	EVP_PKEY *key = algorithm == KEY_ALGORITHM_NONE	  ? NULL
			: key_algorithm_is_rsa(algorithm) ? rsa_key(elements, algorithm)
							  : ec_key(elements, algorithm);

	if (!key)
		error_set(error, ERROR_CARD_FAILED, "the card's public key is malformed");
	return key;
}

static enum key_algorithm ec_algorithm(EVP_PKEY *key)
{
	char name[32];
	size_t length;

	if (!EVP_PKEY_get_group_name(key, name, sizeof(name), &length))
		return KEY_ALGORITHM_NONE;
	for (enum key_algorithm a = KEY_ALGORITHM_EC_P256; a <= KEY_ALGORITHM_EC_P384; a++) {
		if (OPENSSL_strcasecmp(name, group_of(a)) == 0)
			return a;
	}
	return KEY_ALGORITHM_NONE;
}

enum key_algorithm piv_algorithm_of_key(EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "EC"))
		return ec_algorithm(key);
	if (!EVP_PKEY_is_a(key, "RSA"))
		return KEY_ALGORITHM_NONE;
	for (enum key_algorithm a = KEY_ALGORITHM_RSA_1024; a < KEY_ALGORITHM_COUNT; a++) {
		if (key_algorithm_is_rsa(a) && (int)key_algorithm_bits(a) == EVP_PKEY_get_bits(key))
			return a;
	}
	return KEY_ALGORITHM_NONE;
}

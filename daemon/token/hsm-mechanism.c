/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mechanisms: which operation takes which, and how their parameters are told. */
#include <string.h>

#include "token/hsm-private.h"

#define AES_BLOCK	    16
#define DES_BLOCK	    8
#define AES_KEY_WRAP_IV	    8
#define AES_KEY_WRAP_PAD_IV 4

/* Not in the headers. */
#define EC_MONTGOMERY_KEY_PAIR_GEN 0x1056UL
#define AES_KEY_WRAP_KWP	   0x210BUL
#define SHA3_256_HMAC		   0x2B1UL
#define SHA3_224_HMAC		   0x2B6UL
#define SHA3_384_HMAC		   0x2C1UL
#define SHA3_512_HMAC		   0x2D1UL

static bool take(struct hsm_prepared *prepared, void *parameter, size_t length)
{
	prepared->mechanism.pParameter = parameter;
	prepared->mechanism.ulParameterLen = length;
	return true;
}

static CK_BYTE *bytes(struct reader *reader, size_t length)
{
	return (CK_BYTE *)(uintptr_t)reader_bytes(reader, length);
}

static bool prepare_plain(struct hsm_prepared *prepared, const struct hsm_request *request)
{
	(void)prepared;
	return request->parameter.length == 0;
}

/* hash, mask generation function, salt's length */
static bool prepare_pss(struct hsm_prepared *prepared, const struct hsm_request *request)
{
	struct reader reader = request->parameter;
	CK_RSA_PKCS_PSS_PARAMS *pss = &prepared->parameter.pss;

	pss->hashAlg = reader_u32(&reader);
	pss->mgf = reader_u32(&reader);
	pss->sLen = reader_u32(&reader);
	return take(prepared, pss, sizeof(*pss)) && !reader.failed && reader_left(&reader) == 0;
}

/* hash, mask generation function; the label */
static bool prepare_oaep(struct hsm_prepared *prepared, const struct hsm_request *request)
{
	struct reader reader = request->parameter;
	CK_RSA_PKCS_OAEP_PARAMS *oaep = &prepared->parameter.oaep;

	oaep->hashAlg = reader_u32(&reader);
	oaep->mgf = reader_u32(&reader);
	oaep->source = CKZ_DATA_SPECIFIED;
	oaep->ulSourceDataLen = reader_left(&reader);
	oaep->pSourceData = oaep->ulSourceDataLen ? bytes(&reader, reader_left(&reader)) : NULL;
	return take(prepared, oaep, sizeof(*oaep)) && !reader.failed;
}

/* Nothing (no key derivation function), or that function, and shared data with its length. */
static bool prepare_ecdh(struct hsm_prepared *prepared, const struct hsm_request *request)
{
	struct reader reader = request->parameter;
	CK_ECDH1_DERIVE_PARAMS *ecdh = &prepared->parameter.ecdh;

	ecdh->kdf = CKD_NULL;
	if (reader_left(&reader) > 0) {
		ecdh->kdf = reader_u32(&reader);
		ecdh->ulSharedDataLen = reader_u32(&reader);
		if (ecdh->ulSharedDataLen > 0)
			ecdh->pSharedData = bytes(&reader, ecdh->ulSharedDataLen);
	}
	ecdh->pPublicData = (CK_BYTE *)(uintptr_t)request->input.data;
	ecdh->ulPublicDataLen = request->input.length;
	return take(prepared, ecdh, sizeof(*ecdh)) && !reader.failed && reader_left(&reader) == 0;
}

static bool prepare_iv(
	struct hsm_prepared *prepared, const struct hsm_request *request, size_t length)
{
	struct reader reader = request->parameter;

	return reader_left(&reader) == length && take(prepared, bytes(&reader, length), length);
}

static bool prepare_aes_iv(struct hsm_prepared *prepared, const struct hsm_request *request)
{
	return prepare_iv(prepared, request, AES_BLOCK);
}

static bool prepare_des_iv(struct hsm_prepared *prepared, const struct hsm_request *request)
{
	return prepare_iv(prepared, request, DES_BLOCK);
}

static bool prepare_wrap_iv(struct hsm_prepared *prepared, const struct hsm_request *request)
{
	return request->parameter.length == 0 || prepare_iv(prepared, request, AES_KEY_WRAP_IV);
}

static bool prepare_wrap_pad_iv(struct hsm_prepared *prepared, const struct hsm_request *request)
{
	return request->parameter.length == 0 || prepare_iv(prepared, request, AES_KEY_WRAP_PAD_IV);
}

/* bits of the counter, the first counter block */
static bool prepare_ctr(struct hsm_prepared *prepared, const struct hsm_request *request)
{
	struct reader reader = request->parameter;
	CK_AES_CTR_PARAMS *ctr = &prepared->parameter.ctr;
	const uint8_t *block;

	ctr->counter_bits = reader_u32(&reader);
	if (!(block = reader_bytes(&reader, sizeof(ctr->cb))))
		return false;
	memcpy(ctr->cb, block, sizeof(ctr->cb));
	return take(prepared, ctr, sizeof(*ctr)) && reader_left(&reader) == 0 &&
	       ctr->counter_bits >= 1 && ctr->counter_bits <= 8 * sizeof(ctr->cb);
}

/* bits of the tag, length of the IV, the IV; the additional data */
static bool prepare_gcm(struct hsm_prepared *prepared, const struct hsm_request *request)
{
	struct reader reader = request->parameter;
	CK_GCM_PARAMS *gcm = &prepared->parameter.gcm;

	gcm->tag_bits = reader_u32(&reader);
	gcm->iv_len = reader_u32(&reader);
	gcm->iv_ptr = bytes(&reader, gcm->iv_len);
	gcm->iv_bits = 8 * gcm->iv_len;
	gcm->aad_len = reader_left(&reader);
	gcm->aad_ptr = gcm->aad_len ? bytes(&reader, gcm->aad_len) : NULL;
	return take(prepared, gcm, sizeof(*gcm)) && !reader.failed && gcm->iv_len > 0 &&
	       gcm->tag_bits <= 8 * AES_BLOCK && gcm->tag_bits % 8 == 0;
}

/* length of the MAC in bytes */
static bool prepare_length(struct hsm_prepared *prepared, const struct hsm_request *request)
{
	struct reader reader = request->parameter;

	prepared->parameter.length = reader_u32(&reader);
	return take(prepared, &prepared->parameter.length, sizeof(prepared->parameter.length)) &&
	       !reader.failed && reader_left(&reader) == 0 && prepared->parameter.length > 0;
}

/* The input is what is encrypted. */
static bool prepare_string(struct hsm_prepared *prepared, const struct hsm_request *request)
{
	CK_KEY_DERIVATION_STRING_DATA *string = &prepared->parameter.string;

	string->pData = (CK_BYTE *)(uintptr_t)request->input.data;
	string->ulLen = request->input.length;
	return take(prepared, string, sizeof(*string)) && request->parameter.length == 0;
}

/* The IV; the input is what is encrypted. */
static bool prepare_aes_string(struct hsm_prepared *prepared, const struct hsm_request *request)
{
	struct reader reader = request->parameter;
	CK_AES_CBC_ENCRYPT_DATA_PARAMS *data = &prepared->parameter.aes_string;

	if (reader_left(&reader) != sizeof(data->iv))
		return false;
	memcpy(data->iv, reader_bytes(&reader, sizeof(data->iv)), sizeof(data->iv));
	data->pData = (CK_BYTE *)(uintptr_t)request->input.data;
	data->length = request->input.length;
	return take(prepared, data, sizeof(*data));
}

#define OPERATION(name) (1U << HSM_##name)
#define MAKE_MAC	(OPERATION(SIGN) | OPERATION(VERIFY))
#define CIPHER		(OPERATION(ENCRYPT) | OPERATION(DECRYPT))
#define AGREE		(OPERATION(DERIVE) | OPERATION(DERIVE_KEY))
#define WRAPPING	(OPERATION(WRAP) | OPERATION(UNWRAP))
/* Of the key: a token is not asked to use one of another type. */
#define ANY_KEY	    CK_UNAVAILABLE_INFORMATION
#define ANY_SECRET  (ANY_KEY - 1)
#define ANY_PRIVATE (ANY_KEY - 2)
#define MAC(type, key)                                                                             \
	{MAKE_MAC, type, key, prepare_plain},                                                      \
	{                                                                                          \
		MAKE_MAC, (type) + 1, key, prepare_length                                          \
	}
#define HMAC(type) MAC(type, ANY_SECRET)

static const struct {
	unsigned operations;
	CK_MECHANISM_TYPE type;
	CK_KEY_TYPE key_type;
	bool (*prepare)(struct hsm_prepared *prepared, const struct hsm_request *request);
} mechanisms[] = {
	{OPERATION(SIGN), CKM_RSA_PKCS, CKK_RSA, prepare_plain},
	{OPERATION(SIGN), CKM_ECDSA, CKK_EC, prepare_plain},
	{OPERATION(SIGN), CKM_RSA_PKCS_PSS, CKK_RSA, prepare_pss},
	{OPERATION(SIGN), CKM_RSA_X_509, CKK_RSA, prepare_plain},
	{OPERATION(SIGN), CKM_EDDSA, CKK_EC_EDWARDS, prepare_plain},
	{OPERATION(DECRYPT), CKM_RSA_PKCS, CKK_RSA, prepare_plain},
	{OPERATION(DECRYPT), CKM_RSA_PKCS_OAEP, CKK_RSA, prepare_oaep},
	{OPERATION(DECRYPT), CKM_RSA_X_509, CKK_RSA, prepare_plain},
	{AGREE, CKM_ECDH1_DERIVE, ANY_PRIVATE, prepare_ecdh},
	{AGREE, CKM_ECDH1_COFACTOR_DERIVE, CKK_EC, prepare_ecdh},
	{OPERATION(DERIVE_KEY), CKM_AES_ECB_ENCRYPT_DATA, CKK_AES, prepare_string},
	{OPERATION(DERIVE_KEY), CKM_AES_CBC_ENCRYPT_DATA, CKK_AES, prepare_aes_string},
	{CIPHER, CKM_AES_ECB, CKK_AES, prepare_plain},
	{CIPHER, CKM_AES_CBC, CKK_AES, prepare_aes_iv},
	{CIPHER, CKM_AES_CBC_PAD, CKK_AES, prepare_aes_iv},
	{CIPHER, CKM_AES_CTR, CKK_AES, prepare_ctr},
	{CIPHER, CKM_AES_GCM, CKK_AES, prepare_gcm},
	{CIPHER, CKM_DES3_ECB, ANY_SECRET, prepare_plain},
	{CIPHER, CKM_DES3_CBC, ANY_SECRET, prepare_des_iv},
	{CIPHER, CKM_DES3_CBC_PAD, ANY_SECRET, prepare_des_iv},
	{MAKE_MAC, CKM_AES_MAC, CKK_AES, prepare_plain},
	{MAKE_MAC, CKM_AES_MAC_GENERAL, CKK_AES, prepare_length},
	MAC(CKM_AES_CMAC, CKK_AES),
	{MAKE_MAC, CKM_DES3_CMAC, ANY_SECRET, prepare_plain},
	{MAKE_MAC, CKM_DES3_CMAC_GENERAL, ANY_SECRET, prepare_length},
	HMAC(CKM_MD5_HMAC),
	HMAC(CKM_SHA_1_HMAC),
	HMAC(CKM_SHA224_HMAC),
	HMAC(CKM_SHA256_HMAC),
	HMAC(CKM_SHA384_HMAC),
	HMAC(CKM_SHA512_HMAC),
	HMAC(CKM_SHA512_224_HMAC),
	HMAC(CKM_SHA512_256_HMAC),
	HMAC(SHA3_224_HMAC),
	HMAC(SHA3_256_HMAC),
	HMAC(SHA3_384_HMAC),
	HMAC(SHA3_512_HMAC),
	{OPERATION(GENERATE_KEY), CKM_AES_KEY_GEN, ANY_KEY, prepare_plain},
	{OPERATION(GENERATE_KEY), CKM_GENERIC_SECRET_KEY_GEN, ANY_KEY, prepare_plain},
	{OPERATION(GENERATE_KEY), CKM_DES2_KEY_GEN, ANY_KEY, prepare_plain},
	{OPERATION(GENERATE_KEY), CKM_DES3_KEY_GEN, ANY_KEY, prepare_plain},
	{OPERATION(GENERATE_PAIR), CKM_RSA_PKCS_KEY_PAIR_GEN, ANY_KEY, prepare_plain},
	{OPERATION(GENERATE_PAIR), CKM_RSA_X9_31_KEY_PAIR_GEN, ANY_KEY, prepare_plain},
	{OPERATION(GENERATE_PAIR), CKM_EC_KEY_PAIR_GEN, ANY_KEY, prepare_plain},
	{OPERATION(GENERATE_PAIR), CKM_EC_EDWARDS_KEY_PAIR_GEN, ANY_KEY, prepare_plain},
	{OPERATION(GENERATE_PAIR), EC_MONTGOMERY_KEY_PAIR_GEN, ANY_KEY, prepare_plain},
	{WRAPPING, CKM_AES_KEY_WRAP, CKK_AES, prepare_wrap_iv},
	{WRAPPING, CKM_AES_KEY_WRAP_PAD, CKK_AES, prepare_wrap_pad_iv},
	{WRAPPING, AES_KEY_WRAP_KWP, CKK_AES, prepare_wrap_pad_iv},
	{WRAPPING, CKM_AES_ECB, CKK_AES, prepare_plain},
	{WRAPPING, CKM_AES_CBC, CKK_AES, prepare_aes_iv},
	{WRAPPING, CKM_AES_CBC_PAD, CKK_AES, prepare_aes_iv},
	{WRAPPING, CKM_DES3_CBC, ANY_SECRET, prepare_des_iv},
	{WRAPPING, CKM_DES3_CBC_PAD, ANY_SECRET, prepare_des_iv},
	{WRAPPING, CKM_RSA_PKCS, CKK_RSA, prepare_plain},
	{WRAPPING, CKM_RSA_PKCS_OAEP, CKK_RSA, prepare_oaep},
};

static bool has_type(const struct hsm_object *key, CK_KEY_TYPE wanted)
{
	CK_KEY_TYPE type;
	size_t length;

	if (!key || wanted == ANY_KEY)
		return true;
	if (wanted == ANY_SECRET || wanted == ANY_PRIVATE)
		return key->object_class ==
		       (wanted == ANY_SECRET ? CKO_SECRET_KEY : CKO_PRIVATE_KEY);
	const uint8_t *value = hsm_object_value(key, CKA_KEY_TYPE, &length);

	if (!value || length != sizeof(type))
		return true; /* then the token knows */
	memcpy(&type, value, sizeof(type));
	return type == wanted;
}

/* Ciphers and MACs of secret keys, and EdDSA, which digests in a way of its own. */
bool hsm_mechanism_has_parts(enum hsm_operation use, uint32_t mechanism)
{
	for (size_t i = 0; i < ARRAY_SIZE(mechanisms); i++) {
		unsigned all = mechanisms[i].operations;
		if (mechanisms[i].type == mechanism && all & 1U << use)
			return all == CIPHER || all == MAKE_MAC || mechanism == CKM_EDDSA;
	}
	return false;
}

bool hsm_prepare(struct hsm_prepared *prepared, const struct hsm_request *request,
	const struct hsm_object *key, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(mechanisms); i++) {
		if (!(mechanisms[i].operations & 1U << request->operation) ||
			mechanisms[i].type != request->mechanism)
			continue;
		*prepared = (struct hsm_prepared){.mechanism = {.mechanism = request->mechanism}};
		if (!mechanisms[i].prepare(prepared, request))
			return error_set_field(error, ERROR_INVALID_ARGUMENT, "parameter",
				"the mechanism's parameter is malformed");
		if (!has_type(key, mechanisms[i].key_type))
			return error_set_refused(error, CKR_KEY_TYPE_INCONSISTENT,
				"the key %u is not of the mechanism's type", key->number);
		return true;
	}
	return error_set(error, ERROR_NOT_SUPPORTED,
		"keys of HSM slots are not used with mechanism 0x%X in this way",
		request->mechanism);
}

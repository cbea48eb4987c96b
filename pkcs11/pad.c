/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/pad.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#define PKCS1_OVERHEAD	   11
#define PKCS1_FILL_MINIMUM 8
#define PSS_TRAILER	   0xBC
#define MODULUS_MAXIMUM	   2048 /* bytes */

CK_RV pad_pkcs1(struct buffer *block, size_t size, const struct buffer *data)
{
	if (size < PKCS1_OVERHEAD || data->length > size - PKCS1_OVERHEAD)
		return CKR_DATA_LEN_RANGE;
	buffer_append_u16(block, 0x0001);
	buffer_fill(block, 0xFF, size - data->length - 3);
	buffer_append_u8(block, 0);
	buffer_append(block, data->data, data->length);
	return block->failed ? CKR_HOST_MEMORY : CKR_OK;
}

CK_RV pad_zeros(struct buffer *block, size_t size, const struct buffer *data)
{
	if (data->length > size)
		return CKR_DATA_LEN_RANGE;
	buffer_fill(block, 0, size - data->length);
	buffer_append(block, data->data, data->length);
	return block->failed ? CKR_HOST_MEMORY : CKR_OK;
}

/* MGF1 (B.2.1), added to data. */
static bool mask(const struct digest *mgf, const uint8_t *seed, size_t seed_length, uint8_t *data,
	size_t length)
{
	uint8_t out[DIGEST_SIZE_MAXIMUM];

	for (uint32_t counter = 0; length > 0; counter++) {
		uint8_t number[4] = {counter >> 24, counter >> 16, counter >> 8, counter};
		if (!digest_bytes(mgf, (struct reader)READER_INIT(seed, seed_length),
			    (struct reader)READER_INIT(number, sizeof(number)), out))
			return false;
		size_t part = length < mgf->size ? length : mgf->size;
		for (size_t i = 0; i < part; i++)
			data[i] ^= out[i];
		data += part;
		length -= part;
	}
	OPENSSL_cleanse(out, sizeof(out));
	return true;
}

/* H = Hash(eight zeros || mHash || salt) */
static bool pss_hash(const struct digest *digest, const struct buffer *hash, const uint8_t *salt,
	size_t salt_length, uint8_t *out)
{
	uint8_t first[8 + DIGEST_SIZE_MAXIMUM] = {0};

	memcpy(first + 8, hash->data, hash->length);
	return digest_bytes(digest, (struct reader)READER_INIT(first, 8 + hash->length),
		(struct reader)READER_INIT(salt, salt_length), out);
}

CK_RV pad_pss(struct buffer *block, size_t bits, const struct digest *digest,
	const struct digest *mgf, size_t salt_length, const struct buffer *hash)
{
	size_t size = (bits + 7) / 8;
	size_t encoded_size = (bits - 1 + 7) / 8; /* emLen: emBits is one bit less */

	if (hash->length != digest->size)
		return CKR_DATA_LEN_RANGE;
	if (salt_length > MODULUS_MAXIMUM || encoded_size < digest->size + salt_length + 2)
		return CKR_KEY_SIZE_RANGE;
	buffer_fill(block, 0, size);
	if (block->failed)
		return CKR_HOST_MEMORY;
	uint8_t *encoded = block->data + (size - encoded_size);
	size_t db_length = encoded_size - digest->size - 1;
	uint8_t *salt = encoded + db_length - salt_length;
	if (!crypto_context() || RAND_bytes_ex(crypto_context(), salt, salt_length, 0) != 1 ||
		!pss_hash(digest, hash, salt, salt_length, encoded + db_length))
		return CKR_FUNCTION_FAILED;
	salt[-1] = 0x01;
	if (!mask(mgf, encoded + db_length, digest->size, encoded, db_length))
		return CKR_FUNCTION_FAILED;
	encoded[0] &= 0xFF >> (8 * encoded_size - (bits - 1));
	encoded[encoded_size - 1] = PSS_TRAILER;
	return CKR_OK;
}

/* All ones when the byte is zero. */
static size_t is_zero(uint8_t byte)
{
	return (size_t)0 - (((uint32_t)byte - 1) >> 31);
}

static size_t choose(size_t condition, size_t yes, size_t no)
{
	return (condition & yes) | (~condition & no);
}

/* All ones when one < other; both are far below half of the range. */
static size_t is_less(size_t one, size_t other)
{
	return (size_t)0 - ((one - other) >> (8 * sizeof(size_t) - 1));
}

static CK_RV take_message(
	struct buffer *plain, const uint8_t *data, size_t length, size_t start, size_t good)
{
	if (!good)
		return CKR_ENCRYPTED_DATA_INVALID;
	buffer_append(plain, data + start, length - start);
	return plain->failed ? CKR_HOST_MEMORY : CKR_OK;
}

CK_RV unpad_pkcs1(struct buffer *plain, const struct buffer *block)
{
	const uint8_t *data = block->data;
	size_t separator = 0;
	size_t found = 0;

	if (block->length < PKCS1_OVERHEAD)
		return CKR_ENCRYPTED_DATA_INVALID;
	for (size_t i = 2; i < block->length; i++) {
		size_t here = is_zero(data[i]) & ~found;
		separator = choose(here, i, separator);
		found |= here;
	}
	size_t good = found & is_zero(data[0]) & is_zero(data[1] ^ 0x02) &
		      ~is_less(separator, 2 + PKCS1_FILL_MINIMUM);
	return take_message(plain, data, block->length, separator + 1, good);
}

/* Nothing here is secret. */
CK_RV unpad_signature(struct buffer *data, const struct buffer *block)
{
	size_t end = 2;

	if (block->length < PKCS1_OVERHEAD || block->data[0] != 0 || block->data[1] != 1)
		return CKR_SIGNATURE_INVALID;
	while (end < block->length && block->data[end] == 0xFF)
		end++;
	if (end == block->length || block->data[end] != 0 || end < 2 + PKCS1_FILL_MINIMUM)
		return CKR_SIGNATURE_INVALID;
	buffer_append(data, block->data + end + 1, block->length - end - 1);
	return data->failed ? CKR_HOST_MEMORY : CKR_OK;
}

/* DB = lHash || zeros || 01 || message */
static CK_RV read_oaep(struct buffer *plain, const uint8_t *data, size_t length,
	const uint8_t *label_hash, size_t hash_size, size_t good)
{
	size_t separator = 0;
	size_t found = 0;

	for (size_t i = hash_size; i < length; i++) {
		size_t one = is_zero(data[i] ^ 0x01) & ~found;
		good &= found | one | is_zero(data[i]);
		separator = choose(one, i, separator);
		found |= one;
	}
	good &= found & ((size_t)0 - (CRYPTO_memcmp(data, label_hash, hash_size) == 0));
	return take_message(plain, data, length, separator + 1, good);
}

CK_RV unpad_oaep(struct buffer *plain, const struct buffer *block, const struct digest *digest,
	const struct digest *mgf, const struct buffer *label)
{
	_cleanup_buffer_ struct buffer copy = BUFFER_INIT_WIPE;
	uint8_t label_hash[DIGEST_SIZE_MAXIMUM];
	size_t hash_size = digest->size;

	if (block->length < 2 * hash_size + 2)
		return CKR_ENCRYPTED_DATA_INVALID;
	buffer_append(&copy, block->data, block->length);
	if (copy.failed)
		return CKR_HOST_MEMORY;
	uint8_t *seed = copy.data + 1;
	uint8_t *db = seed + hash_size;
	size_t db_length = copy.length - hash_size - 1;
	if (!mask(mgf, db, db_length, seed, hash_size) ||
		!mask(mgf, seed, hash_size, db, db_length) ||
		!digest_bytes(digest, reader_of(label), (struct reader){0}, label_hash))
		return CKR_FUNCTION_FAILED;
	return read_oaep(plain, db, db_length, label_hash, hash_size, is_zero(copy.data[0]));
}

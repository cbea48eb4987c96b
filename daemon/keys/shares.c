/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keys/shares.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "common/alloc.h"

#define PACKED_FORMAT	1
#define PACKED_NEEDED	(1 + SHARE_SET_LENGTH)
#define PACKED_VALUE	(PACKED_NEEDED + 2)
#define PACKED_CHECK	(PACKED_VALUE + SHARE_KEY_LENGTH)
#define CHECK_LENGTH	(SHARE_PACKED_LENGTH - PACKED_CHECK)
#define FIELD_REDUCTION 0x1B /* x^4 + x^3 + x + 1 */

void share_clear(struct share *share)
{
	secret_clear(&share->value);
	*share = (struct share){0};
}

void shares_free(struct share *shares, size_t count)
{
	for (size_t i = 0; shares && i < count; i++)
		share_clear(&shares[i]);
	free(shares);
}

/* --- the field: no branch and no table depends on a value --- */

static uint8_t multiply(uint8_t one, uint8_t other)
{
	uint8_t product = 0;

	for (unsigned bit = 0; bit < 8; bit++) {
		product ^= (uint8_t)(one & (uint8_t) - (other & 1));
		one = (uint8_t)((uint8_t)(one << 1) ^ (FIELD_REDUCTION & (uint8_t) - (one >> 7)));
		other >>= 1;
	}
	return product;
}

/* value^254, which is 1 / value for all but 0. */
static uint8_t invert(uint8_t value)
{
	uint8_t power = value, inverse = 1;

	for (unsigned bit = 1; bit < 8; bit++) {
		power = multiply(power, power);
		inverse = multiply(inverse, power);
	}
	return inverse;
}

/* --- splitting --- */

/* coefficients: of x^1 and up, for each byte of the key one after the other. */
static void evaluate(const struct secret *key, const struct secret *coefficients, unsigned needed,
	struct share *share)
{
	for (size_t i = 0; i < SHARE_KEY_LENGTH; i++) {
		const uint8_t *own = coefficients->data + i * needed;
		uint8_t value = 0;
		for (unsigned degree = needed; degree-- > 1;)
			value = multiply((uint8_t)(value ^ own[degree]), share->number);
		share->value.data[i] = value ^ key->data[i];
	}
}

static bool check_numbers(unsigned needed, unsigned count, struct error *error)
{
	return (needed >= 1 && needed <= count && count <= SHARES_MAXIMUM) ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, "shares",
		       "of %u shares %u cannot be needed: 1 to as many as there are, and at most "
		       "%d",
		       count, needed, SHARES_MAXIMUM);
}

bool shares_split(const struct secret *key, const uint8_t set[SHARE_SET_LENGTH], unsigned needed,
	unsigned count, struct share **shares, struct error *error)
{
	struct secret coefficients _cleanup_secret_ = SECRET_INIT;

	if (!check_numbers(needed, count, error))
		return false;
	if (key->length != SHARE_KEY_LENGTH)
		return error_set(
			error, ERROR_FAILED, "a key that is split has %d bytes", SHARE_KEY_LENGTH);
	/* One in `needed` of them, the key's own place, stays unused. */
	if (!secret_allocate(&coefficients, (size_t)SHARE_KEY_LENGTH * needed) ||
		RAND_priv_bytes(coefficients.data, (int)coefficients.length) != 1)
		return error_set(error, ERROR_FAILED, "no random numbers for the shares");
	struct share *made = xcalloc(count, sizeof(*made));
	for (unsigned i = 0; i < count; i++) {
		made[i].needed = (uint8_t)needed;
		made[i].number = (uint8_t)(i + 1);
		memcpy(made[i].set, set, SHARE_SET_LENGTH);
		if (!secret_allocate(&made[i].value, SHARE_KEY_LENGTH)) {
			shares_free(made, count);
			return error_set(error, ERROR_FAILED, "out of memory");
		}
		evaluate(key, &coefficients, needed, &made[i]);
	}
	*shares = made;
	return true;
}

/* --- combining --- */

static bool check_together(const struct share *shares, size_t count, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		if (memcmp(shares[i].set, shares[0].set, SHARE_SET_LENGTH) != 0 ||
			shares[i].needed != shares[0].needed)
			return error_set(error, ERROR_DATA_INVALID,
				"share %u is of another backup than share %u", shares[i].number,
				shares[0].number);
		for (size_t j = 0; j < i; j++) {
			if (shares[i].number == shares[j].number)
				return error_set(error, ERROR_DATA_INVALID,
					"share %u is there twice", shares[i].number);
		}
	}
	if (count == 0 || count < shares[0].needed)
		return error_set(error, ERROR_DATA_INVALID, "%u shares are needed, %zu are there",
			count ? shares[0].needed : 1, count);
	return true;
}

/* What the share of that index counts with: the product of x_j / (x_j - x_i), at x = 0. */
static uint8_t weight(const struct share *shares, size_t count, size_t index)
{
	uint8_t product = 1;

	for (size_t j = 0; j < count; j++) {
		if (j != index)
			product = multiply(
				product, multiply(shares[j].number,
						 invert(shares[j].number ^ shares[index].number)));
	}
	return product;
}

bool shares_combine(
	const struct share *shares, size_t count, struct secret *key, struct error *error)
{
	struct secret sum _cleanup_secret_ = SECRET_INIT;

	if (!check_together(shares, count, error))
		return false;
	if (!secret_allocate(&sum, SHARE_KEY_LENGTH))
		return error_set(error, ERROR_FAILED, "out of memory");
	for (size_t i = 0; i < shares[0].needed; i++) {
		uint8_t factor = weight(shares, shares[0].needed, i);
		for (size_t j = 0; j < SHARE_KEY_LENGTH; j++)
			sum.data[j] ^= multiply(shares[i].value.data[j], factor);
	}
	secret_move(key, &sum);
	return true;
}

/* --- as bytes --- */

static bool checksum(const struct secret *packed, uint8_t check[CHECK_LENGTH])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	bool done = EVP_Digest(packed->data, PACKED_CHECK, digest, NULL, EVP_sha256(), NULL) == 1;

	memcpy(check, digest, CHECK_LENGTH);
	OPENSSL_cleanse(digest, sizeof(digest));
	return done;
}

bool share_pack(const struct share *share, struct secret *packed, struct error *error)
{
	struct secret bytes _cleanup_secret_ = SECRET_INIT;

	if (!secret_allocate(&bytes, SHARE_PACKED_LENGTH))
		return error_set(error, ERROR_FAILED, "out of memory");
	bytes.data[0] = PACKED_FORMAT;
	memcpy(bytes.data + 1, share->set, SHARE_SET_LENGTH);
	bytes.data[PACKED_NEEDED] = share->needed;
	bytes.data[PACKED_NEEDED + 1] = share->number;
	memcpy(bytes.data + PACKED_VALUE, share->value.data, SHARE_KEY_LENGTH);
	if (!checksum(&bytes, bytes.data + PACKED_CHECK))
		return error_set(error, ERROR_FAILED, "computing a checksum failed");
	secret_move(packed, &bytes);
	return true;
}

bool share_unpack(const struct secret *packed, struct share *share, struct error *error)
{
	uint8_t check[CHECK_LENGTH];

	if (packed->length != SHARE_PACKED_LENGTH || packed->data[0] != PACKED_FORMAT ||
		!checksum(packed, check) ||
		CRYPTO_memcmp(check, packed->data + PACKED_CHECK, CHECK_LENGTH) != 0 ||
		packed->data[PACKED_NEEDED] == 0 || packed->data[PACKED_NEEDED + 1] == 0)
		return error_set(error, ERROR_DATA_INVALID, "the share is damaged");
	struct share made = {
		.needed = packed->data[PACKED_NEEDED], .number = packed->data[PACKED_NEEDED + 1]};
	memcpy(made.set, packed->data + 1, SHARE_SET_LENGTH);
	if (!secret_set(&made.value, packed->data + PACKED_VALUE, SHARE_KEY_LENGTH))
		return error_set(error, ERROR_FAILED, "out of memory");
	share_clear(share);
	*share = made;
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keys/master-key.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "common/alloc.h"
#include "keys/des.h"
#include "keys/kdf.h"

#define LABEL_FORMAT	 "tessera master key %u"
#define LABEL_MANAGEMENT "tessera piv management key"
#define LABEL_PUK	 "tessera piv puk"
#define VERSION_MAX	 100000
#define SERIAL_MAX	 128 /* bytes */
#define PUK_DIGITS	 8
#define PUK_FACTORY	 "12345678"

struct master_key {
	struct token *token;
	_Atomic uint32_t version;
};

/* PIV algorithm references of management keys (SP 800-78-4, table 6-2). */
static const struct management_algorithm {
	uint8_t reference;
	size_t length; /* bytes of the key */
	size_t block;  /* bytes of the cipher's block */
	const char *cipher;
} management_algorithms[] = {
	{0x03, DES3_KEY_LENGTH, 8, "DES-EDE3-ECB"},
	{0x08, 16, 16, "AES-128-ECB"},
	{0x0A, 24, 16, "AES-192-ECB"},
	{0x0C, 32, 16, "AES-256-ECB"},
};

static const struct management_algorithm *algorithm_find(uint8_t reference, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(management_algorithms); i++)
		if (management_algorithms[i].reference == reference)
			return &management_algorithms[i];
	error_set(error, ERROR_NOT_SUPPORTED, "no management keys of algorithm %02X", reference);
	return NULL;
}

char *master_key_label(uint32_t version)
{
	return xasprintf(LABEL_FORMAT, version);
}

static bool has_version(struct token *token, uint32_t version, bool *found, struct error *error)
{
	_cleanup_free_ char *label = master_key_label(version);

	return token_has_key(token, label, found, error);
}

/* The highest version; only up to `least` may some before it be missing. 0 when there is none. */
static bool find_version(
	struct token *token, uint32_t least, uint32_t *version, struct error *error)
{
	uint32_t highest = 0;
	bool found = true;

	for (uint32_t next = 1; found || next <= least; next++) {
		if (next > VERSION_MAX)
			return error_set(
				error, ERROR_TOKEN_FAILED, "too many master keys in the token");
		if (!has_version(token, next, &found, error))
			return false;
		if (found)
			highest = next;
	}
	*version = highest;
	return true;
}

static struct master_key *key_new(struct token *token, uint32_t version)
{
	struct master_key *key = xnew(struct master_key);

	key->token = token;
	key->version = version;
	return key;
}

struct master_key *master_key_find(struct token *token, uint32_t least, struct error *error)
{
	uint32_t version = 0;

	if (!find_version(token, least, &version, error))
		return NULL;
	if (version > 0)
		return key_new(token, version);
	error_set(error, ERROR_NOT_FOUND, "the token holds no master key");
	return NULL;
}

struct master_key *master_key_open(struct token *token, struct error *error)
{
	_cleanup_free_ char *label = master_key_label(1);
	uint32_t version = 0;

	if (!find_version(token, 0, &version, error))
		return NULL;
	if (version == 0 && !token_generate_aes(token, label, error)) {
		error_prefix(error, "making the master key");
		return NULL;
	}
	return key_new(token, version == 0 ? 1 : version);
}

bool master_key_has(struct master_key *key, uint32_t version, bool *found, struct error *error)
{
	return has_version(key->token, version, found, error);
}

bool master_key_rotate(struct master_key *key, struct error *error)
{
	uint32_t next = key->version + 1;
	_cleanup_free_ char *label = master_key_label(next);

	if (next > VERSION_MAX)
		return error_set(error, ERROR_TOKEN_FAILED, "too many master keys in the token");
	if (!token_generate_aes(key->token, label, error))
		return error_prefix(error, "making master key version %u", next);
	key->version = next;
	return true;
}

bool master_key_check_value(
	struct master_key *key, uint32_t version, uint8_t value[3], struct error *error)
{
	_cleanup_free_ char *label = master_key_label(version);

	return token_key_check_value(key->token, label, value, error);
}

void master_key_close(struct master_key *key)
{
	free(key);
}

uint32_t master_key_version(const struct master_key *key)
{
	return key->version;
}

/* A PRF call: which token and which key. */
struct prf_key {
	struct token *token;
	const char *label;
};

static bool prf(
	void *context, const uint8_t *data, size_t length, uint8_t mac[16], struct error *error)
{
	const struct prf_key *key = context;

	return token_cmac(key->token, key->label, data, length, mac, error);
}

/* What a secret is derived for. */
struct purpose {
	const char *label, *serial;
	uint32_t version, generation; /* generation 0 leaves no trace in the context */
};

/*
 * label || 0x00 || serial || 0x00 || [key version]32 || [generation]32 || [L]32 (SP 800-108r1,
 * 4.1).
 */
static void fixed_data(struct buffer *fixed, const struct purpose *purpose, size_t length)
{
	buffer_append_string(fixed, purpose->label);
	buffer_append_u8(fixed, 0);
	buffer_append_string(fixed, purpose->serial);
	buffer_append_u8(fixed, 0);
	buffer_append_u32(fixed, purpose->version);
	if (purpose->generation > 0)
		buffer_append_u32(fixed, purpose->generation);
	buffer_append_u32(fixed, (uint32_t)(length * 8));
}

static bool derive(struct master_key *key, const struct purpose *purpose, size_t length,
	struct secret *value, struct error *error)
{
	_cleanup_secret_ struct secret output = SECRET_INIT;
	_cleanup_buffer_ struct buffer fixed = BUFFER_INIT;
	_cleanup_free_ char *label = master_key_label(purpose->version);
	struct prf_key prf_key = {key->token, label};
	const char *serial = purpose->serial;

	if (purpose->version == 0 || purpose->version > key->version)
		return error_set(error, ERROR_INVALID_ARGUMENT, "there is no master key version %u",
			purpose->version);
	if (!serial || serial[0] == '\0' || strlen(serial) > SERIAL_MAX)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"a card's serial number has 1 to %d bytes", SERIAL_MAX);
	fixed_data(&fixed, purpose, length);
	if (fixed.failed || !secret_allocate(&output, length))
		return error_set(error, ERROR_FAILED, "out of memory");
	if (!kdf_counter(prf, &prf_key, fixed.data, fixed.length, &output, error))
		return error_prefix(error, "deriving a card's secret");
	secret_move(value, &output);
	return true;
}

/* Cards leave the factory with 01 02 ... 08 over and over, or with zeros. */
static bool is_factory_key(const struct secret *key)
{
	uint8_t counted = 0, zeros = 0;

	for (size_t i = 0; i < key->length; i++) {
		counted |= key->data[i] ^ (uint8_t)(i % 8 + 1);
		zeros |= key->data[i];
	}
	return counted == 0 || zeros == 0;
}

/* AES-CMAC of data by OpenSSL, under a key that is outside the token. */
static bool software_cmac(const struct secret *key, const uint8_t *data, size_t length,
	uint8_t mac[16], struct error *error)
{
	char cipher[] = "AES-256-CBC";
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
		OSSL_PARAM_construct_end()};
	size_t mac_length = 0;

	if (EVP_Q_mac(NULL, "CMAC", NULL, NULL, parameters, key->data, key->length, data, length,
		    mac, 16, &mac_length) &&
		mac_length == 16)
		return true;
	return error_set(error, ERROR_FAILED, "AES-CMAC failed");
}

/*
 * Programs have been seen to write the master key itself to cards. Two AES-256
 * keys are the same exactly when their CMACs of one block are.
 */
static bool is_master_key(struct master_key *key, uint32_t version, const struct secret *value,
	bool *same, struct error *error)
{
	static const uint8_t block[16] = "tessera compare";
	_cleanup_free_ char *label = master_key_label(version);
	uint8_t ours[16], theirs[16];

	*same = false;
	if (value->length != 32)
		return true;
	if (!token_cmac(key->token, label, block, sizeof(block), theirs, error) ||
		!software_cmac(value, block, sizeof(block), ours, error))
		return false;
	*same = memcmp(ours, theirs, sizeof(ours)) == 0;
	return true;
}

bool master_key_derive_management_key(struct master_key *key, const char *serial, uint32_t version,
	uint8_t algorithm, struct secret *value, struct error *error)
{
	const struct management_algorithm *parameters = algorithm_find(algorithm, error);
	const struct purpose purpose = {
		.label = LABEL_MANAGEMENT, .serial = serial, .version = version};
	_cleanup_secret_ struct secret derived = SECRET_INIT;
	bool same = false;

	if (!parameters || !derive(key, &purpose, parameters->length, &derived, error))
		return false;
	if (algorithm == 0x03)
		des_set_odd_parity(derived.data, derived.length);
	if (!is_master_key(key, version, &derived, &same, error))
		return false;
	if (same || is_factory_key(&derived) ||
		(algorithm == 0x03 && des3_key_is_weak(derived.data)))
		return error_set(error, ERROR_FAILED,
			"master key version %u gives an unfit management key for card %s", version,
			serial);
	secret_move(value, &derived);
	return true;
}

/* A big-endian number modulo 10^8 in decimal digits. */
static void puk_digits(const uint8_t *number, size_t length, uint8_t digits[PUK_DIGITS])
{
	uint64_t rest = 0;

	for (size_t i = 0; i < length; i++)
		rest = (rest << 8 | number[i]) % 100000000;
	for (size_t i = PUK_DIGITS; i-- > 0; rest /= 10)
		digits[i] = (uint8_t)('0' + rest % 10);
}

/*
 * 256 bits are derived. The PUK is the first 128, as a big-endian number modulo
 * 10^8; should that be the factory's PUK, the last 128 instead.
 */
bool master_key_derive_puk(struct master_key *key, const char *serial, uint32_t version,
	uint32_t generation, struct secret *value, struct error *error)
{
	const struct purpose purpose = {
		.label = LABEL_PUK, .serial = serial, .version = version, .generation = generation};
	_cleanup_secret_ struct secret derived = SECRET_INIT, puk = SECRET_INIT;

	if (!derive(key, &purpose, 32, &derived, error))
		return false;
	if (!secret_allocate(&puk, PUK_DIGITS))
		return error_set(error, ERROR_FAILED, "out of memory");
	puk_digits(derived.data, 16, puk.data);
	if (memcmp(puk.data, PUK_FACTORY, PUK_DIGITS) == 0)
		puk_digits(derived.data + 16, 16, puk.data);
	secret_move(value, &puk);
	return true;
}

static bool encrypt_zero_block(
	const struct secret *key, const struct management_algorithm *parameters, uint8_t block[16])
{
	static const uint8_t zero[16];
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, parameters->cipher, NULL);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int length = 0;
	bool done = cipher && context &&
		    EVP_EncryptInit_ex2(context, cipher, key->data, NULL, NULL) == 1 &&
		    EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
		    EVP_EncryptUpdate(context, block, &length, zero, (int)parameters->block) == 1 &&
		    length == (int)parameters->block;

	EVP_CIPHER_CTX_free(context);
	EVP_CIPHER_free(cipher);
	return done;
}

bool management_key_check_value(
	const struct secret *key, uint8_t algorithm, uint8_t value[3], struct error *error)
{
	const struct management_algorithm *parameters = algorithm_find(algorithm, error);
	uint8_t block[16];

	if (!parameters)
		return false;
	if (key->length != parameters->length)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"a management key of algorithm %02X has %zu bytes", algorithm,
			parameters->length);
	if (!encrypt_zero_block(key, parameters, block))
		return error_set(error, ERROR_FAILED, "computing a key check value failed");
	memcpy(value, block, 3);
	explicit_bzero(block, sizeof(block));
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/vcard/secure-host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "common/alloc.h"
#include "common/tlv.h"
#include "lib/scratch.h"
#include "unit/vcard/fixture.h"
#include "vcard/certificate.h"

#define BLOCK		     16
#define MAC_LENGTH	     8
#define CERTIFICATES_MAXIMUM 8

/* --- a CA ------------------------------------------------------------------------------------- */

static X509 *certify(EVP_PKEY *key, const char *subject, EVP_PKEY *issuer_key, const char *issuer)
{
	X509 *certificate = certificate_new(key, subject);

	assert_non_null(certificate);
	assert_true(certificate_set_name(X509_get_issuer_name(certificate), issuer));
	assert_true(certificate_add_known_extension(
		certificate, NID_basic_constraints, "critical,CA:TRUE"));
	assert_true(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
	return certificate;
}

static void write_issuer(const char *path, EVP_PKEY *key, X509 *certificate, X509 *above)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	if (above)
		assert_int_equal(PEM_write_X509(file, above), 1);
	assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
}

struct test_issuer *test_issuer_new(void)
{
	struct test_issuer *issuer = xnew(struct test_issuer);
	EVP_PKEY *root_key = EVP_EC_gen("P-256");
	EVP_PKEY *key = EVP_EC_gen("P-256");

	issuer->folder = scratch_new();
	issuer->path = xasprintf("%s/ca.pem", issuer->folder);
	issuer->root_path = xasprintf("%s/root.pem", issuer->folder);
	issuer->root = certify(root_key, "Root", root_key, "Root");
	X509 *intermediate = certify(key, "Issuing CA", root_key, "Root");
	write_issuer(issuer->path, key, intermediate, issuer->root);
	write_issuer(issuer->root_path, root_key, issuer->root, NULL);
	X509_free(intermediate);
	EVP_PKEY_free(key);
	EVP_PKEY_free(root_key);
	return issuer;
}

void test_issuer_free(struct test_issuer *issuer)
{
	scratch_free(issuer->folder);
	free(issuer->path);
	free(issuer->root_path);
	X509_free(issuer->root);
	free(issuer);
}

/* --- AES, CMAC, key derivation ---------------------------------------------------------------- */

static void encrypt_block(const uint8_t *key, const uint8_t *in, uint8_t *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int written = 0;

	assert_int_equal(EVP_EncryptInit_ex2(context, EVP_aes_128_ecb(), key, NULL, NULL), 1);
	EVP_CIPHER_CTX_set_padding(context, 0);
	assert_int_equal(EVP_EncryptUpdate(context, out, &written, in, BLOCK), 1);
	assert_int_equal(written, BLOCK);
	EVP_CIPHER_CTX_free(context);
}

static void decrypt_block(const uint8_t *key, const uint8_t *in, uint8_t *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int written = 0;

	assert_int_equal(EVP_DecryptInit_ex2(context, EVP_aes_128_ecb(), key, NULL, NULL), 1);
	EVP_CIPHER_CTX_set_padding(context, 0);
	assert_int_equal(EVP_DecryptUpdate(context, out, &written, in, BLOCK), 1);
	assert_int_equal(written, BLOCK);
	EVP_CIPHER_CTX_free(context);
}

static void xor_block(uint8_t *block, const uint8_t *other)
{
	for (size_t i = 0; i < BLOCK; i++)
		block[i] ^= other[i];
}

/* RFC 4493, 2.3: one bit to the left, and the field's polynomial for the bit that falls out. */
static void double_block(uint8_t *block)
{
	uint8_t carry = block[0] >> 7;

	for (size_t i = 0; i < BLOCK; i++)
		block[i] = (uint8_t)(block[i] << 1 | (i + 1 < BLOCK ? block[i + 1] >> 7 : 0));
	if (carry)
		block[BLOCK - 1] ^= 0x87;
}

/* ISO/IEC 7816-4: 80, and 00 up to a whole block. */
static void pad(struct buffer *data)
{
	buffer_append_u8(data, 0x80);
	while (data->length % BLOCK != 0)
		buffer_append_u8(data, 0);
}

void host_cmac(const uint8_t *key, const struct buffer *message, uint8_t *mac)
{
	_cleanup_buffer_ struct buffer padded = BUFFER_INIT;
	uint8_t subkey[BLOCK] = {0};
	bool is_whole = message->length > 0 && message->length % BLOCK == 0;

	encrypt_block(key, subkey, subkey);
	double_block(subkey);
	buffer_append(&padded, message->data, message->length);
	if (!is_whole) {
		double_block(subkey);
		pad(&padded);
	}
	xor_block(padded.data + padded.length - BLOCK, subkey);
	memset(mac, 0, BLOCK);
	for (size_t at = 0; at < padded.length; at += BLOCK) {
		xor_block(mac, padded.data + at);
		encrypt_block(key, mac, mac);
	}
}

void host_kdf(struct reader secret, struct reader info, uint8_t *out, size_t length)
{
	size_t secret_length = reader_left(&secret), info_length = reader_left(&info);
	const uint8_t *secret_bytes = reader_bytes(&secret, secret_length);
	const uint8_t *info_bytes = reader_bytes(&info, info_length);

	for (uint32_t counter = 1; length > 0; counter++) {
		_cleanup_buffer_ struct buffer input = BUFFER_INIT;
		uint8_t hash[SHA256_DIGEST_LENGTH];
		size_t count = length < sizeof(hash) ? length : sizeof(hash);

		buffer_append(&input, secret_bytes, secret_length);
		buffer_append_u32(&input, counter);
		buffer_append(&input, info_bytes, info_length);
		SHA256(input.data, input.length, hash);
		memcpy(out, hash, count);
		out += count;
		length -= count;
	}
}

static void counter_iv(const struct host *host, uint8_t first, uint8_t *iv)
{
	_cleanup_buffer_ struct buffer block = BUFFER_INIT;

	buffer_append_u8(&block, first);
	buffer_fill(&block, 0, 11);
	buffer_append_u32(&block, host->counter);
	assert_int_equal(block.length, BLOCK);
	encrypt_block(host->enc, block.data, iv);
}

/* --- the handshake ---------------------------------------------------------------------------- */

struct vcard *open_scp11_card(const struct test_issuer *issuer)
{
	struct vcard_options options = {
		.firmware = VCARD_FIRMWARE(5, 7, 2), .scp11_ca = issuer->path};

	return open_card(&options);
}

uint16_t transmit_all(struct vcard *card, const char *command, struct buffer *data)
{
	_cleanup_buffer_ struct buffer part = BUFFER_INIT;
	uint16_t status = transmit(card, command, &part);

	buffer_truncate(data, 0);
	buffer_append(data, part.data, part.length);
	while (status >> 8 == 0x61) {
		status = transmit(card, "00C0000000", &part);
		buffer_append(data, part.data, part.length);
	}
	return status;
}

size_t host_certificates(struct vcard *card, X509 **certificates, size_t maximum)
{
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;
	size_t count = 0;

	assert_status(card, SELECT_DOMAIN, 0x9000);
	assert_int_equal(transmit_all(card, TELL_CERTIFICATES, &data), 0x9000);
	const uint8_t *at = data.data, *end = data.data + data.length;
	while (at < end) {
		assert_true(count < maximum);
		certificates[count] = d2i_X509(NULL, &at, end - at);
		assert_non_null(certificates[count++]);
	}
	assert_status(card, SELECT_PIV, 0x9000);
	return count;
}

static void append_point(EVP_PKEY *key, struct buffer *out)
{
	unsigned char *point = NULL;
	size_t length = EVP_PKEY_get1_encoded_public_key(key, &point);

	assert_int_equal(length, 65);
	tlv_append(out, 0x5F49, point, length);
	OPENSSL_free(point);
}

void host_request(struct host *host, struct buffer *data)
{
	EVP_PKEY_free(host->ephemeral);
	host->ephemeral = EVP_EC_gen("P-256");
	buffer_truncate(data, 0);
	assert_true(hex_decode("a60d9002110095013c800188810110", data));
	append_point(host->ephemeral, data);
}

/* Appends the x coordinate of the host's key times the other one. */
static void agree(EVP_PKEY *key, EVP_PKEY *peer, struct buffer *out)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	uint8_t secret[32];
	size_t length = sizeof(secret);

	assert_int_equal(EVP_PKEY_derive_init(context), 1);
	assert_int_equal(EVP_PKEY_derive_set_peer(context, peer), 1);
	assert_int_equal(EVP_PKEY_derive(context, secret, &length), 1);
	assert_int_equal(length, sizeof(secret));
	buffer_append(out, secret, length);
	EVP_PKEY_CTX_free(context);
}

static void agree_with_point(EVP_PKEY *key, struct reader point, struct buffer *out)
{
	EVP_PKEY *peer = EVP_PKEY_new();
	size_t length = reader_left(&point);

	assert_int_equal(EVP_PKEY_copy_parameters(peer, key), 1);
	assert_int_equal(
		EVP_PKEY_set1_encoded_public_key(peer, reader_bytes(&point, length), length), 1);
	agree(key, peer, out);
	EVP_PKEY_free(peer);
}

static void agree_with_card(struct host *host, X509 *leaf, struct reader point, uint8_t *keys)
{
	static const uint8_t info[] = {0x3C, 0x88, 0x10};
	_cleanup_buffer_ struct buffer secret = BUFFER_INIT;

	agree_with_point(host->ephemeral, point, &secret);
	agree(host->ephemeral, X509_get0_pubkey(leaf), &secret);
	host_kdf(reader_of(&secret), (struct reader)READER_INIT(info, sizeof(info)), keys, 80);
}

static void take_keys(struct host *host, const uint8_t *keys, const uint8_t *receipt)
{
	memcpy(host->enc, keys + 16, BLOCK);
	memcpy(host->mac, keys + 32, BLOCK);
	memcpy(host->rmac, keys + 48, BLOCK);
	memcpy(host->chaining, receipt, BLOCK);
	host->counter = 0;
}

void host_accept(struct host *host, X509 *leaf, struct reader data, struct reader answer)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;
	struct tlv point, receipt;
	uint8_t keys[80], expected[BLOCK];
	size_t length = reader_left(&data);

	assert_true(tlv_next(&answer, &point));
	assert_int_equal(point.tag, 0x5F49);
	buffer_append(&message, reader_bytes(&data, length), length);
	buffer_append(&message, answer.data, answer.position);
	assert_true(tlv_next(&answer, &receipt));
	assert_int_equal(receipt.tag, 0x86);
	assert_int_equal(reader_left(&receipt.value), BLOCK);
	assert_int_equal(reader_left(&answer), 0);
	agree_with_card(host, leaf, point.value, keys);
	host_cmac(keys, &message, expected);
	assert_memory_equal(reader_bytes(&receipt.value, BLOCK), expected, BLOCK);
	take_keys(host, keys, expected);
}

void host_open(struct host *host, struct vcard *card)
{
	_cleanup_buffer_ struct buffer data = BUFFER_INIT, answer = BUFFER_INIT;
	X509 *certificates[CERTIFICATES_MAXIMUM];
	size_t count = host_certificates(card, certificates, CERTIFICATES_MAXIMUM);

	host_request(host, &data);
	assert_int_equal(transmit_data(card, OPEN_HEADER, data.data, data.length, &answer), 0x9000);
	host_accept(host, certificates[count - 1], reader_of(&data), reader_of(&answer));
	while (count-- > 0)
		X509_free(certificates[count]);
}

void host_clear(struct host *host)
{
	EVP_PKEY_free(host->ephemeral);
}

/* --- commands and answers --------------------------------------------------------------------- */

/* Whole blocks, in their place. */
static void encrypt(const struct host *host, struct buffer *data)
{
	uint8_t block[BLOCK];

	assert_int_equal(data->length % BLOCK, 0);
	counter_iv(host, 0, block);
	for (size_t at = 0; at < data->length; at += BLOCK) {
		xor_block(block, data->data + at);
		encrypt_block(host->enc, block, block);
		memcpy(data->data + at, block, BLOCK);
	}
}

/* Header and Lc, with the bit that says that the command is protected. */
static void append_head(
	const struct host *host, const char *header, size_t length, struct buffer *out)
{
	append_hex(out, header);
	assert_int_equal(out->length, 4);
	out->data[0] |= 0x04;
	if (host->is_short) {
		assert_true(length <= 255);
		buffer_append_u8(out, (uint8_t)length);
	} else {
		buffer_append_u8(out, 0);
		buffer_append_u16(out, (uint16_t)length);
	}
}

void host_wrap_data(struct host *host, const char *header, const void *bytes, size_t length,
	enum data_form form, struct buffer *wrapped)
{
	_cleanup_buffer_ struct buffer data = BUFFER_INIT, message = BUFFER_INIT;

	host->counter++;
	buffer_append(&data, bytes, length);
	if (form == DATA_PADDED && (length > 0 || !host->sends_no_padding))
		pad(&data);
	if (form != DATA_IN_CLEAR)
		encrypt(host, &data);
	buffer_truncate(wrapped, 0);
	append_head(host, header, data.length + MAC_LENGTH, wrapped);
	buffer_append(wrapped, data.data, data.length);
	buffer_append(&message, host->chaining, BLOCK);
	buffer_append(&message, wrapped->data, wrapped->length);
	host_cmac(host->mac, &message, host->chaining);
	buffer_append(wrapped, host->chaining, MAC_LENGTH);
	buffer_fill(wrapped, 0, host->is_short ? 1 : 2);
}

void host_wrap(struct host *host, const char *command, struct buffer *wrapped)
{
	_cleanup_buffer_ struct buffer plain = BUFFER_INIT;
	char header[9] = {0};

	append_hex(&plain, command);
	assert_true(plain.length >= 4);
	_cleanup_free_ char *hex = hex_encode(plain.data, 4);
	memcpy(header, hex, 8);
	size_t length = plain.length > 5 ? plain.data[4] : 0;
	assert_true(5 + length <= plain.length || length == 0);
	host_wrap_data(host, header, plain.data + 5, length, DATA_PADDED, wrapped);
}

static void assert_response_mac(
	const struct host *host, struct reader data, const uint8_t *mac, uint16_t status)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;
	uint8_t expected[BLOCK];
	size_t length = reader_left(&data);

	buffer_append(&message, host->chaining, BLOCK);
	buffer_append(&message, reader_bytes(&data, length), length);
	buffer_append_u16(&message, status);
	host_cmac(host->rmac, &message, expected);
	assert_memory_equal(mac, expected, MAC_LENGTH);
}

static void decrypt_and_strip(const struct host *host, struct reader data, struct buffer *out)
{
	uint8_t previous[BLOCK], block[BLOCK];

	assert_int_equal(reader_left(&data) % BLOCK, 0);
	if (reader_left(&data) == 0)
		return;
	counter_iv(host, 0x80, previous);
	while (reader_left(&data) > 0) {
		const uint8_t *enciphered = reader_bytes(&data, BLOCK);
		decrypt_block(host->enc, enciphered, block);
		xor_block(block, previous);
		memcpy(previous, enciphered, BLOCK);
		buffer_append(out, block, BLOCK);
	}
	size_t length = out->length;
	while (length > out->length - BLOCK && out->data[length - 1] == 0)
		length--;
	assert_true(length > out->length - BLOCK);
	assert_int_equal(out->data[length - 1], 0x80);
	buffer_truncate(out, length - 1);
}

uint16_t host_transmit(
	struct host *host, struct vcard *card, const struct buffer *wrapped, struct buffer *data)
{
	_cleanup_buffer_ struct buffer answer = BUFFER_INIT, part = BUFFER_INIT,
				       plain = BUFFER_INIT;
	uint16_t status = transmit_bytes(card, wrapped, &answer);

	while (status >> 8 == 0x61) {
		status = transmit(card, "00C0000000", &part);
		buffer_append(&answer, part.data, part.length);
	}
	if (status == 0x9000) {
		struct reader reader = reader_of(&answer);
		assert_true(answer.length >= MAC_LENGTH);
		struct reader enciphered = reader_sub(&reader, answer.length - MAC_LENGTH);
		assert_response_mac(host, enciphered, reader_bytes(&reader, MAC_LENGTH), status);
		decrypt_and_strip(host, enciphered, &plain);
	} else {
		assert_int_equal(answer.length, 0);
	}
	if (data)
		buffer_move(data, &plain);
	return status;
}

uint16_t host_send(struct host *host, struct vcard *card, const char *command, struct buffer *data)
{
	_cleanup_buffer_ struct buffer wrapped = BUFFER_INIT;

	host_wrap(host, command, &wrapped);
	return host_transmit(host, card, &wrapped, data);
}

void assert_secure(struct host *host, struct vcard *card, const char *command, unsigned status)
{
	uint16_t answered = host_send(host, card, command, NULL);

	if (answered != status)
		fail_msg("%s answered %04X instead of %04X", command, answered, status);
}

void assert_secure_answer(
	struct host *host, struct vcard *card, const char *command, const char *answer)
{
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;

	assert_int_equal(host_send(host, card, command, &data), 0x9000);
	_cleanup_free_ char *hex = hex_encode(data.data, data.length);
	assert_string_equal(hex, answer);
}

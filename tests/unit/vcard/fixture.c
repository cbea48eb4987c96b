/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/vcard/fixture.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/tlv.h"
#include "vcard/keys.h"

void append_hex(struct buffer *out, const char *hex)
{
	char digits[1024];
	size_t count = 0;

	for (; *hex; hex++) {
		if (isspace((unsigned char)*hex))
			continue;
		assert_true(count < sizeof(digits) - 1);
		digits[count++] = *hex;
	}
	digits[count] = '\0';
	assert_true(hex_decode(digits, out));
}

struct vcard *open_card(const struct vcard_options *options)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct vcard_options defaults = {0};
	struct vcard *card = vcard_open(options ? options : &defaults, &error);

	if (!card)
		fail_msg("%s", error_message(&error));
	assert_int_equal(transmit(card, SELECT_PIV, NULL), 0x9000);
	return card;
}

uint16_t transmit_bytes(struct vcard *card, const struct buffer *command, struct buffer *data)
{
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;

	if (data)
		buffer_truncate(data, 0);
	if (!vcard_transmit(card, command->data, command->length, &response)) {
		assert_int_equal(response.length, 0);
		return GONE;
	}
	assert_true(response.length >= 2);
	size_t length = response.length - 2;
	if (data)
		buffer_append(data, response.data, length);
	return (uint16_t)(response.data[length] << 8 | response.data[length + 1]);
}

uint16_t transmit(struct vcard *card, const char *command, struct buffer *data)
{
	_cleanup_buffer_ struct buffer bytes = BUFFER_INIT;

	append_hex(&bytes, command);
	return transmit_bytes(card, &bytes, data);
}

uint16_t transmit_data(struct vcard *card, const char *header, const void *bytes, size_t length,
	struct buffer *data)
{
	_cleanup_buffer_ struct buffer command = BUFFER_INIT;

	append_hex(&command, header);
	if (length > 255) {
		buffer_append_u8(&command, 0);
		buffer_append_u16(&command, (uint16_t)length);
	} else {
		buffer_append_u8(&command, (uint8_t)length);
	}
	buffer_append(&command, bytes, length);
	if (length > 255)
		buffer_append_u16(&command, 0);
	return transmit_bytes(card, &command, data);
}

void assert_status(struct vcard *card, const char *command, unsigned status)
{
	uint16_t answered = transmit(card, command, NULL);

	if (answered != status)
		fail_msg("%s answered %04X instead of %04X", command, answered, status);
}

void assert_answer(struct vcard *card, const char *command, const char *answer)
{
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;

	assert_int_equal(transmit(card, command, &data), 0x9000);
	_cleanup_free_ char *hex = hex_encode(data.data, data.length);
	assert_string_equal(hex, answer);
}

static void factory_key(uint8_t *key)
{
	for (int i = 0; i < 32; i++)
		key[i] = (uint8_t)(i % 8 + 1);
}

/* The reverse of block_encrypt(), with OpenSSL alone. */
static void decrypt(
	const struct block_cipher *cipher, const uint8_t *key, const uint8_t *in, uint8_t *out)
{
	EVP_CIPHER *fetched = EVP_CIPHER_fetch(NULL, cipher->name, NULL);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int written = 0;

	assert_int_equal(EVP_DecryptInit_ex2(context, fetched, key, NULL, NULL), 1);
	EVP_CIPHER_CTX_set_padding(context, 0);
	assert_int_equal(EVP_DecryptUpdate(context, out, &written, in, cipher->block_length), 1);
	assert_int_equal(written, cipher->block_length);
	EVP_CIPHER_CTX_free(context);
	EVP_CIPHER_free(fetched);
}

static void header_of(char *header, size_t size, uint8_t algorithm, uint8_t reference)
{
	snprintf(header, size, "0087%02X%02X", algorithm, reference);
}

/* Asks with 7C 02 tag 00; the block of the answer is put in block. */
static uint16_t ask(struct vcard *card, uint8_t algorithm, uint8_t tag, uint8_t *block)
{
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;
	const struct block_cipher *cipher = block_cipher_find(algorithm);
	struct reader template, value;
	char header[16];

	header_of(header, sizeof(header), algorithm, 0x9B);
	uint16_t status = transmit_data(card, header, (uint8_t[]){0x7C, 2, tag, 0}, 4, &data);
	if (status != 0x9000)
		return status;
	assert_true(tlv_find(reader_of(&data), 0x7C, &template));
	assert_true(tlv_find(template, tag, &value));
	assert_int_equal(reader_left(&value), cipher->block_length);
	memcpy(block, reader_bytes(&value, cipher->block_length), cipher->block_length);
	return status;
}

uint16_t authenticate_mutual(struct vcard *card, uint8_t algorithm)
{
	_cleanup_buffer_ struct buffer inner = BUFFER_INIT, command = BUFFER_INIT,
				       data = BUFFER_INIT;
	const struct block_cipher *cipher = block_cipher_find(algorithm);
	uint8_t key[32], encrypted[16], witness[16], expected[16];
	static const uint8_t challenge[16] = "sixteen letters";
	struct reader template, value;
	char header[16];

	factory_key(key);
	uint16_t status = ask(card, algorithm, 0x80, encrypted);
	if (status != 0x9000)
		return status;
	decrypt(cipher, key, encrypted, witness);
	tlv_append(&inner, 0x80, witness, cipher->block_length);
	tlv_append(&inner, 0x81, challenge, cipher->block_length);
	tlv_append(&command, 0x7C, inner.data, inner.length);
	header_of(header, sizeof(header), algorithm, 0x9B);
	status = transmit_data(card, header, command.data, command.length, &data);
	if (status != 0x9000)
		return status;
	assert_true(tlv_find(reader_of(&data), 0x7C, &template));
	assert_true(tlv_find(template, 0x82, &value));
	assert_int_equal(reader_left(&value), cipher->block_length);
	assert_true(block_encrypt(cipher, key, challenge, expected));
	assert_memory_equal(
		expected, reader_bytes(&value, cipher->block_length), cipher->block_length);
	return status;
}

uint16_t authenticate_external(struct vcard *card, uint8_t algorithm)
{
	_cleanup_buffer_ struct buffer inner = BUFFER_INIT, command = BUFFER_INIT;
	const struct block_cipher *cipher = block_cipher_find(algorithm);
	uint8_t key[32], challenge[16], answer[16];
	char header[16];

	factory_key(key);
	uint16_t status = ask(card, algorithm, 0x81, challenge);
	if (status != 0x9000)
		return status;
	assert_true(block_encrypt(cipher, key, challenge, answer));
	tlv_append(&inner, 0x82, answer, cipher->block_length);
	tlv_append(&command, 0x7C, inner.data, inner.length);
	header_of(header, sizeof(header), algorithm, 0x9B);
	return transmit_data(card, header, command.data, command.length, NULL);
}

void authenticate(struct vcard *card)
{
	assert_int_equal(authenticate_mutual(card, ALGORITHM_3DES), 0x9000);
}

uint16_t generate(struct vcard *card, uint8_t slot, uint8_t algorithm, struct buffer *public_key)
{
	const uint8_t control[] = {0xAC, 3, 0x80, 1, algorithm};
	_cleanup_buffer_ struct buffer part = BUFFER_INIT;
	char header[16];

	snprintf(header, sizeof(header), "004700%02X", slot);
	uint16_t status = transmit_data(card, header, control, sizeof(control), &part);
	if (public_key)
		buffer_append(public_key, part.data, part.length);
	while (status >> 8 == 0x61) {
		status = transmit(card, "00C0000000", &part);
		if (public_key)
			buffer_append(public_key, part.data, part.length);
	}
	return status;
}

uint16_t use_key(struct vcard *card, uint8_t slot, uint8_t algorithm, uint8_t tag,
	const void *input, size_t length, struct buffer *result)
{
	_cleanup_buffer_ struct buffer inner = BUFFER_INIT, command = BUFFER_INIT,
				       data = BUFFER_INIT;
	struct reader template, value;
	char header[16];

	tlv_append(&inner, 0x82, NULL, 0);
	tlv_append(&inner, tag, input, length);
	tlv_append(&command, 0x7C, inner.data, inner.length);
	header_of(header, sizeof(header), algorithm, slot);
	uint16_t status = transmit_data(card, header, command.data, command.length, &data);
	if (status == 0x9000 && result) {
		assert_true(tlv_find(reader_of(&data), 0x7C, &template));
		assert_true(tlv_find(template, 0x82, &value));
		size_t count = reader_left(&value);
		buffer_append(result, reader_bytes(&value, count), count);
	}
	return status;
}

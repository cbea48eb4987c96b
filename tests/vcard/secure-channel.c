/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard/secure-channel.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "vcard/keys.h"

#define PADDING_FIRST	 0x80
#define RESPONSE_COUNTER 0x80 /* first byte of the block that a response's IV is made of */

bool secure_mac(const uint8_t *key, const struct buffer *message, uint8_t *mac)
{
	EVP_MAC *cmac = EVP_MAC_fetch(NULL, "CMAC", NULL);
	EVP_MAC_CTX *context = cmac ? EVP_MAC_CTX_new(cmac) : NULL;
	char cipher[] = "AES-128-CBC";
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
		OSSL_PARAM_construct_end()};
	size_t written = 0;
	bool done = context && !message->failed &&
		    EVP_MAC_init(context, key, SECURE_KEY_LENGTH, parameters) == 1 &&
		    EVP_MAC_update(context, message->data, message->length) == 1 &&
		    EVP_MAC_final(context, mac, &written, SECURE_BLOCK_LENGTH) == 1 &&
		    written == SECURE_BLOCK_LENGTH;

	EVP_MAC_CTX_free(context);
	EVP_MAC_free(cmac);
	return done;
}

/* Enciphers (or deciphers) whole blocks in their place. */
static bool cipher_blocks(const uint8_t *key, const uint8_t *iv, struct buffer *data, bool encrypt)
{
	EVP_CIPHER *cbc = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int written = 0;
	bool done = cbc && context && !data->failed &&
		    EVP_CipherInit_ex2(context, cbc, key, iv, encrypt, NULL) == 1 &&
		    EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
		    EVP_CipherUpdate(
			    context, data->data, &written, data->data, (int)data->length) == 1 &&
		    (size_t)written == data->length;

	EVP_CIPHER_CTX_free(context);
	EVP_CIPHER_free(cbc);
	return done;
}

/* 6.2.6 and 6.2.7: the counter as a block, enciphered. */
static bool make_iv(const struct secure_channel *channel, uint8_t first, uint8_t *iv)
{
	uint8_t block[SECURE_BLOCK_LENGTH] = {first};

	for (size_t i = 0; i < sizeof(channel->counter); i++)
		block[SECURE_BLOCK_LENGTH - 1 - i] = (uint8_t)(channel->counter >> 8 * i);
	return block_encrypt(block_cipher_find(ALGORITHM_AES128), channel->enc, block, iv);
}

void secure_channel_open(
	struct secure_channel *channel, const uint8_t *keys, const uint8_t *chaining)
{
	*channel = (struct secure_channel){.is_open = true};
	memcpy(channel->enc, keys, SECURE_KEY_LENGTH);
	memcpy(channel->mac, keys + SECURE_KEY_LENGTH, SECURE_KEY_LENGTH);
	memcpy(channel->rmac, keys + (size_t)2 * SECURE_KEY_LENGTH, SECURE_KEY_LENGTH);
	memcpy(channel->chaining, chaining, SECURE_BLOCK_LENGTH);
}

void secure_channel_close(struct secure_channel *channel)
{
	explicit_bzero(channel, sizeof(*channel));
}

/* 6.2.4: over the header, Lc as it was sent, and the enciphered data. */
static bool command_mac(const struct secure_channel *channel, const struct apdu *apdu,
	struct reader enciphered, uint8_t *mac)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;
	size_t sent = reader_left(&apdu->data);
	size_t length = reader_left(&enciphered);

	buffer_append(&message, channel->chaining, SECURE_BLOCK_LENGTH);
	buffer_append(&message, (uint8_t[]){apdu->cla, apdu->ins, apdu->p1, apdu->p2}, 4);
	if (apdu->is_extended) {
		buffer_append_u8(&message, 0);
		buffer_append_u16(&message, (uint16_t)sent);
	} else {
		buffer_append_u8(&message, (uint8_t)sent);
	}
	buffer_append(&message, reader_bytes(&enciphered, length), length);
	return secure_mac(channel->mac, &message, mac);
}

/* Takes 80 00 ... off the end (6.2.6 refers to ISO/IEC 7816-4's padding). */
static bool strip_padding(struct buffer *data)
{
	size_t length = data->length;

	while (length > 0 && data->data[length - 1] == 0)
		length--;
	if (length == 0 || data->data[length - 1] != PADDING_FIRST ||
		data->length - length >= SECURE_BLOCK_LENGTH)
		return false;
	buffer_truncate(data, length - 1);
	return true;
}

/* A command without data has none to decipher, or a block of padding. */
static bool decipher(const struct secure_channel *channel, struct reader sent, struct buffer *data)
{
	uint8_t iv[SECURE_BLOCK_LENGTH];
	size_t length = reader_left(&sent);

	if (length == 0)
		return true;
	if (length % SECURE_BLOCK_LENGTH != 0)
		return false;
	buffer_append(data, reader_bytes(&sent, length), length);
	return make_iv(channel, 0, iv) && cipher_blocks(channel->enc, iv, data, false) &&
	       strip_padding(data);
}

bool secure_channel_unwrap(
	struct secure_channel *channel, const struct apdu *apdu, struct buffer *data)
{
	struct reader sent = apdu->data;
	uint8_t mac[SECURE_BLOCK_LENGTH];

	if (!channel->is_open || reader_left(&sent) < SECURE_MAC_LENGTH)
		return false;
	struct reader enciphered = reader_sub(&sent, reader_left(&sent) - SECURE_MAC_LENGTH);
	const uint8_t *sent_mac = reader_bytes(&sent, SECURE_MAC_LENGTH);
	if (!command_mac(channel, apdu, enciphered, mac) ||
		CRYPTO_memcmp(mac, sent_mac, SECURE_MAC_LENGTH) != 0)
		return false;
	memcpy(channel->chaining, mac, SECURE_BLOCK_LENGTH);
	channel->counter++;
	return decipher(channel, enciphered, data);
}

static bool encipher(const struct secure_channel *channel, struct buffer *data)
{
	uint8_t iv[SECURE_BLOCK_LENGTH];

	if (data->length == 0)
		return true;
	buffer_append_u8(data, PADDING_FIRST);
	while (data->length % SECURE_BLOCK_LENGTH != 0 && !data->failed)
		buffer_append_u8(data, 0);
	return make_iv(channel, RESPONSE_COUNTER, iv) &&
	       cipher_blocks(channel->enc, iv, data, true);
}

bool secure_channel_wrap(const struct secure_channel *channel, uint16_t status, struct buffer *data)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;
	uint8_t mac[SECURE_BLOCK_LENGTH];

	if (!encipher(channel, data))
		return false;
	buffer_append(&message, channel->chaining, SECURE_BLOCK_LENGTH);
	buffer_append(&message, data->data, data->length);
	buffer_append_u16(&message, status);
	if (!secure_mac(channel->rmac, &message, mac))
		return false;
	buffer_append(data, mac, SECURE_MAC_LENGTH);
	return !data->failed;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/secure-channel.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "card/status-word.h"
#include "common/alloc.h"

#define BLOCK SECURE_CHANNEL_BLOCK
/* Both MACs are cut to this (Amendment D, 6.2.4: S8 mode). */
#define MAC 8
/* Bit of CLA: proprietary secure messaging (Card Specification, 11.1.4) */
#define CLA_SECURED 0x04
/* First bytes of the counter block of a command and of its answer (Amendment D, 6.2.6, 6.2.7) */
#define COUNTER_COMMAND 0x00
#define COUNTER_ANSWER	0x80
#define PADDING_BEGIN	0x80 /* ISO/IEC 9797-1, padding method 2 */

enum { KEY_ENC, KEY_MAC, KEY_RMAC };

struct secure_channel {
	struct secret keys;
	uint8_t chaining[BLOCK];
	uint64_t counter; /* of the last command */
	bool is_broken;
};

DEFINE_CLEANUP(EVP_CIPHER *, EVP_CIPHER_free);
DEFINE_CLEANUP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free);
DEFINE_CLEANUP(EVP_MAC *, EVP_MAC_free);
DEFINE_CLEANUP(EVP_MAC_CTX *, EVP_MAC_CTX_free);

struct secure_channel *secure_channel_new(struct secret *keys, const uint8_t chaining[BLOCK])
{
	struct secure_channel *channel = xnew(struct secure_channel);

	secret_move(&channel->keys, keys);
	memcpy(channel->chaining, chaining, BLOCK);
	return channel;
}

void secure_channel_free(struct secure_channel *channel)
{
	if (!channel)
		return;
	secret_clear(&channel->keys);
	free(channel);
}

bool secure_channel_is_broken(const struct secure_channel *channel)
{
	return channel->is_broken;
}

static const uint8_t *key_of(const struct secure_channel *channel, int which)
{
	return channel->keys.data + which * BLOCK;
}

/* --- AES --- */

/* In place; whole blocks without padding. */
static bool crypt_blocks(const char *name, const uint8_t *key, const uint8_t *iv, bool encrypt,
	uint8_t *data, size_t length, struct error *error)
{
	EVP_CIPHER *cipher _cleanup_(EVP_CIPHER_freep) = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *context _cleanup_(EVP_CIPHER_CTX_freep) = EVP_CIPHER_CTX_new();
	int done = 0;

	return (cipher && context && EVP_CipherInit_ex2(context, cipher, key, iv, encrypt, NULL) &&
		       EVP_CIPHER_CTX_set_padding(context, 0) &&
		       EVP_CipherUpdate(context, data, &done, data, (int)length) &&
		       (size_t)done == length) ||
	       error_set(error, ERROR_FAILED, "cannot use %s", name);
}

bool aes_cmac(const uint8_t key[BLOCK], const struct reader *messages, size_t count,
	uint8_t mac[BLOCK], struct error *error)
{
	EVP_MAC *algorithm _cleanup_(EVP_MAC_freep) = EVP_MAC_fetch(NULL, "CMAC", NULL);
	EVP_MAC_CTX *context _cleanup_(EVP_MAC_CTX_freep) =
		algorithm ? EVP_MAC_CTX_new(algorithm) : NULL;
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, (char[]){"AES-128-CBC"}, 0),
		OSSL_PARAM_construct_end()};
	size_t length = 0;

	bool done = context && EVP_MAC_init(context, key, BLOCK, parameters);
	for (size_t i = 0; done && i < count; i++)
		done = EVP_MAC_update(context, messages[i].data, messages[i].length);
	return (done && EVP_MAC_final(context, mac, &length, BLOCK) && length == BLOCK) ||
	       error_set(error, ERROR_FAILED, "cannot use AES-CMAC");
}

/* Each command and each answer has an initial vector of its own. */
static bool crypt_data(const struct secure_channel *channel, uint8_t direction, bool encrypt,
	struct buffer *data, struct error *error)
{
	uint8_t iv[BLOCK] = {direction};

	for (size_t i = 0; i < sizeof(channel->counter); i++)
		iv[BLOCK - 1 - i] = (uint8_t)(channel->counter >> (8 * i));
	return crypt_blocks(
		       "AES-128-ECB", key_of(channel, KEY_ENC), NULL, true, iv, BLOCK, error) &&
	       crypt_blocks("AES-128-CBC", key_of(channel, KEY_ENC), iv, encrypt, data->data,
		       data->length, error);
}

/* --- commands --- */

/*
 * A command without data gets a block of padding: Amendment D, 6.2.6 would leave it out, Yubico's
 * own programs send it.
 */
static void append_padded(struct buffer *data, const struct apdu *command)
{
	buffer_append(data, command->data, command->length);
	buffer_append_u8(data, PADDING_BEGIN);
	buffer_fill(data, 0, (BLOCK - data->length % BLOCK) % BLOCK);
}

/* The MAC counts itself in Lc, which is of the extended form that is sent. */
static bool append_mac(struct secure_channel *channel, const struct apdu *command,
	struct buffer *data, struct error *error)
{
	size_t length = data->length + MAC;
	const uint8_t header[] = {command->cla, command->ins, command->p1, command->p2, 0,
		(uint8_t)(length >> 8), (uint8_t)length};
	const struct reader messages[] = {READER_INIT(channel->chaining, BLOCK),
		READER_INIT(header, sizeof(header)), READER_INIT(data->data, data->length)};

	if (!aes_cmac(key_of(channel, KEY_MAC), messages, ARRAY_SIZE(messages), channel->chaining,
		    error))
		return false;
	buffer_append(data, channel->chaining, MAC);
	return true;
}

/* secured: its data is a view of `data`, which takes what is sent. */
static bool wrap(struct secure_channel *channel, const struct apdu_channel *way,
	const struct apdu *command, struct buffer *data, struct apdu *secured, struct error *error)
{
	*secured = *command;
	secured->cla |= CLA_SECURED;
	secured->answer = APDU_ANSWER_LONG; /* there is a MAC at least */
	append_padded(data, command);
	if (data->failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	/* Both sides count what was sent, and nothing else. */
	if (!apdu_check_whole(way, data->length + MAC, error))
		return false;
	channel->counter++;
	if (!crypt_data(channel, COUNTER_COMMAND, true, data, error) ||
		!append_mac(channel, secured, data, error))
		return false;
	if (data->failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	secured->data = data->data;
	secured->length = data->length;
	return true;
}

/* --- answers --- */

static bool has_right_mac(struct secure_channel *channel, const struct buffer *answer,
	uint16_t status, struct error *error)
{
	size_t length = answer->length - MAC;
	const uint8_t status_bytes[] = {(uint8_t)(status >> 8), (uint8_t)status};
	const struct reader messages[] = {READER_INIT(channel->chaining, BLOCK),
		READER_INIT(answer->data, length), READER_INIT(status_bytes, sizeof(status_bytes))};
	uint8_t mac[BLOCK];

	return aes_cmac(key_of(channel, KEY_RMAC), messages, ARRAY_SIZE(messages), mac, error) &&
	       CRYPTO_memcmp(mac, answer->data + length, MAC) == 0;
}

static bool remove_padding(struct buffer *data)
{
	size_t length = data->length;

	while (length > 0 && data->data[length - 1] == 0)
		length--;
	if (length == 0 || data->data[length - 1] != PADDING_BEGIN)
		return false;
	buffer_truncate(data, length - 1);
	return true;
}

static bool unwrap(
	struct secure_channel *channel, struct buffer *answer, uint16_t status, struct error *error)
{
	if (status != SW_SUCCESS && answer->length == 0)
		return true;
	if (answer->length >= MAC && has_right_mac(channel, answer, status, error)) {
		buffer_truncate(answer, answer->length - MAC);
		if (answer->length == 0)
			return true;
		if (answer->length % BLOCK == 0 &&
			crypt_data(channel, COUNTER_ANSWER, false, answer, error) &&
			remove_padding(answer))
			return true;
	}
	buffer_truncate(answer, 0);
	channel->is_broken = true;
	return error_set(error, ERROR_CARD_FAILED,
		"the card's answer was changed on its way, or is not the card's");
}

bool secure_channel_exchange(struct secure_channel *channel, struct apdu_channel *way,
	const struct apdu *command, struct buffer *response, uint16_t *status, struct error *error)
{
	_cleanup_buffer_ struct buffer data = BUFFER_INIT_WIPE, ignored = BUFFER_INIT_WIPE;
	struct buffer *answer = response ? response : &ignored;
	struct apdu secured;

	if (channel->is_broken)
		return error_set(error, ERROR_CARD_FAILED,
			"the encrypted channel to the card has ended; take the card out and put it "
			"in again");
	return wrap(channel, way, command, &data, &secured, error) &&
	       apdu_exchange_whole(way, &secured, answer, status, error) &&
	       unwrap(channel, answer, *status, error);
}

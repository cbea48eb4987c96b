/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* INTERNAL AUTHENTICATE: opens the channel (Amendment F, 3.1.2). */
#include "vcard/scp11.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "common/tlv.h"
#include "vcard/keys.h"

#define TAG_POINT   0x5F49
#define TAG_RECEIPT 0x86

#define POINT_LENGTH 65 /* uncompressed */
#define POINT_FORM   0x04

/*
 * What the host has to ask for: SCP11b; MACs and encryption both ways; AES with keys of 16 bytes.
 * Its ephemeral public key follows.
 */
static const uint8_t request[] = {0xA6, 0x0D, 0x90, 2, 0x11, 0x00, 0x95, 1, 0x3C, 0x80, 1, 0x88,
	0x81, 1, 0x10, 0x5F, 0x49, POINT_LENGTH};
/* Key usage, type and length, as above. */
static const uint8_t shared_info[] = {0x3C, 0x88, 0x10};

/* In the order in which they are derived. */
enum { KEY_RECEIPT, KEY_ENC, KEY_MAC, KEY_RMAC, KEY_DEK, KEY_COUNT };
#define KEYS_LENGTH (KEY_COUNT * SECURE_KEY_LENGTH)

static const struct key_algorithm *curve(const struct vcard *card)
{
	return key_algorithm_find(ALGORITHM_P256, card->options.profile, card->options.firmware);
}

static bool append_point(EVP_PKEY *pkey, struct buffer *out)
{
	unsigned char *point = NULL;
	size_t length = EVP_PKEY_get1_encoded_public_key(pkey, &point);
	bool done = length == POINT_LENGTH && point[0] == POINT_FORM;

	if (done)
		tlv_append(out, TAG_POINT, point, length);
	OPENSSL_free(point);
	return done;
}

/* X9.63 with SHA-256 over both shared secrets. */
static bool derive_keys(const struct buffer *secrets, uint8_t *keys)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "X963KDF", NULL);
	EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	char digest[] = "SHA256";
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SECRET, secrets->data, secrets->length),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_INFO, (void *)shared_info, sizeof(shared_info)),
		OSSL_PARAM_construct_end()};
	bool done = context && !secrets->failed &&
		    EVP_KDF_derive(context, keys, KEYS_LENGTH, parameters) == 1;

	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return done;
}

/* What stands after the header of the request: a point, not yet known to be on the curve. */
static bool read_request(struct reader data, struct reader *point)
{
	const uint8_t *head = reader_bytes(&data, sizeof(request));

	*point = data;
	return head && memcmp(head, request, sizeof(request)) == 0 &&
	       reader_left(&data) == POINT_LENGTH && reader_u8(&data) == POINT_FORM;
}

/* Over the host's whole data and the card's public key. */
static bool append_receipt(
	const uint8_t *key, struct reader data, struct buffer *response, uint8_t *receipt)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;
	size_t length = reader_left(&data);

	buffer_append(&message, reader_bytes(&data, length), length);
	buffer_append(&message, response->data, response->length);
	if (!secure_mac(key, &message, receipt))
		return false;
	tlv_append(response, TAG_RECEIPT, receipt, SECURE_BLOCK_LENGTH);
	return !response->failed;
}

static uint16_t open_channel(struct vcard *card, struct reader data, struct reader point,
	EVP_PKEY *ephemeral, struct buffer *response)
{
	_cleanup_buffer_ struct buffer secrets = BUFFER_INIT_WIPE;
	uint8_t keys[KEYS_LENGTH], receipt[SECURE_BLOCK_LENGTH];

	if (!key_derive(curve(card), ephemeral, point, &secrets) ||
		!key_derive(curve(card), card->state.scp11_key, point, &secrets))
		return SW_WRONG_DATA;
	bool done = append_point(ephemeral, response) && derive_keys(&secrets, keys) &&
		    append_receipt(keys, data, response, receipt);
	if (done) {
		card_forget_proofs(card);
		secure_channel_open(&card->channel, keys + SECURE_KEY_LENGTH, receipt);
	}
	explicit_bzero(keys, sizeof(keys));
	return done ? SW_SUCCESS : SW_FAILED;
}

uint16_t command_internal_authenticate(
	struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	struct reader point;

	if (card->channel.is_open)
		return SW_CONDITIONS;
	if (apdu->p1 != SCP11_KEY_VERSION || apdu->p2 != SCP11_KEY_IDENTIFIER)
		return SW_REFERENCE_NOT_FOUND;
	if (!read_request(apdu->data, &point))
		return SW_WRONG_DATA;
	EVP_PKEY *ephemeral = key_generate(curve(card));
	if (!ephemeral)
		return SW_FAILED;
	uint16_t status = open_channel(card, apdu->data, point, ephemeral, response);
	EVP_PKEY_free(ephemeral);
	return status;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mutual authentication with the management key (SP 800-73-4 part 2, A.1): the card sends a
 * witness encrypted, we send it back decrypted with a challenge, and the card answers with that
 * encrypted.
 */
#include "card/piv.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#define BLOCK_MAXIMUM 16

static const struct {
	uint8_t algorithm;
	const char *cipher;
	size_t block;
} ciphers[] = {
	{PIV_ALGORITHM_3DES, "DES-EDE3-ECB", 8},
	{PIV_ALGORITHM_AES128, "AES-128-ECB", 16},
	{PIV_ALGORITHM_AES192, "AES-192-ECB", 16},
	{PIV_ALGORITHM_AES256, "AES-256-ECB", 16},
};

DEFINE_CLEANUP(EVP_CIPHER *, EVP_CIPHER_free);
DEFINE_CLEANUP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free);

static size_t block_length(uint8_t algorithm)
{
	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++) {
		if (ciphers[i].algorithm == algorithm)
			return ciphers[i].block;
	}
	return 0;
}

static const char *cipher_name(uint8_t algorithm)
{
	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++) {
		if (ciphers[i].algorithm == algorithm)
			return ciphers[i].cipher;
	}
	return "";
}

/* One block, without padding. */
static bool crypt_block(uint8_t algorithm, const struct secret *key, bool encrypt,
	const uint8_t *input, uint8_t output[BLOCK_MAXIMUM], struct error *error)
{
	EVP_CIPHER *cipher _cleanup_(EVP_CIPHER_freep) =
		EVP_CIPHER_fetch(NULL, cipher_name(algorithm), NULL);
	EVP_CIPHER_CTX *context _cleanup_(EVP_CIPHER_CTX_freep) = EVP_CIPHER_CTX_new();
	int length = 0;

	if (!cipher || !context ||
		!EVP_CipherInit_ex2(context, cipher, key->data, NULL, encrypt, NULL) ||
		!EVP_CIPHER_CTX_set_padding(context, 0) ||
		!EVP_CipherUpdate(context, output, &length, input, (int)block_length(algorithm)) ||
		length != (int)block_length(algorithm))
		return error_set(error, ERROR_FAILED, "cannot use %s", cipher_name(algorithm));
	return true;
}

static bool request_witness(struct card *card, uint8_t algorithm, struct buffer *response,
	uint16_t *status, struct error *error)
{
	_cleanup_buffer_ struct buffer template = BUFFER_INIT;

	tlv_append(&template, PIV_TAG_AUTHENTICATION, (uint8_t[]){PIV_TAG_WITNESS, 0}, 2);
	return piv_general_authenticate(card, algorithm, PIV_REFERENCE_ADMIN, &template,
		APDU_ANSWER_SHORT, response, status, error);
}

bool piv_admin_probe(struct card *card, uint8_t algorithm, bool *fits, struct error *error)
{
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;
	struct reader witness;
	uint16_t status;

	if (!request_witness(card, algorithm, &response, &status, error))
		return false;
	*fits = status == SW_SUCCESS &&
		piv_template_find(&response, PIV_TAG_WITNESS, &witness, NULL) &&
		witness.length == block_length(algorithm);
	return true;
}

static bool fetch_witness(
	struct card *card, uint8_t algorithm, uint8_t witness[BLOCK_MAXIMUM], struct error *error)
{
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;
	struct reader found;
	uint16_t status;

	if (!request_witness(card, algorithm, &response, &status, error) ||
		!status_word_check(status, "GENERAL AUTHENTICATE", error) ||
		!piv_template_find(&response, PIV_TAG_WITNESS, &found, error))
		return false;
	if (found.length != block_length(algorithm))
		return piv_malformed("GENERAL AUTHENTICATE", error);
	for (size_t i = 0; i < found.length; i++)
		witness[i] = found.data[i];
	return true;
}

static bool set_foreign(struct error *error)
{
	return error_set(error, ERROR_CARD_FOREIGN, "the card has another management key");
}

/* Sends the decrypted witness and our challenge; gives the card's answer to that. */
static bool prove(struct card *card, uint8_t algorithm, const uint8_t *plain_witness,
	const uint8_t *challenge, uint8_t answer[BLOCK_MAXIMUM], struct error *error)
{
	size_t block = block_length(algorithm);
	_cleanup_buffer_ struct buffer elements = BUFFER_INIT_WIPE;
	_cleanup_buffer_ struct buffer template = BUFFER_INIT_WIPE;
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;
	struct reader found;
	uint16_t status;
	unsigned tries;

	tlv_append(&elements, PIV_TAG_WITNESS, plain_witness, block);
	tlv_append(&elements, PIV_TAG_CHALLENGE, challenge, block);
	tlv_append(&template, PIV_TAG_AUTHENTICATION, elements.data, elements.length);
	if (!piv_general_authenticate(card, algorithm, PIV_REFERENCE_ADMIN, &template,
		    APDU_ANSWER_SHORT, &response, &status, error))
		return false;
	/* Cards refuse a wrong cryptogram with one of these. */
	if (status == SW_SECURITY_NOT_SATISFIED || status == SW_VERIFICATION_FAILED ||
		status == SW_WRONG_DATA || status_word_tries(status, &tries))
		return set_foreign(error);
	if (!status_word_check(status, "GENERAL AUTHENTICATE", error) ||
		!piv_template_find(&response, PIV_TAG_RESPONSE, &found, error))
		return false;
	if (found.length != block)
		return piv_malformed("GENERAL AUTHENTICATE", error);
	for (size_t i = 0; i < block; i++)
		answer[i] = found.data[i];
	return true;
}

bool piv_admin_authenticate(struct card *card, const struct secret *key, struct error *error)
{
	uint8_t algorithm = card->info.admin_algorithm;
	size_t block = block_length(algorithm);
	uint8_t witness[BLOCK_MAXIMUM], plain_witness[BLOCK_MAXIMUM];
	uint8_t challenge[BLOCK_MAXIMUM], answer[BLOCK_MAXIMUM], expected[BLOCK_MAXIMUM];

	/* A key that does not fit the card's algorithm is another key. */
	if (block == 0 || key->length != admin_key_length(algorithm))
		return set_foreign(error);
	if (RAND_bytes(challenge, (int)block) != 1)
		return error_set(error, ERROR_FAILED, "no random numbers");
	if (!fetch_witness(card, algorithm, witness, error) ||
		!crypt_block(algorithm, key, false, witness, plain_witness, error) ||
		!crypt_block(algorithm, key, true, challenge, expected, error) ||
		!prove(card, algorithm, plain_witness, challenge, answer, error))
		return false;
	if (CRYPTO_memcmp(answer, expected, block) != 0)
		return set_foreign(error);
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keys/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "common/macros.h"
#include "core/signing-key.h"

/* Stands for the card: a software key that does the raw operation. */
struct card_key {
	EVP_PKEY *key;
	bool refuses;
	unsigned uses;
};

static bool raw_rsa(struct card_key *card, const uint8_t *input, size_t length, uint8_t *output,
	size_t *output_length)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(card->key, NULL);
	bool done = EVP_PKEY_decrypt_init(context) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1 &&
		    EVP_PKEY_decrypt(context, output, output_length, input, length) == 1;

	EVP_PKEY_CTX_free(context);
	return done;
}

static bool raw_ecdh(struct card_key *card, const uint8_t *input, size_t length, uint8_t *output,
	size_t *output_length)
{
	EVP_PKEY *peer = EVP_PKEY_new();
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(card->key, NULL);
	bool done = EVP_PKEY_copy_parameters(peer, card->key) == 1 &&
		    EVP_PKEY_set1_encoded_public_key(peer, input, length) == 1 &&
		    EVP_PKEY_derive_init(context) == 1 &&
		    EVP_PKEY_derive_set_peer(context, peer) == 1 &&
		    EVP_PKEY_derive(context, output, output_length) == 1;

	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(peer);
	return done;
}

static bool decipher(void *context, const uint8_t *input, size_t length, struct buffer *output,
	struct error *error)
{
	struct card_key *card = context;
	uint8_t data[512];
	size_t data_length = sizeof(data);

	if (card->refuses)
		return error_set(error, ERROR_PIN_REQUIRED, "the card wants its PIN");
	card->uses++;
	assert_true(EVP_PKEY_get_base_id(card->key) == EVP_PKEY_RSA
			    ? raw_rsa(card, input, length, data, &data_length)
			    : raw_ecdh(card, input, length, data, &data_length));
	buffer_append(output, data, data_length);
	return true;
}

static EVP_PKEY *make_key(int kind)
{
	return kind == 0 ? EVP_RSA_gen(2048) : EVP_EC_gen(kind == 1 ? "P-256" : "P-384");
}

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	ASN1_OCTET_STRING *identifier = ASN1_OCTET_STRING_new();
	static uint8_t number;

	X509_set_version(certificate, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	number++;
	ASN1_OCTET_STRING_set(identifier, &number, 1);
	X509_add1_ext_i2d(certificate, NID_subject_key_identifier, identifier, 0, 0);
	ASN1_OCTET_STRING_free(identifier);
	X509_sign(certificate, key, EVP_sha256());
	return certificate;
}

static void make_secret(struct secret *secret)
{
	assert_true(secret_allocate(secret, 32));
	memcpy(secret->data, "correct horse battery staple 012", 32);
}

static void each_card_opens_what_was_sealed_to_several(void **state)
{
	struct card_key cards[3] = {
		{.key = make_key(0)}, {.key = make_key(1)}, {.key = make_key(2)}};
	X509 *certificates[3];
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	_cleanup_buffer_ struct buffer sealed = BUFFER_INIT;

	(void)state;
	make_secret(&secret);
	for (int i = 0; i < 3; i++)
		certificates[i] = make_certificate(cards[i].key);
	assert_true(seal(&secret, certificates, 3, &sealed, NULL));
	assert_null(memmem(sealed.data, sealed.length, secret.data, secret.length));
	for (int i = 0; i < 3; i++) {
		_cleanup_secret_ struct secret opened = SECRET_INIT;
		EVP_PKEY *key = deciphering_key_new(cards[i].key, decipher, &cards[i], NULL);
		assert_true(unseal(&sealed, certificates[i], key, 64, &opened, NULL));
		assert_true(secret_equal(&opened, &secret));
		assert_int_equal(cards[i].uses, 1);
		EVP_PKEY_free(key);
	}
	for (int i = 0; i < 3; i++) {
		X509_free(certificates[i]);
		EVP_PKEY_free(cards[i].key);
	}
}

static void another_card_a_refusal_and_damage_are_errors(void **state)
{
	struct card_key card = {.key = make_key(1)}, stranger = {.key = make_key(1)};
	X509 *certificate = make_certificate(card.key), *other = make_certificate(stranger.key);
	EVP_PKEY *key = deciphering_key_new(card.key, decipher, &card, NULL);
	_cleanup_secret_ struct secret secret = SECRET_INIT, opened = SECRET_INIT;
	_cleanup_buffer_ struct buffer sealed = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	make_secret(&secret);
	assert_true(seal(&secret, &certificate, 1, &sealed, NULL));
	EVP_PKEY *foreign = deciphering_key_new(stranger.key, decipher, &stranger, NULL);
	assert_false(unseal(&sealed, other, foreign, 64, &opened, &error));
	assert_int_equal(error.code, ERROR_DATA_INVALID);
	card.refuses = true;
	assert_false(unseal(&sealed, certificate, key, 64, &opened, &error));
	assert_int_equal(error.code, ERROR_PIN_REQUIRED);
	card.refuses = false;
	assert_false(unseal(&sealed, certificate, key, 31, &opened, &error));
	assert_int_equal(error.code, ERROR_DATA_INVALID);
	sealed.length--;
	assert_false(unseal(&sealed, certificate, key, 64, &opened, &error));
	assert_int_equal(error.code, ERROR_DATA_INVALID);
	EVP_PKEY_free(foreign);
	EVP_PKEY_free(key);
	X509_free(certificate);
	X509_free(other);
	EVP_PKEY_free(card.key);
	EVP_PKEY_free(stranger.key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_card_opens_what_was_sealed_to_several),
		cmocka_unit_test(another_card_a_refusal_and_damage_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

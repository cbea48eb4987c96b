/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "core/signing-key.h"

/* Stands for the card: a software key that does the raw operation. */
struct card_key {
	EVP_PKEY *key;
	bool broken;	/* refuses */
	bool shortened; /* answers too few bytes */
	size_t input_length;
};

static bool raw_rsa(
	struct card_key *card, const uint8_t *input, size_t length, struct buffer *output)
{
	size_t size = (size_t)EVP_PKEY_get_size(card->key);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(card->key, NULL);
	uint8_t *room = buffer_extend(output, size);
	bool done = EVP_PKEY_sign_init(context) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1 &&
		    EVP_PKEY_sign(context, room, &size, input, length) == 1;

	EVP_PKEY_CTX_free(context);
	return done;
}

static bool raw_ec(
	struct card_key *card, const uint8_t *input, size_t length, struct buffer *output)
{
	uint8_t der[160];
	size_t der_length = sizeof(der);
	int size = (EVP_PKEY_get_bits(card->key) + 7) / 8;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(card->key, NULL);
	bool done = EVP_PKEY_sign_init(context) == 1 &&
		    EVP_PKEY_sign(context, der, &der_length, input, length) == 1;
	const unsigned char *position = der;
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &position, (long)der_length);

	EVP_PKEY_CTX_free(context);
	BN_bn2binpad(ECDSA_SIG_get0_r(signature), buffer_extend(output, (size_t)size), size);
	BN_bn2binpad(ECDSA_SIG_get0_s(signature), buffer_extend(output, (size_t)size), size);
	ECDSA_SIG_free(signature);
	return done;
}

static bool card_sign(void *context, const uint8_t *input, size_t length, struct buffer *output,
	struct error *error)
{
	struct card_key *card = context;

	card->input_length = length;
	if (card->broken)
		return error_set(error, ERROR_NO_CARD, "the card was pulled");
	bool done = EVP_PKEY_get_base_id(card->key) == EVP_PKEY_RSA
			    ? raw_rsa(card, input, length, output)
			    : raw_ec(card, input, length, output);
	if (card->shortened)
		buffer_truncate(output, output->length - 1);
	return done;
}

/* The public half of the card's key, as it would come from its certificate. */
static EVP_PKEY *public_half(EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int length = i2d_PUBKEY(key, &der);
	const unsigned char *position = der;
	EVP_PKEY *half = d2i_PUBKEY(NULL, &position, length);

	OPENSSL_free(der);
	return half;
}

static EVP_PKEY *wrap(struct card_key *card)
{
	EVP_PKEY *half _cleanup_(EVP_PKEY_freep) = public_half(card->key);
	EVP_PKEY *key = signing_key_new(half, card_sign, card, NULL);

	assert_non_null(key);
	return key;
}

static EVP_PKEY *make_key(int kind)
{
	if (kind == 0)
		return EVP_RSA_gen(2048);
	return EVP_EC_gen(kind == 1 ? "P-256" : "P-384");
}

#define FOR_EACH_KEY(card, key)                                                                    \
	for (int kind = 0; kind < 3; kind++)                                                       \
		for (struct card_key card = {.key = make_key(kind)}; card.key;                     \
			EVP_PKEY_free(card.key), card.key = NULL)                                  \
			for (EVP_PKEY *key = wrap(&card); key; EVP_PKEY_free(key), key = NULL)

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();

	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
		(const unsigned char *)"Ada", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

static void certificates_requests_and_crls_are_signed(void **state)
{
	(void)state;
	FOR_EACH_KEY(card, key)
	{
		X509 *certificate = make_certificate(key);
		assert_int_equal(X509_verify(certificate, card.key), 1);
		X509_free(certificate);
		X509_REQ *request = X509_REQ_new();
		assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
		assert_true(X509_REQ_sign(request, key, EVP_sha384()) > 0);
		assert_int_equal(X509_REQ_verify(request, card.key), 1);
		X509_REQ_free(request);
		X509_CRL *crl = X509_CRL_new();
		ASN1_TIME *now = ASN1_TIME_set(NULL, 1700000000);
		X509_CRL_set1_lastUpdate(crl, now);
		X509_CRL_set1_nextUpdate(crl, now);
		ASN1_TIME_free(now);
		assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
		assert_int_equal(X509_CRL_verify(crl, card.key), 1);
		X509_CRL_free(crl);
	}
}

static void messages_are_signed_with_cms(void **state)
{
	(void)state;
	FOR_EACH_KEY(card, key)
	{
		X509 *certificate = make_certificate(key);
		BIO *text = BIO_new_mem_buf("hello", 5);
		CMS_ContentInfo *cms =
			CMS_sign(certificate, key, NULL, text, CMS_BINARY | CMS_NOSMIMECAP);
		assert_non_null(cms);
		assert_int_equal(CMS_verify(cms, NULL, NULL, NULL, NULL,
					 CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
			1);
		CMS_ContentInfo_free(cms);
		BIO_free(text);
		X509_free(certificate);
	}
}

static bool sign_pss(EVP_PKEY *key, uint8_t *signature, size_t *length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *parameters;
	bool done = EVP_DigestSignInit(context, &parameters, EVP_sha256(), NULL, key) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
		    EVP_DigestSign(context, signature, length, (const uint8_t *)"x", 1) == 1;

	EVP_MD_CTX_free(context);
	return done;
}

static void pss_is_padded_here_and_signed_there(void **state)
{
	struct card_key card = {.key = EVP_RSA_gen(2048)};
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = wrap(&card);
	uint8_t signature[256];
	size_t length = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *parameters;

	(void)state;
	assert_true(sign_pss(key, signature, &length));
	assert_int_equal(card.input_length, 256);
	EVP_DigestVerifyInit(context, &parameters, EVP_sha256(), NULL, card.key);
	EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
	assert_int_equal(EVP_DigestVerify(context, signature, length, (const uint8_t *)"x", 1), 1);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(card.key);
}

static void a_digest_longer_than_the_field_is_cut(void **state)
{
	struct card_key card = {.key = EVP_EC_gen("P-256")};
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = wrap(&card);
	X509_REQ *request = X509_REQ_new();

	(void)state;
	X509_REQ_set_pubkey(request, key);
	assert_true(X509_REQ_sign(request, key, EVP_sha512()) > 0);
	assert_int_equal(card.input_length, 32);
	assert_int_equal(X509_REQ_verify(request, card.key), 1);
	X509_REQ_free(request);
	EVP_PKEY_free(card.key);
}

static void the_operations_own_error_comes_through(void **state)
{
	(void)state;
	FOR_EACH_KEY(card, key)
	{
		_cleanup_error_ struct error error = ERROR_INIT;
		X509_REQ *request = X509_REQ_new();

		X509_REQ_set_pubkey(request, key);
		card.broken = true;
		assert_true(X509_REQ_sign(request, key, EVP_sha256()) <= 0);
		assert_false(signing_key_error(ERROR_FAILED, "signing", &error));
		assert_int_equal(error.code, ERROR_NO_CARD);
		assert_string_equal(error.message, "signing: the card was pulled");
		card.broken = false;
		card.shortened = true;
		assert_true(X509_REQ_sign(request, key, EVP_sha256()) <= 0);
		assert_false(signing_key_error(ERROR_AUTHORITY_FAILED, "signing", &error));
		assert_int_equal(error.code, ERROR_FAILED);
		/* fetched once only; then it is OpenSSL's turn */
		assert_false(signing_key_error(ERROR_AUTHORITY_FAILED, "signing", &error));
		assert_int_equal(error.code, ERROR_AUTHORITY_FAILED);
		X509_REQ_free(request);
	}
}

static void other_kinds_of_keys_are_refused(void **state)
{
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_null(signing_key_new(key, card_sign, NULL, &error));
	assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_requests_and_crls_are_signed),
		cmocka_unit_test(messages_are_signed_with_cms),
		cmocka_unit_test(pss_is_padded_here_and_signed_there),
		cmocka_unit_test(a_digest_longer_than_the_field_is_cut),
		cmocka_unit_test(the_operations_own_error_comes_through),
		cmocka_unit_test(other_kinds_of_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

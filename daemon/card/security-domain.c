/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/security-domain.h"

#include <errno.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include "card/card-private.h"
#include "card/status-word.h"
#include "common/tlv.h"

/* Card Specification, 11.3; Amendment F, 7.4.1: CERT.SD.ECKA is read by the reference of its key.
 */
#define INS_GET_DATA	      0xCA
#define OBJECT_KEYS	      0x00E0
#define OBJECT_CERTIFICATES   0xBF21
#define TAG_KEYS	      0xE0
#define TAG_KEY		      0xC0
#define TAG_CONTROL_REFERENCE 0xA6
#define TAG_KEY_REFERENCE     0x83
#define TAG_SEQUENCE	      0x30

#define CERTIFICATES_MAXIMUM 8

/* The issuer security domain (Card Specification, H.1.3) */
static const uint8_t application[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};

static void free_certificates(STACK_OF(X509) * *certificates)
{
	sk_X509_pop_free(*certificates, X509_free);
}
#define _cleanup_certificates_ _cleanup_(free_certificates)
DEFINE_CLEANUP(X509_STORE *, X509_STORE_free);
DEFINE_CLEANUP(X509_STORE_CTX *, X509_STORE_CTX_free);

/* --- trust --- */

X509_STORE *security_domain_trust_load(const char *path, struct error *error)
{
	X509_STORE *store _cleanup_(X509_STORE_freep) = X509_STORE_new();
	BIO *file = BIO_new_file(path, "r");
	unsigned count = 0;
	X509 *certificate;

	if (!file) {
		error_set(
			error, ERROR_INVALID_ARGUMENT, "cannot open %s: %s", path, strerror(errno));
		return NULL;
	}
	while (store && (certificate = PEM_read_bio_X509(file, NULL, NULL, NULL))) {
		count += X509_STORE_add_cert(store, certificate) == 1;
		X509_free(certificate);
	}
	BIO_free(file);
	if (count == 0 || X509_STORE_set_flags(store,
				  X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME) != 1) {
		error_set(error, ERROR_INVALID_ARGUMENT, "%s holds no certificate in PEM", path);
		return NULL;
	}
	return steal_pointer(&store);
}

/* --- what the card has --- */

static bool not_supported(const char *reason, struct error *error)
{
	return error_set(error, ERROR_NOT_SUPPORTED, "the card has no %s", reason);
}

static bool get_data(struct card *card, uint16_t object, const struct buffer *data,
	struct buffer *response, struct error *error)
{
	struct apdu command = {.ins = INS_GET_DATA,
		.p1 = (uint8_t)(object >> 8),
		.p2 = (uint8_t)object,
		.data = data->data,
		.length = data->length,
		.answer = APDU_ANSWER_LONG};
	uint16_t status;

	if (!apdu_exchange(&card->private->channel, &command, response, &status, error))
		return false;
	if (status == SW_REFERENCE_NOT_FOUND || status == SW_FILE_NOT_FOUND)
		return not_supported("key for encrypted channels", error);
	return status_word_check(status, "GET DATA", error);
}

/* Key information template: identifier, version, then types and lengths (Card Specification,
 * 11.3.3.1). */
static bool find_version(struct card *card, uint8_t *version, struct error *error)
{
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;
	const struct buffer nothing = BUFFER_INIT;
	struct reader keys;
	struct tlv key;

	if (!get_data(card, OBJECT_KEYS, &nothing, &response, error))
		return false;
	if (!tlv_find(reader_of(&response), TAG_KEYS, &keys))
		keys = reader_of(&response);
	while (tlv_next(&keys, &key)) {
		if (key.tag != TAG_KEY || reader_u8(&key.value) != SCP11B_KEY_IDENTIFIER)
			continue;
		*version = reader_u8(&key.value);
		return true;
	}
	return not_supported("key for encrypted channels", error);
}

static bool read_certificates(
	struct card *card, uint8_t version, struct buffer *certificates, struct error *error)
{
	_cleanup_buffer_ struct buffer reference = BUFFER_INIT, request = BUFFER_INIT;

	tlv_append(&reference, TAG_KEY_REFERENCE, (uint8_t[]){SCP11B_KEY_IDENTIFIER, version}, 2);
	tlv_append(&request, TAG_CONTROL_REFERENCE, reference.data, reference.length);
	if (reference.failed || request.failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	return get_data(card, OBJECT_CERTIFICATES, &request, certificates, error);
}

/* One after the other; the key's own is the last. */
static STACK_OF(X509) * parse_certificates(const struct buffer *bundle)
{
	STACK_OF(X509) *certificates _cleanup_certificates_ = sk_X509_new_null();
	const unsigned char *at = bundle->data, *end = bundle->data + bundle->length;
	struct reader inner;

	if (tlv_find(reader_of(bundle), OBJECT_CERTIFICATES, &inner)) {
		at = inner.data;
		end = inner.data + inner.length;
	}
	while (at < end && *at == TAG_SEQUENCE &&
		sk_X509_num(certificates) < CERTIFICATES_MAXIMUM) {
		X509 *certificate = d2i_X509(NULL, &at, end - at);
		if (!certificate || sk_X509_push(certificates, certificate) <= 0) {
			X509_free(certificate);
			return NULL;
		}
	}
	return at == end && sk_X509_num(certificates) > 0 ? steal_pointer(&certificates) : NULL;
}

static bool verify(STACK_OF(X509) * certificates, X509_STORE *trust, struct error *error)
{
	X509_STORE_CTX *context _cleanup_(X509_STORE_CTX_freep) = X509_STORE_CTX_new();
	X509 *leaf = sk_X509_value(certificates, sk_X509_num(certificates) - 1);

	if (!context || X509_STORE_CTX_init(context, trust, leaf, certificates) != 1)
		return error_set(error, ERROR_FAILED, "cannot verify certificates");
	return X509_verify_cert(context) == 1 ||
	       error_set(error, ERROR_CARD_FOREIGN,
		       "no CA of scp11-ca vouches for the card's key for encrypted channels: %s",
		       X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
}

static bool take_key(
	const struct buffer *bundle, X509_STORE *trust, struct scp11_key *key, struct error *error)
{
	STACK_OF(X509) *certificates _cleanup_certificates_ = parse_certificates(bundle);

	if (!certificates)
		return error_set(error, ERROR_CARD_FAILED,
			"the certificates of the card's key for encrypted channels are malformed");
	if (!verify(certificates, trust, error))
		return false;
	X509 *leaf = sk_X509_value(certificates, sk_X509_num(certificates) - 1);
	key->public_key = X509_get_pubkey(leaf);
	return (key->public_key && EVP_PKEY_get_base_id(key->public_key) == EVP_PKEY_EC) ||
	       error_set(error, ERROR_CARD_FAILED,
		       "the card's key for encrypted channels is not one on an elliptic curve");
}

bool security_domain_read_key(
	struct card *card, X509_STORE *trust, struct scp11_key *key, struct error *error)
{
	_cleanup_buffer_ struct buffer bundle = BUFFER_INIT;
	uint16_t status;

	if (!card_select_plain(card, application, sizeof(application), NULL, &status, error))
		return false;
	if (status != SW_SUCCESS)
		return not_supported("security domain", error);
	if (!find_version(card, &key->version, error) ||
		!read_certificates(card, key->version, &bundle, error) ||
		!take_key(&bundle, trust, key, error)) {
		scp11_key_clear(key);
		return false;
	}
	return true;
}

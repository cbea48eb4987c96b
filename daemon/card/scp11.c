/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/scp11.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "card/status-word.h"
#include "common/tlv.h"

/* INTERNAL AUTHENTICATE (Amendment F, 7.5) */
#define CLA_GLOBALPLATFORM	  0x80
#define INS_INTERNAL_AUTHENTICATE 0x88
#define TAG_CONTROL_REFERENCE	  0xA6
#define TAG_SCP			  0x90
#define TAG_KEY_USAGE		  0x95
#define TAG_KEY_TYPE		  0x80
#define TAG_KEY_LENGTH		  0x81
#define TAG_EPHEMERAL_KEY	  0x5F49
#define TAG_RECEIPT		  0x86

#define BLOCK SECURE_CHANNEL_BLOCK
/* The receipt's key, then S-ENC, S-MAC, S-RMAC, and S-DEK, which nothing here uses */
#define DERIVED	       (5 * BLOCK)
#define SECRET_MAXIMUM 66 /* an x coordinate on the longest curve, P-521 */

static const uint8_t scp11b[] = {0x11, 0x00};
/* C-MAC, C-DECRYPTION, R-MAC and R-ENCRYPTION; AES; 16 bytes. Also SharedInfo (3.1.2). */
static const uint8_t key_usage[] = {0x3C, 0x88, BLOCK};

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free);
DEFINE_CLEANUP(EVP_KDF *, EVP_KDF_free);
DEFINE_CLEANUP(EVP_KDF_CTX *, EVP_KDF_CTX_free);

static bool failed(struct error *error)
{
	return error_set(error, ERROR_FAILED, "cannot agree on keys with the card");
}

/* --- keys --- */

static EVP_PKEY *generate_on_curve_of(EVP_PKEY *key, struct error *error)
{
	EVP_PKEY_CTX *context _cleanup_(EVP_PKEY_CTX_freep) =
		EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	EVP_PKEY *made = NULL;

	if (!context || EVP_PKEY_keygen_init(context) != 1 ||
		EVP_PKEY_generate(context, &made) != 1)
		failed(error);
	return made;
}

/* Refuses a point that is not on the curve. */
static EVP_PKEY *key_of_point(EVP_PKEY *curve, struct reader point, struct error *error)
{
	EVP_PKEY *key = EVP_PKEY_new();

	if (key && EVP_PKEY_copy_parameters(key, curve) == 1 &&
		EVP_PKEY_set1_encoded_public_key(key, point.data, point.length) == 1)
		return key;
	EVP_PKEY_free(key);
	error_set(error, ERROR_CARD_FAILED, "INTERNAL AUTHENTICATE: the card's key is malformed");
	return NULL;
}

static bool append_point(struct buffer *data, EVP_PKEY *key)
{
	unsigned char *point = NULL;
	size_t length = EVP_PKEY_get1_encoded_public_key(key, &point);

	tlv_append(data, TAG_EPHEMERAL_KEY, point, length);
	OPENSSL_free(point);
	return length > 0;
}

/* Appends the x coordinate of the point that both have (3.1.1). */
static bool agree(EVP_PKEY *ours, EVP_PKEY *theirs, struct secret *shared, size_t *length,
	struct error *error)
{
	EVP_PKEY_CTX *context _cleanup_(EVP_PKEY_CTX_freep) =
		EVP_PKEY_CTX_new_from_pkey(NULL, ours, NULL);
	size_t more = shared->length - *length;

	if (!context || EVP_PKEY_derive_init(context) != 1 ||
		EVP_PKEY_derive_set_peer(context, theirs) != 1 ||
		EVP_PKEY_derive(context, shared->data + *length, &more) != 1)
		return failed(error);
	*length += more;
	return true;
}

/* ANSI X9.63 with SHA-256 (3.1.2) */
static bool derive(
	const struct secret *shared, size_t length, struct secret *derived, struct error *error)
{
	EVP_KDF *kdf _cleanup_(EVP_KDF_freep) = EVP_KDF_fetch(NULL, "X963KDF", NULL);
	EVP_KDF_CTX *context _cleanup_(EVP_KDF_CTX_freep) = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){"SHA2-256"}, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, shared->data, length),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_INFO, (void *)key_usage, sizeof(key_usage)),
		OSSL_PARAM_construct_end()};

	return (context &&
		       EVP_KDF_derive(context, derived->data, derived->length, parameters) == 1) ||
	       failed(error);
}

/* ours: of this channel alone. theirs: the card's of this channel; certified: its static one. */
static bool derive_keys(EVP_PKEY *ours, EVP_PKEY *theirs, EVP_PKEY *certified,
	struct secret *derived, struct error *error)
{
	_cleanup_secret_ struct secret shared = SECRET_INIT;
	size_t length = 0;

	if (!secret_allocate(&shared, (size_t)2 * SECRET_MAXIMUM) ||
		!secret_allocate(derived, DERIVED))
		return error_set(error, ERROR_FAILED, "out of memory");
	return agree(ours, theirs, &shared, &length, error) &&
	       agree(ours, certified, &shared, &length, error) &&
	       derive(&shared, length, derived, error);
}

/* --- the exchange --- */

static void append_request(struct buffer *data)
{
	_cleanup_buffer_ struct buffer template = BUFFER_INIT;

	tlv_append(&template, TAG_SCP, scp11b, sizeof(scp11b));
	tlv_append(&template, TAG_KEY_USAGE, &key_usage[0], 1);
	tlv_append(&template, TAG_KEY_TYPE, &key_usage[1], 1);
	tlv_append(&template, TAG_KEY_LENGTH, &key_usage[2], 1);
	tlv_append(data, TAG_CONTROL_REFERENCE, template.data, template.length);
}

static bool ask_card(struct apdu_channel *way, const struct scp11_key *key,
	const struct buffer *request, struct buffer *answer, struct error *error)
{
	struct apdu command = {.cla = CLA_GLOBALPLATFORM,
		.ins = INS_INTERNAL_AUTHENTICATE,
		.p1 = key->version,
		.p2 = SCP11B_KEY_IDENTIFIER,
		.data = request->data,
		.length = request->length,
		.answer = APDU_ANSWER_SHORT};
	uint16_t status;

	return apdu_exchange(way, &command, answer, &status, error) &&
	       status_word_check(status, "INTERNAL AUTHENTICATE", error);
}

/* The receipt covers what we asked for and the card's key as it sent it (Amendment F, 6.5). */
static bool check_receipt(const uint8_t key[BLOCK], const struct buffer *request,
	const struct buffer *answer, struct reader point, struct reader receipt,
	struct error *error)
{
	const struct reader messages[] = {reader_of(request),
		READER_INIT(answer->data, (size_t)(point.data + point.length - answer->data))};
	uint8_t mac[BLOCK];

	if (!aes_cmac(key, messages, ARRAY_SIZE(messages), mac, error))
		return false;
	return (receipt.length == BLOCK && CRYPTO_memcmp(receipt.data, mac, BLOCK) == 0) ||
	       error_set(error, ERROR_CARD_FAILED,
		       "the card does not have the key of its certificate, or something changes "
		       "what "
		       "it says");
}

static struct secure_channel *make_channel(
	const struct secret *derived, struct reader receipt, struct error *error)
{
	_cleanup_secret_ struct secret keys = SECRET_INIT;

	if (secret_set(&keys, derived->data + BLOCK, SECURE_CHANNEL_KEYS))
		return secure_channel_new(&keys, receipt.data);
	error_set(error, ERROR_FAILED, "out of memory");
	return NULL;
}

static struct secure_channel *finish(EVP_PKEY *ours, EVP_PKEY *certified,
	const struct buffer *request, const struct buffer *answer, struct error *error)
{
	_cleanup_secret_ struct secret derived = SECRET_INIT;
	struct reader rest = reader_of(answer);
	struct tlv point, receipt;

	if (!tlv_next(&rest, &point) || point.tag != TAG_EPHEMERAL_KEY ||
		!tlv_next(&rest, &receipt) || receipt.tag != TAG_RECEIPT || reader_left(&rest)) {
		error_set(error, ERROR_CARD_FAILED,
			"INTERNAL AUTHENTICATE: the card's answer is malformed");
		return NULL;
	}
	EVP_PKEY *theirs _cleanup_(EVP_PKEY_freep) = key_of_point(certified, point.value, error);
	if (!theirs || !derive_keys(ours, theirs, certified, &derived, error) ||
		!check_receipt(derived.data, request, answer, point.value, receipt.value, error))
		return NULL;
	return make_channel(&derived, receipt.value, error);
}

struct secure_channel *scp11_open(
	struct apdu_channel *way, const struct scp11_key *key, struct error *error)
{
	_cleanup_buffer_ struct buffer request = BUFFER_INIT, answer = BUFFER_INIT;
	EVP_PKEY *ours _cleanup_(EVP_PKEY_freep) = generate_on_curve_of(key->public_key, error);

	if (!ours)
		return NULL;
	append_request(&request);
	if (!append_point(&request, ours) || request.failed) {
		failed(error);
		return NULL;
	}
	if (!ask_card(way, key, &request, &answer, error))
		return NULL;
	return finish(ours, key->public_key, &request, &answer, error);
}

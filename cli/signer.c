/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/signer.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "cli/card-find.h"
#include "cli/client.h"
#include "cli/interrupt.h"
#include "cli/object.h"
#include "cli/pin.h"
#include "cli/signed-content.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "common/alloc.h"

#define CLIENT_PROVIDER "org.tessera1.Provider"

#define CKM_RSA_RAW 0x00000003 /* CKM_RSA_X_509 */
#define CKM_EC_RAW  0x00001041 /* CKM_ECDSA */

/* Flags of Provider.GetObjects. */
#define KEY_WANTS_PIN_EACH_TIME 1
#define KEY_WANTS_NO_PIN	2

/* Another command of the same login may be signing: it takes a moment. */
#define LOGIN_TRIES	  50
#define LOGIN_INTERVAL_MS 200

DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free);

/* A key as the Provider knows it. */
struct place {
	uint32_t slot, object; /* slot 0: not known */
	json_int_t flags;
};

struct signer {
	char *card; /* whose PIN it is */
	struct secret pin;
	bool has_failed;
	struct buffer certificate; /* of the key that signed last, */
	struct place place;	   /* and where that was */
};

/* What a job wants signed, and where the key is. */
struct wanted {
	struct invocation *invocation;
	struct client *client;
	struct buffer content, certificate;
	char *card;
	char *account; /* whom a certificate is asked for; NULL: only a proof */
	EVP_PKEY *key; /* public; of the certificate */
	struct place place;
};

static void wanted_clear(struct wanted *wanted)
{
	buffer_clear(&wanted->content);
	buffer_clear(&wanted->certificate);
	free(wanted->card);
	free(wanted->account);
	EVP_PKEY_free(wanted->key);
}

void signer_free(struct signer *signer)
{
	if (!signer)
		return;
	secret_clear(&signer->pin);
	buffer_clear(&signer->certificate);
	free(signer->card);
	free(signer);
}

bool signer_has_failed(const struct invocation *invocation)
{
	return invocation->signer && invocation->signer->has_failed;
}

/* --- what is wanted --- */

static EVP_PKEY *read_key(const struct buffer *certificate)
{
	const unsigned char *position = certificate->data;
	X509 *x509 _cleanup_(X509_freep) = d2i_X509(NULL, &position, (long)certificate->length);
	EVP_PKEY *key = x509 ? X509_get_pubkey(x509) : NULL;

	ERR_clear_error();
	return key;
}

static bool take_hex(const json_t *answer, size_t index, struct buffer *bytes)
{
	const char *hex = json_string_value(json_array_get(answer, index));

	return hex && hex_decode(hex, bytes);
}

static bool read_request(struct wanted *wanted, const json_t *answer, struct error *error)
{
	const char *card = json_string_value(json_array_get(answer, 3));

	if (!card || !take_hex(answer, 0, &wanted->content) ||
		!take_hex(answer, 2, &wanted->certificate))
		return error_set(error, ERROR_FAILED, "tesserad's request cannot be read");
	wanted->card = text_clean(card);
	wanted->key = read_key(&wanted->certificate);
	if (!wanted->key)
		return error_set(error, ERROR_FAILED, "tesserad's certificate cannot be read");
	return signed_content_read(&wanted->content, &wanted->account, error);
}

/* --- where the key is --- */

static bool holds_card(const struct wanted *wanted, const json_t *reader)
{
	const char *serial = json_string_value(json_object_get(reader, "serial"));

	return json_is_true(json_object_get(reader, "card_present")) && serial &&
	       strcmp(serial, wanted->card) == 0;
}

/* Not one that another user's agent offers, whatever serial number it tells. */
static bool find_reader(struct wanted *wanted, struct error *error)
{
	_cleanup_json_ json_t *readers = card_find_readers(wanted->client, error);
	const json_t *reader;
	size_t index;

	if (!readers)
		return false;
	json_array_foreach(readers, index, reader)
	{
		if (holds_card(wanted, reader))
			wanted->place.slot =
				(uint32_t)json_integer_value(json_object_get(reader, "number"));
	}
	return wanted->place.slot != 0 ||
	       error_set(error, ERROR_NO_CARD,
		       "the operator's own card %s, which signs as the enrollment agent, is in no "
		       "reader: it takes a second reader beside that of the card that is issued",
		       wanted->card);
}

static bool find_object(struct wanted *wanted, struct error *error)
{
	_cleanup_json_ json_t *answer = CLIENT_CALL(wanted->client, CLIENT_ROOT, CLIENT_PROVIDER,
		"GetObjects", error, CLIENT_UINT32(wanted->place.slot), CLIENT_UINT32(0));
	_cleanup_free_ char *hex = hex_encode(wanted->certificate.data, wanted->certificate.length);
	const json_t *key;
	size_t index;

	if (!answer)
		return false;
	json_array_foreach(json_array_get(answer, 2), index, key)
	{
		const char *own = json_string_value(json_array_get(key, 2));
		if (!own || !hex || strcmp(own, hex) != 0)
			continue;
		wanted->place.object = (uint32_t)json_integer_value(json_array_get(key, 0));
		wanted->place.flags = json_integer_value(json_array_get(key, 4));
		return true;
	}
	return error_set(error, ERROR_NOT_FOUND,
		"the operator's card %s does not have the enrollment agent's certificate on it",
		wanted->card);
}

/* The card of a batch's rows stays where it is: a look at one reader is enough then. */
static bool is_where_it_was(struct wanted *wanted)
{
	const struct signer *signer = wanted->invocation->signer;
	const struct buffer *last = &signer->certificate;

	if (signer->place.slot == 0 || last->length != wanted->certificate.length ||
		memcmp(last->data, wanted->certificate.data, last->length) != 0)
		return false;
	_cleanup_free_ char *path = object_path("reader", signer->place.slot);
	_cleanup_json_ json_t *reader = object_get(wanted->client, path, CLIENT_READER, NULL);
	wanted->place = signer->place;
	return holds_card(wanted, reader);
}

static bool find_place(struct wanted *wanted, struct error *error)
{
	struct signer *signer = wanted->invocation->signer;

	if (is_where_it_was(wanted))
		return true;
	wanted->place = (struct place){0};
	if (!find_reader(wanted, error) || !find_object(wanted, error))
		return false;
	buffer_clear(&signer->certificate);
	buffer_append(&signer->certificate, wanted->certificate.data, wanted->certificate.length);
	signer->place = wanted->place;
	return true;
}

/* --- the PIN --- */

static bool get_pin(struct wanted *wanted, struct error *error)
{
	struct signer *signer = wanted->invocation->signer;
	const char *file = wanted->invocation->values[OPTION_OPERATOR_PIN_FILE];

	if (wanted->place.flags & KEY_WANTS_NO_PIN)
		return true;
	if (secret_is_set(&signer->pin) && strcmp(signer->card, wanted->card) == 0)
		return true;
	if (!client_carries_pins(wanted->client, error))
		return false;
	free(signer->card);
	signer->card = xstrdup(wanted->card);
	if (file)
		return pin_read_file(file, &signer->pin, error);
	_cleanup_free_ char *prompt =
		xasprintf("PIN of the operator's card %s, which signs as the enrollment agent: ",
			wanted->card);
	return terminal_ask_secret(prompt, PIN_MAXIMUM, &signer->pin, error);
}

/* --- the signature --- */

static const EVP_MD *digest_for(EVP_PKEY *key)
{
	bool is_long = EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) > 256;

	return is_long ? EVP_sha384() : EVP_sha256();
}

/* EMSA-PKCS1-v1_5 around SHA-256 (RFC 8017, 9.2). */
static void pad(struct buffer *block, size_t size, const uint8_t *digest, size_t length)
{
	static const uint8_t information[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48,
		0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
	size_t taken = 3 + sizeof(information) + length;

	buffer_append_u8(block, 0);
	buffer_append_u8(block, 1);
	buffer_fill(block, 0xff, size > taken ? size - taken : 0);
	buffer_append_u8(block, 0);
	buffer_append(block, information, sizeof(information));
	buffer_append(block, digest, length);
}

/* What the card computes on, which is ours: not what tesserad says that it is. */
static bool make_input(const struct wanted *wanted, struct buffer *input, struct error *error)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (EVP_Digest(wanted->content.data, wanted->content.length, digest, &length,
		    digest_for(wanted->key), NULL) != 1)
		return error_set(error, ERROR_FAILED, "no digest can be made");
	if (EVP_PKEY_is_a(wanted->key, "EC"))
		buffer_append(input, digest, length);
	else
		pad(input, (size_t)EVP_PKEY_get_size(wanted->key), digest, length);
	return true;
}

static bool log_in(struct wanted *wanted, struct error *error)
{
	const struct secret *pin = &wanted->invocation->signer->pin;

	for (int i = 0; i < LOGIN_TRIES; i++) {
		struct error failure _cleanup_error_ = ERROR_INIT;
		_cleanup_json_ json_t *answer =
			CLIENT_CALL(wanted->client, CLIENT_ROOT, CLIENT_PROVIDER, "Login", &failure,
				CLIENT_UINT32(wanted->place.slot), CLIENT_SECRET_BYTES(pin));
		if (answer)
			return true;
		if (failure.code != ERROR_ALREADY_LOGGED_IN || interrupt_count() > 0)
			return error_move(error, &failure);
		poll(NULL, 0, LOGIN_INTERVAL_MS);
	}
	return error_set(error, ERROR_BUSY,
		"another program of this login uses the operator's card %s", wanted->card);
}

static bool use_key(
	struct wanted *wanted, const struct buffer *input, struct buffer *raw, struct error *error)
{
	static const struct secret none = SECRET_INIT;
	static const struct buffer empty = BUFFER_INIT;
	bool each_time = wanted->place.flags & KEY_WANTS_PIN_EACH_TIME;
	bool is_rsa = !EVP_PKEY_is_a(wanted->key, "EC");

	_cleanup_json_ json_t *answer = CLIENT_CALL(wanted->client, CLIENT_ROOT, CLIENT_PROVIDER,
		"UseKey", error, CLIENT_BYTES(input), CLIENT_UINT32(wanted->place.slot),
		CLIENT_UINT32(wanted->place.object), CLIENT_STRING("sign"),
		CLIENT_UINT32(is_rsa ? CKM_RSA_RAW : CKM_EC_RAW), CLIENT_BYTES(&empty),
		CLIENT_SECRET_BYTES(each_time ? &wanted->invocation->signer->pin : &none));
	return answer && (take_hex(answer, 0, raw) || error_set(error, ERROR_CARD_FAILED,
							      "the card's signature cannot be "
							      "read"));
}

/* Nobody else of the same login goes on with the PIN that was proved. */
static bool use_key_once(
	struct wanted *wanted, const struct buffer *input, struct buffer *raw, struct error *error)
{
	if (wanted->place.flags & (KEY_WANTS_NO_PIN | KEY_WANTS_PIN_EACH_TIME))
		return use_key(wanted, input, raw, error);
	if (!log_in(wanted, error))
		return false;
	bool done = use_key(wanted, input, raw, error);
	json_decref(CLIENT_CALL(wanted->client, CLIENT_ROOT, CLIENT_PROVIDER, "Logout", NULL,
		CLIENT_UINT32(wanted->place.slot)));
	return done;
}

/* r || s as DER. */
static bool put_ecdsa(const struct buffer *raw, struct buffer *signature, struct error *error)
{
	ECDSA_SIG *pair _cleanup_(ECDSA_SIG_freep) = ECDSA_SIG_new();
	int half = (int)(raw->length / 2);
	BIGNUM *r = BN_bin2bn(raw->data, half, NULL);
	BIGNUM *s = BN_bin2bn(raw->data + half, half, NULL);
	unsigned char *der = NULL;

	if (!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		return error_set(error, ERROR_FAILED, "the signature cannot be encoded");
	}
	int length = i2d_ECDSA_SIG(pair, &der);
	if (length > 0)
		buffer_append(signature, der, (size_t)length);
	OPENSSL_free(der);
	return length > 0 || error_set(error, ERROR_FAILED, "the signature cannot be encoded");
}

static bool sign(struct wanted *wanted, struct buffer *signature, struct error *error)
{
	_cleanup_buffer_ struct buffer input = BUFFER_INIT, raw = BUFFER_INIT;

	if (!find_place(wanted, error) || !get_pin(wanted, error) ||
		!make_input(wanted, &input, error))
		return false;
	if (!use_key_once(wanted, &input, &raw, error))
		return error_prefix(error, "the operator's own card %s", wanted->card);
	if (EVP_PKEY_is_a(wanted->key, "EC"))
		return put_ecdsa(&raw, signature, error);
	buffer_append(signature, raw.data, raw.length);
	return true;
}

/* --- the answer --- */

static bool is_over(const struct error *failure)
{
	return failure->code == ERROR_NOT_FOUND || failure->code == ERROR_WRONG_STATE;
}

static bool give(struct wanted *wanted, const char *path, struct error *error)
{
	_cleanup_buffer_ struct buffer signature = BUFFER_INIT;
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!sign(wanted, &signature, error))
		return false;
	_cleanup_json_ json_t *answer = CLIENT_CALL(wanted->client, path, CLIENT_JOB,
		"GiveSignature", &failure, CLIENT_BYTES(&signature));
	if (!answer)
		return is_over(&failure) || error_move(error, &failure);
	if (wanted->account)
		fprintf(stderr, "signed with the card %s: a request on behalf of %s\n",
			wanted->card, wanted->account);
	return true;
}

/* The job need not wait for what will not come. */
static void refuse(struct wanted *wanted, const char *path, const struct error *failure)
{
	struct signer *signer = wanted->invocation->signer;

	signer->has_failed = true;
	secret_clear(&signer->pin);
	json_decref(CLIENT_CALL(wanted->client, path, CLIENT_JOB, "RefuseSignature", NULL,
		CLIENT_STRING(error_message(failure))));
}

bool signer_answer(struct invocation *invocation, const char *path, struct error *error)
{
	struct wanted wanted _cleanup_(wanted_clear) = {
		.invocation = invocation, .client = invocation_client(invocation, error)};
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!wanted.client)
		return false;
	if (!invocation->signer)
		invocation->signer = xnew(struct signer);
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(wanted.client, path, CLIENT_JOB, "GetSignatureRequest", &failure);
	if (!answer)
		return is_over(&failure) || failure.code == ERROR_ACCESS_DENIED ||
		       error_move(error, &failure);
	if (read_request(&wanted, answer, &failure) && give(&wanted, path, &failure))
		return true;
	refuse(&wanted, path, &failure);
	return error_move(error, &failure);
}

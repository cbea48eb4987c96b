/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/piv.h"

#include <openssl/x509.h>

/* GENERATE ASYMMETRIC KEY PAIR (SP 800-73-4 part 2, 3.3.1; AA and AB are the YubiKey's) */
#define TAG_CONTROL	 0xAC
#define TAG_MECHANISM	 0x80
#define TAG_PIN_POLICY	 0xAA
#define TAG_TOUCH_POLICY 0xAB
#define TAG_PUBLIC_KEY	 0x7F49

/* SP 800-73-4 part 1, table 4b */
static enum pin_use default_pin_use(key_slot slot)
{
	return slot == KEY_SLOT_SIGNATURE	      ? PIN_USE_ALWAYS
	       : slot == KEY_SLOT_CARD_AUTHENTICATION ? PIN_USE_NEVER
						      : PIN_USE_ONCE;
}

static enum pin_use actual_pin_use(key_slot slot, enum pin_use use)
{
	return use == PIN_USE_DEFAULT ? default_pin_use(slot) : use;
}

/* *present: false when the card says that the slot is empty. */
static bool read_metadata(
	struct card *card, struct card_key *key, bool *present, struct error *error)
{
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;
	struct yubikey_metadata metadata;
	struct error refusal _cleanup_error_ = ERROR_INIT;

	if (!yubikey_metadata(card, key->slot, &response, &metadata, &refusal)) {
		/* A card with fewer slots than it could have says so in one of these ways. */
		if (refusal.code == ERROR_NOT_SUPPORTED || refusal.code == ERROR_DATA_INVALID)
			return true;
		return error_move(error, &refusal);
	}
	*present = metadata.found;
	if (!metadata.found)
		return true;
	key->algorithm = piv_algorithm_from_reference(metadata.algorithm);
	key->pin = actual_pin_use(key->slot, yubikey_pin_use(metadata.pin_policy));
	key->touch = yubikey_touch_use(metadata.touch_policy);
	if (key->algorithm == KEY_ALGORITHM_NONE || metadata.public_key.length == 0)
		return true;
	key->public_key = piv_public_key(metadata.public_key, key->algorithm, error);
	return key->public_key;
}

/* The public key of the certificate, where the card itself tells none. */
static void take_key_of_certificate(struct card_key *key)
{
	const unsigned char *bytes = key->certificate.data;
	X509 *certificate = d2i_X509(NULL, &bytes, (long)key->certificate.length);

	if (!certificate)
		return;
	EVP_PKEY *public_key = X509_get_pubkey(certificate);
	X509_free(certificate);
	enum key_algorithm algorithm =
		public_key ? piv_algorithm_of_key(public_key) : KEY_ALGORITHM_NONE;
	if (algorithm == KEY_ALGORITHM_NONE ||
		(key->algorithm != KEY_ALGORITHM_NONE && key->algorithm != algorithm)) {
		EVP_PKEY_free(public_key);
		return;
	}
	key->algorithm = algorithm;
	key->public_key = public_key;
}

static bool read_certificate(struct card *card, struct card_key *key, struct error *error)
{
	struct error refusal _cleanup_error_ = ERROR_INIT;

	if (piv_read(card, CARD_OBJECT_CERTIFICATE, key->slot, &key->certificate, &refusal))
		return true;
	buffer_clear(&key->certificate);
	/* Not every card knows every retired slot, and some say so in odd ways. */
	if (refusal.code == ERROR_NO_CARD || refusal.code == ERROR_NO_READER_SERVICE ||
		refusal.code == ERROR_FAILED)
		return error_move(error, &refusal);
	return true;
}

bool piv_read_key(struct card *card, key_slot slot, struct card_key *key, struct error *error)
{
	struct card_key found _cleanup_(card_key_clear) = {
		.slot = slot, .pin = default_pin_use(slot), .touch = TOUCH_USE_DEFAULT};
	bool present = true;

	if (card->info.has_metadata && !read_metadata(card, &found, &present, error))
		return false;
	if (present && !read_certificate(card, &found, error))
		return false;
	if (!found.public_key && found.certificate.length)
		take_key_of_certificate(&found);
	card_key_clear(key);
	*key = found;
	found = (struct card_key){0};
	return true;
}

static void append_policy(struct buffer *control, uint32_t tag, uint8_t policy)
{
	if (policy)
		tlv_append(control, tag, &policy, 1);
}

/* Only a YubiKey knows policies; any other card does what its slots do. */
static bool check_policies(const struct card *card, key_slot slot, enum pin_use pin,
	enum touch_use touch, struct error *error)
{
	if (card->info.firmware != 0)
		return true;
	if (actual_pin_use(slot, pin) != default_pin_use(slot))
		return error_set(error, ERROR_NOT_SUPPORTED,
			"this card has no PIN policy %s for slot %s", pin_use_name(pin),
			key_slot_name(slot));
	if (touch != TOUCH_USE_DEFAULT && touch != TOUCH_USE_NEVER)
		return error_set(error, ERROR_NOT_SUPPORTED, "this card cannot ask for a touch");
	return true;
}

static void build_control(const struct card *card, enum key_algorithm algorithm, enum pin_use pin,
	enum touch_use touch, struct buffer *template)
{
	_cleanup_buffer_ struct buffer control = BUFFER_INIT;
	uint8_t reference = piv_algorithm_reference(algorithm);

	tlv_append(&control, TAG_MECHANISM, &reference, 1);
	if (card->info.firmware != 0) {
		append_policy(&control, TAG_PIN_POLICY, yubikey_pin_policy(pin));
		append_policy(&control, TAG_TOUCH_POLICY, yubikey_touch_policy(touch));
	}
	tlv_append(template, TAG_CONTROL, control.data, control.length);
}

static bool generate(struct card *card, key_slot slot, const struct buffer *template,
	struct buffer *response, struct error *error)
{
	struct apdu command = {.ins = PIV_INS_GENERATE_KEY_PAIR,
		.p2 = slot,
		.data = template->data,
		.length = template->length,
		.answer = APDU_ANSWER_LONG};

	if (template->failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	return piv_admin_command(card, &command, "GENERATE ASYMMETRIC KEY PAIR", response, error);
}

bool piv_generate_key(struct card *card, key_slot slot, enum key_algorithm algorithm,
	enum pin_use pin, enum touch_use touch, EVP_PKEY **public_key, struct error *error)
{
	_cleanup_buffer_ struct buffer template = BUFFER_INIT;
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;
	struct reader elements;

	if (!key_slot_name(slot))
		return error_set(error, ERROR_INVALID_ARGUMENT, "there is no key slot %02X", slot);
	if (!piv_algorithm_reference(algorithm) || !(card->info.algorithms & 1U << algorithm))
		return error_set(error, ERROR_NOT_SUPPORTED, "this card cannot make keys of %s",
			algorithm ? key_algorithm_name(algorithm) : "this algorithm");
	if (!check_policies(card, slot, pin, touch, error))
		return false;
	build_control(card, algorithm, pin, touch, &template);
	if (!generate(card, slot, &template, &response, error))
		return false;
	if (!tlv_find(reader_of(&response), TAG_PUBLIC_KEY, &elements))
		return piv_malformed("GENERATE ASYMMETRIC KEY PAIR", error);
	EVP_PKEY *key = piv_public_key(elements, algorithm, error);
	if (!key)
		return false;
	*public_key = key;
	return true;
}

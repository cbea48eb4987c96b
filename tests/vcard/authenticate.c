/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GENERAL AUTHENTICATE (SP 800-73-4 part 2, 3.2.4 and appendix A). */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "common/tlv.h"
#include "vcard/card.h"
#include "vcard/keys.h"

enum {
	TAG_WITNESS = 0x80,
	TAG_CHALLENGE = 0x81,
	TAG_RESPONSE = 0x82,
	TAG_EXPONENTIATION = 0x85,
	TAG_TEMPLATE = 0x7C,
};

/* An element of the dynamic authentication template; "empty" asks the card for it. */
struct element {
	bool present;
	struct reader value;
};

struct request {
	struct element witness, challenge, response, exponentiation;
};

static bool is_asked(const struct element *element)
{
	return element->present && reader_left(&element->value) == 0;
}

static bool is_given(const struct element *element)
{
	return element->present && reader_left(&element->value) > 0;
}

static bool parse_request(struct reader data, struct request *request)
{
	struct tlv template, element;

	if (!tlv_next(&data, &template) || template.tag != TAG_TEMPLATE || reader_left(&data) > 0)
		return false;
	*request = (struct request){0};
	while (tlv_next(&template.value, &element)) {
		struct element *target = element.tag == TAG_WITNESS	? &request->witness
					 : element.tag == TAG_CHALLENGE ? &request->challenge
					 : element.tag == TAG_RESPONSE	? &request->response
					 : element.tag == TAG_EXPONENTIATION
						 ? &request->exponentiation
						 : NULL;
		if (!target)
			return false;
		*target = (struct element){.present = true, .value = element.value};
	}
	return !template.value.failed;
}

static void put_template(struct buffer *out, uint32_t tag, const void *value, size_t length)
{
	_cleanup_buffer_ struct buffer inner = BUFFER_INIT_WIPE;

	tlv_append(&inner, tag, value, length);
	tlv_append(out, TAG_TEMPLATE, inner.data, inner.length);
}

/* A fresh random block; the one form goes out, the other is what must come back. */
static uint16_t start_exchange(struct vcard *card, const struct block_cipher *cipher,
	uint8_t expected_tag, struct buffer *response)
{
	uint8_t plain[BLOCK_MAXIMUM], encrypted[BLOCK_MAXIMUM];
	bool is_witness = expected_tag == TAG_WITNESS;

	if (RAND_bytes(plain, cipher->block_length) != 1 ||
		!block_encrypt(cipher, card->state.management.value, plain, encrypted))
		return SW_FAILED;
	memcpy(card->status.expected, is_witness ? plain : encrypted, cipher->block_length);
	card->status.expected_tag = expected_tag;
	put_template(response, is_witness ? TAG_WITNESS : TAG_CHALLENGE,
		is_witness ? encrypted : plain, cipher->block_length);
	return SW_SUCCESS;
}

/* Checks the other side's answer; a challenge or witness serves once. */
static bool finish_exchange(
	struct vcard *card, const struct block_cipher *cipher, uint8_t tag, struct reader value)
{
	bool was_expected = card->status.expected_tag == tag;

	card->status.expected_tag = 0;
	card->status.management = false;
	if (!was_expected || reader_left(&value) != cipher->block_length ||
		CRYPTO_memcmp(card->status.expected, reader_bytes(&value, cipher->block_length),
			cipher->block_length) != 0)
		return false;
	return card_touched(card, card->state.management.touch_policy);
}

static uint16_t finish_mutual(struct vcard *card, const struct block_cipher *cipher,
	const struct request *request, struct buffer *response)
{
	struct reader challenge = request->challenge.value;
	uint8_t block[BLOCK_MAXIMUM];

	if (!is_given(&request->challenge) || reader_left(&challenge) != cipher->block_length)
		return SW_WRONG_DATA;
	if (!finish_exchange(card, cipher, TAG_WITNESS, request->witness.value))
		return SW_SECURITY_STATUS;
	if (!block_encrypt(cipher, card->state.management.value,
		    reader_bytes(&challenge, cipher->block_length), block))
		return SW_FAILED;
	card->status.management = true;
	put_template(response, TAG_RESPONSE, block, cipher->block_length);
	return SW_SUCCESS;
}

static uint16_t authenticate_management(struct vcard *card, const struct apdu *apdu,
	const struct request *request, struct buffer *response)
{
	uint8_t algorithm = apdu->p1 ? apdu->p1 : ALGORITHM_3DES;
	const struct block_cipher *cipher = block_cipher_find(algorithm);

	if (!cipher || algorithm != card->state.management.algorithm)
		return card_wrong_slot(card);
	if (is_asked(&request->witness))
		return start_exchange(card, cipher, TAG_WITNESS, response);
	if (is_given(&request->witness))
		return finish_mutual(card, cipher, request, response);
	if (is_asked(&request->challenge))
		return start_exchange(card, cipher, TAG_RESPONSE, response);
	if (request->challenge.present || !is_given(&request->response))
		return SW_WRONG_DATA;
	if (!finish_exchange(card, cipher, TAG_RESPONSE, request->response.value))
		return SW_SECURITY_STATUS;
	card->status.management = true;
	return SW_SUCCESS;
}

/* Whether the key's PIN and touch policies are met; a PIN ALWAYS key uses the VERIFY up. */
static bool is_allowed(struct vcard *card, const struct card_key *key)
{
	struct security_status *status = &card->status;
	bool allowed = key->pin_policy == PIN_NEVER ||
		       (key->pin_policy == PIN_ALWAYS ? status->pin_fresh : status->pin_verified);

	if (key->pin_policy == PIN_ALWAYS)
		status->pin_fresh = false;
	return allowed && card_touched(card, key->touch_policy);
}

static uint16_t use_key(struct vcard *card, const struct apdu *apdu, const struct request *request,
	struct buffer *response)
{
	_cleanup_buffer_ struct buffer result = BUFFER_INIT_WIPE;
	struct card_key *key =
		apdu->p2 == SLOT_ATTESTATION ? NULL : state_key(&card->state, apdu->p2);

	if (!key || key->algorithm != apdu->p1)
		return card_wrong_slot(card);
	const struct key_algorithm *algorithm =
		key_algorithm_find(key->algorithm, card->options.profile, card->options.firmware);
	if (!algorithm)
		return card_wrong_slot(card);
	if (!is_allowed(card, key))
		return SW_SECURITY_STATUS;
	if (!is_asked(&request->response) || request->witness.present)
		return SW_WRONG_DATA;
	bool done = false;
	if (request->exponentiation.present)
		done = key_derive(algorithm, key->pkey, request->exponentiation.value, &result);
	else if (request->challenge.present)
		done = key_sign(algorithm, key->pkey, request->challenge.value, &result);
	if (!done)
		return SW_WRONG_DATA;
	put_template(response, TAG_RESPONSE, result.data, result.length);
	return SW_SUCCESS;
}

uint16_t command_general_authenticate(
	struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	struct request request;

	if (apdu->p2 != SLOT_MANAGEMENT && !card_has_slot(card, apdu->p2))
		return SW_WRONG_PARAMETERS;
	if (!parse_request(apdu->data, &request))
		return SW_WRONG_DATA;
	if (apdu->p2 == SLOT_MANAGEMENT)
		return authenticate_management(card, apdu, &request, response);
	return use_key(card, apdu, &request, response);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/piv.h"

#define TAG_DER_SEQUENCE 0x30
#define TAG_DER_INTEGER	 0x02

/* What the card's tag and the caller's input are for each use. */
static uint32_t input_tag(enum key_use use)
{
	return use == KEY_USE_DERIVE ? PIV_TAG_EXPONENTIATION : PIV_TAG_CHALLENGE;
}

static void append_template(struct buffer *template, uint32_t tag, const struct buffer *value)
{
	_cleanup_buffer_ struct buffer elements = BUFFER_INIT_WIPE;

	tlv_append_header(&elements, PIV_TAG_RESPONSE, 0);
	tlv_append(&elements, tag, value->data, value->length);
	tlv_append(template, PIV_TAG_AUTHENTICATION, elements.data, elements.length);
}

/*
 * A digest as one field element: the leftmost bytes of a longer one (FIPS 186-4, 6.4); zeros
 * before a shorter one do not change its value, and cards want the whole length.
 */
static void append_digest(struct buffer *value, size_t field, const uint8_t *digest, size_t length)
{
	size_t used = length < field ? length : field;

	buffer_fill(value, 0, field - used);
	buffer_append(value, digest, used);
}

static bool prepare(enum key_algorithm algorithm, enum key_use use, const uint8_t *input,
	size_t length, struct buffer *value, struct error *error)
{
	size_t size = key_algorithm_bits(algorithm) / 8;

	if (!key_algorithm_is_rsa(algorithm) && use == KEY_USE_SIGN) {
		if (length == 0)
			return error_set(error, ERROR_DATA_LENGTH, "there is nothing to sign");
		append_digest(value, size, input, length);
		return true;
	}
	size_t wanted = use == KEY_USE_DERIVE ? 1 + 2 * size : size;
	if (length != wanted)
		return error_set(error, ERROR_DATA_LENGTH, "the key takes %zu bytes, not %zu",
			wanted, length);
	if (use == KEY_USE_DERIVE && input[0] != 0x04)
		return error_set(error, ERROR_DATA_INVALID, "the point is not an uncompressed one");
	buffer_append(value, input, length);
	return true;
}

/* One INTEGER as a number of exactly field bytes. Lenient: cards answer BER and not DER. */
static bool append_integer(struct reader *sequence, size_t field, struct buffer *output)
{
	struct tlv integer;

	if (!tlv_next(sequence, &integer) || integer.tag != TAG_DER_INTEGER)
		return false;
	const uint8_t *bytes = integer.value.data;
	size_t length = integer.value.length;
	while (length && *bytes == 0) {
		bytes++;
		length--;
	}
	if (length == 0 || length > field)
		return false;
	buffer_fill(output, 0, field - length);
	buffer_append(output, bytes, length);
	return true;
}

/* Ecdsa-Sig-Value (RFC 3279, 2.2.3) to r || s */
static bool append_signature(struct reader encoded, size_t field, struct buffer *output)
{
	struct tlv sequence;

	return tlv_next(&encoded, &sequence) && sequence.tag == TAG_DER_SEQUENCE &&
	       reader_left(&encoded) == 0 && append_integer(&sequence.value, field, output) &&
	       append_integer(&sequence.value, field, output) && reader_left(&sequence.value) == 0;
}

static bool append_answer(
	enum key_algorithm algorithm, enum key_use use, struct reader answer, struct buffer *output)
{
	size_t size = key_algorithm_bits(algorithm) / 8;

	if (!key_algorithm_is_rsa(algorithm) && use == KEY_USE_SIGN)
		return append_signature(answer, size, output);
	if (answer.length != size)
		return false;
	buffer_append(output, answer.data, answer.length);
	return true;
}

static bool check_use(
	key_slot slot, enum key_algorithm algorithm, enum key_use use, struct error *error)
{
	bool rsa = key_algorithm_is_rsa(algorithm);

	if (!key_slot_name(slot) || !piv_algorithm_reference(algorithm))
		return error_set(error, ERROR_INVALID_ARGUMENT, "there is no such key");
	if ((use == KEY_USE_DECRYPT && !rsa) || (use == KEY_USE_DERIVE && rsa) ||
		use == KEY_USE_ENCRYPT)
		return error_set(error, ERROR_NOT_SUPPORTED, "a key of %s cannot do this",
			key_algorithm_name(algorithm));
	return true;
}

bool piv_use_key(struct card *card, key_slot slot, enum key_algorithm algorithm, enum key_use use,
	const uint8_t *input, size_t length, struct buffer *output, struct error *error)
{
	_cleanup_buffer_ struct buffer value = BUFFER_INIT_WIPE;
	_cleanup_buffer_ struct buffer template = BUFFER_INIT_WIPE;
	_cleanup_buffer_ struct buffer response = BUFFER_INIT_WIPE;
	struct reader answer;
	uint16_t status;

	if (!check_use(slot, algorithm, use, error) ||
		!prepare(algorithm, use, input, length, &value, error))
		return false;
	append_template(&template, input_tag(use), &value);
	size_t expected = key_algorithm_is_rsa(algorithm) ? APDU_ANSWER_LONG : APDU_ANSWER_SHORT;
	if (!piv_general_authenticate(card, piv_algorithm_reference(algorithm), slot, &template,
		    expected, &response, &status, error) ||
		!status_word_check(status, "GENERAL AUTHENTICATE", error) ||
		!piv_template_find(&response, PIV_TAG_RESPONSE, &answer, error))
		return false;
	buffer_truncate(output, 0);
	if (!append_answer(algorithm, use, answer, output)) {
		buffer_truncate(output, 0);
		return piv_malformed("GENERAL AUTHENTICATE", error);
	}
	return true;
}

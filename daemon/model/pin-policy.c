/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/pin-policy.h"

#include <stdint.h>
#include <string.h>

/* SP 800-73-4 part 2, 2.4.3: a shorter PIN is padded with this byte. */
#define PIN_PADDING 0xFF

const struct pin_policy pin_policy_default = {
	.minimum_length = 6,
	.maximum_length = 8,
	.characters = PIN_ANY,
};

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_alphanumeric(uint8_t byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_any(uint8_t byte)
{
	return byte >= 0x20 && byte != 0x7F && byte != PIN_PADDING;
}

static const struct {
	const char *name;
	bool (*is_allowed)(uint8_t byte);
	const char *rule;
} characters[PIN_CHARACTERS_COUNT] = {
	[PIN_DIGITS] = {"digits", is_digit, "the PIN may only have digits"},
	[PIN_ALPHANUMERIC] = {"alphanumeric", is_alphanumeric,
		"the PIN may only have the letters A to Z, a to z and digits"},
	[PIN_ANY] = {"any", is_any, "the PIN may not have control characters"},
};

const char *pin_characters_name(enum pin_characters kind)
{
	return (size_t)kind < PIN_CHARACTERS_COUNT ? characters[kind].name : NULL;
}

enum pin_characters pin_characters_from_name(const char *name)
{
	enum pin_characters kind = 0;

	while (kind < PIN_CHARACTERS_COUNT && (!name || strcmp(characters[kind].name, name) != 0))
		kind++;
	return kind;
}

/* The longest run in which each byte is the one before plus step. */
static size_t longest_run(const struct secret *pin, int step)
{
	size_t longest = 1;
	size_t run = 1;

	for (size_t i = 1; i < pin->length; i++) {
		run = pin->data[i] == pin->data[i - 1] + step ? run + 1 : 1;
		if (run > longest)
			longest = run;
	}
	return longest;
}

static bool check_characters(
	const struct pin_policy *policy, const struct secret *pin, struct error *error)
{
	for (size_t i = 0; i < pin->length; i++) {
		if (!characters[policy->characters].is_allowed(pin->data[i]))
			return error_set(
				error, ERROR_PIN_POLICY, "%s", characters[policy->characters].rule);
	}
	return true;
}

bool pin_policy_check(
	const struct pin_policy *policy, const struct secret *pin, struct error *error)
{
	if (pin->length < policy->minimum_length || pin->length > policy->maximum_length)
		return error_set(error, ERROR_PIN_LENGTH, "the PIN must have %u to %u characters",
			policy->minimum_length, policy->maximum_length);
	if (!check_characters(policy, pin, error))
		return false;
	if (policy->maximum_repeats && longest_run(pin, 0) > policy->maximum_repeats)
		return error_set(error, ERROR_PIN_POLICY,
			"the PIN may not have a character more than %u times in a row",
			policy->maximum_repeats);
	if (policy->maximum_sequence && (longest_run(pin, 1) > policy->maximum_sequence ||
						longest_run(pin, -1) > policy->maximum_sequence))
		return error_set(error, ERROR_PIN_POLICY,
			"the PIN may not have an ascending or descending run of more than %u "
			"characters",
			policy->maximum_sequence);
	return true;
}

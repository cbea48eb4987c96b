/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/pin-policy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/macros.h"
#include "model/weak-pins.h"

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

static bool is_upper(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z';
}

static bool is_lower(uint8_t byte)
{
	return byte >= 'a' && byte <= 'z';
}

static bool is_letter(uint8_t byte)
{
	return is_upper(byte) || is_lower(byte);
}

static bool is_alphanumeric(uint8_t byte)
{
	return is_digit(byte) || is_letter(byte);
}

static bool is_special(uint8_t byte)
{
	return !is_alphanumeric(byte);
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

static const struct {
	const char *name;
	bool (*has)(uint8_t byte);
	const char *members;	   /* for people, after a number */
	enum pin_characters needs; /* the least that a policy must allow to have one */
} classes[PIN_CLASS_COUNT] = {
	[PIN_CLASS_DIGITS] = {"digits", is_digit, "digits", PIN_DIGITS},
	[PIN_CLASS_LETTERS] = {"letters", is_letter, "letters (A to Z, a to z)", PIN_ALPHANUMERIC},
	[PIN_CLASS_UPPER] = {"upper", is_upper, "capital letters (A to Z)", PIN_ALPHANUMERIC},
	[PIN_CLASS_LOWER] = {"lower", is_lower, "small letters (a to z)", PIN_ALPHANUMERIC},
	[PIN_CLASS_SPECIAL] = {"special", is_special,
		"characters that are neither letters nor digits", PIN_ANY},
};

const char *pin_class_name(enum pin_class class)
{
	return (size_t) class < PIN_CLASS_COUNT ? classes[class].name : NULL;
}

bool pin_class_has(enum pin_class class, uint8_t byte)
{
	return classes[class].has(byte);
}

bool pin_characters_have(enum pin_characters kind, enum pin_class class)
{
	return kind >= classes[class].needs;
}

static size_t largest(size_t one, size_t other)
{
	return one > other ? one : other;
}

size_t pin_policy_required_length(const struct pin_policy *policy)
{
	const unsigned *required = policy->required;
	size_t cases = required[PIN_CLASS_UPPER] + required[PIN_CLASS_LOWER];

	return required[PIN_CLASS_DIGITS] + required[PIN_CLASS_SPECIAL] +
	       largest(required[PIN_CLASS_LETTERS], cases);
}

void pin_policy_clear(struct pin_policy *policy)
{
	for (size_t i = 0; i < policy->forbidden_count; i++)
		free(policy->forbidden[i]);
	free(policy->forbidden);
	policy->forbidden = NULL;
	policy->forbidden_count = 0;
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

static bool check_classes(
	const struct pin_policy *policy, const struct secret *pin, struct error *error)
{
	for (size_t class = 0; class < PIN_CLASS_COUNT; class ++) {
		unsigned count = 0;
		for (size_t i = 0; i < pin->length; i++)
			count += classes[class].has(pin->data[i]);
		if (count < policy->required[class])
			return error_set(error, ERROR_PIN_POLICY,
				"the PIN must have at least %u %s", policy->required[class],
				classes[class].members);
	}
	return true;
}

static bool check_runs(
	const struct pin_policy *policy, const struct secret *pin, struct error *error)
{
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

static bool check_guesses(const struct pin_policy *policy, const struct secret *pin,
	const struct weak_pins *weak, struct error *error)
{
	for (size_t i = 0; i < policy->forbidden_count; i++) {
		if (pin_contains(pin, policy->forbidden[i]))
			return error_set(error, ERROR_PIN_POLICY,
				"the PIN contains a word or number that the template forbids");
	}
	if (!policy->refuses_weak)
		return true;
	if (!weak)
		return error_set(error, ERROR_FAILED,
			"the template refuses weak PINs, but their list could not be read");
	if (weak_pins_have(weak, pin))
		return error_set(error, ERROR_PIN_POLICY,
			"the PIN is on the list of weak PINs, which are guessed first");
	return true;
}

static bool check_holder(const struct pin_policy *policy, const struct secret *pin,
	const struct fields *holder, struct error *error)
{
	if (!policy->refuses_holder_data || !holder)
		return true;
	for (size_t i = 0; i < holder->count; i++) {
		if (pin_tells_of(pin, holder->items[i].value))
			return error_set(error, ERROR_PIN_POLICY,
				"the PIN may have nothing of the holder's name or numbers (%s)",
				holder->items[i].name);
	}
	return true;
}

bool pin_policy_check(const struct pin_policy *policy, const struct secret *pin,
	const struct pin_context *context, struct error *error)
{
	if (pin->length < policy->minimum_length || pin->length > policy->maximum_length)
		return error_set(error, ERROR_PIN_LENGTH, "the PIN must have %u to %u characters",
			policy->minimum_length, policy->maximum_length);
	return check_characters(policy, pin, error) && check_classes(policy, pin, error) &&
	       check_runs(policy, pin, error) && check_guesses(policy, pin, context->weak, error) &&
	       check_holder(policy, pin, context->holder, error);
}

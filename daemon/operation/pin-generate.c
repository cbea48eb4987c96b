/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random PINs that keep a template's rules. */
#include <openssl/rand.h>
#include <string.h>

#include "operation/pin-rules.h"

/* When not one of so many is allowed, the rules allow next to none. */
#define ATTEMPTS_MAXIMUM 20000

#define DIGITS "0123456789"
/* Nothing that looks like something else on paper: no O, no l and I. */
#define UPPER	"ABCDEFGHJKLMNPQRSTUVWXYZ"
#define LOWER	"abcdefghijkmnopqrstuvwxyz"
#define SPECIAL "!#$%&*+-=?@"

static const char *const alphabets[PIN_CLASS_COUNT] = {
	[PIN_CLASS_DIGITS] = DIGITS,
	[PIN_CLASS_LETTERS] = UPPER LOWER,
	[PIN_CLASS_UPPER] = UPPER,
	[PIN_CLASS_LOWER] = LOWER,
	[PIN_CLASS_SPECIAL] = SPECIAL,
};

/* 0 to count - 1, each equally likely. count: at most 256. */
static bool random_below(size_t count, size_t *number, struct error *error)
{
	size_t usable = 256 / count * count;
	uint8_t byte;

	/* A rest at the end would make some numbers likelier. */
	do {
		if (RAND_priv_bytes(&byte, 1) != 1)
			return error_set(error, ERROR_FAILED, "no random numbers");
	} while (byte >= usable);
	*number = byte % count;
	return true;
}

static bool append(
	struct secret *pin, size_t *used, size_t count, const char *alphabet, struct error *error)
{
	size_t index = 0;

	for (; count > 0 && *used < pin->length; count--) {
		if (!random_below(strlen(alphabet), &index, error))
			return false;
		pin->data[(*used)++] = (uint8_t)alphabet[index];
	}
	return true;
}

static bool shuffle(struct secret *pin, struct error *error)
{
	size_t other = 0;

	for (size_t i = pin->length; i > 1; i--) {
		if (!random_below(i, &other, error))
			return false;
		uint8_t byte = pin->data[i - 1];
		pin->data[i - 1] = pin->data[other];
		pin->data[other] = byte;
	}
	return true;
}

/* What is required, then the rest: digits, or letters too where letters are required. */
static bool fill(const struct pin_policy *policy, struct secret *pin, struct error *error)
{
	unsigned cases = policy->required[PIN_CLASS_UPPER] + policy->required[PIN_CLASS_LOWER];
	bool has_letters = cases > 0 || policy->required[PIN_CLASS_LETTERS] > 0;
	size_t used = 0;

	for (size_t i = 0; i < PIN_CLASS_COUNT; i++) {
		size_t count = policy->required[i];
		if (i == PIN_CLASS_LETTERS)
			count = count > cases ? count - cases : 0;
		if (!append(pin, &used, count, alphabets[i], error))
			return false;
	}
	return append(pin, &used, pin->length, has_letters ? DIGITS UPPER LOWER : DIGITS, error) &&
	       shuffle(pin, error);
}

static size_t choose_length(const struct pin_rules *rules)
{
	size_t length = rules->policy->minimum_length;
	size_t required = pin_policy_required_length(rules->policy);

	if (length < rules->card->info.pin_minimum)
		length = rules->card->info.pin_minimum;
	return length < required ? required : length;
}

bool pin_rules_generate(const struct pin_rules *rules, struct secret *pin,
	struct pin_record *record, struct error *error)
{
	struct secret candidate _cleanup_secret_ = SECRET_INIT;

	if (!secret_allocate(&candidate, choose_length(rules)))
		return error_set(error, ERROR_FAILED, "out of memory");
	for (unsigned attempt = 0; attempt < ATTEMPTS_MAXIMUM; attempt++) {
		struct error refusal _cleanup_error_ = ERROR_INIT;
		if (!fill(rules->policy, &candidate, error))
			return false;
		if (pin_rules_check(rules, &candidate, record, &refusal)) {
			secret_move(pin, &candidate);
			return true;
		}
		if (refusal.code != ERROR_PIN_POLICY)
			return error_move(error, &refusal);
	}
	return error_set(error, ERROR_PIN_POLICY,
		"the template's PIN policy leaves too few PINs to find one at random");
}

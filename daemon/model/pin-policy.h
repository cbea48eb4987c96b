/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a PIN must look like. Part of a template; checked on every door. */
#ifndef TESSERA_MODEL_PIN_POLICY_H
#define TESSERA_MODEL_PIN_POLICY_H

#include <stdbool.h>

#include "common/error.h"
#include "common/secret.h"

/* PIN_ANY: every byte but control characters and 0xFF, with which PIV pads a PIN. */
enum pin_characters { PIN_DIGITS, PIN_ALPHANUMERIC, PIN_ANY, PIN_CHARACTERS_COUNT };

struct pin_policy {
	unsigned minimum_length; /* bytes */
	unsigned maximum_length; /* bytes */
	enum pin_characters characters;
	unsigned maximum_repeats;  /* equal characters in a row; 0: no limit */
	unsigned maximum_sequence; /* ascending or descending run (1234); 0: no limit */
};

const char *pin_characters_name(enum pin_characters characters); /* "digits"; NULL for none */
/* PIN_CHARACTERS_COUNT for an unknown name. */
enum pin_characters pin_characters_from_name(const char *name);

/* The policy of a card without a template: 6 to 8 characters of any kind (SP 800-73-4). */
extern const struct pin_policy pin_policy_default;

/*
 * ERROR_PIN_LENGTH or ERROR_PIN_POLICY, the message naming the rule and never
 * the PIN.
 */
bool pin_policy_check(
	const struct pin_policy *policy, const struct secret *pin, struct error *error);

#endif

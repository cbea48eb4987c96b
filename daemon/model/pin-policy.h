/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a PIN must be like and how long it lives. Part of a template
 * (/pin-policy); checked on every door by operation/pin.h. Here are the rules
 * that need nothing but the PIN, the holder's fields and the list of weak
 * PINs; history and age, which need the store, are operation/pin-history.h's.
 */
#ifndef TESSERA_MODEL_PIN_POLICY_H
#define TESSERA_MODEL_PIN_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/fields.h"
#include "common/secret.h"

/* PIN_ANY: every byte but control characters and 0xFF, with which PIV pads a PIN. */
enum pin_characters { PIN_DIGITS, PIN_ALPHANUMERIC, PIN_ANY, PIN_CHARACTERS_COUNT };

/*
 * Classes of which a PIN may have to have some. LETTERS are A to Z and a to z;
 * SPECIAL is every byte that is neither letter nor digit.
 */
enum pin_class {
	PIN_CLASS_DIGITS,
	PIN_CLASS_LETTERS,
	PIN_CLASS_UPPER,
	PIN_CLASS_LOWER,
	PIN_CLASS_SPECIAL,
	PIN_CLASS_COUNT
};

struct pin_policy {
	unsigned minimum_length; /* bytes */
	unsigned maximum_length; /* bytes */
	enum pin_characters characters;
	unsigned required[PIN_CLASS_COUNT]; /* at least so many of each class */
	unsigned maximum_repeats;	    /* equal characters in a row; 0: no limit */
	unsigned maximum_sequence;	    /* ascending or descending run (1234); 0: no limit */
	bool refuses_weak;		    /* what is on the list of weak PINs */
	bool refuses_holder_data;
	char **forbidden; /* words that no PIN contains; heap array of heap strings, or NULL */
	size_t forbidden_count;
	unsigned history;	       /* so many last PINs may not come again */
	unsigned maximum_age_days;     /* after that it must be changed; 0: never */
	unsigned pin_tries, puk_tries; /* both 0: as the card has them */
};

const char *pin_characters_name(enum pin_characters characters); /* "digits"; NULL for none */
/* PIN_CHARACTERS_COUNT for an unknown name. */
enum pin_characters pin_characters_from_name(const char *name);
const char *pin_class_name(enum pin_class class); /* "upper"; NULL for none */
bool pin_class_has(enum pin_class class, uint8_t byte);
/* Whether a PIN of these characters can have one of the class. */
bool pin_characters_have(enum pin_characters characters, enum pin_class class);
/* The fewest bytes of a PIN with all that the policy requires. */
size_t pin_policy_required_length(const struct pin_policy *policy);

/* The policy of a card without a template: 6 to 8 characters of any kind (SP 800-73-4). */
extern const struct pin_policy pin_policy_default;

/* Frees what it holds. Not for pin_policy_default. */
void pin_policy_clear(struct pin_policy *policy);

struct weak_pins;

/* What a PIN is judged beside; both may be NULL. */
struct pin_context {
	const struct fields *holder;
	const struct weak_pins *weak;
};

/*
 * ERROR_PIN_LENGTH or ERROR_PIN_POLICY, the message naming the rule and never
 * the PIN. ERROR_FAILED when the policy wants the list of weak PINs and it is not there.
 */
bool pin_policy_check(const struct pin_policy *policy, const struct secret *pin,
	const struct pin_context *context, struct error *error);

/*
 * Whether the PIN has to do with the text: a word or number of it (3 bytes or more, words at what
 * is neither letter nor digit, numbers also across that) is in the PIN, or the PIN in one of them,
 * forwards or backwards, whatever the case (pin-word.c).
 */
bool pin_tells_of(const struct secret *pin, const char *text);
/* Whether the PIN has the whole word in it, forwards or backwards, whatever the case. */
bool pin_contains(const struct secret *pin, const char *word);

#endif

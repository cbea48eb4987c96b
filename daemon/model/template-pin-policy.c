/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /pin-policy of a template, and whether a card of its type can keep it. */
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "model/template-private.h"

#define RUN_MAXIMUM	  8
#define FORBIDDEN_MAXIMUM 256
#define WORD_MINIMUM	  3 /* bytes: a shorter word is in a PIN by chance */
#define HISTORY_MAXIMUM	  24
#define AGE_MAXIMUM	  3650 /* days */
/* 63CX tells tries in one digit; the PUK must outlast what finding it out may cost. */
#define TRIES_MINIMUM 3
#define TRIES_MAXIMUM 15
#define TRIES_DEFAULT 3 /* what cards come with */

/* What cards of a type take; SP 800-73-4 part 2, 2.4.3 for piv. */
static const struct {
	const char *card_type;
	unsigned minimum_length, maximum_length;
} limits[] = {
	{"piv", 6, 8},
};

static const char *characters_at(size_t index)
{
	return pin_characters_name((enum pin_characters)index);
}

static const char *weak_list_at(size_t index)
{
	static const char *const names[] = {"none", "shipped", NULL};

	return names[index];
}

static const char *holder_data_at(size_t index)
{
	static const char *const names[] = {"allowed", "refused", NULL};

	return names[index];
}

static bool read_required(
	const struct document_node *object, struct pin_policy *policy, struct error *error)
{
	const char *members[PIN_CLASS_COUNT];
	struct document_node node;

	for (size_t i = 0; i < PIN_CLASS_COUNT; i++)
		members[i] = pin_class_name((enum pin_class)i);
	if (!document_find(object, "required", &node))
		return true;
	if (!document_check_members(&node, members, PIN_CLASS_COUNT, error))
		return false;
	for (size_t i = 0; i < PIN_CLASS_COUNT; i++) {
		struct document_node member;
		if (!template_read_number(&node, members[i], 0, policy->maximum_length,
			    &policy->required[i], error))
			return false;
		if (policy->required[i] > 0 && document_find(&node, members[i], &member) &&
			!pin_characters_have(policy->characters, (enum pin_class)i))
			return document_fail(&member, error,
				"characters \"%s\" leave no such character to a PIN",
				pin_characters_name(policy->characters));
	}
	if (pin_policy_required_length(policy) > policy->maximum_length)
		return document_fail(&node, error,
			"together these are more than maximum-length allows (%u)",
			policy->maximum_length);
	return true;
}

static bool read_forbidden(
	const struct document_node *object, struct pin_policy *policy, struct error *error)
{
	struct document_node node;
	const char *text;
	size_t count;

	if (!document_find(object, "forbidden", &node))
		return true;
	if (!document_array(&node, 0, FORBIDDEN_MAXIMUM, &count, error))
		return false;
	policy->forbidden = xcalloc(count + 1, sizeof(*policy->forbidden));
	while (policy->forbidden_count < count) {
		struct document_node word = document_at(&node, policy->forbidden_count);
		if (!document_string(&word, WORD_MINIMUM, policy->maximum_length, &text, error))
			return false;
		policy->forbidden[policy->forbidden_count++] = xstrdup(text);
	}
	return true;
}

static bool read_lengths(const struct document_node *object, const char *card_type,
	struct pin_policy *policy, struct error *error)
{
	size_t type = 0;

	while (type + 1 < ARRAY_SIZE(limits) && strcmp(limits[type].card_type, card_type) != 0)
		type++;
	unsigned minimum = limits[type].minimum_length, maximum = limits[type].maximum_length;
	if (!template_read_number(
		    object, "minimum-length", minimum, maximum, &policy->minimum_length, error) ||
		!template_read_number(
			object, "maximum-length", minimum, maximum, &policy->maximum_length, error))
		return false;
	if (policy->minimum_length > policy->maximum_length)
		return document_fail(
			object, error, "minimum-length must not be above maximum-length");
	return true;
}

static bool read_choices(
	const struct document_node *object, struct pin_policy *policy, struct error *error)
{
	size_t characters = policy->characters, weak = 0, holder = 0;

	if (!template_read_choice(object, "characters", characters_at, &characters, error) ||
		!template_read_choice(object, "weak-list", weak_list_at, &weak, error) ||
		!template_read_choice(object, "holder-data", holder_data_at, &holder, error))
		return false;
	policy->characters = (enum pin_characters)characters;
	policy->refuses_weak = weak == 1;
	policy->refuses_holder_data = holder == 1;
	return true;
}

/* The card sets both counts at once: one that is left out becomes what it was made with. */
static bool read_tries(
	const struct document_node *object, struct pin_policy *policy, struct error *error)
{
	if (!template_read_number(
		    object, "pin-tries", TRIES_MINIMUM, TRIES_MAXIMUM, &policy->pin_tries, error) ||
		!template_read_number(object, "puk-tries", TRIES_MINIMUM, TRIES_MAXIMUM,
			&policy->puk_tries, error))
		return false;
	if (policy->pin_tries || policy->puk_tries) {
		policy->pin_tries = policy->pin_tries ? policy->pin_tries : TRIES_DEFAULT;
		policy->puk_tries = policy->puk_tries ? policy->puk_tries : TRIES_DEFAULT;
	}
	return true;
}

static bool read_numbers(
	const struct document_node *object, struct pin_policy *policy, struct error *error)
{
	return template_read_number(object, "maximum-repeats", 0, RUN_MAXIMUM,
		       &policy->maximum_repeats, error) &&
	       template_read_number(object, "maximum-sequence", 0, RUN_MAXIMUM,
		       &policy->maximum_sequence, error) &&
	       template_read_number(
		       object, "history", 0, HISTORY_MAXIMUM, &policy->history, error) &&
	       template_read_number(object, "maximum-age-days", 0, AGE_MAXIMUM,
		       &policy->maximum_age_days, error);
}

bool template_read_pin_policy(
	const struct document_node *root, struct template *template, struct error *error)
{
	static const char *const members[] = {"minimum-length", "maximum-length", "characters",
		"required", "maximum-repeats", "maximum-sequence", "weak-list", "forbidden",
		"holder-data", "history", "maximum-age-days", "pin-tries", "puk-tries"};
	struct pin_policy *policy = &template->pin_policy;
	struct document_node node;

	*policy = pin_policy_default;
	if (!document_find(root, "pin-policy", &node))
		return true;
	return document_check_members(&node, members, ARRAY_SIZE(members), error) &&
	       read_lengths(&node, template->card_types[0], policy, error) &&
	       read_choices(&node, policy, error) && read_required(&node, policy, error) &&
	       read_numbers(&node, policy, error) && read_forbidden(&node, policy, error) &&
	       read_tries(&node, policy, error);
}

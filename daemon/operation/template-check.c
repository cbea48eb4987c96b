/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a template asks, one by one, against what the inserted card can; no APDU is sent. */
#include <string.h>

#include "card/card.h"
#include "common/alloc.h"
#include "operation/contact.h"
#include "operation/templates.h"

void template_findings_clear(struct template_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->items[i].path);
		free(findings->items[i].asked);
	}
	free(findings->items);
	*findings = (struct template_findings){0};
}

/* Takes path and asked over. */
static void add(struct template_findings *findings, char *path, char *asked, bool possible,
	const char *why_not)
{
	findings->items =
		xreallocarray(findings->items, findings->count + 1, sizeof(*findings->items));
	findings->items[findings->count++] = (struct template_finding){.path = path,
		.asked = asked,
		.possible = possible,
		.about = possible ? "" : why_not};
}

static char *key_path(const struct template_key *key, const char *member)
{
	return xasprintf("/keys/%s/%s", key_slot_name(key->slot), member);
}

/* The slot's own rule (SP 800-73-4 part 1, table 4b), where the key has none. */
static bool is_slots_own(const struct template_key *key)
{
	switch (key->slot) {
	case KEY_SLOT_SIGNATURE:
		return key->pin == PIN_USE_ALWAYS;
	case KEY_SLOT_CARD_AUTHENTICATION:
		return key->pin == PIN_USE_NEVER;
	default:
		return key->pin == PIN_USE_ONCE;
	}
}

static void check_key(const struct card_info *info, const struct template_key *key,
	struct template_findings *findings)
{
	bool has_policies = info->firmware != 0;

	add(findings, key_path(key, "algorithm"), xstrdup(key_algorithm_name(key->algorithm)),
		info->algorithms & 1U << key->algorithm,
		"the card makes no keys of this algorithm");
	if (key->pin != PIN_USE_DEFAULT)
		add(findings, key_path(key, "pin"), xstrdup(pin_use_name(key->pin)),
			has_policies || is_slots_own(key),
			"the card has no rules for PINs but those of its slots");
	if (key->touch != TOUCH_USE_DEFAULT)
		add(findings, key_path(key, "touch"), xstrdup(touch_use_name(key->touch)),
			has_policies || key->touch == TOUCH_USE_NEVER,
			"the card cannot ask for a touch");
}

static void check_keys(struct services *services, const struct card_info *info,
	const struct template *template, struct template_findings *findings)
{
	for (size_t i = 0; i < template->key_count; i++) {
		const struct template_key *key = &template->keys[i];
		check_key(info, key, findings);
		if (key->authority)
			add(findings, key_path(key, "certificate"),
				xasprintf("%s, %s", key->authority, key->profile),
				template_check_certificate(services, key, NULL),
				"the authority does not answer, has no such profile, or lacks what "
				"it "
				"requires");
	}
}

static void check_pins(const struct card_info *info, const struct pin_policy *policy,
	struct template_findings *findings)
{
	add(findings, xstrdup("/pin-policy/minimum-length"),
		xasprintf("%u", policy->minimum_length),
		policy->minimum_length <= info->pin_maximum, "the card takes only shorter PINs");
	add(findings, xstrdup("/pin-policy/maximum-length"),
		xasprintf("%u", policy->maximum_length),
		policy->maximum_length >= info->pin_minimum, "the card takes only longer PINs");
	if (policy->pin_tries)
		add(findings, xstrdup("/pin-policy/pin-tries"),
			xasprintf("%u, and %u for the PUK", policy->pin_tries, policy->puk_tries),
			info->can_set_tries, "the card's numbers of tries cannot be set");
}

static void check_general(const struct card *card, const struct template *template,
	struct template_findings *findings)
{
	add(findings, xstrdup("/card-types"), template_card_types_text(template),
		template_names_card_type(template, card->driver->name) ||
			template_names_card_type(template, card->info.type),
		"the card is of another type");
	add(findings, xstrdup("/enabled"), xstrdup(template->enabled ? "true" : "false"),
		template->enabled, "nothing is issued by the template");
	add(findings, xstrdup("/"), xstrdup("issue"), card->info.can_set_admin_key,
		"the card's management key cannot be changed: it cannot be managed");
	add(findings, xstrdup("/"), xstrdup("retire"), card->info.can_reset,
		"the card cannot be given its factory state back");
}

bool template_check_card(struct services *services, const struct template *template,
	unsigned reader, struct template_findings *findings, struct error *error)
{
	contacts_await(services->contacts, reader);
	struct card *card _cleanup_card_ = contacts_card(services->contacts, reader, error);

	if (!card)
		return false;
	check_general(card, template, findings);
	check_keys(services, &card->info, template, findings);
	check_pins(&card->info, &template->pin_policy, findings);
	return true;
}

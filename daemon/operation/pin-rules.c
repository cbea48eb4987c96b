/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/pin-rules.h"

#include "operation/pin-history.h"

void pin_rules_clear(struct pin_rules *rules)
{
	template_free(rules->template);
	fields_clear(&rules->holder);
	*rules = (struct pin_rules)PIN_RULES_INIT;
}

bool pin_rules_load(struct pin_rules *rules, struct services *services,
	const struct credential *credential, const struct card *card, struct error *error)
{
	*rules = (struct pin_rules){.services = services,
		.credential = credential,
		.card = card,
		.policy = &pin_policy_default};
	fields_copy(&rules->holder, &credential->holder);
	fields_set(&rules->holder, "serial", credential->serial);
	if (!credential->template_name)
		return true;
	rules->template = store_template_get(
		services->store, credential->template_name, credential->template_version, error);
	if (rules->template)
		rules->policy = &rules->template->pin_policy;
	return rules->template != NULL;
}

bool pin_rules_check(const struct pin_rules *rules, const struct secret *pin,
	struct pin_record *record, struct error *error)
{
	const struct card_info *info = &rules->card->info;
	struct pin_context context = {.holder = &rules->holder, .weak = rules->services->weak_pins};

	if (pin->length < info->pin_minimum || pin->length > info->pin_maximum)
		return error_set(error, ERROR_PIN_LENGTH,
			"the card takes PINs of %u to %u characters", info->pin_minimum,
			info->pin_maximum);
	return pin_policy_check(rules->policy, pin, &context, error) &&
	       pin_history_check(
		       rules->services, rules->credential, rules->policy, pin, record, error);
}

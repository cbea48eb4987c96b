/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/template-rules.h"

#include <string.h>

#include "common/log.h"

struct template *card_template(
	struct services *services, const struct credential *credential, struct error *error)
{
	if (!credential->template_name)
		return NULL;
	return store_template_get(
		services->store, credential->template_name, credential->template_version, error);
}

bool template_rules_check_unblock(struct services *services, const struct credential *credential,
	bool is_offline, struct error *error)
{
	struct template *template _cleanup_template_ = card_template(services, credential, error);

	if (!template)
		return !credential->template_name;
	if (is_offline ? template->unblock.offline : template->unblock.online)
		return true;
	return error_set_field(error, ERROR_NOT_SUPPORTED,
		is_offline ? "/unblock/offline" : "/unblock/online",
		"the card's template \"%s\" does not let cards be unblocked %s; reissue the card",
		template->name, is_offline ? "offline" : "online");
}

bool template_rules_retire_revokes(struct services *services, const struct credential *credential)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct template *template _cleanup_template_ = card_template(services, credential, &error);

	if (error.code != ERROR_NONE)
		log_warning("certificates are revoked, the template is not known: %s card=%s",
			error_message(&error), credential->serial);
	return !template || template->lifecycle.on_retire == RETIRE_REVOKES;
}

bool template_rules_same_holder(const struct fields *one, const struct fields *other)
{
	static const char *const identifiers[] = {"id", "upn", "email"};
	bool has_identifier = false;

	if (one->count != other->count)
		return false;
	for (size_t i = 0; i < one->count; i++) {
		const char *value = fields_get(other, one->items[i].name);
		if (!value || strcmp(value, one->items[i].value) != 0)
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(identifiers); i++) {
		const char *value = fields_get(one, identifiers[i]);
		has_identifier = has_identifier || (value && value[0]);
	}
	return has_identifier;
}

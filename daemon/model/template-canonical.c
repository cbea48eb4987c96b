/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A template as one form of JSON, however its document puts it. */
#include "common/macros.h"
#include "model/template-change.h"

static json_t *strings(char *const *texts, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_string(texts[i]));
	return array;
}

static json_t *rules(const struct name_rule *rules, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_pack("[s, s]", rules[i].type, rules[i].pattern));
	return array;
}

static json_t *key(const struct template_key *key)
{
	json_t *object =
		json_pack("{s:s, s:s, s:s}", "algorithm", key_algorithm_name(key->algorithm), "pin",
			pin_use_name(key->pin), "touch", touch_use_name(key->touch));

	if (key->authority)
		json_object_set_new(object, "certificate",
			json_pack("{s:s, s:s, s:o, s:o}", "authority", key->authority, "profile",
				key->profile, "subject", rules(key->subject, key->subject_count),
				"san", rules(key->san, key->san_count)));
	return object;
}

static json_t *keys(const struct template *template)
{
	json_t *object = json_object();

	for (size_t i = 0; i < template->key_count; i++)
		json_object_set_new(
			object, key_slot_name(template->keys[i].slot), key(&template->keys[i]));
	return object;
}

static json_t *required(const struct pin_policy *policy)
{
	json_t *object = json_object();

	for (size_t i = 0; i < PIN_CLASS_COUNT; i++)
		json_object_set_new(object, pin_class_name((enum pin_class)i),
			json_integer(policy->required[i]));
	return object;
}

static json_t *pin_policy(const struct pin_policy *policy)
{
	json_t *object = json_object();
	const struct {
		const char *member;
		unsigned value;
	} numbers[] = {
		{"minimum-length", policy->minimum_length},
		{"maximum-length", policy->maximum_length},
		{"maximum-repeats", policy->maximum_repeats},
		{"maximum-sequence", policy->maximum_sequence},
		{"history", policy->history},
		{"maximum-age-days", policy->maximum_age_days},
		{"pin-tries", policy->pin_tries},
		{"puk-tries", policy->puk_tries},
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		json_object_set_new(object, numbers[i].member, json_integer(numbers[i].value));
	json_object_set_new(
		object, "characters", json_string(pin_characters_name(policy->characters)));
	json_object_set_new(object, "required", required(policy));
	json_object_set_new(
		object, "weak-list", json_string(policy->refuses_weak ? "shipped" : "none"));
	json_object_set_new(object, "holder-data",
		json_string(policy->refuses_holder_data ? "refused" : "allowed"));
	json_object_set_new(
		object, "forbidden", strings(policy->forbidden, policy->forbidden_count));
	return object;
}

static json_t *chuid(const struct template_chuid *chuid)
{
	const char series[] = {chuid->series, '\0'}, issue[] = {chuid->issue, '\0'};

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "agency",
		chuid->agency, "system", chuid->system, "credential", chuid->credential, "series",
		series, "issue", issue, "person", chuid->person, "category",
		chuid_category_name(chuid->category), "organisation", chuid->organisation,
		"association", chuid_association_name(chuid->association), "expiry-days",
		(int)chuid->expiry_days);
}

static json_t *ways(self_ways set)
{
	json_t *array = json_array();

	for (size_t i = 0; i < SELF_WAY_COUNT; i++) {
		if (set & self_way_bit((enum self_way)i))
			json_array_append_new(array, json_string(self_way_name(i)));
	}
	return array;
}

static void add_directory(json_t *holder, const struct template_directory *directory)
{
	json_object_set_new(holder, "directory", json_string(directory->connection));
	json_object_set_new(
		holder, "further", strings(directory->further, directory->further_count));
	json_object_set_new(holder, "one-each", json_boolean(directory->one_each));
	json_object_set_new(holder, "if-disabled",
		json_string(person_policy_name(directory->if_disabled, false)));
	json_object_set_new(
		holder, "if-gone", json_string(person_policy_name(directory->if_gone, false)));
	json_object_set_new(
		holder, "if-back", json_string(person_policy_name(directory->if_back, true)));
}

static json_t *issue(const struct template *template)
{
	json_t *holder = json_pack("{s:s}", "from", issue_holder_name(template->issue.holder));

	if (template->id_length && template->operator_kind == OPERATOR_NONE)
		json_object_set_new(holder, "id-length", json_integer(template->id_length));
	if (template->issue.directory.connection)
		add_directory(holder, &template->issue.directory);
	json_t *object = json_pack("{s:s, s:o, s:b, s:o}", "by", issue_by_name(template->issue.by),
		"holder", holder, "auto-initiate", template->issue.auto_initiate, "chuid",
		chuid(&template->issue.chuid));
	if (template->issue.by == ISSUE_BY_USER)
		json_object_set_new(object, "authentication",
			ways(template->self_service.ways[SELF_SERVICE_ISSUE]));
	return object;
}

/* What `true` and `false` say is said so. */
static json_t *self_service(const struct template *template)
{
	const struct template_self_service *service = &template->self_service;
	json_t *object = json_object();

	for (enum self_service i = SELF_SERVICE_ACTIVATE; i < SELF_SERVICE_COUNT; i++) {
		bool is_plain = service->ways[i] == 0 || service->ways[i] == self_service_usual(i);
		json_object_set_new(object, self_service_name(i),
			is_plain ? json_boolean(service->ways[i]) : ways(service->ways[i]));
	}
	if (service->directory && !template->issue.directory.connection)
		json_object_set_new(object, "directory", json_string(service->directory));
	if (service->system_users_are_directory)
		json_object_set_new(object, "system-users", json_string("directory"));
	return object;
}

static json_t *unblock(const struct template_unblock *unblock)
{
	json_t *object =
		json_pack("{s:b, s:b}", "online", unblock->online, "offline", unblock->offline);

	if (unblock->roles)
		json_object_set_new(object, "roles", strings(unblock->roles, unblock->role_count));
	return object;
}

static json_t *operator(const struct template *template)
{
	return json_pack("{s:s, s:i}", "kind",
		template->operator_kind == OPERATOR_OWNER ? "system-owner" : "operator",
		"id-length", (int)template->id_length);
}

static json_t *renewal(const struct template_renewal *renewal)
{
	return json_pack("{s:i, s:b}", "days", (int)renewal->days, "automatic", renewal->automatic);
}

static json_t *reminders(const struct template_reminders *reminders)
{
	json_t *days = json_array();

	for (size_t i = 0; i < reminders->count; i++)
		json_array_append_new(days, json_integer(reminders->days[i]));
	return json_pack("{s:o, s:s, s:s, s:s}", "days", days, "to", reminders->to, "subject",
		reminders->subject, "text", reminders->text);
}

json_t *template_canonical(const struct template *template)
{
	const struct template_lifecycle *lifecycle = &template->lifecycle;
	json_t *object = json_pack("{s:s, s:o, s:s, s:b}", "name", template->name, "card-types",
		strings(template->card_types, template->card_type_count), "comment",
		template->comment ? template->comment : "", "enabled", template->enabled);

	if (template->operator_kind != OPERATOR_NONE)
		json_object_set_new(object, "operator", operator(template));
	json_object_set_new(object, "rotate-at-contact", json_boolean(template->rotate_at_contact));
	json_object_set_new(object, "issue", issue(template));
	json_object_set_new(object, "keys", keys(template));
	json_object_set_new(object, "pin-policy", pin_policy(&template->pin_policy));
	json_object_set_new(object, "unblock", unblock(&template->unblock));
	json_object_set_new(object, "self-service", self_service(template));
	json_object_set_new(object, "lifecycle",
		json_pack("{s:b, s:s}", "block-pin", lifecycle->block_pin, "on-retire",
			lifecycle->on_retire == RETIRE_KEEPS ? "keep" : "revoke"));
	if (template->renewal.days)
		json_object_set_new(object, "renewal", renewal(&template->renewal));
	if (template->reminders.count)
		json_object_set_new(object, "reminders", reminders(&template->reminders));
	return object;
}

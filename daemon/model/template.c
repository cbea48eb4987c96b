/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/template.h"

#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "model/operator.h"
#include "model/template-private.h"

#define CARD_SERIAL_FIELD "serial"

/* RSA-1024 is left out: SP 800-78-4 section 3.1 ended its use. */
static const enum key_algorithm allowed_algorithms[] = {KEY_ALGORITHM_RSA_2048,
	KEY_ALGORITHM_RSA_3072, KEY_ALGORITHM_RSA_4096, KEY_ALGORITHM_EC_P256,
	KEY_ALGORITHM_EC_P384};

static const char *slot_name_at(size_t index)
{
	return key_slot_name(key_slot_at(index));
}

static const char *algorithm_name_at(size_t index)
{
	return index < ARRAY_SIZE(allowed_algorithms)
		       ? key_algorithm_name(allowed_algorithms[index])
		       : NULL;
}

static const char *pin_use_name_at(size_t index)
{
	return pin_use_name((enum pin_use)index);
}

static const char *touch_use_name_at(size_t index)
{
	return touch_use_name((enum touch_use)index);
}

static void rules_free(struct name_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(rules[i].type);
		free(rules[i].pattern);
	}
	free(rules);
}

void template_free(struct template *template)
{
	if (!template)
		return;
	for (size_t i = 0; i < template->key_count; i++) {
		free(template->keys[i].authority);
		free(template->keys[i].profile);
		rules_free(template->keys[i].subject, template->keys[i].subject_count);
		rules_free(template->keys[i].san, template->keys[i].san_count);
	}
	free(template->keys);
	pin_policy_clear(&template->pin_policy);
	free(template->name);
	for (size_t i = 0; i < template->card_type_count; i++)
		free(template->card_types[i]);
	free(template->card_types);
	template_issue_clear(&template->issue);
	template_unblock_clear(&template->unblock);
	template_self_service_clear(&template->self_service);
	template_reminders_clear(&template->reminders);
	free(template->comment);
	free(template->document);
	free(template);
}

bool template_read_choice(const struct document_node *object, const char *member,
	const char *(*name_at)(size_t index), size_t *choice, struct error *error)
{
	struct document_node node;

	return !document_find(object, member, &node) ||
	       document_choice(&node, name_at, choice, error);
}

bool template_read_bool(
	const struct document_node *object, const char *member, bool *value, struct error *error)
{
	struct document_node node;

	return !document_find(object, member, &node) || document_boolean(&node, value, error);
}

static bool read_slot(const struct document_node *node, const struct template *template,
	struct template_key *key, struct error *error)
{
	struct document_node member;
	size_t choice;

	key->slot = KEY_SLOT_HSM;
	if (template_is_hsm_key(template))
		return true;
	if (!document_member(node, "slot", &member, error) ||
		!document_choice(&member, slot_name_at, &choice, error))
		return false;
	key->slot = key_slot_at(choice);
	for (size_t i = 0; &template->keys[i] != key; i++) {
		if (template->keys[i].slot == key->slot)
			return document_fail(&member, error,
				"the slot is used by /keys/%zu already; each is used once", i);
	}
	return true;
}

/* key is the last of template->keys. */
static bool read_key(const struct document_node *node, const struct template *template,
	struct template_key *key, struct error *error)
{
	static const char *const members[] = {"slot", "algorithm", "pin", "touch", "certificate"};
	struct document_node member;
	size_t algorithm, pin = PIN_USE_DEFAULT, touch = TOUCH_USE_DEFAULT;

	if (!document_check_members(node, members, ARRAY_SIZE(members), error) ||
		!read_slot(node, template, key, error) ||
		!document_member(node, "algorithm", &member, error) ||
		!document_choice(&member, algorithm_name_at, &algorithm, error) ||
		!template_read_choice(node, "pin", pin_use_name_at, &pin, error) ||
		!template_read_choice(node, "touch", touch_use_name_at, &touch, error))
		return false;
	key->algorithm = allowed_algorithms[algorithm];
	key->pin = (enum pin_use)pin;
	key->touch = (enum touch_use)touch;
	return !document_find(node, "certificate", &member) ||
	       template_read_certificate(&member, key, error);
}

static bool read_keys(
	const struct document_node *root, struct template *template, struct error *error)
{
	struct document_node keys;
	size_t count;

	if (!document_member(root, "keys", &keys, error) ||
		!document_array(&keys, 1, KEY_SLOT_COUNT, &count, error))
		return false;
	template->keys = xcalloc(count, sizeof(*template->keys));
	while (template->key_count < count) {
		struct document_node node = document_at(&keys, template->key_count);
		struct template_key *key = &template->keys[template->key_count++];
		if (!read_key(&node, template, key, error))
			return false;
	}
	return true;
}

bool template_read_number(const struct document_node *object, const char *member, unsigned minimum,
	unsigned maximum, unsigned *value, struct error *error)
{
	struct document_node node;
	int64_t number;

	if (!document_find(object, member, &node))
		return true;
	if (!document_integer(&node, minimum, maximum, &number, error))
		return false;
	*value = (unsigned)number;
	return true;
}

/* Users give no fields: what the user database has not must not be asked for. */
static bool check_user_fields(
	const struct document_node *root, const struct template *template, struct error *error)
{
	struct fields fields _cleanup_fields_ = FIELDS_INIT;
	struct document_node issue;

	if (template->issue.holder != ISSUE_HOLDER_SYSTEM_USER ||
		!document_find(root, "issue", &issue))
		return true;
	template_required_fields(template, &fields);
	if (fields.count == 0)
		return true;
	return document_fail(&issue, error,
		"the user database gives {user}, {uid} and {name}, but a pattern uses {%s}",
		fields.items[0].name);
}

struct template *template_parse(const char *document, struct error *error)
{
	_cleanup_json_ json_t *value = document_load(document, ERROR_INVALID_TEMPLATE, error);

	if (!value)
		return NULL;
	_cleanup_template_ struct template *template = xnew(struct template);
	struct document_node root = document_root(value, ERROR_INVALID_TEMPLATE);
	if (!template_read_general(&root, template, error) ||
		!template_check_hsm_key(&root, template, error) ||
		!read_keys(&root, template, error) ||
		!template_read_pin_policy(&root, template, error) ||
		!template_read_issue(&root, template, error) ||
		!template_read_unblock(&root, template, error) ||
		!template_read_self_service(&root, template, error) ||
		!template_read_lifecycle(&root, template, error) ||
		!template_read_renewal(&root, template, error))
		return NULL;
	if (!check_user_fields(&root, template, error))
		return NULL;
	template->document = xstrdup(document);
	return steal_pointer(&template);
}

void pattern_add_fields(const char *pattern, const char *value, struct fields *fields)
{
	struct pattern_piece piece;
	const char *why;

	while (pattern_next(&pattern, &piece, &why)) {
		if (!piece.is_field)
			continue;
		_cleanup_free_ char *name = xcalloc(piece.length + 1, 1);
		memcpy(name, piece.text, piece.length);
		if (strcmp(name, CARD_SERIAL_FIELD) != 0)
			fields_set(fields, name, value ? value : "");
	}
}

static bool is_generated(const struct template *template, const char *name)
{
	bool is_user = template->issue.holder == ISSUE_HOLDER_SYSTEM_USER;

	if (is_user && (strcmp(name, HOLDER_USER) == 0 || strcmp(name, HOLDER_USER_ID) == 0))
		return true;
	if (strcmp(name, HOLDER_USER_NAME) == 0)
		return is_user || template->id_length > 0;
	return template->id_length > 0 && strcmp(name, OPERATOR_ID_FIELD) == 0;
}

/* The simple ID is made when none is given, and is the name of a holder without one; the user
 * database has what it has. */
static void drop_generated_fields(const struct template *template, struct fields *fields)
{
	struct fields kept _cleanup_fields_ = *fields;

	*fields = (struct fields)FIELDS_INIT;
	for (size_t i = 0; i < kept.count; i++) {
		if (!is_generated(template, kept.items[i].name))
			fields_set(fields, kept.items[i].name, "");
	}
}

void template_required_fields(const struct template *template, struct fields *fields)
{
	for (size_t i = 0; i < template->key_count; i++) {
		const struct template_key *key = &template->keys[i];
		for (size_t j = 0; j < key->subject_count; j++)
			pattern_add_fields(key->subject[j].pattern, NULL, fields);
		for (size_t j = 0; j < key->san_count; j++)
			pattern_add_fields(key->san[j].pattern, NULL, fields);
	}
	pattern_add_fields(template->issue.chuid.credential, NULL, fields);
	pattern_add_fields(template->issue.chuid.person, NULL, fields);
	drop_generated_fields(template, fields);
}

bool template_check_holder(
	const struct template *template, const struct fields *holder, struct error *error)
{
	struct fields required _cleanup_fields_ = FIELDS_INIT;
	_cleanup_free_ char *missing = NULL;
	const char *first = NULL;
	size_t count = 0;

	template_required_fields(template, &required);
	for (size_t i = 0; i < required.count; i++) {
		const char *name = required.items[i].name, *value = fields_get(holder, name);
		if (value && value[0])
			continue;
		char *longer =
			xasprintf("%s%s\"%s\"", missing ? missing : "", missing ? ", " : "", name);
		free(missing);
		missing = longer;
		first = first ? first : name;
		count++;
	}
	return count == 0 || error_set_field(error, ERROR_INVALID_ARGUMENT, first,
				     "the holder's field%s %s %s missing", count > 1 ? "s" : "",
				     missing, count > 1 ? "are" : "is");
}

const struct template_key *template_find_key(const struct template *template, key_slot slot)
{
	for (size_t i = 0; i < template->key_count; i++) {
		if (template->keys[i].slot == slot)
			return &template->keys[i];
	}
	return NULL;
}

bool template_has_slot(const struct template *template, key_slot slot)
{
	return template_find_key(template, slot) != NULL;
}

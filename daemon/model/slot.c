/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/slot.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

#define NAME_MAX_BYTES	64
#define LABEL_MAX_BYTES 32 /* CK_TOKEN_INFO */
#define RSA_X_509	3  /* CKM_RSA_X_509 */
#define USER_PREFIX	"user:"
#define GROUP_PREFIX	"group:"
#define CREDENTIAL	"credential:"

static const char *const operation_names[SLOT_OPERATION_COUNT] = {[SLOT_SIGN] = "sign",
	[SLOT_DECRYPT] = "decrypt",
	[SLOT_DERIVE] = "derive",
	[SLOT_WRAP] = "wrap",
	[SLOT_GENERATE] = "generate",
	[SLOT_DESTROY] = "destroy"};

static const char *const pin_names[SLOT_PIN_COUNT] = {
	[SLOT_PIN_CALLER] = "caller", [SLOT_PIN_FILE] = "file", [SLOT_PIN_SEALED] = "sealed"};

const char *slot_operation_name(enum slot_operation operation)
{
	return (size_t)operation < SLOT_OPERATION_COUNT ? operation_names[operation] : NULL;
}

enum slot_operation slot_operation_from_name(const char *name)
{
	enum slot_operation operation = 0;

	while (operation < SLOT_OPERATION_COUNT && strcmp(operation_names[operation], name) != 0)
		operation++;
	return operation;
}

const char *slot_pin_name(enum slot_pin pin)
{
	return (size_t)pin < SLOT_PIN_COUNT ? pin_names[pin] : NULL;
}

enum slot_pin slot_pin_from_name(const char *name)
{
	enum slot_pin pin = 0;

	while (pin < SLOT_PIN_COUNT && (!name || strcmp(pin_names[pin], name) != 0))
		pin++;
	return pin;
}

void slot_rules_free(struct slot_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(rules[i].subject);
		free(rules[i].key);
	}
	free(rules);
}

void slot_record_free(struct slot_record *record)
{
	if (!record)
		return;
	free(record->name);
	free(record->module);
	free(record->token_label);
	free(record->token_serial);
	free(record->pin_file);
	buffer_clear(&record->sealed_pin);
	slot_variables_free(record->variables);
	slot_rules_free(record->rules, record->rule_count);
	free(record);
}

static bool name_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > NAME_MAX_BYTES || !isalnum((unsigned char)name[0]))
		return false;
	for (const char *c = name; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
			return false;
	}
	return true;
}

static bool pin_file_is_valid(const char *file)
{
	const char *name = file + strlen(CREDENTIAL);

	if (strncmp(file, CREDENTIAL, strlen(CREDENTIAL)) == 0)
		return name[0] && !strchr(name, '/');
	return file[0] == '/';
}

bool slot_token_label_check(const char *label, const char *field, struct error *error)
{
	size_t length = strlen(label);

	return (length > 0 && length <= LABEL_MAX_BYTES && label[length - 1] != ' ') ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, field,
		       "a token's label has 1 to %d bytes, and no blank at the end",
		       LABEL_MAX_BYTES);
}

bool slot_record_check(const struct slot_record *record, struct error *error)
{
	if (!name_is_valid(record->name))
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "name",
			"a slot's name has 1 to %d letters, digits, '-', '_' and '.'",
			NAME_MAX_BYTES);
	if (record->module[0] != '/')
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "module",
			"the PKCS#11 module must be an absolute path, or a name that p11-kit "
			"knows");
	if (!slot_token_label_check(record->token_label, "token_label", error))
		return false;
	if (record->pin == SLOT_PIN_FILE && !pin_file_is_valid(record->pin_file))
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "pin-source",
			"it must be an absolute path or " CREDENTIAL "NAME");
	return slot_process_check(record, error);
}

/* --- access --- */

static bool has_number(const char *subject, const char *prefix, unsigned long *number)
{
	size_t length = strlen(prefix);

	if (strncmp(subject, prefix, length) != 0)
		return false;
	*number = strtoul(subject + length, NULL, 10);
	return true;
}

static bool is_in_group(const struct slot_user *user, unsigned long gid)
{
	for (size_t i = 0; i < user->group_count; i++) {
		if (user->groups[i] == gid)
			return true;
	}
	return false;
}

static bool subject_is(const char *subject, const struct slot_user *user)
{
	unsigned long number;

	if (strcmp(subject, SLOT_ANYONE) == 0)
		return true;
	if (has_number(subject, USER_PREFIX, &number))
		return user->uid == number;
	return has_number(subject, GROUP_PREFIX, &number) && is_in_group(user, number);
}

unsigned slot_access(const struct slot_rule *rules, size_t count, const struct slot_user *user,
	const char *label)
{
	unsigned operations = 0;

	if (user->is_manager)
		return SLOT_OPERATIONS_ALL;
	for (size_t i = 0; i < count; i++) {
		bool is_for_key =
			strcmp(rules[i].key, SLOT_ANY_KEY) == 0 || strcmp(rules[i].key, label) == 0;
		if (is_for_key && subject_is(rules[i].subject, user))
			operations |= rules[i].operations;
	}
	return operations;
}

unsigned slot_access_to_all(
	const struct slot_rule *rules, size_t count, const struct slot_user *user)
{
	return slot_access(rules, count, user, SLOT_ANY_KEY);
}

bool slot_is_open_to(const struct slot_rule *rules, size_t count, const struct slot_user *user)
{
	bool open = user->is_manager;

	for (size_t i = 0; i < count && !open; i++)
		open = subject_is(rules[i].subject, user);
	return open;
}

unsigned slot_use_needs(enum key_use use, unsigned long mechanism)
{
	if (mechanism == RSA_X_509)
		return 1U << SLOT_SIGN | 1U << SLOT_DECRYPT;
	switch (use) {
	case KEY_USE_SIGN:
		return 1U << SLOT_SIGN;
	case KEY_USE_DECRYPT:
	case KEY_USE_ENCRYPT:
		return 1U << SLOT_DECRYPT;
	default:
		return 1U << SLOT_DERIVE;
	}
}

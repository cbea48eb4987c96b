/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What administrators do with slots. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "core/text-file.h"
#include "core/user.h"
#include "keys/at-rest.h"
#include "operation/slot-keys.h"
#include "operation/slots-private.h"
#include "operation/vault.h"

#define USER_PREFIX	"user:"
#define GROUP_PREFIX	"group:"
#define LABEL_MAX_BYTES 256
#define MODULE_KEY	"module:"
#define MODULE_FILE_MAX 4096 /* bytes */

/* --- add, remove, test --- */

/* The value of "module:" in a module file of p11-kit (pkcs11.conf(5)); heap, or NULL. */
static char *module_of_file(const char *text)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, MODULE_KEY, strlen(MODULE_KEY)) != 0)
			continue;
		line += strlen(MODULE_KEY);
		line += strspn(line, " \t");
		return xasprintf("%.*s", (int)strcspn(line, " \t\r\n"), line);
	}
	return NULL;
}

/* The path of a module that p11-kit knows by a name; heap. The name itself when it knows none. */
static char *module_of_name(const char *name)
{
	static const char *const folders[] = {"/etc/pkcs11/modules", "/usr/share/p11-kit/modules"};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s.module", folders[i], name);
		_cleanup_free_ char *text = text_file_read(path, MODULE_FILE_MAX, NULL);
		char *module = text ? module_of_file(text) : NULL;
		if (module)
			return module;
	}
	return xstrdup(name);
}

static char *module_path(const char *module)
{
	if (!module[0])
		return xstrdup(TOKEN_MODULE);
	return strchr(module, '/') ? xstrdup(module) : module_of_name(module);
}

/* SoftHSM2 is in the daemon anyway; what a vendor's module does nobody can foresee. */
static enum slot_process choose_process(const struct slot_request *request, const char *module)
{
	_cleanup_free_ char *wanted = realpath(module, NULL);
	_cleanup_free_ char *softhsm = realpath(TOKEN_MODULE, NULL);
	bool has_variables = request->variables && request->variables[0];

	if (request->process != SLOT_PROCESS_COUNT)
		return request->process;
	return wanted && softhsm && strcmp(wanted, softhsm) == 0 && !has_variables
		       ? SLOT_PROCESS_DAEMON
		       : SLOT_PROCESS_OWN;
}

static char **copy_variables(char *const *variables)
{
	size_t count = 0;

	while (variables && variables[count])
		count++;
	return slot_variables_copy(variables, count);
}

static struct slot_record *make_record(const struct slot_request *request)
{
	struct slot_record *record = xnew(struct slot_record);

	record->name = xstrdup(request->name);
	record->module = module_path(request->module);
	record->token_label = xstrdup(request->token_label);
	record->token_serial = xstrdup(request->token_serial ? request->token_serial : "");
	record->pin_file = xstrdup(request->pin_file ? request->pin_file : "");
	record->pin = request->pin_file	  ? SLOT_PIN_FILE
		      : request->keep_pin ? SLOT_PIN_SEALED
					  : SLOT_PIN_CALLER;
	record->audit_uses = request->audit_uses;
	record->process = choose_process(request, record->module);
	record->timeout = request->timeout ? request->timeout : SLOT_TIMEOUT_DEFAULT;
	record->variables = copy_variables(request->variables);
	return record;
}

static bool seal_pin(struct services *services, const struct slot_request *request,
	struct slot_record *record, struct error *error)
{
	_cleanup_free_ char *purpose = slot_pin_purpose(record->name);

	return record->pin != SLOT_PIN_SEALED ||
	       (vault_check_open(services, error) &&
		       at_rest_seal(
			       services->token, purpose, request->pin, &record->sealed_pin, error));
}

static bool name_is_free(struct slots *slots, const char *name, struct error *error)
{
	_cleanup_slot_ struct slot *slot = slots_find(slots, name, NULL);

	return !slot || error_set(error, ERROR_EXISTS, "there is a slot \"%s\" already", name);
}

/* What a token says of itself, whatever the path of its module. */
static bool is_same_token(const struct hsm_information *one, struct hsm *hsm)
{
	struct hsm_information other _cleanup_(hsm_information_clear) = {0};

	hsm_information(hsm, &other);
	return strcmp(one->label, other.label) == 0 && strcmp(one->serial, other.serial) == 0 &&
	       strcmp(one->manufacturer, other.manufacturer) == 0;
}

static bool is_own_token(struct services *services, const struct hsm_information *information)
{
	struct token *token = services->token;
	_cleanup_free_ char *own = token ? token_name(token, NULL) : NULL;
	_cleanup_free_ char *name = xasprintf("%s %s", information->label, information->serial);

	return own && strcmp(own, name) == 0;
}

/* The module has one login for a token: two slots of one token would share it. */
static bool token_is_free(struct services *services, struct slot *slot, struct error *error)
{
	struct hsm_information information _cleanup_(hsm_information_clear) = {0};
	size_t count;
	struct slot **list = slots_list(services->slots, &count);
	bool is_free = true;

	hsm_information(slot_hsm(slot, NULL), &information);
	for (size_t i = 0; i < count && is_free; i++) {
		struct hsm *other = slot_hsm(list[i], NULL);
		if (other && is_same_token(&information, other))
			is_free = error_set(error, ERROR_EXISTS,
				"the slot \"%s\" has this token already", list[i]->record->name);
	}
	slots_list_free(list, count);
	if (is_own_token(services, &information))
		return error_set(error, ERROR_ACCESS_DENIED,
			"the token is tesserad's own and cannot be a slot");
	return is_free;
}

static bool check_pin_options(const struct slot_request *request, struct error *error)
{
	bool given = secret_is_set(request->pin);

	if (given && request->pin_file)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "options",
			"pin and pin-source do not go together");
	if (request->keep_pin && !given)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "options",
			"keep-pin wants the pin that is to be kept");
	return !request->create || given || request->pin_file ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, "options",
		       "create wants the pin of the new token, or its pin-source");
}

bool operation_add_slot(
	struct services *services, const struct slot_request *request, struct error *error)
{
	_cleanup_slot_record_ struct slot_record *record = make_record(request);
	struct slots *slots = services->slots;

	if (!check_pin_options(request, error) || !slot_record_check(record, error) ||
		!name_is_free(slots, record->name, error) ||
		!seal_pin(services, request, record, error))
		return false;
	_cleanup_slot_ struct slot *slot = slot_new(slots, steal_pointer(&record));
	if (!slot_keys_load(slot, error) || !slot_open(slot, request, error) ||
		!token_is_free(services, slot, error) ||
		!store_slot_add(services->store, slot->record, error))
		return false;
	slots_add(slots, slot);
	slot_keys_tidy(slot, false);
	slot_touch(slot);
	return true;
}

static struct slot_record *changed_record(struct slot *slot, const struct slot_change *change)
{
	const struct slot_record *old = slot->record;
	struct slot_record *record = xnew(struct slot_record);

	*record = (struct slot_record){.name = xstrdup(old->name),
		.number = old->number,
		.module = xstrdup(old->module),
		.token_label = slot_token_label(slot),
		.token_serial = slot_token_serial(slot),
		.pin = old->pin,
		.pin_file = xstrdup(old->pin_file),
		.audit_uses = change->has_audit_uses ? change->audit_uses : old->audit_uses,
		.process = change->has_process ? change->process : old->process,
		.timeout = change->has_timeout ? change->timeout : old->timeout,
		.variables =
			copy_variables(change->has_variables ? change->variables : old->variables)};
	buffer_append(&record->sealed_pin, old->sealed_pin.data, old->sealed_pin.length);
	record->rules = slot_rules(slot, &record->rule_count);
	return record;
}

bool operation_change_slot(struct services *services, const char *name,
	const struct slot_change *change, struct error *error)
{
	_cleanup_slot_ struct slot *old = slots_find(services->slots, name, error);
	_cleanup_slot_record_ struct slot_record *record = old ? changed_record(old, change) : NULL;

	if (!record || !slot_process_check(record, error))
		return false;
	_cleanup_slot_ struct slot *slot = slot_new(services->slots, steal_pointer(&record));
	slot->former = old;
	bool opened = slot_open(slot, NULL, error);
	slot->former = NULL;
	if (!opened && slot_hsm(old, NULL))
		return false;
	if (!store_slot_change(services->store, slot->record, error))
		return false;
	if (!slots_replace(services->slots, old, slot))
		return error_set(error, ERROR_NOT_FOUND, "there is no slot \"%s\"", name);
	slot_touch(slot);
	return true;
}

bool operation_remove_slot(struct services *services, const char *name, struct error *error)
{
	_cleanup_slot_ struct slot *slot = slots_find(services->slots, name, error);

	if (!slot || !store_slot_remove(services->store, name, error))
		return false;
	slots_drop(services->slots, slot);
	slot_touch(slot);
	return true;
}

static void count_objects(struct hsm *hsm, size_t *keys, size_t *certificates)
{
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(hsm);

	*keys = *certificates = 0;
	for (size_t i = 0; i < objects->count; i++) {
		*keys += objects->items[i]->object_class == CKO_PRIVATE_KEY;
		*certificates += objects->items[i]->object_class == CKO_CERTIFICATE;
	}
}

bool operation_test_slot(struct slot *slot, char **message, struct error *error)
{
	struct hsm_information information _cleanup_(hsm_information_clear) = {0};
	bool was_open = slot_hsm(slot, NULL) != NULL;
	bool changed = !was_open;
	size_t keys, certificates;

	if (!slot_open(slot, NULL, error))
		return false;
	struct hsm *hsm = slot_hsm(slot, error);
	if (!hsm || !hsm_refresh(hsm, &changed, error))
		return false;
	changed = slot_follow_token(slot, hsm) || changed;
	slot_keys_tidy(slot, false);
	hsm_information(hsm, &information);
	count_objects(hsm, &keys, &certificates);
	*message = xasprintf("token \"%s\" (%s %s, serial %s) answers: %zu private keys, %zu "
			     "certificates%s",
		information.label, information.manufacturer, information.model, information.serial,
		keys, certificates,
		slot->record->pin == SLOT_PIN_CALLER
			? "; private keys show when a program has logged in"
			: "");
	if (changed)
		slot_touch(slot);
	return true;
}

/* --- access --- */

/* "user:ada" as "user:1000"; heap, or NULL. */
static char *parse_subject(const char *subject, struct error *error)
{
	uid_t uid;
	gid_t gid;

	if (strcmp(subject, SLOT_ANYONE) == 0)
		return xstrdup(subject);
	if (strncmp(subject, USER_PREFIX, strlen(USER_PREFIX)) == 0) {
		if (user_find(subject + strlen(USER_PREFIX), &uid))
			return xasprintf(USER_PREFIX "%lu", (unsigned long)uid);
	} else if (strncmp(subject, GROUP_PREFIX, strlen(GROUP_PREFIX)) == 0) {
		if (group_find(subject + strlen(GROUP_PREFIX), &gid))
			return xasprintf(GROUP_PREFIX "%lu", (unsigned long)gid);
	} else {
		error_set_field(error, ERROR_INVALID_ARGUMENT, "subject",
			"it must be user:NAME, group:NAME or " SLOT_ANYONE);
		return NULL;
	}
	error_set_field(error, ERROR_NOT_FOUND, "subject", "there is no %.256s", subject);
	return NULL;
}

char *slot_subject_text(const char *subject)
{
	_cleanup_free_ char *name = NULL;

	if (strncmp(subject, USER_PREFIX, strlen(USER_PREFIX)) == 0) {
		name = user_name((uid_t)strtoul(subject + strlen(USER_PREFIX), NULL, 10));
		return name ? xasprintf(USER_PREFIX "%s", name) : xstrdup(subject);
	}
	if (strncmp(subject, GROUP_PREFIX, strlen(GROUP_PREFIX)) == 0)
		name = group_name((gid_t)strtoul(subject + strlen(GROUP_PREFIX), NULL, 10));
	return name ? xasprintf(GROUP_PREFIX "%s", name) : xstrdup(subject);
}

struct slot_rule *slot_rules(struct slot *slot, size_t *count)
{
	pthread_mutex_lock(&slot->lock);
	struct slot_rule *rules = xcalloc(slot->rule_count + 1, sizeof(*rules));
	*count = slot->rule_count;
	for (size_t i = 0; i < slot->rule_count; i++)
		rules[i] = (struct slot_rule){xstrdup(slot->rules[i].subject),
			xstrdup(slot->rules[i].key), slot->rules[i].operations};
	pthread_mutex_unlock(&slot->lock);
	return rules;
}

bool slot_is_visible(struct slot *slot, const struct slot_user *user)
{
	pthread_mutex_lock(&slot->lock);
	bool visible = slot_is_open_to(slot->rules, slot->rule_count, user);
	pthread_mutex_unlock(&slot->lock);
	return visible;
}

unsigned slot_allows(struct slot *slot, const struct slot_user *user, const char *label)
{
	pthread_mutex_lock(&slot->lock);
	unsigned operations = slot_access(slot->rules, slot->rule_count, user, label);
	pthread_mutex_unlock(&slot->lock);
	return operations;
}

unsigned slot_allows_all(struct slot *slot, const struct slot_user *user)
{
	pthread_mutex_lock(&slot->lock);
	unsigned operations = slot_access_to_all(slot->rules, slot->rule_count, user);
	pthread_mutex_unlock(&slot->lock);
	return operations;
}

static unsigned present_operations(struct slot *slot, const char *subject, const char *key)
{
	size_t count;
	struct slot_rule *rules = slot_rules(slot, &count);
	unsigned operations = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(rules[i].subject, subject) == 0 && strcmp(rules[i].key, key) == 0)
			operations = rules[i].operations;
	}
	slot_rules_free(rules, count);
	return operations;
}

/* The slot takes its rules from the store again. */
static bool take_rules(struct slot *slot, struct error *error)
{
	struct slot_rule *rules;
	size_t count;

	if (!store_slot_rules(
		    slot->slots->services->store, slot->record->name, &rules, &count, error))
		return false;
	pthread_mutex_lock(&slot->lock);
	struct slot_rule *old = slot->rules;
	size_t old_count = slot->rule_count;
	slot->rules = rules;
	slot->rule_count = count;
	pthread_mutex_unlock(&slot->lock);
	slot_rules_free(old, old_count);
	slot_touch(slot);
	return true;
}

bool operation_change_access(struct slot *slot, const char *subject, const char *key,
	unsigned operations, bool allow, struct error *error)
{
	struct store *store = slot->slots->services->store;
	_cleanup_free_ char *who = parse_subject(subject, error);

	if (!who)
		return false;
	if (!key[0] || strlen(key) > LABEL_MAX_BYTES)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "key",
			"a key's label has 1 to %d bytes; \"" SLOT_ANY_KEY "\" stands for all keys",
			LABEL_MAX_BYTES);
	if (operations == 0)
		return error_set_field(
			error, ERROR_INVALID_ARGUMENT, "operations", "say at least one operation");
	unsigned present = present_operations(slot, who, key);
	unsigned wanted = allow ? present | operations : present & ~operations;
	const struct slot_rule rule = {who, (char *)(uintptr_t)key, wanted};
	bool saved = wanted ? store_slot_set_rule(store, slot->record->name, &rule, error)
			    : store_slot_remove_rule(store, slot->record->name, who, key, error);
	return saved && take_rules(slot, error);
}

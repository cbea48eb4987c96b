/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/templates.h"

#include <string.h>

#include "common/alloc.h"
#include "model/document.h"
#include "operation/people.h"
#include "operation/roles.h"
#include "operation/types.h"

#define TEMPLATES_MAX  1000
#define IMPORT_MAXIMUM (1024 * 1024) /* bytes */

/* --- locks --- */

static char *lock_name(const char *name)
{
	return xasprintf("template-lock/%s", name);
}

char *template_locker(struct services *services, const char *name)
{
	struct buffer value _cleanup_buffer_ = BUFFER_INIT;
	_cleanup_free_ char *lock = lock_name(name);

	if (!store_value_get(services->store, lock, &value, NULL))
		return NULL;
	return xasprintf("%.*s", (int)value.length, (const char *)value.data);
}

static bool check_unlocked(struct services *services, const char *name, struct error *error)
{
	_cleanup_free_ char *locker = template_locker(services, name);

	return !locker || error_set(error, ERROR_ACCESS_DENIED,
				  "the template \"%s\" is locked by the operator %s", name, locker);
}

bool template_lock(
	struct services *services, const char *name, const char *operator_id, struct error *error)
{
	_cleanup_free_ char *lock = lock_name(name);
	_cleanup_free_ char *locker = template_locker(services, name);

	if (locker && strcmp(locker, operator_id) != 0)
		return check_unlocked(services, name, error);
	return store_value_set(
		services->store, lock, (const uint8_t *)operator_id, strlen(operator_id), error);
}

bool template_unlock(struct services *services, const char *name, char *const *operator_ids,
	size_t count, bool is_owner, struct error *error)
{
	_cleanup_free_ char *lock = lock_name(name);
	_cleanup_free_ char *locker = template_locker(services, name);
	bool may = is_owner || !locker;

	for (size_t i = 0; i < count; i++)
		may = may || strcmp(locker, operator_ids[i]) == 0;
	if (!may)
		return error_set(error, ERROR_ACCESS_DENIED,
			"only the operator %s, who locked the template, or a system owner may "
			"unlock it",
			locker);
	return store_value_remove(services->store, lock, error);
}

/* --- checks --- */

/* Whether the profile takes keys of this size; a least one is that of RSA. */
static bool check_size(const struct authority_profile *profile, const struct template_key *key,
	struct error *error)
{
	static const struct {
		enum key_algorithm algorithm;
		json_int_t bits;
	} sizes[] = {{KEY_ALGORITHM_RSA_2048, 2048}, {KEY_ALGORITHM_RSA_3072, 3072},
		{KEY_ALGORITHM_RSA_4096, 4096}, {KEY_ALGORITHM_EC_P256, 256},
		{KEY_ALGORITHM_EC_P384, 384}};
	json_int_t bits = json_integer_value(json_object_get(profile->settings, "key-bits"));
	json_int_t least = json_integer_value(json_object_get(profile->settings, "least-key-bits"));

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (sizes[i].algorithm != key->algorithm)
			continue;
		if (bits && sizes[i].bits != bits)
			return error_set(error, ERROR_INVALID_TEMPLATE,
				"the profile \"%s\" takes keys of %lld bits", profile->name,
				(long long)bits);
		if (key_algorithm_is_rsa(key->algorithm) && sizes[i].bits < least)
			return error_set(error, ERROR_INVALID_TEMPLATE,
				"the profile \"%s\" takes keys of at least %lld bits",
				profile->name, (long long)least);
	}
	return true;
}

bool template_check_certificate(
	struct services *services, const struct template_key *key, struct error *error)
{
	_cleanup_error_ struct error missing = ERROR_INIT;
	_cleanup_authority_ struct authority *authority =
		authority_open(&services->connections, key->authority, &missing);
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;

	if (!authority)
		return error_set(error, ERROR_INVALID_TEMPLATE,
			"there is no usable connection \"%s\": %s", key->authority,
			error_message(&missing));
	if (!authority->driver->profiles(authority, &profiles, error))
		return false;
	if (profiles.count == 0)
		return error_set(error, ERROR_INVALID_TEMPLATE,
			"no profiles of the connection \"%s\" are known yet: tessera connection "
			"profiles %s --update",
			key->authority, key->authority);
	const struct authority_profile *profile =
		authority_profiles_find(&profiles, key->profile, &missing);
	if (!profile && missing.code == ERROR_NOT_FOUND && !authority->driver->update)
		return error_set(error, ERROR_INVALID_TEMPLATE,
			"connection \"%s\" has no profile \"%s\"", key->authority, key->profile);
	if (!profile)
		return error_set(error, ERROR_INVALID_TEMPLATE, "connection \"%s\": %s",
			key->authority, error_message(&missing));
	return check_size(profile, key, error) && authority_profile_check(profile, key, error);
}

/* Whether the authority that a key names is there and has the profile, and what it wants is given.
 */
static bool check_certificate(struct services *services, size_t index,
	const struct template_key *key, struct error *error)
{
	_cleanup_free_ char *path = xasprintf("/keys/%zu/certificate", index);
	_cleanup_error_ struct error failure = ERROR_INIT;

	if (!key->authority || template_check_certificate(services, key, &failure))
		return true;
	if (failure.code != ERROR_INVALID_TEMPLATE)
		return error_move(error, &failure);
	return error_set_field(error, ERROR_INVALID_TEMPLATE, path, "%s", error_message(&failure));
}

/* Whether the name is free (for a new one) or the present one (for a change). */
static bool check_template_name(struct services *services, const char *name,
	const struct template *template, struct error *error)
{
	_cleanup_template_ struct template *present =
		store_template_get(services->store, name ? name : template->name, 0, NULL);

	if (!name && present)
		return error_set(
			error, ERROR_EXISTS, "there is a template \"%s\" already", template->name);
	if (name && !present)
		return error_set(error, ERROR_NOT_FOUND, "there is no template \"%s\"", name);
	if (name && strcmp(name, template->name) != 0)
		return error_set_field(
			error, ERROR_INVALID_TEMPLATE, "/name", "the name must stay \"%s\"", name);
	return true;
}

/* All but the name. */
static bool check_content(
	struct services *services, const struct template *template, struct error *error)
{
	if (!type_check_template(services, template, error) ||
		!roles_check_template(services, template, error) ||
		!people_check_template(services, template, error))
		return false;
	for (size_t i = 0; i < template->key_count; i++) {
		if (!check_certificate(services, i, &template->keys[i], error))
			return false;
	}
	return true;
}

/* --- one --- */

bool template_document_save(struct services *services, const char *name, const char *document,
	char **saved, struct error *error)
{
	_cleanup_template_ struct template *template = template_parse(document, error);

	if (!template || !check_template_name(services, name, template, error) ||
		!check_unlocked(services, template->name, error) ||
		!check_content(services, template, error) ||
		!store_template_save(services->store, template, error))
		return false;
	if (saved)
		*saved = xstrdup(template->name);
	return true;
}

bool template_remove(struct services *services, const char *name, struct error *error)
{
	return check_unlocked(services, name, error) &&
	       store_template_remove(services->store, name, error);
}

/* --- several --- */

struct import {
	struct template **templates;
	size_t count;
};

static void import_clear(struct import *import)
{
	for (size_t i = 0; i < import->count; i++)
		template_free(import->templates[i]);
	free(import->templates);
}

/* Puts the template's place in front of the path that an error is about. */
static bool at_place(size_t index, struct error *failure, struct error *error)
{
	_cleanup_free_ char *path =
		xasprintf("/templates/%zu%s", index, failure->field ? failure->field : "");

	return error_set_field(error, failure->code, path, "%s", error_message(failure));
}

/* Whether the import has it already. */
static bool check_once(const struct import *import, const char *name, struct error *error)
{
	for (size_t i = 0; i < import->count; i++) {
		if (strcmp(import->templates[i]->name, name) == 0)
			return error_set_field(error, ERROR_INVALID_TEMPLATE, "/name",
				"the template \"%s\" comes twice", name);
	}
	return true;
}

/* *template stays NULL when there is nothing to save. */
static bool check_one(struct services *services, const struct import *import, json_t *value,
	bool replaces, struct template **template, struct error *error)
{
	struct template_changes changes _cleanup_template_changes_ = TEMPLATE_CHANGES_INIT;
	char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);
	_cleanup_template_ struct template *read = template_parse(text ? text : "", error);

	free(text);
	if (!read || !check_once(import, read->name, error))
		return false;
	_cleanup_template_ struct template *present =
		store_template_get(services->store, read->name, 0, NULL);
	if (present && replaces)
		template_compare(present, read, &changes);
	if (present && replaces && changes.count == 0)
		return true;
	if (!check_template_name(services, replaces && present ? read->name : NULL, read, error) ||
		!check_unlocked(services, read->name, error) ||
		!check_content(services, read, error))
		return false;
	*template = steal_pointer(&read);
	return true;
}

static bool check_all(struct services *services, const json_t *array, bool replaces,
	struct import *import, struct error *error)
{
	import->templates = xcalloc(json_array_size(array), sizeof(*import->templates));
	for (size_t i = 0; i < json_array_size(array); i++) {
		struct error failure _cleanup_error_ = ERROR_INIT;
		struct template *template = NULL;
		if (!check_one(services, import, json_array_get(array, i), replaces, &template,
			    &failure))
			return at_place(i, &failure, error);
		if (template)
			import->templates[import->count++] = template;
	}
	return true;
}

static bool save_all(struct services *services, const struct import *import, struct error *error)
{
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	for (size_t i = 0; i < import->count; i++) {
		if (!store_template_save(transaction, import->templates[i], error))
			return false;
	}
	return store_commit(transaction, error);
}

bool templates_import(struct services *services, const char *document, bool replaces, char ***names,
	size_t *count, struct error *error)
{
	static const char *const members[] = {"templates"};
	_cleanup_json_ json_t *value =
		document_load_long(document, IMPORT_MAXIMUM, ERROR_INVALID_TEMPLATE, error);
	struct document_node root = document_root(value, ERROR_INVALID_TEMPLATE), array;
	struct import import _cleanup_(import_clear) = {0};
	size_t size;

	if (!value || !document_check_members(&root, members, ARRAY_SIZE(members), error) ||
		!document_member(&root, "templates", &array, error) ||
		!document_array(&array, 1, TEMPLATES_MAX, &size, error) ||
		!check_all(services, array.value, replaces, &import, error) ||
		!save_all(services, &import, error))
		return false;
	*names = xcalloc(import.count + 1, sizeof(**names));
	*count = import.count;
	for (size_t i = 0; i < import.count; i++)
		(*names)[i] = xstrdup(import.templates[i]->name);
	return true;
}

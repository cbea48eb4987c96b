/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/types.h"

#include <glob.h>
#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "operation/contact.h"
#include "core/text-file.h"

/* Parses one and takes it into the table; NULL with error. */
static bool take(
	struct card_types *types, const char *document, bool is_shipped, struct error *error)
{
	_cleanup_card_type_ struct card_type *type = card_type_parse(document, error);

	if (!type)
		return false;
	type->is_shipped = is_shipped;
	return card_types_add(types, type, error);
}

static void log_left_out(const struct error *error, const char *where)
{
	bool has_place = error->field && error->field[0];

	log_error("credential type left out: %s%s%s file=%s", has_place ? error->field : "",
		has_place ? ": " : "", error_message(error), where);
}

void types_load_shipped(struct card_types *types, const char *folder)
{
	_cleanup_free_ char *pattern = xasprintf("%s/*.json", folder);
	glob_t files;

	if (glob(pattern, 0, NULL, &files) != 0) {
		log_warning("there are no credential types: no file %s", pattern);
		return;
	}
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		_cleanup_free_ char *document =
			text_file_read(files.gl_pathv[i], TEXT_FILE_DOCUMENT_MAX, &error);
		if (!document || !take(types, document, true, &error))
			log_left_out(&error, files.gl_pathv[i]);
	}
	globfree(&files);
}

void types_load_added(struct services *services)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	char **names = NULL;
	size_t count = 0;

	if (!store_card_type_list(services->store, &names, &count, &error)) {
		log_left_out(&error, "(store)");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct error failure _cleanup_error_ = ERROR_INIT;
		_cleanup_free_ char *document =
			store_card_type_get(services->store, names[i], &failure);
		if (!document || !take(services->types, document, false, &failure))
			log_left_out(&failure, names[i]);
	}
	store_names_free(names, count);
}

/* The table first, which refuses a name that is taken; out of it again when it cannot be saved. */
bool type_document_add(struct services *services, const char *name, const char *document,
	char **saved, struct error *error)
{
	_cleanup_card_type_ struct card_type *type = card_type_parse(document, error);

	(void)name;
	if (!type || !card_types_add(services->types, type, error))
		return false;
	if (!store_card_type_add(services->store, type->name, document, error)) {
		card_types_remove(services->types, type->name);
		return false;
	}
	if (saved)
		*saved = xstrdup(type->name);
	contacts_look_again(services->contacts);
	return true;
}

bool type_remove(struct services *services, const char *name, struct error *error)
{
	_cleanup_card_type_ struct card_type *type = card_types_find(services->types, name);

	if (type && type->is_shipped)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"the credential type \"%s\" is shipped with the program and stays", name);
	if (!store_card_type_remove(services->store, name, error))
		return false;
	card_types_remove(services->types, name);
	contacts_look_again(services->contacts);
	return true;
}

/* --- templates --- */

static bool check_keys(
	const struct card_type *type, const struct template *template, struct error *error)
{
	for (size_t i = 0; i < template->key_count; i++) {
		enum key_algorithm algorithm = template->keys[i].algorithm;
		_cleanup_free_ char *path = xasprintf("/keys/%zu/algorithm", i);
		if (!(type->algorithms & 1U << algorithm))
			return error_set_field(error, ERROR_INVALID_TEMPLATE, path,
				"cards of the type \"%s\" make no keys of algorithm %s", type->name,
				key_algorithm_name(algorithm));
	}
	return true;
}

static bool check_pin(
	const struct card_type *type, const struct template *template, struct error *error)
{
	const struct pin_policy *policy = &template->pin_policy;

	if (template_is_hsm_key(template))
		return true;
	if (policy->minimum_length < type->pin_minimum)
		return error_set_field(error, ERROR_INVALID_TEMPLATE, "/pin-policy/minimum-length",
			"cards of the type \"%s\" take PINs from %u bytes on", type->name,
			type->pin_minimum);
	return policy->maximum_length <= type->pin_maximum ||
	       error_set_field(error, ERROR_INVALID_TEMPLATE, "/pin-policy/maximum-length",
		       "cards of the type \"%s\" take PINs up to %u bytes", type->name,
		       type->pin_maximum);
}

static bool refuse_name(struct services *services, const char *name, struct error *error)
{
	struct buffer list _cleanup_buffer_ = BUFFER_INIT;
	size_t count;
	struct card_type **types = card_types_list(services->types, &count);

	for (size_t i = 0; i < count; i++) {
		if (!card_driver_is_there(types[i]->driver))
			continue;
		buffer_append_string(&list, list.length ? ", " : "");
		buffer_append_string(&list, types[i]->name);
	}
	card_types_list_free(types, count);
	buffer_append_u8(&list, 0);
	return error_set_field(error, ERROR_INVALID_TEMPLATE, "/card-type",
		"there is no credential type \"%s\"; allowed are %s", name,
		list.failed ? "" : (const char *)list.data);
}

static bool check_type(struct services *services, const struct template *template, const char *name,
	struct error *error)
{
	_cleanup_card_type_ struct card_type *type = card_types_find(services->types, name);

	if (card_driver_is_there(name))
		return true;
	if (!type)
		return refuse_name(services, name, error);
	if (!card_driver_is_there(type->driver))
		return error_set_field(error, ERROR_INVALID_TEMPLATE, "/card-type",
			"cards of the type \"%s\" cannot be issued yet: this version has no driver "
			"%s",
			name, type->driver);
	return check_keys(type, template, error) && check_pin(type, template, error);
}

bool type_check_template(
	struct services *services, const struct template *template, struct error *error)
{
	for (size_t i = 0; i < template->card_type_count; i++) {
		if (!check_type(services, template, template->card_types[i], error))
			return false;
	}
	return true;
}

bool type_suits_template(struct services *services, const char *name,
	const struct template *template, struct error *error)
{
	_cleanup_card_type_ struct card_type *type = card_types_find(services->types, name);
	_cleanup_free_ char *wanted = template_card_types_text(template);

	if (!template_names_card_type(template, name) &&
		!(type && template_names_card_type(template, type->driver)))
		return error_set_field(error, ERROR_NOT_SUPPORTED, "/card-type",
			"the template is for %s cards, this is a %s", wanted, name);
	return !type || (check_keys(type, template, error) && check_pin(type, template, error));
}

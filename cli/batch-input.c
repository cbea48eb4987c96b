/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/batch-input.h"

#include <string.h>
#include <strings.h>

#include "cli/client.h"
#include "cli/file.h"
#include "common/alloc.h"

static bool check_header(const struct csv_table *table, const char *path, struct error *error)
{
	for (size_t i = 0; i < table->columns; i++) {
		const char *name = table->header.fields[i];
		for (size_t j = 0; j < i; j++) {
			if (strcmp(table->header.fields[j], name) == 0)
				return error_set(error, ERROR_INVALID_ARGUMENT,
					"%s: the header names \"%s\" twice", path, name);
		}
		if (strchr(name, ';'))
			return error_set(error, ERROR_INVALID_ARGUMENT,
				"%s: fields are separated by commas, not by semicolons", path);
	}
	return true;
}

bool batch_input_read(const char *path, struct csv_table *table, struct error *error)
{
	_cleanup_free_ char *text = file_read(path, error);

	if (!text)
		return false;
	if (!csv_parse((const uint8_t *)text, strlen(text), table, error))
		return error_prefix(error, "%s", path);
	if (table->count == 0)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"%s: there is no row behind the header", path);
	return check_header(table, path, error);
}

const char *batch_input_value(const struct csv_table *table, size_t row, const char *column)
{
	for (size_t i = 0; i < table->columns; i++) {
		if (strcmp(table->header.fields[i], column) == 0)
			return table->rows[row].fields[i][0] ? table->rows[row].fields[i] : NULL;
	}
	return NULL;
}

json_t *batch_input_holder(const struct csv_table *table, size_t row, const char *except,
	const char *also, struct error *error)
{
	_cleanup_json_ json_t *holder = json_object();

	for (size_t i = 0; i < table->columns; i++) {
		const char *name = table->header.fields[i];
		const char *value = table->rows[row].fields[i];
		if (value[0] && strcmp(name, except) != 0 && (!also || strcmp(name, also) != 0) &&
			json_object_set_new(holder, name, json_string(value)) != 0) {
			error_set(error, ERROR_INVALID_ARGUMENT, "it is not valid UTF-8 text");
			return NULL;
		}
	}
	return steal_pointer(&holder);
}

bool batch_input_is_of(const json_t *card, const json_t *holder)
{
	const json_t *kept = json_object_get(card, "holder");
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)holder, name, value)
	{
		if (!json_equal(json_object_get(kept, name), value))
			return false;
	}
	return true;
}

bool batch_input_is_of_person(const json_t *card, const char *login)
{
	const json_t *holder = json_object_get(card, "holder");
	const char *user = json_string_value(json_object_get(holder, "user"));
	const char *upn = json_string_value(json_object_get(holder, "upn"));

	return (!user && !upn) || (user && strcasecmp(user, login) == 0) ||
	       (upn && strcasecmp(upn, login) == 0);
}

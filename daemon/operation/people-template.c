/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a template asks of the directory that its holders come from. */
#include <string.h>

#include "common/alloc.h"
#include "operation/connections.h"
#include "operation/people.h"

#define DIRECTORY_PATH "/issue/holder/directory"
#define PASSWORDS_PATH "/self-service/directory"

static bool has_field(struct directory *directory, const char *name)
{
	const char *field;

	if (!directory->driver->field_at)
		return true;
	for (size_t i = 0; (field = directory->driver->field_at(directory, i)); i++) {
		if (strcmp(field, name) == 0)
			return true;
	}
	return false;
}

/* What stands in a pattern, or in what the authorities' connections want, comes from somewhere. */
static bool check_fields(struct services *services, const struct template *template,
	struct directory *directory, struct error *error)
{
	struct fields used _cleanup_fields_ = FIELDS_INIT;

	template_required_fields(template, &used);
	connection_required_fields(services, template, &used);
	for (size_t i = 0; i < used.count; i++) {
		const char *name = used.items[i].name;
		if (!template_takes_further(template, name) && !has_field(directory, name))
			return error_set_field(error, ERROR_INVALID_TEMPLATE, DIRECTORY_PATH,
				DIRECTORY_PATH
				": the template uses the field \"%s\", which the connection \"%s\" "
				"does not fill: map it there, or let it be given "
				"(/issue/holder/further)",
				name, template->issue.directory.connection);
	}
	return true;
}

/* The directory that checks passwords; where holders come from one, it is that. */
static bool check_passwords(
	struct services *services, const struct template *template, struct error *error)
{
	const char *connection = template->self_service.directory;
	_cleanup_error_ struct error failure = ERROR_INIT;

	if (!connection || template->issue.directory.connection)
		return true;
	_cleanup_directory_ struct directory *directory =
		people_open(services, connection, &failure);
	if (directory && !directory->driver->authenticate)
		error_set(&failure, ERROR_NOT_SUPPORTED, "the directory checks no passwords");
	return failure.code == ERROR_NONE ||
	       error_set_field(error, ERROR_INVALID_TEMPLATE, PASSWORDS_PATH, PASSWORDS_PATH ": %s",
		       error_message(&failure));
}

bool people_check_template(
	struct services *services, const struct template *template, struct error *error)
{
	const char *connection = template->issue.directory.connection;
	_cleanup_error_ struct error failure = ERROR_INIT;

	if (!check_passwords(services, template, error))
		return false;
	if (!connection)
		return true;
	_cleanup_directory_ struct directory *directory =
		people_open(services, connection, &failure);
	if (!directory)
		return error_set_field(error, ERROR_INVALID_TEMPLATE, DIRECTORY_PATH,
			DIRECTORY_PATH ": %s", error_message(&failure));
	return check_fields(services, template, directory, error);
}

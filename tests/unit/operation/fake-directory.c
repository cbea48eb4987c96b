/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/operation/fake-directory.h"

#include <string.h>

#include "common/alloc.h"

struct fake_directory fake;

struct fake_person *fake_find(const char *id)
{
	for (size_t i = 0; i < fake.count; i++) {
		if (strcmp(fake.people[i].id, id) == 0)
			return &fake.people[i];
	}
	return NULL;
}

static bool answers(struct error *error)
{
	fake.asked++;
	if (fake.is_down || (fake.down_after && fake.asked > fake.down_after))
		return error_set(error, ERROR_NETWORK_FAILED, "nobody answers");
	return true;
}

static void set_field(struct fields *fields, const char *name, const char *value)
{
	if (value)
		fields_set(fields, name, value);
}

static bool give(const struct fake_person *from, struct directory_person *person)
{
	person->id = xstrdup(from->id);
	person->name = xstrdup(from->name);
	person->is_disabled = from->is_disabled;
	person->reason = from->is_disabled ? xstrdup("locked on 2026-11-01") : NULL;
	set_field(&person->fields, "name", from->name);
	set_field(&person->fields, "user", from->login);
	set_field(&person->fields, "email", from->email);
	return true;
}

static bool get(struct directory *directory, const char *id, struct directory_person *person,
	struct error *error)
{
	const struct fake_person *found = fake_find(id);

	(void)directory;
	if (!answers(error))
		return false;
	if (fake.broken && strcmp(fake.broken, id) == 0)
		return error_set(error, ERROR_FAILED, "an attribute of 10 MB");
	return found && !found->is_gone ? give(found, person)
					: error_set(error, ERROR_NOT_FOUND, "nobody");
}

static bool find(struct directory *directory, const char *login, struct directory_person *person,
	struct error *error)
{
	const struct fake_person *found = NULL;

	(void)directory;
	if (!answers(error))
		return false;
	for (size_t i = 0; i < fake.count; i++) {
		if (strcmp(fake.people[i].login, login) != 0 || fake.people[i].is_gone)
			continue;
		if (found)
			return error_set(error, ERROR_INVALID_ARGUMENT, "several have it");
		found = &fake.people[i];
	}
	return found ? give(found, person) : error_set(error, ERROR_NOT_FOUND, "nobody");
}

static const char *field_at(struct directory *directory, size_t index)
{
	static const char *const names[] = {"name", "user", "email", NULL};

	(void)directory;
	return names[index];
}

/* The password of "ada" is "secret of ada". */
static bool authenticate(struct directory *directory, const char *login,
	const struct secret *password, struct directory_person *person, struct error *error)
{
	_cleanup_free_ char *right = xasprintf("secret of %s", login);

	if (!find(directory, login, person, error))
		return false;
	return (password->length == strlen(right) &&
		       memcmp(password->data, right, password->length) == 0) ||
	       error_set(error, ERROR_ACCESS_DENIED, "the password is wrong");
}

static void close_fake(struct directory *directory)
{
	(void)directory;
}

static const struct directory_driver driver = {.kind = "fake",
	.get = get,
	.find = find,
	.authenticate = authenticate,
	.close = close_fake,
	.field_at = field_at};

struct directory *fake_open(
	const struct connection_services *services, const char *name, struct error *error)
{
	if (strcmp(name, "staff") != 0) {
		error_set(error, ERROR_NOT_FOUND, "there is no connection \"%s\"", name);
		return NULL;
	}
	struct directory *directory = xnew(struct directory);
	directory->driver = &driver;
	directory->services = services;
	directory->name = xstrdup(name);
	return directory;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A proof of self-service: a password that a directory checks. */
#include <ctype.h>
#include <string.h>

#include "common/alloc.h"
#include "operation/people.h"
#include "operation/self-private.h"

#define LOGIN_MAX 256 /* bytes */

/* --- which directory --- */

/* What templates name, one after the other; NULL past the end. */
struct directories {
	char **names;
	size_t count;
};

static void directories_clear(struct directories *directories)
{
	store_names_free(directories->names, directories->count);
}

static void add_directory(struct directories *directories, const char *name)
{
	for (size_t i = 0; i < directories->count; i++) {
		if (strcmp(directories->names[i], name) == 0)
			return;
	}
	directories->names = xreallocarray(
		directories->names, directories->count + 1, sizeof(*directories->names));
	directories->names[directories->count++] = xstrdup(name);
}

static bool asks_directory(const struct template *template)
{
	bool asks = false;

	for (size_t i = 0; i < SELF_SERVICE_COUNT && !asks; i++)
		asks = template->self_service.ways[i] & self_way_bit(SELF_BY_DIRECTORY);
	return asks && template->self_service.directory;
}

/* No other connection is asked for strangers' passwords. */
static bool list_directories(
	struct store *store, struct directories *directories, struct error *error)
{
	char **names = NULL;
	size_t count = 0;

	if (!store_template_list(store, &names, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct template *template _cleanup_template_ =
			store_template_get(store, names[i], 0, NULL);
		if (template && asks_directory(template))
			add_directory(directories, template->self_service.directory);
	}
	store_names_free(names, count);
	return true;
}

/* The one that is meant; heap. */
static char *choose_directory(struct store *store, const char *wanted, struct error *error)
{
	struct directories directories _cleanup_(directories_clear) = {0};

	if (!list_directories(store, &directories, error))
		return NULL;
	for (size_t i = 0; i < directories.count; i++) {
		if (wanted ? strcmp(directories.names[i], wanted) == 0 : directories.count == 1)
			return xstrdup(directories.names[i]);
	}
	error_set_field(error, ERROR_INVALID_ARGUMENT, "connection",
		wanted || directories.count == 0
			? "no template lets people prove who they are by this directory"
			: "there are several directories: say which has your password");
	return NULL;
}

/* --- who --- */

static bool check_login(const char *login, struct error *error)
{
	bool good = login && login[0] && strlen(login) <= LOGIN_MAX;

	for (const char *c = login; good && *c; c++)
		good = !iscntrl((unsigned char)*c);
	return good || error_set_field(error, ERROR_INVALID_ARGUMENT, "login",
			       "a login name of at most %d characters is needed", LOGIN_MAX);
}

/* "CORP\\Ada", "ada@example.org" and " ada" are one person's tries; heap. */
static char *short_login(const char *connection, const char *login)
{
	const char *slash = strrchr(login, '\\');
	const char *name = slash ? slash + 1 : login;

	name += strspn(name, " ");
	char *text = xasprintf("%s %.*s", connection, (int)strcspn(name, "@ "), name);
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return text;
}

static struct self_identity identity_of(const char *connection, struct directory_person *person)
{
	const char *user = fields_get(&person->fields, HOLDER_USER);
	struct self_identity identity = {.way = SELF_BY_DIRECTORY,
		.label = xasprintf("directory %s %s", connection, user ? user : person->id),
		.id = xasprintf("%s:%s", connection, person->id),
		.connection = xstrdup(connection),
		.person_id = xstrdup(person->id)};

	fields_copy(&identity.fields, &person->fields);
	return identity;
}

static bool ask(struct services *services, const char *connection, const char *login,
	const struct secret *password, struct directory_person *person, struct error *error)
{
	struct directory *directory _cleanup_directory_ = people_open(services, connection, error);

	if (!directory)
		return false;
	if (!directory->driver->authenticate)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"the directory \"%s\" checks no passwords", connection);
	return directory->driver->authenticate(directory, login, password, person, error);
}

/* What is not about this person: everybody is told the same, and the trail why. */
static bool give_up(struct self_try *attempt, struct error *failure, struct error *error)
{
	struct error hidden _cleanup_error_ = ERROR_INIT;

	self_try_give_up(attempt, failure, &hidden);
	return error_set(error, ERROR_NETWORK_FAILED,
		"the directory cannot be asked at present; try again later, or have an operator "
		"give you a code");
}

static bool try_password(struct self_try *attempt, const char *connection, const char *login,
	const struct secret *password, struct error *error)
{
	struct services *services = attempt->selves->services;
	struct directory_person person _cleanup_person_ = {0};
	struct error failure _cleanup_error_ = ERROR_INIT;

	/* Nor is a person locked there by tries that count for nothing here. */
	if (attempt->locked || password->length == 0)
		return self_try_refuse(attempt, error);
	if (!ask(services, connection, login, password, &person, &failure)) {
		bool is_wrong = failure.code == ERROR_ACCESS_DENIED ||
				failure.code == ERROR_NOT_FOUND ||
				failure.code == ERROR_INVALID_ARGUMENT;
		return is_wrong ? self_try_refuse(attempt, error)
				: give_up(attempt, &failure, error);
	}
	if (person.is_disabled)
		return self_try_refuse(attempt, error);
	struct self_identity identity = identity_of(connection, &person);
	free(attempt->detail);
	attempt->detail = xstrdup(identity.label);
	bool accepted = self_try_accept(attempt, &identity, error);
	self_identity_clear(&identity);
	return accepted;
}

bool self_prove_password(struct selves *selves, const struct self_request *request,
	const char *connection, const char *login, const struct secret *password,
	struct error *error)
{
	struct self_try attempt _cleanup_self_try_ = {0};
	_cleanup_free_ char *name = NULL;

	if (!self_try_begin(&attempt, selves, request, error) || !check_login(login, error) ||
		!(name = choose_directory(selves->services->store, connection, error)))
		return false;
	_cleanup_free_ char *person = short_login(name, login);
	attempt.detail = xasprintf("directory %s", name);
	return self_try_subject(&attempt, "directory", person, error) &&
	       try_password(&attempt, name, login, password, error);
}

char *self_lock_name(const char *connection, const char *login)
{
	return short_login(connection, login);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/ldap-lookup.h"

#include <string.h>

#include "common/alloc.h"
#include "directory/ldap-filter.h"
#include "directory/ldap-follow.h"
#include "directory/ldap-people.h"
#include "directory/ldap-reach.h"

#define LOGIN_MAX 256 /* bytes */

char *ldap_people_filter(const struct ldap_directory *ldap, const struct buffer *more)
{
	return more->length == 0 ? xstrdup(ldap->people.filter)
				 : xasprintf("(&%s%.*s)", ldap->people.filter, (int)more->length,
					   (const char *)more->data);
}

/* Who is looked for, and who is found. */
struct lookup {
	const struct ldap_directory *ldap;
	const char *filter;
	struct directory_person person;
	char *dn, *other; /* the second one's */
	size_t count;
};

static void lookup_clear(struct lookup *lookup)
{
	directory_person_clear(&lookup->person);
	free(lookup->dn);
	free(lookup->other);
	lookup->dn = lookup->other = NULL;
	lookup->count = 0;
}

static bool take(void *context, const struct ldap_entry *entry, struct error *error)
{
	struct lookup *lookup = context;

	if (lookup->count++ > 0) {
		free(lookup->other);
		lookup->other = xstrdup(entry->dn);
		return true;
	}
	lookup->dn = xstrdup(entry->dn);
	return ldap_person_read(lookup->ldap, entry, &lookup->person) ||
	       error_set(error, ERROR_DIRECTORY_FAILED,
		       "the entry %s has no %s that the account may read: look at id-attribute",
		       entry->dn, lookup->ldap->people.id);
}

static bool ask(
	struct directory *directory, struct ldap_link **link, void *context, struct error *error)
{
	struct lookup *lookup = context;
	const struct ldap_people *people = &lookup->ldap->people;
	_cleanup_free_ const char **attributes = ldap_person_attributes(lookup->ldap);
	_cleanup_ldap_outcome_ struct ldap_outcome outcome = {0};
	const struct ldap_request request = {.base = people->base,
		.scope = people->scope,
		.filter = lookup->filter,
		.attributes = attributes,
		.limit = 2};

	lookup_clear(lookup);
	return ldap_follow(directory, link, &request, take, lookup, &outcome, error);
}

/* who: "login ada". */
static bool look_up(struct directory *directory, const struct buffer *more, const char *who,
	struct lookup *lookup, struct error *error)
{
	_cleanup_free_ char *filter = ldap_people_filter(directory->data, more);

	lookup->ldap = directory->data;
	lookup->filter = filter;
	if (!ldap_ask(directory, ask, lookup, error))
		return false;
	if (lookup->count == 0)
		return error_set(
			error, ERROR_NOT_FOUND, "nobody in %s has the %s", directory->name, who);
	return lookup->count == 1 || error_set(error, ERROR_INVALID_ARGUMENT,
					     "several people in %s have the %s: %.200s and %.200s",
					     directory->name, who, lookup->dn, lookup->other);
}

bool ldap_directory_get(struct directory *directory, const char *id,
	struct directory_person *person, struct error *error)
{
	const struct ldap_directory *ldap = directory->data;
	const struct ldap_flavour *flavour = ldap->flavour;
	_cleanup_buffer_ struct buffer more = BUFFER_INIT;
	_cleanup_free_ char *who = xasprintf("id %.100s", id);
	struct lookup lookup = {0};

	if (flavour && flavour->id_filter) {
		if (!flavour->id_filter(ldap, &more, id))
			return error_set(error, ERROR_NOT_FOUND, "nobody in %s has the %s",
				directory->name, who);
	} else {
		ldap_filter_equal(&more, ldap->people.id, id, strlen(id));
	}
	bool works = look_up(directory, &more, who, &lookup, error);
	if (works) {
		*person = lookup.person;
		lookup.person = (struct directory_person){0};
	}
	lookup_clear(&lookup);
	return works;
}

/* The attributes that a login name can stand in. */
static size_t login_attributes(const struct ldap_directory *ldap, const char **attributes)
{
	static const char *const fields[] = {"user", "upn"};
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct mapped_field *field =
			field_mapping_find(&ldap->people.mapping, fields[i]);
		for (size_t j = 0; field && j < field->count; j++)
			attributes[count++] = field->attributes[j];
	}
	return count;
}

bool ldap_find_entry(struct directory *directory, const char *login,
	struct directory_person *person, char **dn, struct error *error)
{
	const char *attributes[2 * MAPPING_ATTRIBUTES_MAX];
	size_t count = login_attributes(directory->data, attributes);
	_cleanup_buffer_ struct buffer more = BUFFER_INIT;
	_cleanup_free_ char *who = xasprintf("login %.100s", login);
	struct lookup lookup = {0};

	if (count == 0)
		return error_set(error, ERROR_INVALID_CONNECTION,
			"connection %s fills neither \"user\" nor \"upn\": nobody can be found by "
			"login",
			directory->name);
	if (login[0] == '\0' || strlen(login) > LOGIN_MAX)
		return error_set(
			error, ERROR_NOT_FOUND, "nobody in %s has the login", directory->name);
	ldap_filter_any(&more, attributes, count, login);
	bool works = look_up(directory, &more, who, &lookup, error);
	if (works) {
		*person = lookup.person;
		lookup.person = (struct directory_person){0};
		if (dn)
			*dn = steal_pointer(&lookup.dn);
	}
	lookup_clear(&lookup);
	return works;
}

bool ldap_directory_find(struct directory *directory, const char *login,
	struct directory_person *person, struct error *error)
{
	return ldap_find_entry(directory, login, person, NULL, error);
}

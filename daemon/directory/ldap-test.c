/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The test of a connection: name, connection, TLS, bind, base, search, mapping. */
#include <string.h>

#include "common/alloc.h"
#include "directory/ldap-follow.h"
#include "directory/ldap-lookup.h"
#include "directory/ldap-people.h"
#include "directory/ldap-reach.h"

static const char *security_of(const struct ldap_access *access)
{
	switch (access->security) {
	case LDAP_BY_STARTTLS:
		return "StartTLS";
	case LDAP_BY_TLS:
		return "ldaps";
	default:
		return "no TLS";
	}
}

static const char *bind_words(const struct ldap_access *access)
{
	switch (access->bind) {
	case LDAP_BIND_SIMPLE:
		return "the account and its password are taken";
	case LDAP_BIND_EXTERNAL:
		return "the client certificate, or local socket, is taken";
	case LDAP_BIND_GSSAPI:
		return "the Kerberos account is taken";
	default:
		return "nobody: the directory is asked anonymously";
	}
}

/* As far as the connection came. */
static void say_reached(struct directory *directory, const struct ldap_attempt *attempt,
	const struct ldap_link *link, struct connection_steps *steps)
{
	const struct ldap_access *access = &((struct ldap_directory *)directory->data)->access;

	if (attempt->reach >= LDAP_REACH_HOST)
		connection_step_passed(steps, "connection", "%s answers",
			link		? ldap_link_host(link)
			: attempt->host ? attempt->host
					: access->domain);
	if (attempt->reach >= LDAP_REACH_SECURE && access->security != LDAP_BY_NOTHING)
		connection_step_passed(steps, "TLS", "by %s, the name proved by an authority of %s",
			security_of(access), access->ca_file ? access->ca_file : "this system");
}

static const char *stopped_at(const struct ldap_attempt *attempt)
{
	static const char *const names[] = {[LDAP_REACH_NOTHING] = "connection",
		[LDAP_REACH_HOST] = "TLS",
		[LDAP_REACH_SECURE] = "bind"};

	return names[attempt->reach];
}

/* --- people --- */

struct sample {
	const struct ldap_directory *ldap;
	size_t count, with_id;
	struct directory_person first;
	char *dn;
};

static bool take(void *context, const struct ldap_entry *entry, struct error *error)
{
	struct sample *sample = context;
	_cleanup_person_ struct directory_person person = {0};

	(void)error;
	if (sample->count++ == 0)
		sample->dn = xstrdup(entry->dn);
	if (!ldap_person_read(sample->ldap, entry, &person))
		return true;
	if (sample->with_id++ == 0) {
		sample->first = person;
		person = (struct directory_person){0};
	}
	return true;
}

static bool pass_over(void *context, const struct ldap_entry *entry, struct error *error)
{
	(void)entry, (void)error;
	(*(size_t *)context)++;
	return true;
}

static bool test_base(
	struct directory *directory, struct ldap_link **link, struct connection_steps *steps)
{
	static const char *const no_attributes[] = {"1.1", NULL};
	const struct ldap_people *people = &((struct ldap_directory *)directory->data)->people;
	const struct ldap_request request = {.base = people->base,
		.scope = LDAP_THE_BASE,
		.filter = "(objectClass=*)",
		.attributes = no_attributes,
		.limit = 1};
	_cleanup_ldap_outcome_ struct ldap_outcome outcome = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	size_t count = 0;

	if (!ldap_follow(directory, link, &request, pass_over, &count, &outcome, &error))
		return connection_step_failed(steps, "base", &error);
	if (count > 0) {
		connection_step_passed(steps, "base", "%s is there", people->base);
		return true;
	}
	error_set(&error, ERROR_DIRECTORY_FAILED,
		"the account does not see %s: look at base, and at its rights", people->base);
	return connection_step_failed(steps, "base", &error);
}

/* "name, user, email" of what is filled, and of what is not. */
static void list_fields(const struct sample *sample, char **filled, char **empty)
{
	const struct field_mapping *mapping = &sample->ldap->people.mapping;

	for (size_t i = 0; i < mapping->count; i++) {
		const char *name = mapping->items[i].field;
		char **list = fields_get(&sample->first.fields, name) ? filled : empty;
		char *longer = xasprintf("%s%s%s", *list ? *list : "", *list ? ", " : "", name);
		free(*list);
		*list = longer;
	}
}

static bool test_mapping(const struct sample *sample, struct connection_steps *steps)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *filled = NULL, *empty = NULL;

	list_fields(sample, &filled, &empty);
	if (sample->with_id == 0)
		error_set(&error, ERROR_DIRECTORY_FAILED,
			"%.200s has no %s that the account may read: look at id-attribute",
			sample->dn, sample->ldap->people.id);
	else if (!filled)
		error_set(&error, ERROR_DIRECTORY_FAILED,
			"%.200s fills no field: look at preset and fields, and at the account's "
			"rights",
			sample->dn);
	if (error.code != ERROR_NONE)
		return connection_step_failed(steps, "mapping", &error);
	connection_step_passed(steps, "mapping", "\"%s\" has %s%s%s%s%s", sample->first.name,
		filled, empty ? ", and not " : "", empty ? empty : "",
		sample->first.reason ? "; " : "", sample->first.reason ? sample->first.reason : "");
	return true;
}

static bool test_search(struct directory *directory, struct ldap_link **link, struct sample *sample,
	struct connection_steps *steps)
{
	const struct ldap_people *people = &sample->ldap->people;
	_cleanup_free_ const char **attributes = ldap_person_attributes(sample->ldap);
	const struct ldap_request request = {.base = people->base,
		.scope = people->scope,
		.filter = people->filter,
		.attributes = attributes,
		.limit = 10};
	_cleanup_ldap_outcome_ struct ldap_outcome outcome = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	bool works = ldap_follow(directory, link, &request, take, sample, &outcome, &error);
	if (works && sample->count == 0)
		works = error_set(&error, ERROR_DIRECTORY_FAILED,
			"no entry fits %s that the account may see: look at filter, scope and the "
			"account's rights",
			people->filter);
	if (!works)
		return connection_step_failed(steps, "search", &error);
	connection_step_passed(steps, "search", "%zu %s%s", sample->count,
		sample->count == 1 ? "person is found" : "people are found",
		outcome.has_more ? ", and there are more" : "");
	return test_mapping(sample, steps);
}

bool ldap_directory_test(struct directory *directory, struct connection_steps *steps)
{
	const struct ldap_directory *ldap = directory->data;
	struct sample sample = {.ldap = ldap};
	struct ldap_attempt attempt = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	struct ldap_link *link = ldap_reach(directory, ldap_bind_service, &attempt, &error);

	say_reached(directory, &attempt, link, steps);
	if (!link)
		return connection_step_failed(steps, stopped_at(&attempt), &error);
	connection_step_passed(steps, "bind", "%s", bind_words(&ldap->access));
	bool works =
		test_base(directory, &link, steps) && test_search(directory, &link, &sample, steps);
	ldap_link_close(link);
	directory_person_clear(&sample.first);
	free(sample.dn);
	return works;
}

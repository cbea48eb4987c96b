/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/ldap-long.h"

#include "common/alloc.h"
#include "common/log.h"
#include "directory/ldap-reach.h"

struct names {
	char **items;
	size_t count;
};

static void names_clear(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static bool take_name(void *context, const struct ldap_entry *entry, struct error *error)
{
	struct names *names = context;

	(void)error;
	names->items = xreallocarray(names->items, names->count + 1, sizeof(*names->items));
	names->items[names->count++] = xstrdup(entry->dn);
	return true;
}

/* A broken connection is replaced. */
static bool renew(struct directory *directory, struct ldap_link **link, struct error *error)
{
	if (*link && !ldap_link_is_broken(*link))
		return true;
	ldap_link_close(*link);
	*link = ldap_reach(directory, ldap_bind_service, NULL, error);
	return *link != NULL;
}

/* One entry; *is_too_long when it is, and false then. */
static bool read_one(struct directory *directory, struct ldap_link **link, const char *dn,
	const char *const *attributes, ldap_take *take, void *context, bool *is_too_long,
	struct error *error)
{
	const struct ldap_request request = {.base = dn,
		.scope = LDAP_THE_BASE,
		.filter = "(objectClass=*)",
		.attributes = attributes,
		.limit = 1};
	_cleanup_ldap_outcome_ struct ldap_outcome outcome = {0};

	if (!renew(directory, link, error))
		return false;
	bool works = ldap_link_search(*link, &request, take, context, &outcome, error);
	*is_too_long = outcome.is_too_long;
	return works;
}

bool ldap_search_one_by_one(struct directory *directory, struct ldap_link **link,
	const struct ldap_request *request, ldap_take *take, const char *const *few,
	ldap_take *take_few, void *context, bool *has_more, struct error *error)
{
	static const char *const no_attributes[] = {"1.1", NULL};
	_cleanup_ldap_outcome_ struct ldap_outcome outcome = {0};
	struct names names _cleanup_(names_clear) = {0};
	struct ldap_request first = *request;

	first.attributes = no_attributes;
	if (!renew(directory, link, error) ||
		!ldap_link_search(*link, &first, take_name, &names, &outcome, error))
		return false;
	*has_more = outcome.has_more;
	for (size_t i = 0; i < names.count; i++) {
		const char *dn = names.items[i];
		bool is_too_long;
		if (read_one(directory, link, dn, request->attributes, take, context, &is_too_long,
			    error))
			continue;
		if (!is_too_long)
			return false;
		if (read_one(directory, link, dn, few, take_few, context, &is_too_long, error))
			continue;
		if (!is_too_long)
			return false;
		log_warning("directory %s: %.200s is longer than %d bytes and left out",
			directory->name, dn, LDAP_MESSAGE_MAX);
	}
	return renew(directory, link, error);
}

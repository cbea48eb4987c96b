/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The test of a connection: what comes before and after that of any directory that speaks LDAP. */
#include <string.h>

#include "common/alloc.h"
#include "core/srv.h"
#include "directory/active-directory-private.h"
#include "directory/active-directory-values.h"
#include "directory/ldap-follow.h"
#include "directory/ldap-reach.h"

/* Which controllers DNS has. */
static bool test_name(const struct active_directory *directory, struct connection_steps *steps)
{
	const struct ldap_access *access = &directory->ldap.access;
	_cleanup_srv_targets_ struct srv_targets targets = SRV_TARGETS_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!access->domain)
		return true;
	_cleanup_free_ char *name = xasprintf("_ldap._tcp.%s", access->domain);
	if (!srv_find(name, access->dns_server, active_directory_timeout(directory), &targets,
		    &error))
		return connection_step_failed(steps, "name", &error);
	connection_step_passed(steps, "name", "DNS has %zu %s for %s, %s the first", targets.count,
		targets.count == 1 ? "controller" : "controllers", name, targets.items[0].host);
	return true;
}

static bool test_ticket(const struct active_directory *directory, struct connection_steps *steps)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (directory->ldap.access.bind != LDAP_BIND_GSSAPI)
		return true;
	_cleanup_(kerberos_account_closep) struct kerberos_account *account =
		active_directory_account_open(directory, NULL, &error);
	if (!account)
		return connection_step_failed(steps, "ticket", &error);
	connection_step_passed(
		steps, "ticket", "%s has a Kerberos ticket", kerberos_account_name(account));
	return true;
}

/* --- groups --- */

/* What is known of one group's members so far. */
struct members {
	bool is_there;
	size_t count;
	uint32_t next; /* the first that was not told; 0: all were */
};

/* A controller tells no more than so many values at once (MaxValRange, MS-ADTS 3.1.1.3.4.6). */
static bool take_members(void *context, const struct ldap_entry *entry, struct error *error)
{
	struct members *members = context;
	size_t length;
	uint32_t next;

	(void)error;
	members->is_there = true;
	members->next = 0;
	for (size_t i = 0; i < entry->count; i++) {
		const struct ldap_attribute *attribute = &entry->attributes[i];
		if (!active_directory_range(attribute->name, &length, &next))
			continue;
		members->count += attribute->count;
		members->next = attribute->count > 0 ? next : 0;
	}
	return true;
}

/* One range of the members of a group. */
static bool read_members(struct directory *directory, struct ldap_link **link, const char *group,
	struct members *members, struct error *error)
{
	_cleanup_free_ char *attribute = xasprintf(
		"member;range=%u-%u", members->next, members->next + ACTIVE_DIRECTORY_RANGE - 1);
	const char *const attributes[] = {attribute, NULL};
	const struct ldap_request request = {.base = group,
		.scope = LDAP_THE_BASE,
		.filter = "(objectClass=group)",
		.attributes = attributes,
		.limit = 1};
	_cleanup_ldap_outcome_ struct ldap_outcome outcome = {0};
	_cleanup_error_ struct error failure = ERROR_INIT;

	bool is_answered =
		ldap_follow(directory, link, &request, take_members, members, &outcome, &failure);
	if (members->is_there && is_answered)
		return true;
	if (!is_answered && failure.code != ERROR_DIRECTORY_FAILED)
		return error_move(error, &failure);
	return error_set(error, ERROR_DIRECTORY_FAILED,
		"%.300s is no group that the account sees: look at groups", group);
}

static bool test_group(struct directory *directory, struct ldap_link **link, const char *group,
	struct connection_steps *steps)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct members members = {0};

	do {
		if (!read_members(directory, link, group, &members, &error))
			return connection_step_failed(steps, "group", &error);
	} while (members.next > 0 && members.count < ACTIVE_DIRECTORY_COUNTED);
	connection_step_passed(steps, "group", "%s has %s%zu %s of its own", group,
		members.next > 0 ? "more than " : "", members.count,
		members.count == 1 ? "member" : "members");
	return true;
}

static bool test_groups(struct directory *directory, struct connection_steps *steps)
{
	const struct active_directory *data = directory->data;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (data->group_count == 0)
		return true;
	struct ldap_link *link = ldap_reach(directory, ldap_bind_service, NULL, &error);
	if (!link)
		return connection_step_failed(steps, "group", &error);
	bool works = true;
	for (size_t i = 0; i < data->group_count && works; i++)
		works = test_group(directory, &link, data->groups[i], steps);
	ldap_link_close(link);
	return works;
}

bool active_directory_test(struct directory *directory, struct connection_steps *steps)
{
	const struct active_directory *data = directory->data;

	if (!test_name(data, steps) || !test_ticket(data, steps))
		return false;
	bool works = ldap_directory_test(directory, steps);
	/* A group that is not there is why nobody is found. */
	bool is_searched = works || strcmp(steps->items[steps->count - 1].name, "search") == 0;
	return is_searched && test_groups(directory, steps) && works;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /self-service and /issue/authentication of a template: what people may do themselves, and how
 * they prove who they are. */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "model/template-private.h"

#define PROVES_USER (self_way_bit(SELF_BY_USER_ID) | self_way_bit(SELF_BY_SYSTEM_USER))

TEMPLATE_NAME_AT(system_users_at, "separate", "directory")

void template_self_service_clear(struct template_self_service *service)
{
	free(service->directory);
}

/* ["code", "directory"]. */
static bool read_ways(const struct document_node *node, enum self_service which, self_ways *ways,
	struct error *error)
{
	size_t count, way;

	*ways = 0;
	if (!document_array(node, 1, SELF_WAY_COUNT, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct document_node item = document_at(node, i);
		if (!document_choice(&item, self_way_name, &way, error))
			return false;
		if (*ways & self_way_bit((enum self_way)way))
			return document_fail(&item, error, "it comes twice");
		if (!(self_service_allowed(which) & self_way_bit((enum self_way)way)))
			return document_fail(&item, error,
				"nobody has a PIN to log in with before; allowed are user-id, "
				"system-user, directory, code");
		*ways |= self_way_bit((enum self_way)way);
	}
	return true;
}

/* true, false, or a list. */
static bool read_right(const struct document_node *service, enum self_service which,
	self_ways *ways, struct error *error)
{
	struct document_node node;

	if (!document_find(service, self_service_name(which), &node))
		return true;
	if (json_is_array(node.value))
		return read_ways(&node, which, ways, error);
	if (!json_is_boolean(node.value))
		return document_fail(&node, error,
			"true, false, or an array of card, user-id, system-user, directory, code "
			"is expected");
	*ways = json_is_true(node.value) ? self_service_usual(which) : 0;
	return true;
}

bool template_read_authentication(
	const struct document_node *issue, struct template *template, struct error *error)
{
	self_ways *ways = &template->self_service.ways[SELF_SERVICE_ISSUE];
	struct document_node node;

	*ways = 0;
	if (!document_find(issue, "authentication", &node)) {
		if (template->issue.by == ISSUE_BY_USER)
			*ways = self_service_usual(SELF_SERVICE_ISSUE);
		return true;
	}
	if (template->issue.by != ISSUE_BY_USER)
		return document_fail(&node, error,
			"operators log in with their cards: it is for /issue/by user");
	return read_ways(&node, SELF_SERVICE_ISSUE, ways, error);
}

static bool read_rights(const struct document_node *node, struct template_self_service *service,
	struct error *error)
{
	for (enum self_service i = SELF_SERVICE_ACTIVATE; i < SELF_SERVICE_COUNT; i++) {
		if (!read_right(node, i, &service->ways[i], error))
			return false;
	}
	return true;
}

static bool read_directory(const struct document_node *node, struct template_self_service *service,
	struct error *error)
{
	struct document_node directory;
	const char *name;
	size_t users = 0;

	if (!template_read_choice(node, "system-users", system_users_at, &users, error))
		return false;
	service->system_users_are_directory = users == 1;
	if (!document_find(node, "directory", &directory))
		return true;
	if (!document_name(&directory, &name, error))
		return false;
	service->directory = xstrdup(name);
	return true;
}

/* Whose a card is has to be known by each way that is good enough. */
static bool check_right(const struct document_node *node, const struct template *template,
	enum self_service which, struct error *error)
{
	const struct template_self_service *service = &template->self_service;
	self_ways ways = service->ways[which];
	struct document_node right;

	if (!document_find(node, self_service_name(which), &right))
		return true;
	if ((ways & PROVES_USER) && template->issue.by != ISSUE_BY_USER &&
		!service->system_users_are_directory)
		return document_fail(&right, error,
			"only of cards that users issue (/issue/by), or where "
			"/self-service/system-users is directory, is it known which user's they "
			"are");
	if ((ways & self_way_bit(SELF_BY_DIRECTORY)) && !service->directory)
		return document_fail(&right, error,
			"/self-service/directory has to say which directory checks the password");
	return true;
}

static bool issue_has(const struct template *template, self_ways ways)
{
	return (template->self_service.ways[SELF_SERVICE_ISSUE] & ways) != 0;
}

/* /issue/authentication was read before it was known what directory there is. */
static bool check_issue(
	const struct document_node *root, const struct template *template, struct error *error)
{
	const struct template_self_service *service = &template->self_service;
	struct document_node issue, node;

	if (!document_find(root, "issue", &issue) ||
		!document_find(&issue, "authentication", &node))
		return true;
	if (issue_has(template, self_way_bit(SELF_BY_DIRECTORY)) && !service->directory)
		return document_fail(&node, error,
			"/self-service/directory has to say which directory checks the password");
	return template->issue.holder != ISSUE_HOLDER_DIRECTORY ||
	       !issue_has(template, PROVES_USER) || service->system_users_are_directory ||
	       document_fail(&node, error,
		       "which person of the directory a user of the system is, is known where "
		       "/self-service/system-users is directory");
}

/* Who comes from a directory has the password there, too. */
static bool settle_directory(
	const struct document_node *service, struct template *template, struct error *error)
{
	const char *holders = template->issue.directory.connection;
	char **checks = &template->self_service.directory;
	struct document_node node;

	if (!*checks)
		*checks = xstrdup(holders);
	return !holders || strcmp(*checks, holders) == 0 ||
	       !document_find(service, "directory", &node) ||
	       document_fail(&node, error, "it is /issue/holder/directory: \"%s\"", holders);
}

static bool read_members(
	const struct document_node *service, struct template *template, struct error *error)
{
	static const char *const members[] = {"activate", "unblock", "reissue", "report-lost",
		"retire", "directory", "system-users"};

	return document_check_members(service, members, ARRAY_SIZE(members), error) &&
	       read_rights(service, &template->self_service, error) &&
	       read_directory(service, &template->self_service, error);
}

bool template_read_self_service(
	const struct document_node *root, struct template *template, struct error *error)
{
	struct document_node node, nothing = {0};
	bool is_there = document_find(root, "self-service", &node);
	json_t *empty = json_object();

	nothing = document_child(root, "self-service", empty);
	struct document_node *service = is_there ? &node : &nothing;
	bool good = read_members(service, template, error) &&
		    settle_directory(service, template, error);
	for (enum self_service i = SELF_SERVICE_ACTIVATE; i < SELF_SERVICE_COUNT && good; i++)
		good = check_right(service, template, i, error);
	json_decref(empty);
	return good && check_issue(root, template, error);
}

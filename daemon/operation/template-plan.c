/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a newer version of a template changes for the cards that have an older one. */
#include <string.h>

#include "common/alloc.h"
#include "operation/templates.h"

void template_plan_clear(struct template_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		template_changes_clear(&plan->steps[i].changes);
	free(plan->steps);
	*plan = (struct template_plan){0};
}

/* The version that is the goal: the newest one, or what a document would make. */
static struct template *find_goal(
	struct services *services, const char *name, const char *document, struct error *error)
{
	if (!document)
		return store_template_get(services->store, name, 0, error);
	_cleanup_template_ struct template *goal = template_parse(document, error);
	if (goal && strcmp(goal->name, name) != 0) {
		error_set_field(
			error, ERROR_INVALID_TEMPLATE, "/name", "the name must stay \"%s\"", name);
		return NULL;
	}
	return steal_pointer(&goal);
}

static bool add_step(struct services *services, const struct template *goal,
	const struct template_version *version, struct template_plan *plan, struct error *error)
{
	_cleanup_template_ struct template *present =
		store_template_get(services->store, goal->name, version->version, error);

	if (!present)
		return false;
	plan->steps = xreallocarray(plan->steps, plan->count + 1, sizeof(*plan->steps));
	struct template_step *step = &plan->steps[plan->count++];
	*step = (struct template_step){.version = version->version, .cards = version->cards};
	template_compare(present, goal, &step->changes);
	return true;
}

bool template_plan_make(struct services *services, const char *name, const char *document,
	struct template_plan *plan, struct error *error)
{
	_cleanup_template_ struct template *goal = find_goal(services, name, document, error);
	_cleanup_free_ struct template_version *versions = NULL;
	size_t count = 0;

	if (!goal || !store_template_versions(services->store, name, &versions, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		bool is_goal = !document && versions[i].version == goal->version;
		if (versions[i].cards > 0 && !is_goal &&
			!add_step(services, goal, &versions[i], plan, error))
			return false;
	}
	return true;
}

bool template_versions_compare(struct services *services, const char *name, int64_t from,
	int64_t to, struct template_changes *changes, struct error *error)
{
	_cleanup_template_ struct template *before =
		store_template_get(services->store, name, from, error);
	_cleanup_template_ struct template *after =
		before ? store_template_get(services->store, name, to, error) : NULL;

	if (!after)
		return false;
	template_compare(before, after, changes);
	return true;
}

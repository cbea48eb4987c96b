/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /issue/holder of a template whose holders are people of a directory. */
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "model/holder.h"
#include "model/template-private.h"

/* The members that only such a template has. */
static const char *const members[] = {
	"directory", "further", "one-each", "if-disabled", "if-gone", "if-back"};

/* In the order of enum person_policy. */
TEMPLATE_NAME_AT(leaving_at, "report", "suspend")
TEMPLATE_NAME_AT(coming_at, "report", "resume")

void template_directory_clear(struct template_directory *directory)
{
	free(directory->connection);
	for (size_t i = 0; i < directory->further_count; i++)
		free(directory->further[i]);
	free(directory->further);
}

bool template_takes_further(const struct template *template, const char *field)
{
	const struct template_directory *directory = &template->issue.directory;

	for (size_t i = 0; i < directory->further_count; i++) {
		if (strcmp(directory->further[i], field) == 0)
			return true;
	}
	return false;
}

const char *person_policy_name(enum person_policy policy, bool is_back)
{
	return (is_back ? coming_at : leaving_at)((size_t)policy);
}

static bool add_further(
	const struct document_node *node, struct template *template, struct error *error)
{
	struct template_directory *directory = &template->issue.directory;
	const char *name;

	if (!document_string(node, 1, FIELD_NAME_MAXIMUM, &name, error))
		return false;
	if (!field_name_is_valid(name, strlen(name)))
		return document_fail(node, error,
			"a field's name is letters, digits, '-' and '_', a letter first");
	if (template_takes_further(template, name))
		return document_fail(node, error, "the field \"%s\" comes twice", name);
	directory->further[directory->further_count++] = xstrdup(name);
	return true;
}

static bool read_further(
	const struct document_node *holder, struct template *template, struct error *error)
{
	struct document_node node;
	size_t count;

	if (!document_find(holder, "further", &node))
		return true;
	if (!document_array(&node, 1, TEMPLATE_FURTHER_MAX, &count, error))
		return false;
	template->issue.directory.further =
		xcalloc(count, sizeof(*template->issue.directory.further));
	for (size_t i = 0; i < count; i++) {
		struct document_node each = document_at(&node, i);
		if (!add_further(&each, template, error))
			return false;
	}
	return true;
}

static bool read_policy(const struct document_node *holder, const char *member,
	const char *(*name_at)(size_t index), enum person_policy *policy, struct error *error)
{
	size_t choice = PERSON_REPORTED;

	if (!template_read_choice(holder, member, name_at, &choice, error))
		return false;
	*policy = (enum person_policy)choice;
	return true;
}

static bool read_members(
	const struct document_node *holder, struct template *template, struct error *error)
{
	struct template_directory *directory = &template->issue.directory;
	struct document_node node;
	const char *name;

	if (!document_member(holder, "directory", &node, error) ||
		!document_name(&node, &name, error))
		return false;
	directory->connection = xstrdup(name);
	return read_further(holder, template, error) &&
	       template_read_bool(holder, "one-each", &directory->one_each, error) &&
	       read_policy(holder, "if-disabled", leaving_at, &directory->if_disabled, error) &&
	       read_policy(holder, "if-gone", leaving_at, &directory->if_gone, error) &&
	       read_policy(holder, "if-back", coming_at, &directory->if_back, error);
}

bool template_read_directory(
	const struct document_node *holder, struct template *template, struct error *error)
{
	struct document_node node;

	if (template->issue.holder != ISSUE_HOLDER_DIRECTORY) {
		for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
			if (document_find(holder, members[i], &node))
				return document_fail(&node, error,
					"it goes with /issue/holder/from \"directory\"");
		}
		return true;
	}
	if (template->operator_kind == OPERATOR_OWNER)
		return document_find(holder, "from", &node) &&
		       document_fail(
			       &node, error, "a system owner's card is issued without a directory");
	return read_members(holder, template, error);
}

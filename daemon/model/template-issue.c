/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /issue of a template: who issues, where the holder comes from, and the card's identity. */
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "model/operator.h"
#include "model/template-private.h"

#define EXPIRY_MAXIMUM 7300 /* days */

/* Organizational category and association category (TIG SCEPACS 2.3, section 2.1), from 1 on. */
TEMPLATE_NAME_AT(category_at, "federal", "state", "commercial", "foreign")
TEMPLATE_NAME_AT(association_at, "employee", "civil", "executive", "uniformed", "contractor",
	"affiliate", "beneficiary")
TEMPLATE_NAME_AT(by_at, "operator", "user")
TEMPLATE_NAME_AT(from_at, "fields", "simple-id", "system-user", "directory")

const char *issue_by_name(enum issue_by by)
{
	return by_at((size_t)by);
}

const char *issue_holder_name(enum issue_holder holder)
{
	return from_at((size_t)holder);
}

static const char *name_of_digit(const char *(*name_at)(size_t index), char digit)
{
	const char *name = NULL;

	for (char c = '1'; c <= digit && (name = name_at((size_t)(c - '1'))); c++)
		;
	return name;
}

const char *chuid_category_name(char digit)
{
	return name_of_digit(category_at, digit);
}

const char *chuid_association_name(char digit)
{
	return name_of_digit(association_at, digit);
}

void template_issue_clear(struct template_issue *issue)
{
	free(issue->chuid.credential);
	free(issue->chuid.person);
	template_directory_clear(&issue->directory);
}

static bool is_digits(const char *text, size_t length)
{
	return strlen(text) == length && strspn(text, "0123456789") == length;
}

/* digits holds `length` of them and a zero byte. */
static bool read_digits(const struct document_node *object, const char *member, size_t length,
	char *digits, struct error *error)
{
	struct document_node node;
	const char *text;

	if (!document_find(object, member, &node))
		return true;
	text = json_string_value(node.value);
	if (!text || !is_digits(text, length))
		return document_fail(
			&node, error, "a string of %zu decimal digits is expected", length);
	memcpy(digits, text, length);
	return true;
}

static bool read_digit(
	const struct document_node *object, const char *member, char *digit, struct error *error)
{
	char digits[2] = {*digit, '\0'};

	if (!read_digits(object, member, 1, digits, error))
		return false;
	*digit = digits[0];
	return true;
}

static bool read_category(const struct document_node *object, const char *member,
	const char *(*name_at)(size_t index), char *digit, struct error *error)
{
	size_t choice = (size_t)(*digit - '1');

	if (!template_read_choice(object, member, name_at, &choice, error))
		return false;
	*digit = (char)('1' + choice);
	return true;
}

/* What comes from the holder is digits or not at issue only. */
static bool read_number_pattern(const struct document_node *object, const char *member,
	size_t maximum, char **pattern, struct error *error)
{
	struct document_node node;
	const char *text, *why;

	if (!document_find(object, member, &node))
		return true;
	if (!document_string(&node, 1, PATTERN_MAXIMUM, &text, error))
		return false;
	if (!pattern_check(text, &why))
		return document_fail(&node, error, "%s", why);
	if (!strchr(text, '{') && (strlen(text) > maximum || !is_digits(text, strlen(text))))
		return document_fail(&node, error,
			"at most %zu decimal digits, or {fields}, are expected", maximum);
	free(*pattern);
	*pattern = xstrdup(text);
	return true;
}

static bool read_chuid(
	const struct document_node *issue, struct template_chuid *chuid, struct error *error)
{
	static const char *const members[] = {"agency", "system", "credential", "series", "issue",
		"person", "category", "organisation", "association", "expiry-days"};
	struct document_node node;

	if (!document_find(issue, "chuid", &node))
		return true;
	return document_check_members(&node, members, ARRAY_SIZE(members), error) &&
	       read_digits(&node, "agency", 4, chuid->agency, error) &&
	       read_digits(&node, "system", 4, chuid->system, error) &&
	       read_number_pattern(&node, "credential", 6, &chuid->credential, error) &&
	       read_digit(&node, "series", &chuid->series, error) &&
	       read_digit(&node, "issue", &chuid->issue, error) &&
	       read_number_pattern(&node, "person", 10, &chuid->person, error) &&
	       read_category(&node, "category", category_at, &chuid->category, error) &&
	       read_digits(&node, "organisation", 4, chuid->organisation, error) &&
	       read_category(&node, "association", association_at, &chuid->association, error) &&
	       template_read_number(
		       &node, "expiry-days", 1, EXPIRY_MAXIMUM, &chuid->expiry_days, error);
}

static bool read_by(
	const struct document_node *object, struct template_issue *issue, struct error *error)
{
	size_t by = ISSUE_BY_OPERATOR;

	if (!template_read_choice(object, "by", by_at, &by, error))
		return false;
	issue->by = (enum issue_by)by;
	return true;
}

static bool read_holder(
	const struct document_node *issue, struct template *template, struct error *error)
{
	static const char *const members[] = {"from", "id-length", "directory", "further",
		"one-each", "if-disabled", "if-gone", "if-back"};
	struct document_node node, length;
	size_t from = ISSUE_HOLDER_FIELDS;

	if (!document_find(issue, "holder", &node))
		return true;
	if (!document_check_members(&node, members, ARRAY_SIZE(members), error) ||
		!template_read_choice(&node, "from", from_at, &from, error))
		return false;
	template->issue.holder = (enum issue_holder)from;
	bool has_length = document_find(&node, "id-length", &length);
	if (has_length && from != ISSUE_HOLDER_SIMPLE_ID)
		return document_fail(&length, error, "only a simple ID has a length");
	if (has_length && template->operator_kind != OPERATOR_NONE)
		return document_fail(&length, error, "it is /operator/id-length for operators");
	if (from == ISSUE_HOLDER_SIMPLE_ID && template->operator_kind == OPERATOR_NONE)
		template->id_length = OPERATOR_ID_DEFAULT;
	return template_read_number(&node, "id-length", OPERATOR_ID_MINIMUM, OPERATOR_ID_MAXIMUM,
		       &template->id_length, error) &&
	       template_read_directory(&node, template, error);
}

/*
 * How people prove who they are has to tell who the holder is: users of the system are the user
 * database's, people of a directory the directory's, and fields come with an operator's code alone.
 */
static bool check_user_holder(
	const struct document_node *issue, const struct template *template, struct error *error)
{
	self_ways ways = template->self_service.ways[SELF_SERVICE_ISSUE];
	enum issue_holder from = template->issue.holder;
	struct document_node node;

	if ((from == ISSUE_HOLDER_FIELDS || from == ISSUE_HOLDER_SIMPLE_ID) &&
		ways != self_way_bit(SELF_BY_CODE))
		return !document_find(issue, "by", &node) ||
		       document_fail(&node, error,
			       "users issue to nobody but themselves: /issue/holder/from must be "
			       "system-user or directory, or /issue/authentication [\"code\"]");
	if (!document_find(issue, "authentication", &node))
		return from != ISSUE_HOLDER_DIRECTORY || !document_find(issue, "by", &node) ||
		       document_fail(&node, error,
			       "/issue/authentication has to say how people of the directory prove "
			       "who they are");
	return from != ISSUE_HOLDER_SYSTEM_USER || !(ways & self_way_bit(SELF_BY_DIRECTORY)) ||
	       document_fail(&node, error,
		       "who proves to be somebody of a directory gets no card of a user of the "
		       "system");
}

/*
 * Who issues to themselves is who the system says they are, and who the system says is the holder
 * has issued it: one does not go without the other.
 */
static bool check_user(
	const struct document_node *issue, const struct template *template, struct error *error)
{
	struct document_node node;

	if (template->issue.by != ISSUE_BY_USER)
		return template->issue.holder != ISSUE_HOLDER_SYSTEM_USER ||
		       !document_find(issue, "holder", &node) ||
		       document_fail(&node, error,
			       "the user database gives the holder only of cards that users "
			       "issue: /issue/by must be user");
	if (!check_user_holder(issue, template, error))
		return false;
	if (template->operator_kind == OPERATOR_NONE)
		return true;
	return document_find(issue, "by", &node) &&
	       document_fail(&node, error, "users issue no operators' cards");
}

/* A system owner's card is active as soon as it is made, and an operator's starts locked. */
static bool check_auto_initiate(
	const struct document_node *issue, const struct template *template, struct error *error)
{
	struct document_node node;

	if (!document_find(issue, "auto-initiate", &node) ||
		template->operator_kind != OPERATOR_OWNER)
		return true;
	return document_fail(&node, error, "a system owner's card always gets its PIN when made");
}

bool template_read_issue(
	const struct document_node *root, struct template *template, struct error *error)
{
	static const char *const members[] = {
		"by", "authentication", "holder", "auto-initiate", "chuid"};
	struct template_issue *issue = &template->issue;
	struct document_node node;
	issue->chuid = (struct template_chuid){.agency = "9999",
		.system = "9999",
		.organisation = "0000",
		.credential = xstrdup("999999"),
		.person = xstrdup("0"),
		.series = '0',
		.issue = '1',
		.category = '3',
		.association = '1'};
	if (!document_find(root, "issue", &node))
		return true;
	return document_check_members(&node, members, ARRAY_SIZE(members), error) &&
	       read_by(&node, issue, error) &&
	       template_read_authentication(&node, template, error) &&
	       read_holder(&node, template, error) && check_user(&node, template, error) &&
	       template_read_bool(&node, "auto-initiate", &issue->auto_initiate, error) &&
	       check_auto_initiate(&node, template, error) &&
	       read_chuid(&node, &issue->chuid, error);
}

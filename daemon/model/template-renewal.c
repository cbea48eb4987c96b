/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /renewal and /reminders of a template: what is done before certificates end. */
#include "common/alloc.h"
#include "common/macros.h"
#include "model/template-private.h"

#define DAYS_MAX	365
#define TEXT_MAX	4096
#define LINES_MAX	64
#define LINE_MAX_BYTES	512
#define TO_DEFAULT	"{email}"
#define SUBJECT_DEFAULT "Your card {serial}: a certificate ends on {end}"
#define TEXT_DEFAULT                                                                               \
	"A certificate on your card {serial} ends on {end}.\n\n"                                   \
	"Have it renewed before that: keys without a good certificate are refused.\n"

void template_reminders_clear(struct template_reminders *reminders)
{
	free(reminders->to);
	free(reminders->subject);
	free(reminders->text);
}

static bool read_renewal(
	const struct document_node *root, struct template *template, struct error *error)
{
	static const char *const members[] = {"days", "automatic"};
	struct template_renewal *renewal = &template->renewal;
	struct document_node node, days, automatic;

	if (!document_find(root, "renewal", &node))
		return true;
	if (!document_check_members(&node, members, ARRAY_SIZE(members), error) ||
		!document_member(&node, "days", &days, error) ||
		!template_read_number(&node, "days", 1, DAYS_MAX, &renewal->days, error) ||
		!template_read_bool(&node, "automatic", &renewal->automatic, error))
		return false;
	return !renewal->automatic || template_is_hsm_key(template) ||
	       !document_find(&node, "automatic", &automatic) ||
	       document_fail(&automatic, error,
		       "a card has to be there and its PIN given: only keys in HSM slots are "
		       "renewed "
		       "by themselves");
}

static bool read_pattern(const struct document_node *object, const char *member, size_t maximum,
	const char *fallback, char **pattern, struct error *error)
{
	struct document_node node;
	const char *text = fallback, *why;

	if (document_find(object, member, &node)) {
		if (!document_string(&node, 1, maximum, &text, error))
			return false;
		if (!pattern_check(text, &why))
			return document_fail(&node, error, "%s", why);
	}
	*pattern = xstrdup(text);
	return true;
}

static bool read_days(const struct document_node *object, struct template_reminders *reminders,
	struct error *error)
{
	struct document_node days;
	size_t count;

	if (!document_member(object, "days", &days, error) ||
		!document_array(&days, 1, TEMPLATE_REMINDERS_MAX, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct document_node each = document_at(&days, i);
		int64_t number;
		if (!document_integer(&each, 0, DAYS_MAX, &number, error))
			return false;
		reminders->days[i] = (unsigned)number;
		if (i > 0 && reminders->days[i] >= reminders->days[i - 1])
			return document_fail(
				&each, error, "each number of days is less than the one before it");
	}
	reminders->count = count;
	return true;
}

/* One text, or its lines: a JSON string of ours has no line ends. */
static bool read_text(const struct document_node *object, struct template_reminders *reminders,
	struct error *error)
{
	struct document_node node;
	const char *line, *why;
	size_t count;

	if (!document_find(object, "text", &node) || !json_is_array(node.value))
		return read_pattern(
			object, "text", TEXT_MAX, TEXT_DEFAULT, &reminders->text, error);
	if (!document_array(&node, 1, LINES_MAX, &count, error))
		return false;
	reminders->text = xstrdup("");
	for (size_t i = 0; i < count; i++) {
		struct document_node each = document_at(&node, i);
		if (!document_string(&each, 0, LINE_MAX_BYTES, &line, error))
			return false;
		if (!pattern_check(line, &why))
			return document_fail(&each, error, "%s", why);
		char *longer = xasprintf("%s%s\n", reminders->text, line);
		free(reminders->text);
		reminders->text = longer;
	}
	return true;
}

bool template_read_renewal(
	const struct document_node *root, struct template *template, struct error *error)
{
	static const char *const members[] = {"days", "to", "subject", "text"};
	struct template_reminders *reminders = &template->reminders;
	struct document_node node;

	if (!read_renewal(root, template, error))
		return false;
	if (!document_find(root, "reminders", &node))
		return true;
	return document_check_members(&node, members, ARRAY_SIZE(members), error) &&
	       read_days(&node, reminders, error) &&
	       read_pattern(&node, "to", PATTERN_MAXIMUM, TO_DEFAULT, &reminders->to, error) &&
	       read_pattern(&node, "subject", PATTERN_MAXIMUM, SUBJECT_DEFAULT, &reminders->subject,
		       error) &&
	       read_text(&node, reminders, error);
}

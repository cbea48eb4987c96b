/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/people-news.h"

#include <stdio.h>
#include <string.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "core/journal.h"
#include "operation/mails.h"
#include "operation/template-rules.h"
#include "operation/verbs.h"

/* Of the journal's entries, to find them all (journalctl MESSAGE_ID=...). */
#define MESSAGE_ID    "3c1d52c5a0b64b3ea6f1f0b7f4c8e9d2"
#define PRIORITY      4 /* warning */
#define PAGE	      100
#define SUMMARY_LINES 200

void people_summary_clear(struct people_summary *summary)
{
	free(summary->lines);
	*summary = (struct people_summary){0};
}

static void add_line(struct people_summary *summary, const char *line)
{
	if (summary->count++ >= SUMMARY_LINES)
		return;
	char *longer = xasprintf("%s%s\n", summary->lines ? summary->lines : "", line);
	free(summary->lines);
	summary->lines = longer;
}

/* --- saying it --- */

static void write_journal(const char *line, const struct person_record *record, const char *card)
{
	const struct journal_field fields[] = {
		{"MESSAGE_ID", MESSAGE_ID},
		{"TESSERA_DIRECTORY", record->connection},
		{"TESSERA_PERSON", record->id},
		{"TESSERA_PERSON_STATE", record->news},
		{"TESSERA_CARD", card},
	};

	if (!journal_send_native(JOURNAL_SOCKET, PRIORITY, line, fields, ARRAY_SIZE(fields)))
		log_warning("%s", line);
}

static void write_audit(
	struct operation *operation, const char *what, const char *card, const char *detail)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!audit_write(operation->services->store, &audit_daemon, what, card,
		    job_id(operation->job), NULL, detail, &error))
		log_error("audit record not written: %s", error_message(&error));
}

static void say(struct operation *operation, const struct person_record *record,
	const struct credential *credential, const char *text, struct people_summary *summary)
{
	const struct services_listener *listener = &operation->services->listener;
	_cleanup_free_ char *line = xasprintf("%s: %s", credential->serial, text);
	_cleanup_free_ char *what = xasprintf("person-%s", record->news);

	write_audit(operation, what, credential->serial, text);
	write_journal(line, record, credential->serial);
	if (listener->person)
		listener->person(listener->context, credential->id, record->news);
	add_line(summary, line);
}

/* --- doing something about it --- */

static enum person_policy policy_of(
	struct services *services, const struct credential *credential, const char *news)
{
	_cleanup_template_ struct template *template = card_template(services, credential, NULL);
	const struct template_directory *directory = template ? &template->issue.directory : NULL;

	if (!directory || strcmp(news, PERSON_NEWS_CHANGED) == 0)
		return PERSON_REPORTED;
	return strcmp(news, PERSON_NEWS_DISABLED) == 0 ? directory->if_disabled
	       : strcmp(news, PERSON_NEWS_GONE) == 0   ? directory->if_gone
						       : directory->if_back;
}

static bool is_suspendable(const struct credential *credential)
{
	return credential->state == LIFECYCLE_ISSUED || credential->state == LIFECYCLE_ACTIVE;
}

static bool is_suspended_by_us(const struct credential *credential)
{
	return credential->state == LIFECYCLE_INACTIVE && person_reason_is_ours(credential->reason);
}

/* The verb may have done it although an authority could not be told: that is a task then. */
static bool has_state(
	struct services *services, const struct credential *credential, bool is_suspended)
{
	_cleanup_credential_ struct credential *present =
		store_credential_by_id(services->store, credential->id, NULL);

	return present && (present->state == LIFECYCLE_INACTIVE) == is_suspended;
}

/* What became of the card, in words; *later: another operation has it. */
static char *change_card(struct operation *operation, const struct credential *credential,
	const char *news, struct people_summary *summary, bool *later)
{
	bool is_back = strcmp(news, PERSON_NEWS_BACK) == 0;
	const char *reason =
		strcmp(news, PERSON_NEWS_GONE) == 0 ? PERSON_REASON_GONE : PERSON_REASON_DISABLED;
	struct operation own = {
		.services = operation->services, .job = operation->job, .actor = &audit_daemon};
	_cleanup_error_ struct error error = ERROR_INIT;

	bool done = is_back ? operation_resume(&own, credential->id, &error)
			    : operation_suspend(&own, credential->id, reason, &error);
	if (!done && !has_state(operation->services, credential, !is_back)) {
		*later = error.code == ERROR_BUSY;
		return xasprintf("the card cannot be %s: %s", is_back ? "resumed" : "suspended",
			error_message(&error));
	}
	summary->suspended += !is_back;
	summary->resumed += is_back;
	return xasprintf("the card is %s", is_back ? "resumed" : "suspended");
}

/* By the card's template; "" where nothing is to be done. */
static char *act(struct operation *operation, const struct credential *credential, const char *news,
	struct people_summary *summary, bool *later)
{
	bool is_back = strcmp(news, PERSON_NEWS_BACK) == 0;
	bool takes_effect =
		policy_of(operation->services, credential, news) == PERSON_TAKES_EFFECT &&
		(is_back ? is_suspended_by_us(credential) : is_suspendable(credential));

	*later = false;
	if (takes_effect)
		return change_card(operation, credential, news, summary, later);
	/* By us: an interruption has come between the suspension and its telling. */
	return xstrdup(is_suspended_by_us(credential)		 ? "the card is suspended"
		       : credential->state == LIFECYCLE_INACTIVE ? "the card was suspended before"
								 : "the card is left as it is");
}

/* "email, name" */
static char *names_of(const struct fields *changes)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < changes->count; i++) {
		char *longer = xasprintf("%s%s%s", text, i ? ", " : "", changes->items[i].name);
		free(text);
		text = longer;
	}
	return text;
}

static char *describe(
	const struct person_record *record, const struct fields *changes, const char *outcome)
{
	const char *reason = record->reason && record->reason[0] ? record->reason : NULL;
	_cleanup_free_ char *names = names_of(changes);

	if (strcmp(record->news, PERSON_NEWS_CHANGED) == 0)
		return xasprintf("%s has other fields in the directory \"%s\": %s", record->name,
			record->connection, names);
	return xasprintf("%s is %s in the directory \"%s\"%s%s; %s", record->name, record->news,
		record->connection, reason ? ": " : "", reason ? reason : "", outcome);
}

/* *later: the news are kept. */
static bool tell_card(struct operation *operation, const struct person_record *record, int64_t id,
	struct people_summary *summary, bool *later, struct error *error)
{
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(operation->services->store, id, error);
	struct fields changes _cleanup_fields_ = FIELDS_INIT;

	if (!credential)
		return false;
	person_changes(record, &credential->person, &credential->holder, &changes);
	/* Its fields have been brought up to date meanwhile, or it never had those that changed. */
	if (strcmp(record->news, PERSON_NEWS_CHANGED) == 0 && changes.count == 0)
		return true;
	bool is_late = false;
	_cleanup_free_ char *outcome = act(operation, credential, record->news, summary, &is_late);
	_cleanup_free_ char *text = describe(record, &changes, outcome);
	if (is_late)
		log_warning("%s card=%s", text, credential->serial);
	else
		say(operation, record, credential, text, summary);
	*later |= is_late;
	return true;
}

static bool tell_person(struct operation *operation, const struct person_record *record,
	struct people_summary *summary, struct error *error)
{
	struct store *store = operation->services->store;
	_cleanup_free_ int64_t *ids = NULL;
	bool later = false;
	size_t count;

	if (!store_person_cards(store, record->connection, record->id, &ids, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!job_continue(operation->job, error) ||
			!tell_card(operation, record, ids[i], summary, &later, error))
			return false;
	}
	return later || store_person_settle(store, record, error);
}

bool people_tell_news(struct operation *operation, const char *connection,
	struct people_summary *summary, struct error *error)
{
	_cleanup_free_ char *after = xstrdup("");
	struct person_record *page = NULL;
	size_t count = 0;
	bool done;

	do {
		done = store_person_list_news(
			operation->services->store, connection, after, PAGE, &page, &count, error);
		for (size_t i = 0; done && i < count; i++)
			done = tell_person(operation, &page[i], summary, error);
		if (count > 0) {
			free(after);
			after = xstrdup(page[count - 1].id);
		}
		person_records_free(page, count);
	} while (done && count == PAGE);
	return done;
}

void people_tell_alarm(struct operation *operation, const char *connection, size_t lost,
	size_t count, struct people_summary *summary)
{
	const struct services_listener *listener = &operation->services->listener;
	const struct person_record none = {.connection = (char *)connection, .news = "missing"};
	_cleanup_free_ char *text = xasprintf("%zu of %zu people of the directory \"%s\" are "
					      "disabled or gone at once: nothing is "
					      "done about them until an operator confirms",
		lost, count, connection);

	write_audit(operation, "people-missing", NULL, text);
	write_journal(text, &none, NULL);
	if (listener->people_missing)
		listener->people_missing(
			listener->context, connection, (unsigned)lost, (unsigned)count);
	add_line(summary, text);
}

bool people_mail_summary(
	struct services *services, const struct people_summary *summary, struct error *error)
{
	bool is_kept = false;

	if (!summary->lines)
		return true;
	_cleanup_free_ char *text = xasprintf(
		"%s%s\n\"tessera report people\" shows how it is with all cards.\n", summary->lines,
		summary->count > SUMMARY_LINES ? "And there are more.\n" : "");
	return mails_to_operators(services, "people", "Tessera: people of directories have changed",
		text, &is_kept, error);
}

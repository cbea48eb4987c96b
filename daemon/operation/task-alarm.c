/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/task-alarm.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "core/journal.h"
#include "operation/mails.h"

/* Of the journal's entries, to find them all (journalctl MESSAGE_ID=...). */
#define MESSAGE_ID   "5b0f7b0c2f5e4f0fa6ba1c6d8f5d9a41"
#define TASKS_MAX    100 /* at a time; the next ones follow */
#define LINES_MAX    50	 /* of a mail */
#define MAIL_SECONDS (60 * 60)
#define MAIL_TIME    "alarm-mail/at"
#define PRIORITY     4 /* warning */

static const int64_t steps[] = {1, 3, 7}; /* times services->task_overdue */

int64_t task_alarm_first(const struct services *services)
{
	return time(NULL) + services->task_overdue;
}

static int64_t next_alarm(const struct services *services, const struct task *task)
{
	int64_t now = time(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int64_t at = task->created_at + steps[i] * services->task_overdue;
		if (at > now)
			return at;
	}
	return now + steps[ARRAY_SIZE(steps) - 1] * services->task_overdue;
}

/* --- what is said --- */

/* A task in words: what, of which certificate, and what is wrong. */
struct words {
	char *card, *text;
	struct certificate certificate;
};

static void words_clear(struct words *words)
{
	free(words->card);
	free(words->text);
	certificate_clear(&words->certificate);
}

static void find_words(struct services *services, const struct task *task, struct words *words)
{
	char since[32];
	struct tm tm;
	time_t at = (time_t)task->created_at;

	store_certificate_get(services->store, task->certificate_id, &words->certificate, NULL);
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(services->store, words->certificate.credential_id, NULL);
	words->card = xstrdup(credential ? credential->serial : "");
	strftime(since, sizeof(since), "%Y-%m-%d %H:%M UTC", gmtime_r(&at, &tm));
	words->text = xasprintf("task %" PRId64 " (%s) since %s, %s key of %s, authority %s: %s",
		task->id, task->kind, since, key_slot_name(words->certificate.slot), words->card,
		words->certificate.authority ? words->certificate.authority : "",
		task->problem ? task->problem : "not tried yet");
}

static void write_journal(const struct task *task, const struct words *words)
{
	char number[32];
	_cleanup_free_ char *message = xasprintf("overdue: %s", words->text);
	snprintf(number, sizeof(number), "%" PRId64, task->id);
	const struct journal_field fields[] = {
		{"MESSAGE_ID", MESSAGE_ID},
		{"TESSERA_TASK", number},
		{"TESSERA_TASK_KIND", task->kind},
		{"TESSERA_CARD", words->card},
		{"TESSERA_AUTHORITY", words->certificate.authority},
		{"TESSERA_DETAIL", task->problem},
	};

	if (!journal_send_native(JOURNAL_SOCKET, PRIORITY, message, fields, ARRAY_SIZE(fields)))
		log_warning("%s", message);
}

static void write_audit(struct services *services, const struct words *words)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!audit_write(services->store, &audit_daemon, "alarm-task", words->card, 0, NULL,
		    words->text, &error))
		log_error("audit record not written: %s", error_message(&error));
}

/* Said before it is saved that it was: after a crash in between it is said twice, not never. */
static bool say(struct services *services, const struct task *task, struct error *error)
{
	struct words words _cleanup_(words_clear) = {0};

	find_words(services, task, &words);
	if (services->listener.overdue)
		services->listener.overdue(services->listener.context, task);
	write_journal(task, &words);
	write_audit(services, &words);
	return store_task_alarmed(services->store, task->id, next_alarm(services, task), error);
}

/* --- mail --- */

static bool mail_is_due(struct services *services)
{
	_cleanup_buffer_ struct buffer value = BUFFER_INIT;
	int64_t at = 0;

	if (!store_value_get(services->store, MAIL_TIME, &value, NULL) || value.length == 0)
		return true;
	buffer_append_u8(&value, 0);
	at = strtoll((const char *)value.data, NULL, 10);
	int64_t now = time(NULL);
	return at > now || at + MAIL_SECONDS <= now;
}

static bool note_mail(struct store *store, struct error *error)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%" PRId64, (int64_t)time(NULL));

	return store_value_set(store, MAIL_TIME, (const uint8_t *)text, (size_t)length, error);
}

static char *mail_text(struct services *services, const struct task *tasks, size_t count)
{
	char *text =
		xstrdup("Authorities are still to be asked or told of these certificates:\n\n");

	for (size_t i = 0; i < count && i < LINES_MAX; i++) {
		struct words words _cleanup_(words_clear) = {0};
		find_words(services, &tasks[i], &words);
		char *longer = xasprintf("%s%s\n\n", text, words.text);
		free(text);
		text = longer;
	}
	char *whole =
		xasprintf("%s%s\"tessera task list\" shows all of them, \"tessera task run ID\" "
			  "tries one now.\n",
			text, count > LINES_MAX ? "And there are more of them.\n\n" : "");
	free(text);
	return whole;
}

/* One mail for all that no mail has told yet. */
static bool mail_all(
	struct services *services, struct task *tasks, size_t count, struct error *error)
{
	_cleanup_free_ char *text = mail_text(services, tasks, count);
	_cleanup_free_ char *subject =
		xasprintf("Tessera: %zu overdue task%s", count, count == 1 ? "" : "s");
	bool is_kept = false;

	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	if (!mails_to_operators(services, "alarm", subject, text, &is_kept, error))
		return false;
	for (size_t i = 0; is_kept && i < count; i++) {
		if (!store_task_mailed(transaction, tasks[i].id, tasks[i].alarms, error))
			return false;
	}
	return (!is_kept || note_mail(transaction, error)) && store_commit(transaction, error);
}

static bool mail_alarms(struct services *services, struct error *error)
{
	struct task *tasks = NULL;
	size_t count = 0;

	if (!mail_is_due(services))
		return true;
	if (!store_task_list_unmailed(services->store, TASKS_MAX, &tasks, &count, error))
		return false;
	bool done = count == 0 || mail_all(services, tasks, count, error);
	tasks_free(tasks, count);
	return done;
}

/* --- the job --- */

static bool run(struct job *job, void *context, struct error *error)
{
	struct services *services = context;
	struct task *tasks = NULL;
	size_t count = 0;

	if (!store_task_list_alarms(services->store, time(NULL), TASKS_MAX, &tasks, &count, error))
		return false;
	bool done = true;
	for (size_t i = 0; done && i < count; i++)
		done = job_continue(job, error) && say(services, &tasks[i], error);
	tasks_free(tasks, count);
	return done && mail_alarms(services, error);
}

static bool has_any(struct services *services, bool *any, struct error *error)
{
	struct task *tasks = NULL;
	size_t count = 0, unmailed = 0;

	if (!store_task_list_alarms(services->store, time(NULL), 1, &tasks, &count, error))
		return false;
	tasks_free(tasks, count);
	if (count == 0 && mails_have_operators(services) && mail_is_due(services)) {
		if (!store_task_list_unmailed(services->store, 1, &tasks, &unmailed, error))
			return false;
		tasks_free(tasks, unmailed);
	}
	*any = count + unmailed > 0;
	return true;
}

bool task_alarms_start(struct services *services, struct error *error)
{
	bool any = false;

	if (!has_any(services, &any, error))
		return false;
	return !any ||
	       jobs_start(services->jobs, 0, "alarms", NULL, run, services, NULL, error) != 0;
}

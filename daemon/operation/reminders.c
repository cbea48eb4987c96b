/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/reminders.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/log.h"
#include "core/mail.h"
#include "operation/mails.h"
#include "operation/template-rules.h"

#define PAGE	      500
#define DAY	      INT64_C(86400)
#define DAYS_MAX      366
#define SUMMARY_LINES 200

/* What is looked at. */
struct round {
	struct services *services;
	int64_t now;
	bool can_mail;
	char *summary; /* a line for each reminder of this round, or NULL */
	size_t lines;
};

static char *day_text(int64_t time)
{
	time_t at = (time_t)time;
	struct tm tm;
	char text[32];

	strftime(text, sizeof(text), "%Y-%m-%d", gmtime_r(&at, &tm));
	return xstrdup(text);
}

/* --- mail to the holder --- */

/* The least number of days that is not less than what is left; false before the first. */
static bool find_threshold(const struct round *round, const struct template_reminders *reminders,
	int64_t end, unsigned *days)
{
	bool found = false;

	for (size_t i = 0; i < reminders->count; i++) {
		if (end - (int64_t)reminders->days[i] * DAY > round->now)
			continue;
		*days = reminders->days[i];
		found = true;
	}
	return found;
}

static void set_values(const struct round *round, const struct credential *credential,
	const struct certificate *certificate, struct fields *fields)
{
	_cleanup_free_ char *end = day_text(certificate->not_after);
	_cleanup_free_ char *days =
		xasprintf("%" PRId64, (certificate->not_after - round->now) / DAY);

	fields_copy(fields, &credential->holder);
	fields_set(fields, "serial", credential->serial);
	fields_set(fields, "end", end);
	fields_set(fields, "days", days);
}

static void add_line(struct round *round, const struct credential *credential,
	const struct certificate *certificate, const char *what)
{
	_cleanup_free_ char *end = day_text(certificate->not_after);

	if (round->lines++ >= SUMMARY_LINES)
		return;
	char *longer = xasprintf("%s%s: the certificate of the %s key ends on %s; %s\n",
		round->summary ? round->summary : "", credential->serial,
		key_slot_name(certificate->slot), end, what);
	free(round->summary);
	round->summary = longer;
}

static bool keep_mail(struct round *round, const struct credential *credential,
	const struct template_reminders *reminders, const struct certificate *certificate,
	struct error *error)
{
	_cleanup_fields_ struct fields fields = FIELDS_INIT;
	set_values(round, credential, certificate, &fields);
	_cleanup_free_ char *to = pattern_expand(reminders->to, &fields, error);
	_cleanup_free_ char *subject =
		to ? pattern_expand(reminders->subject, &fields, error) : NULL;
	_cleanup_free_ char *text =
		subject ? pattern_expand(reminders->text, &fields, error) : NULL;

	if (!text)
		return false;
	if (!mail_address_is_valid(to))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"the holder's mail address is none that mail can be sent to");
	return mails_to_holder(
		round->services, "reminder", credential->serial, to, subject, text, error);
}

/* Once for a day on which certificates of a card end, and a number of days. */
static bool remind(struct round *round, const struct credential *credential,
	const struct template_reminders *reminders, const struct certificate *certificate,
	struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;
	bool is_new = false;
	unsigned days = 0;

	if (!round->can_mail || !find_threshold(round, reminders, certificate->not_after, &days))
		return true;
	_cleanup_free_ char *name = xasprintf("reminder/%" PRId64 "/%" PRId64 "/%u", credential->id,
		certificate->not_after / DAY, days);
	if (!store_begin(round->services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = round->services->store;
	if (!store_notice_take(transaction, name, &is_new, error))
		return false;
	if (!is_new)
		return true;
	bool kept = keep_mail(round, credential, reminders, certificate, &failure);
	if (!kept && failure.code != ERROR_INVALID_ARGUMENT)
		return error_move(error, &failure);
	/* Nothing becomes better by trying again: the operators know. */
	if (!kept)
		log_warning("no reminder: %s card=%s", error_message(&failure), credential->serial);
	add_line(round, credential, certificate,
		kept ? "the holder is written to" : error_message(&failure));
	return store_commit(transaction, error);
}

/* --- tasks --- */

static bool has_newer(struct services *services, const struct certificate *certificate)
{
	_cleanup_certificates_ struct certificates all = CERTIFICATES_INIT;

	if (!store_certificate_list(services->store, certificate->credential_id, &all, NULL))
		return true;
	for (size_t i = 0; i < all.count; i++) {
		const struct certificate *each = &all.items[i];
		if (each->slot == certificate->slot && each->id > certificate->id &&
			(each->status == CERTIFICATE_VALID || each->status == CERTIFICATE_PENDING))
			return true;
	}
	return false;
}

/* One that has a task, of whatever kind, keeps it. */
static bool put_task(struct round *round, const struct credential *credential,
	const struct template *template, const struct certificate *certificate, struct error *error)
{
	struct store *store = round->services->store;
	_cleanup_task_ struct task task = TASK_INIT;
	bool by_itself = credential_is_key(credential) && template->renewal.automatic;

	if (template->renewal.days == 0 || certificate->status != CERTIFICATE_VALID ||
		certificate->not_after - (int64_t) template->renewal.days * DAY > round->now)
		return true;
	if (!store_begin(store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = store;
	if (store_task_get(transaction, certificate->id, &task, NULL) ||
		has_newer(round->services, certificate))
		return true;
	int64_t half = (certificate->not_after - round->now) / 2;
	return store_task_put(transaction, certificate->id, TASK_RENEW,
		       by_itself ? round->now : TASK_NEVER, round->now + half, error) &&
	       store_task_note(transaction, certificate->id,
		       by_itself ? "it is renewed by itself"
		       : credential_is_key(credential)
			       ? "to be renewed: tessera slot renew"
			       : "to be renewed with the card in a reader: tessera card renew",
		       error) &&
	       store_commit(transaction, error);
}

/* --- the round --- */

static bool look_at(struct round *round, const struct certificate *certificate, struct error *error)
{
	struct services *services = round->services;
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(services->store, certificate->credential_id, error);
	_cleanup_template_ struct template *template =
		credential ? card_template(services, credential, NULL) : NULL;

	if (!credential || !template)
		return credential != NULL;
	return remind(round, credential, &template->reminders, certificate, error) &&
	       put_task(round, credential, template, certificate, error);
}

static bool look_at_all(struct round *round, struct job *job, struct error *error)
{
	int64_t end = round->now, id = 0;
	size_t count;

	do {
		_cleanup_certificates_ struct certificates page = CERTIFICATES_INIT;
		if (!job_continue(job, error) ||
			!store_certificate_list_ending(round->services->store,
				round->now + DAYS_MAX * DAY, end, id, PAGE, &page, error))
			return false;
		count = page.count;
		for (size_t i = 0; i < count; i++) {
			if (!look_at(round, &page.items[i], error))
				return false;
			end = page.items[i].not_after;
			id = page.items[i].id;
		}
	} while (count == PAGE);
	return true;
}

static bool send_summary(struct round *round, struct error *error)
{
	bool is_kept = false;

	if (!round->summary)
		return true;
	_cleanup_free_ char *subject = xasprintf("Tessera: %zu certificate%s end%s soon",
		round->lines, round->lines == 1 ? "" : "s", round->lines == 1 ? "s" : "");
	_cleanup_free_ char *text =
		xasprintf("%s%s\n\"tessera report expiring\" shows all of them.\n", round->summary,
			round->lines > SUMMARY_LINES ? "And there are more.\n" : "");
	return mails_to_operators(round->services, "summary", subject, text, &is_kept, error);
}

static bool run(struct job *job, void *context, struct error *error)
{
	struct round round = {.services = context, .now = time(NULL)};

	job_progress(job, 0, "looking for certificates that end");
	round.can_mail = mails_can_be_sent(round.services);
	bool done = store_task_forget_renewals(round.services->store, round.now, error) &&
		    look_at_all(&round, job, error);
	/* What was said so far is said to the operators, too. */
	done = send_summary(&round, done ? error : NULL) && done;
	free(round.summary);
	return done;
}

bool reminders_start(struct services *services, struct error *error)
{
	return jobs_start(services->jobs, 0, "reminders", NULL, run, services, NULL, error) != 0;
}

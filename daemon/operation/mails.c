/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/mails.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "connection/smtp.h"
#include "operation/contact.h"

#define MAILS_MAX	100 /* at a time */
#define PAUSE_FIRST	60
#define PAUSE_MAX	(60 * 60)
#define GIVE_UP_SECONDS (5 * 24 * 60 * 60) /* RFC 5321, 4.5.4.1 */
#define CLAIM		"mail"

/* --- the connection --- */

/* NULL where there is none, with no error then. */
static struct smtp *open_connection(struct services *services, struct error *error)
{
	struct smtp *smtp = NULL;
	char **names = NULL;
	size_t count = 0;

	if (!store_connection_list(services->store, &names, &count, error))
		return NULL;
	for (size_t i = 0; i < count && !smtp; i++) {
		_cleanup_connection_ struct connection connection = CONNECTION_INIT;
		if (store_connection_get(services->store, names[i], &connection, NULL) &&
			strcmp(connection.kind, SMTP_KIND) == 0)
			smtp = smtp_open(&services->connections, names[i], error);
	}
	store_names_free(names, count);
	return smtp;
}

bool mails_can_be_sent(struct services *services)
{
	_cleanup_smtp_ struct smtp *smtp = open_connection(services, NULL);

	return smtp != NULL;
}

bool mails_have_operators(struct services *services)
{
	_cleanup_smtp_ struct smtp *smtp = open_connection(services, NULL);

	return smtp && smtp->settings.to_count > 0;
}

/* --- keeping --- */

bool mails_to_holder(struct services *services, const char *about, const char *card,
	const char *address, const char *subject, const char *text, struct error *error)
{
	const struct mail mail = {.recipient = (char *)address,
		.subject = (char *)subject,
		.body = (char *)text,
		.card = (char *)card,
		.about = (char *)about};

	return store_mail_put(services->store, &mail, error);
}

bool mails_to_operators(struct services *services, const char *about, const char *subject,
	const char *text, bool *is_kept, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;
	_cleanup_smtp_ struct smtp *smtp = open_connection(services, &failure);

	*is_kept = false;
	if (!smtp)
		return failure.code == ERROR_NONE || error_move(error, &failure);
	const struct smtp_settings *settings = &smtp->settings;
	for (size_t i = 0; i < settings->to_count; i++) {
		if (!mails_to_holder(services, about, NULL, settings->to[i], subject, text, error))
			return false;
		*is_kept = true;
	}
	return true;
}

/* --- sending --- */

static void write_record(
	struct services *services, const struct mail *mail, const struct error *failure)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!audit_write(services->store, &audit_daemon, "send-mail",
		    mail->card[0] ? mail->card : NULL, 0, failure, mail->about, &error))
		log_error("audit record not written: %s", error_message(&error));
}

static int64_t pause_after(int64_t attempts)
{
	int64_t pause = PAUSE_FIRST;

	while (attempts-- > 0 && pause < PAUSE_MAX)
		pause *= 2;
	return pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

/* Refused for good, or too old: it is given up, and the trail says why. */
static bool settle_failure(struct services *services, const struct mail *mail,
	const struct error *failure, struct error *error)
{
	int64_t now = time(NULL);

	if (failure->code != ERROR_INVALID_ARGUMENT && mail->created_at + GIVE_UP_SECONDS > now)
		return store_mail_postpone(
			services->store, mail->id, now + pause_after(mail->attempts), error);
	write_record(services, mail, failure);
	return store_mail_remove(services->store, mail->id, error);
}

/* False when the next ones need not be tried. */
static bool send_one(struct services *services, struct smtp *smtp, const struct mail_server *server,
	const struct mail *mail, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;
	char id[64];

	/* The same after a restart: whoever gets it twice can tell. */
	snprintf(id, sizeof(id), "tessera-%" PRId64 "-%" PRId64, mail->created_at, mail->id);
	const struct mail_message message = {.from = smtp->settings.from,
		.to = mail->recipient,
		.subject = mail->subject,
		.text = mail->body,
		.id = id,
		.date = mail->created_at};
	if (mail_send(server, &message, &failure)) {
		write_record(services, mail, NULL);
		return store_mail_remove(services->store, mail->id, error);
	}
	log_warning("a mail is not sent: %s mail=%" PRId64, error_message(&failure), mail->id);
	if (!settle_failure(services, mail, &failure, error))
		return false;
	return failure.code == ERROR_INVALID_ARGUMENT || error_move(error, &failure);
}

static bool send_due(struct job *job, struct services *services, struct error *error)
{
	_cleanup_smtp_ struct smtp *smtp = open_connection(services, error);
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	struct mail_server server;
	struct mail *mails = NULL;
	size_t count = 0;

	if (!smtp || !smtp_server(smtp, &server, &secret, error) ||
		!store_mail_list(services->store, time(NULL), MAILS_MAX, &mails, &count, error))
		return false;
	bool done = true;
	for (size_t i = 0; done && i < count; i++) {
		job_progress(job, (unsigned)(100 * i / count), "sending mail");
		done = job_continue(job, error) &&
		       send_one(services, smtp, &server, &mails[i], error);
	}
	mails_free(mails, count);
	return done;
}

static bool run(struct job *job, void *context, struct error *error)
{
	struct services *services = context;

	if (!contacts_claim(services->contacts, CLAIM, error))
		return false;
	bool done = send_due(job, services, error);
	contacts_release(services->contacts, CLAIM);
	return done;
}

bool mails_start(struct services *services, struct error *error)
{
	struct mail *mails = NULL;
	size_t count = 0;

	/* The password is sealed by the token. */
	if (!services->token)
		return true;
	if (!store_mail_list(services->store, time(NULL), 1, &mails, &count, error))
		return false;
	mails_free(mails, count);
	return count == 0 || !mails_can_be_sent(services) ||
	       jobs_start(services->jobs, 0, "mail", NULL, run, services, NULL, error) != 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/alloc.h"
#include "store/store-private.h"

/* A certificate does not live so long that it would be reminded of twice. */
#define NOTICE_SECONDS INT64_C(126230400) /* four years */

bool store_mail_put(struct store *store, const struct mail *mail, struct error *error)
{
	int64_t id;

	if (!database_begin(store->database, error))
		return false;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO mail (id, recipient, subject, body, card, about, created_at, attempts,"
		" next_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $7)",
		error);
	bool done = statement && store_counter_next(store, "mail", &id, error);
	if (done) {
		bind_int64(statement, id);
		bind_text(statement, mail->recipient);
		bind_text(statement, mail->subject);
		bind_text(statement, mail->body);
		bind_text(statement, mail->card ? mail->card : "");
		bind_text(statement, mail->about);
		bind_int64(statement, store_now());
		done = statement_run(statement, error);
	}
	return database_end(store->database, done, error);
}

static void mail_clear(struct mail *mail)
{
	free(mail->recipient);
	free(mail->subject);
	free(mail->body);
	free(mail->card);
	free(mail->about);
}

void mails_free(struct mail *mails, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mail_clear(&mails[i]);
	free(mails);
}

static void read_mail(struct statement *statement, struct mail *mail)
{
	mail->id = column_int64(statement);
	mail->recipient = column_text(statement);
	mail->subject = column_text(statement);
	mail->body = column_text(statement);
	mail->card = column_text(statement);
	mail->about = column_text(statement);
	mail->created_at = column_int64(statement);
	mail->attempts = column_int64(statement);
	mail->next_at = column_int64(statement);
}

bool store_mail_list(struct store *store, int64_t due, unsigned limit, struct mail **mails,
	size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT id, recipient, subject, body, card, about, created_at, attempts, next_at"
		" FROM mail WHERE next_at <= $1 ORDER BY next_at, id LIMIT $2",
		error);

	*mails = NULL;
	*count = 0;
	if (!statement)
		return false;
	bind_int64(statement, due);
	bind_int64(statement, limit);
	while (statement_row(statement, &local)) {
		*mails = xreallocarray(*mails, *count + 1, sizeof(**mails));
		read_mail(statement, &(*mails)[(*count)++]);
	}
	if (local.code == ERROR_NONE)
		return true;
	mails_free(*mails, *count);
	*mails = NULL;
	*count = 0;
	return error_move(error, &local);
}

bool store_mail_postpone(struct store *store, int64_t id, int64_t next_at, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"UPDATE mail SET attempts = attempts + 1, next_at = $1 WHERE id = $2", error);

	if (!statement)
		return false;
	bind_int64(statement, next_at);
	bind_int64(statement, id);
	return statement_run(statement, error);
}

bool store_mail_remove(struct store *store, int64_t id, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, "DELETE FROM mail WHERE id = $1", error);

	if (!statement)
		return false;
	bind_int64(statement, id);
	return statement_run(statement, error);
}

static bool forget_notices(struct store *store, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, "DELETE FROM notice WHERE made_at < $1", error);

	if (!statement)
		return false;
	bind_int64(statement, store_now() - NOTICE_SECONDS);
	return statement_run(statement, error);
}

bool store_notice_take(struct store *store, const char *name, bool *is_new, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;

	if (!database_begin(store->database, error))
		return false;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO notice (name, made_at) VALUES ($1, $2)"
		" ON CONFLICT (name) DO NOTHING RETURNING made_at",
		error);
	bool done = statement && forget_notices(store, error);
	if (done) {
		bind_text(statement, name);
		bind_int64(statement, store_now());
		*is_new = statement_row(statement, &local);
		if (*is_new)
			statement_row(
				statement, &local); /* to its end: it would hold up the commit */
		done = local.code == ERROR_NONE || error_move(error, &local);
	}
	return database_end(store->database, done, error);
}

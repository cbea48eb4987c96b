/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/people-watch.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/contact.h"
#include "operation/people-news.h"
#include "operation/people.h"

#define PAGE	     100
#define PAUSE_MS     5 /* between two people: others ask the directory, too */
#define FAILURES_MAX 3 /* people in a row who cannot be asked for */
#define CLAIM	     "people of directories"
#define CHECKED_AT   "people/checked-at"

/* Who is not there, or not enabled, any more. */
struct lost {
	struct person_link link;
	bool is_gone;
	struct directory_person person; /* unless gone */
};

/* One connection's people. */
struct look {
	struct operation *operation;
	const char *connection;
	bool is_confirmed;
	struct directory *directory;
	size_t total, looked, failed, in_a_row;
	struct error failure; /* the last one */
	struct lost *lost;    /* at most lost_max of them */
	size_t lost_kept, lost_max, lost_count;
	size_t back, changed;
};

static void look_clear(struct look *look)
{
	directory_close(look->directory);
	error_clear(&look->failure);
	for (size_t i = 0; i < look->lost_kept; i++) {
		person_link_clear(&look->lost[i].link);
		directory_person_clear(&look->lost[i].person);
	}
	free(look->lost);
}

/* --- asking --- */

static bool ask(
	struct look *look, const char *id, struct directory_person *person, struct error *error)
{
	if (!look->directory)
		look->directory = people_open(look->operation->services, look->connection, error);
	return look->directory && look->directory->driver->get(look->directory, id, person, error);
}

/* Once more on a fresh connection before it is a failure: servers close those that were idle. */
static bool ask_twice(struct look *look, const char *id, struct directory_person *person,
	bool *is_gone, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;

	*is_gone = false;
	for (unsigned attempt = 0; attempt < 2; attempt++) {
		error_clear(&failure);
		directory_person_clear(person);
		if (ask(look, id, person, &failure))
			return true;
		if (failure.code == ERROR_NOT_FOUND && look->directory) {
			*is_gone = true;
			return true;
		}
		directory_close(look->directory);
		look->directory = NULL;
	}
	return error_move(error, &failure);
}

/* --- what is found --- */

static enum person_state state_of(const struct directory_person *person, bool is_gone)
{
	return is_gone ? PERSON_GONE : person->is_disabled ? PERSON_DISABLED : PERSON_PRESENT;
}

/* Takes over the person. Beyond the most that is believed they are only counted. */
static void keep_lost(struct look *look, const struct person_record *record,
	struct directory_person *person, bool is_gone)
{
	look->lost_count++;
	if (!look->is_confirmed && look->lost_kept >= look->lost_max)
		return;
	look->lost = xreallocarray(look->lost, look->lost_kept + 1, sizeof(*look->lost));
	struct lost *lost = &look->lost[look->lost_kept++];
	*lost = (struct lost){.is_gone = is_gone, .person = *person};
	lost->link.connection = xstrdup(record->connection);
	lost->link.id = xstrdup(record->id);
	*person = (struct directory_person){0};
}

static bool note(struct look *look, const struct person_link *link,
	const struct directory_person *person, struct error *error)
{
	_cleanup_person_record_ struct person_record record = PERSON_RECORD_INIT;

	if (!people_note(look->operation->services, link, person, &record, error))
		return false;
	look->back += record.news == person_news_find(PERSON_NEWS_BACK);
	look->changed += record.news == person_news_find(PERSON_NEWS_CHANGED);
	return true;
}

/* Who could not be asked for is as before. */
static bool look_at(struct look *look, const struct person_record *record, struct error *error)
{
	_cleanup_person_ struct directory_person person = {0};
	const struct person_link link = {.connection = record->connection, .id = record->id};
	bool is_gone;

	look->looked++;
	if (!ask_twice(look, record->id, &person, &is_gone, &look->failure)) {
		look->failed++;
		log_warning("a person is not looked at: %s directory=%s person=%s",
			error_message(&look->failure), record->connection, record->id);
		return ++look->in_a_row < FAILURES_MAX || error_move(error, &look->failure);
	}
	look->in_a_row = 0;
	enum person_state found = state_of(&person, is_gone);
	if (found == PERSON_PRESENT || found == record->state)
		return note(look, &link, is_gone ? NULL : &person, error);
	keep_lost(look, record, &person, is_gone);
	return true;
}

static bool look_at_page(
	struct look *look, const struct person_record *page, size_t count, struct error *error)
{
	struct job *job = look->operation->job;

	for (size_t i = 0; i < count; i++) {
		if (!job_continue(job, error) || !look_at(look, &page[i], error))
			return false;
		job_progress(job, (unsigned)(look->looked * 90 / (look->total + 1)),
			"looking at the people of %s", look->connection);
		poll(NULL, 0, PAUSE_MS);
	}
	return true;
}

static bool look_at_all(struct look *look, struct error *error)
{
	_cleanup_free_ char *after = xstrdup("");
	struct person_record *page = NULL;
	size_t count = 0;
	bool done;

	do {
		done = store_person_list(look->operation->services->store, look->connection, after,
			       PAGE, &page, &count, error) &&
		       look_at_page(look, page, count, error);
		if (count > 0) {
			free(after);
			after = xstrdup(page[count - 1].id);
		}
		person_records_free(page, count);
	} while (done && count == PAGE);
	/* Nobody could be asked for, few as they are. */
	return done && (look->failed == 0 || look->failed < look->looked ||
			       error_move(error, &look->failure));
}

/* --- what is believed --- */

static bool believe(struct look *look, struct people_summary *summary, struct error *error)
{
	if (!look->is_confirmed && look->lost_count > look->lost_max) {
		people_tell_alarm(
			look->operation, look->connection, look->lost_count, look->total, summary);
		return error_set(error, ERROR_FAILED,
			"%zu of %zu people of the directory \"%s\" are disabled or gone at once: "
			"see "
			"whether its base and filter are right; if so, confirm it (tessera "
			"directory "
			"check --confirm)",
			look->lost_count, look->total, look->connection);
	}
	for (size_t i = 0; i < look->lost_kept; i++) {
		const struct lost *lost = &look->lost[i];
		if (!note(look, &lost->link, lost->is_gone ? NULL : &lost->person, error))
			return false;
	}
	return true;
}

static void show_result(const struct look *look, const struct people_summary *before,
	const struct people_summary *summary)
{
	_cleanup_free_ char *text = xasprintf(
		"%zu people; disabled or gone: %zu, back: %zu, changed: %zu, not asked: %zu; cards "
		"suspended: %zu, resumed: %zu",
		look->total, look->lost_count, look->back, look->changed, look->failed,
		summary->suspended - before->suspended, summary->resumed - before->resumed);

	job_result(look->operation->job, look->connection, text);
}

/* One check of several connections. */
struct round {
	struct operation *operation;
	const struct people_check *check;
	struct people_summary summary;
	bool is_whole; /* nobody has to be asked again before the next one is due */
};

/* A look that was broken off says nothing about who was not found in it. */
static bool check_connection(struct round *round, const char *connection, struct error *error)
{
	struct operation *operation = round->operation;
	struct look look _cleanup_(look_clear) = {.operation = operation,
		.connection = connection,
		.is_confirmed = round->check->is_confirmed};
	const struct people_summary before = round->summary;
	int64_t total = 0;

	if (!store_person_count(operation->services->store, connection, &total, error))
		return false;
	look.total = (size_t)total;
	look.lost_max = look.total * PEOPLE_LOST_SHARE / 100;
	if (look.lost_max < PEOPLE_LOST_LEAST)
		look.lost_max = PEOPLE_LOST_LEAST;
	if (!look_at_all(&look, error)) {
		round->is_whole = false;
		return error_prefix(error, "directory \"%s\"", connection);
	}
	_cleanup_error_ struct error doubt = ERROR_INIT;
	bool is_believed = believe(&look, &round->summary, &doubt);
	bool done = people_tell_news(operation, connection, &round->summary, error);
	show_result(&look, &before, &round->summary);
	return done && (is_believed || error_move(error, &doubt));
}

/* --- all connections --- */

/* One connection's failure is not another one's; the first is what is told. */
static bool check_each(struct round *round, char *const *names, size_t count, struct error *error)
{
	_cleanup_error_ struct error first = ERROR_INIT;
	const char *wanted = round->check->connection;
	bool is_known = !wanted;

	for (size_t i = 0; i < count; i++) {
		_cleanup_error_ struct error failure = ERROR_INIT;
		if (wanted && strcmp(wanted, names[i]) != 0)
			continue;
		is_known = true;
		if (check_connection(round, names[i], &failure))
			continue;
		if (failure.code == ERROR_CANCELLED) {
			round->is_whole = false;
			return error_move(error, &failure);
		}
		log_warning("people are not all looked at: %s", error_message(&failure));
		if (first.code == ERROR_NONE)
			error_move(&first, &failure);
	}
	if (!is_known)
		return error_set_field(error, ERROR_NOT_FOUND, "connection",
			"no card is of a person of a connection \"%s\"", wanted);
	return first.code == ERROR_NONE || error_move(error, &first);
}

static bool save_time(struct services *services, struct error *error)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%" PRId64, (int64_t)time(NULL));

	return store_value_set(
		services->store, CHECKED_AT, (const uint8_t *)text, (size_t)length, error);
}

static bool check_all(
	struct operation *operation, const struct people_check *check, struct error *error)
{
	struct services *services = operation->services;
	struct round round = {.operation = operation, .check = check, .is_whole = true};
	_cleanup_error_ struct error failure = ERROR_INIT;
	char **names = NULL;
	size_t count = 0;

	if (!store_person_forget_others(services->store, error) ||
		!store_person_connections(services->store, &names, &count, error))
		return false;
	bool done = check_each(&round, names, count, error);
	store_names_free(names, count);
	/* What was said so far is said to the operators, too. */
	if (!people_mail_summary(services, &round.summary, &failure))
		log_warning("no mail of people: %s", error_message(&failure));
	people_summary_clear(&round.summary);
	if (!check->connection && round.is_whole && !save_time(services, &failure))
		log_warning("people are looked at again soon: %s", error_message(&failure));
	return done;
}

static void write_record(
	struct operation *operation, const struct people_check *check, const struct error *result)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *detail =
		xasprintf("%s%s", check->connection ? check->connection : "all directories",
			check->is_confirmed ? ", confirmed" : "");

	if (!audit_write(operation->services->store, operation->actor, "check-people", NULL,
		    job_id(operation->job), result, detail, &error))
		log_error("audit record not written: %s", error_message(&error));
}

bool operation_check_people(
	struct operation *operation, const struct people_check *check, struct error *error)
{
	struct services *services = operation->services;
	_cleanup_error_ struct error result = ERROR_INIT;
	bool done = contacts_claim(services->contacts, CLAIM, &result);

	if (done) {
		done = check_all(operation, check, &result);
		contacts_release(services->contacts, CLAIM);
	}
	write_record(operation, check, &result);
	return done || error_move(error, &result);
}

/* --- by itself --- */

static bool is_due(struct services *services)
{
	_cleanup_buffer_ struct buffer value = BUFFER_INIT;
	int64_t now = time(NULL);

	if (!store_value_get(services->store, CHECKED_AT, &value, NULL))
		return true;
	buffer_append_u8(&value, 0);
	int64_t at = strtoll((const char *)value.data, NULL, 10);
	return at > now || at + services->people_seconds <= now;
}

static bool run_check(struct job *job, void *context, struct error *error)
{
	struct operation operation = {.services = context, .job = job, .actor = &audit_daemon};
	const struct people_check check = {0};

	job_progress(job, 0, "looking people up in their directories");
	return operation_check_people(&operation, &check, error);
}

/* What a check that was cut off has found, and not told. */
static bool run_news(struct job *job, void *context, struct error *error)
{
	struct services *services = context;
	struct operation operation = {.services = services, .job = job, .actor = &audit_daemon};
	struct people_summary summary _cleanup_people_summary_ = {0};
	char **names = NULL;
	size_t count = 0;

	if (!contacts_claim(services->contacts, CLAIM, error))
		return false;
	bool done = store_person_news_connections(services->store, &names, &count, error);
	for (size_t i = 0; done && i < count; i++)
		done = people_tell_news(&operation, names[i], &summary, error);
	store_names_free(names, count);
	done = people_mail_summary(services, &summary, done ? error : NULL) && done;
	contacts_release(services->contacts, CLAIM);
	return done;
}

static bool has_any(struct services *services,
	bool (*list)(struct store *, char ***, size_t *, struct error *), bool *any,
	struct error *error)
{
	char **names = NULL;
	size_t count = 0;

	if (!list(services->store, &names, &count, error))
		return false;
	store_names_free(names, count);
	*any = count > 0;
	return true;
}

bool people_watch_start(struct services *services, struct error *error)
{
	bool has_people = false, has_news = false;

	/* The passwords of directories are sealed by the token. */
	if (!services->token || services->people_seconds == 0)
		return true;
	if (!has_any(services, store_person_connections, &has_people, error) ||
		!has_any(services, store_person_news_connections, &has_news, error))
		return false;
	bool is_check = has_people && is_due(services);
	return (!is_check && !has_news) ||
	       jobs_start(services->jobs, 0, is_check ? "check-people" : "people", NULL,
		       is_check ? run_check : run_news, services, NULL, error) != 0;
}

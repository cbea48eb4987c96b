/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera status: everything at one glance. */
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/key.h"
#include "cli/object.h"
#include "cli/output.h"
#include "common/alloc.h"

#define PAGE 1000 /* the most that ListCredentials answers */

/* States of credentials (Credential.xml). */
static const char *const states[] = {
	"registered", "issued", "active", "inactive", "revoked", "expired", "retired"};

static const struct column service_columns[] = {
	{"version", "tesserad", COLUMN_TEXT},
	{"store_id", "Store", COLUMN_TEXT},
	{"initialized", "Initialised", COLUMN_TEXT},
	{"locked", "Locked", COLUMN_TEXT},
	{"reader_service_available", "pcscd answers", COLUMN_TEXT},
	{"private_address", "Socket", COLUMN_TEXT},
	{"master_key_backup", "Key backup", COLUMN_TEXT},
	{"templates", "Templates", COLUMN_TEXT},
	{"connections", "Connections", COLUMN_TEXT},
	{"cards", "Cards", COLUMN_TEXT},
};

static const struct column reader_columns[] = {
	{"number", "READER", COLUMN_TEXT},
	{"name", "NAME", COLUMN_TEXT},
	{"model", "CARD", COLUMN_TEXT},
	{"serial", "SERIAL", COLUMN_TEXT},
	{"state", "STATE", COLUMN_TEXT},
	{"problem", "PROBLEM", COLUMN_TEXT},
};

static const struct column job_columns[] = {
	{"number", "JOB", COLUMN_TEXT},
	{"operation", "OPERATION", COLUMN_TEXT},
	{"subject", "SUBJECT", COLUMN_TEXT},
	{"progress", "PERCENT", COLUMN_TEXT},
	{"step", "STEP", COLUMN_TEXT},
};

static struct client_pending *begin_page(
	struct client *client, const char *state, int64_t after, struct error *error)
{
	return CLIENT_BEGIN(client, CLIENT_ROOT, CLIENT_MANAGER, "ListCredentials", error,
		CLIENT_STRING(state), CLIENT_INT64(after), CLIENT_UINT32(PAGE));
}

/* How many credentials are in a state, whose first page was asked for; -1 with error. */
static json_int_t count_cards(
	struct client *client, const char *state, struct client_pending *first, struct error *error)
{
	struct client_pending *pending = first;
	json_int_t total = 0;

	for (;;) {
		_cleanup_json_ json_t *answer = client_finish(pending, error);
		if (!answer)
			return -1;
		const json_t *paths = json_array_get(answer, 0);
		size_t count = json_array_size(paths);
		total += (json_int_t)count;
		if (count < PAGE)
			return total;
		const char *last = json_string_value(json_array_get(paths, count - 1));
		pending = begin_page(client, state, object_number(last), error);
	}
}

/* What is asked for at a time, as each question alone would cost a round trip. */
struct questions {
	struct client_pending *service, *all, *cards[ARRAY_SIZE(states)];
};

static void questions_clear(struct questions *questions)
{
	client_pending_free(questions->service);
	client_pending_free(questions->all);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		client_pending_free(questions->cards[i]);
}

/* How many cards are in the first state is known with all else: who may not know that is not
 * refused, which is recorded, more than once. */
static bool ask(struct client *client, struct questions *questions, struct error *error)
{
	return (questions->service = object_begin(client, CLIENT_ROOT, CLIENT_MANAGER, error)) &&
	       (questions->all = object_begin_all(client, error)) &&
	       (questions->cards[0] = begin_page(client, states[0], 0, error));
}

static bool ask_for_others(struct client *client, struct questions *questions, struct error *error)
{
	for (size_t i = 1; i < ARRAY_SIZE(states); i++) {
		if (!(questions->cards[i] = begin_page(client, states[i], 0, error)))
			return false;
	}
	return true;
}

/* Counts of cards by state; null for who may not know. */
static json_t *card_counts(struct client *client, struct questions *questions, struct error *error)
{
	_cleanup_json_ json_t *counts = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		json_int_t count =
			count_cards(client, states[i], steal_pointer(&questions->cards[i]), error);
		if (count < 0 && (error->code == ERROR_ACCESS_DENIED ||
					 error->code == ERROR_NOT_INITIALIZED)) {
			error_clear(error);
			return json_null();
		}
		if (count < 0 || (i == 0 && !ask_for_others(client, questions, error)))
			return NULL;
		json_object_set_new(counts, states[i], json_integer(count));
	}
	return steal_pointer(&counts);
}

static json_t *running_jobs(const json_t *all)
{
	_cleanup_json_ json_t *jobs = object_select(all, CLIENT_JOB);
	json_t *running = json_array();
	json_t *job;
	size_t index;

	json_array_foreach(jobs, index, job)
	{
		const char *state = json_string_value(json_object_get(job, "state"));
		if (state && strcmp(state, "running") == 0)
			json_array_append(running, job);
	}
	return running;
}

/* null for who may not see them */
static json_t *count_objects(const json_t *all, const char *interface, bool known)
{
	_cleanup_json_ json_t *objects = object_select(all, interface);

	return known ? json_integer((json_int_t)json_array_size(objects)) : json_null();
}

static json_t *status_record(struct client *client, struct error *error)
{
	_cleanup_(questions_clear) struct questions questions = {0};

	if (!ask(client, &questions, error))
		return NULL;
	_cleanup_json_ json_t *status =
		object_finish(steal_pointer(&questions.service), CLIENT_ROOT, error);
	_cleanup_json_ json_t *all =
		status ? object_finish_all(steal_pointer(&questions.all), error) : NULL;
	json_t *cards = all ? card_counts(client, &questions, error) : NULL;

	if (!cards)
		return NULL;
	bool known = !json_is_null(cards);
	json_object_set_new(status, "cards", cards);
	json_object_set_new(status, "templates", count_objects(all, CLIENT_TEMPLATE, known));
	json_object_set_new(status, "connections", count_objects(all, CLIENT_CONNECTION, known));
	json_object_set_new(status, "readers", object_select(all, CLIENT_READER));
	json_object_set_new(status, "jobs", known ? running_jobs(all) : json_null());
	return steal_pointer(&status);
}

static void print_part(const struct invocation *invocation, const json_t *records,
	const struct column *columns, size_t count, const char *nothing_text)
{
	output_text(invocation, "%s", "");
	output_records(invocation, records, columns, count, nothing_text);
}

bool status_show(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *status = client ? status_record(client, error) : NULL;

	if (!status)
		return false;
	output_record(invocation, status, service_columns, ARRAY_SIZE(service_columns));
	if (!invocation_has(invocation, OPTION_JSON)) {
		print_part(invocation, json_object_get(status, "readers"), reader_columns,
			ARRAY_SIZE(reader_columns), "There are no readers.");
		if (!json_is_null(json_object_get(status, "jobs")))
			print_part(invocation, json_object_get(status, "jobs"), job_columns,
				ARRAY_SIZE(job_columns), "No job is running.");
	}
	if (!json_is_true(json_object_get(status, "reader_service_available")))
		output_text(invocation,
			"\npcscd is not running: start it (systemctl start pcscd.socket); tesserad "
			"waits for it.");
	const char *warning =
		key_backup_warning(json_string_value(json_object_get(status, "master_key_backup")));
	if (warning)
		output_text(invocation, "\n%s", warning);
	return true;
}

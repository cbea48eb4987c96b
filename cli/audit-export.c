/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tessera audit export and key. An export is lines of JSON: one that says what
 * it is, the records with each checkpoint behind the last record that it covers, and one that
 * says where the end is. Logins from before the export that its records are signed under are
 * repeated.
 */
#include <string.h>

#include "cli/audit.h"
#include "cli/command.h"
#include "cli/file.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "common/alloc.h"
#include "common/audit-login.h"
#include "common/audit-signature.h"

#define ZERO_HASH "0000000000000000000000000000000000000000000000000000000000000000"

/* Members of a checkpoint, in their order (ListCheckpoints in Manager.xml). */
static const char *const checkpoint_keys[] = {
	"id", "record", "hash", "time", "public_key", "signature"};

struct export
{
	struct client *client;
	struct file_output output;
	struct progress progress;
	int64_t first, last; /* the records behind first up to last */
	json_t *checkpoints; /* the next page of them, as objects */
	size_t next;	     /* of these */
	int64_t *logins;     /* earlier ones that were written */
	size_t login_count;
};

static void export_clear(struct export *export)
{
	progress_clear(&export->progress);
	file_output_clear(&export->output);
	json_decref(export->checkpoints);
	free(export->logins);
}

static void write_line(struct export *export, json_t *object, const char *type)
{
	json_object_set_new(object, "type", json_string(type));
	json_dumpf(object, export->output.file, JSON_COMPACT | JSON_SORT_KEYS);
	fputc('\n', export->output.file);
}

/* Checkpoints that cover a record behind after. */
static json_t *list_checkpoints(
	struct client *client, int64_t after, unsigned limit, struct error *error)
{
	_cleanup_json_ json_t *answer = CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER,
		"ListCheckpoints", error, CLIENT_INT64(after), CLIENT_UINT32(limit));
	json_t *checkpoints = answer ? json_array() : NULL;
	json_t *members;
	size_t index;

	json_array_foreach(json_array_get(answer, 0), index, members) json_array_append_new(
		checkpoints, audit_object(members, checkpoint_keys, ARRAY_SIZE(checkpoint_keys)));
	return checkpoints;
}

static int64_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* The next checkpoint; NULL behind the last one, with *failed on failure. */
static json_t *next_checkpoint(struct export *export, bool *failed, struct error *error)
{
	size_t count = json_array_size(export->checkpoints);

	if (export->next == count && count == AUDIT_PAGE) {
		int64_t after = number_of(json_array_get(export->checkpoints, count - 1), "record");
		json_decref(export->checkpoints);
		export->checkpoints = list_checkpoints(export->client, after, AUDIT_PAGE, error);
		export->next = 0;
		*failed = !export->checkpoints;
	}
	return json_array_get(export->checkpoints, export->next);
}

static bool write_checkpoints(struct export *export, int64_t record, struct error *error)
{
	bool failed = false;
	json_t *checkpoint;

	while ((checkpoint = next_checkpoint(export, &failed, error)) &&
		number_of(checkpoint, "record") <= record) {
		write_line(export, checkpoint, "checkpoint");
		export->next++;
	}
	return !failed;
}

/* --- earlier logins --- */

static bool write_login(struct export *export, int64_t login, struct error *error)
{
	_cleanup_json_ json_t *records = json_array();
	int64_t after = login - 1;

	for (size_t i = 0; i < export->login_count; i++) {
		if (export->logins[i] == login)
			return true;
	}
	if (!audit_page(export->client, NULL, 1, &after, records, error))
		return false;
	json_t *record = json_array_get(records, 0);
	/* One that is not there is the verifier's to tell. */
	if (number_of(record, "id") == login)
		write_line(export, record, "login");
	export->logins =
		xreallocarray(export->logins, export->login_count + 1, sizeof(*export->logins));
	export->logins[export->login_count++] = login;
	return true;
}

/* The logins from before the export that this record is signed under. */
static bool write_logins(struct export *export, const json_t *record, struct error *error)
{
	const char *hex = json_string_value(json_object_get(record, "signature"));
	const char *operation = json_string_value(json_object_get(record, "operation"));
	struct buffer bytes _cleanup_buffer_ = BUFFER_INIT;
	struct audit_signature signature;

	if (export->first == 0 || !hex || !hex_decode(hex, &bytes) ||
		(operation && strcmp(operation, AUDIT_LOGIN_OPERATION) == 0))
		return true;
	struct reader reader = reader_of(&bytes);
	while (reader_left(&reader) > 0 && audit_signature_read(&reader, &signature)) {
		if (signature.login <= export->first &&
			!write_login(export, signature.login, error))
			return false;
	}
	return true;
}

static bool write_page(struct export *export, int64_t *after, struct error *error)
{
	_cleanup_json_ json_t *records = json_array();
	json_t *record;
	size_t index;

	if (!audit_page(export->client, NULL, export->last - *after, after, records, error))
		return false;
	json_array_foreach(records, index, record)
	{
		if (!write_logins(export, record, error))
			return false;
		write_line(export, record, "record");
		if (!write_checkpoints(export, number_of(record, "id"), error))
			return false;
	}
	return true;
}

static bool write_records(struct export *export, struct error *error)
{
	int64_t after = export->first;

	do {
		_cleanup_free_ char *step =
			xasprintf("record %lld of %lld", (long long)after, (long long)export->last);
		int64_t done = after - export->first, all = export->last - export->first;
		progress_show(&export->progress, (unsigned)(all ? done * 100 / all : 100), step);
		if (after < export->last && !write_page(export, &after, error))
			return false;
		if (ferror(export->output.file))
			break; /* closing it says why */
	} while (after != 0 && after < export->last);
	return true;
}

/* The record that the export begins behind: its hash is what the first one follows. */
static char *first_hash(struct client *client, int64_t first, struct error *error)
{
	_cleanup_json_ json_t *records = json_array();
	int64_t after = first - 1;

	if (first == 0)
		return xstrdup(ZERO_HASH);
	if (!audit_page(client, NULL, 1, &after, records, error))
		return NULL;
	const json_t *record = json_array_get(records, 0);
	if (number_of(record, "id") != first) {
		error_set(
			error, ERROR_NOT_FOUND, "there is no audit record %lld", (long long)first);
		return NULL;
	}
	return xstrdup(json_string_value(json_object_get(record, "hash")));
}

static int64_t newest_record(struct client *client, struct error *error)
{
	_cleanup_json_ json_t *filter = json_pack("{s:s}", "order", "newest");
	_cleanup_json_ json_t *records = json_array();
	int64_t after = 0;

	if (!audit_page(client, filter, 1, &after, records, error))
		return -1;
	return number_of(json_array_get(records, 0), "id");
}

/* Signs first, so that every record of the export is covered; without the token it goes on. */
static int64_t find_last(struct client *client, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, CLIENT_ROOT, CLIENT_MANAGER, "WriteCheckpoint", &failure);

	if (answer)
		return json_integer_value(json_array_get(answer, 1));
	if (failure.code == ERROR_ACCESS_DENIED || failure.code == ERROR_NO_SERVICE) {
		error_move(error, &failure);
		return -1;
	}
	fprintf(stderr, "tessera: the newest records are not signed by a checkpoint: %s\n",
		error_message(&failure));
	return newest_record(client, error);
}

static bool write_header(struct export *export, const char *hash, struct error *error)
{
	_cleanup_json_ json_t *answer =
		CLIENT_CALL(export->client, CLIENT_ROOT, "org.freedesktop.DBus.Properties", "Get",
			error, CLIENT_STRING(CLIENT_MANAGER), CLIENT_STRING("StoreId"));

	if (!answer)
		return false;
	_cleanup_json_ json_t *header = json_pack("{s:i,s:O,s:I,s:s,s:I,s:I}", "version", 1,
		"store", json_array_get(answer, 0), "after", (json_int_t) export->first, "hash",
		hash, "last", (json_int_t) export->last, "time", (json_int_t)audit_now_us());
	write_line(export, header, "tessera-audit");
	return true;
}

static bool run(struct export *export, struct error *error)
{
	export->last = find_last(export->client, error);
	if (export->last < 0)
		return false;
	if (export->last < export->first)
		return error_set(error, ERROR_NOT_FOUND, "there is no audit record %lld",
			(long long)export->first);
	_cleanup_free_ char *hash = first_hash(export->client, export->first, error);
	export->checkpoints =
		hash ? list_checkpoints(export->client, export->first, AUDIT_PAGE, error) : NULL;
	if (!export->checkpoints || !write_header(export, hash, error) ||
		!write_records(export, error))
		return false;
	_cleanup_json_ json_t *end = json_pack("{s:I}", "last", (json_int_t) export->last);
	write_line(export, end, "end");
	return true;
}

bool audit_export(struct invocation *invocation, struct error *error)
{
	const char *after = invocation->values[OPTION_AFTER];
	struct export export _cleanup_(export_clear) = {
		.progress = {.enabled = !invocation_has(invocation, OPTION_NO_PROGRESS)}};

	if (after && !number_parse(after, "--after", 0, INT64_MAX, &export.first, error))
		return false;
	export.client = invocation_client(invocation, error);
	if (!export.client ||
		!file_output_open(&export.output, invocation->values[OPTION_OUTPUT], error) ||
		!run(&export, error))
		return false;
	progress_clear(&export.progress);
	return file_output_close(&export.output, error);
}

bool audit_key(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer = client ? CLIENT_CALL_PLAIN(client, CLIENT_ROOT,
							 CLIENT_MANAGER, "WriteCheckpoint", error)
					       : NULL;
	int64_t covered = json_integer_value(json_array_get(answer, 1));
	_cleanup_json_ json_t *checkpoints =
		answer ? list_checkpoints(client, covered - 1, 1, error) : NULL;

	if (!checkpoints)
		return false;
	const json_t *key = json_object_get(json_array_get(checkpoints, 0), "public_key");
	return output_der(invocation, "PUBLIC KEY", json_string_value(key), error);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera audit verify: the daemon's trail by the daemon, or an export here, without it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "cli/audit.h"
#include "cli/command.h"
#include "cli/file.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "common/alloc.h"
#include "common/audit-verifier.h"

#define PROGRESS_LINES 10000

/* An export on its way through the verifier. */
struct reading {
	const char *path;
	FILE *file;
	int64_t size; /* bytes, or 0 when that is not known */
	unsigned long line;
	bool ended; /* the line that says where the end is was read */
	int64_t first, last;
	char *store_id;
	struct buffer *keys;
	size_t key_count;
	X509_STORE *anchors;
	struct audit_verifier verifier;
	struct progress progress;
};

static void reading_clear(struct reading *reading)
{
	progress_clear(&reading->progress);
	if (reading->file && reading->file != stdin)
		fclose(reading->file);
	audit_keys_free(reading->keys, reading->key_count);
	X509_STORE_free(reading->anchors);
	audit_verifier_clear(&reading->verifier);
	free(reading->store_id);
}

static bool fail_line(const struct reading *reading, const char *what, struct error *error)
{
	return error_set(
		error, ERROR_FAILED, "%s, line %lu: %s", reading->path, reading->line, what);
}

/* --- the members of a line --- */

/* NULL for null or a missing one. */
static char *text_of(const json_t *object, const char *key)
{
	return xstrdup(json_string_value(json_object_get(object, key)));
}

static int64_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static bool bytes_of(const json_t *object, const char *key, struct buffer *bytes)
{
	const char *hex = json_string_value(json_object_get(object, key));

	return !hex || hex_decode(hex, bytes);
}

static bool hash_of(const json_t *object, uint8_t hash[AUDIT_HASH_BYTES])
{
	_cleanup_buffer_ struct buffer bytes = BUFFER_INIT;

	if (!bytes_of(object, "hash", &bytes) || bytes.length != AUDIT_HASH_BYTES)
		return false;
	memcpy(hash, bytes.data, AUDIT_HASH_BYTES);
	return true;
}

/* --- the kinds of lines --- */

static bool read_header(struct reading *reading, const json_t *object, struct error *error)
{
	uint8_t hash[AUDIT_HASH_BYTES];

	if (reading->store_id)
		return fail_line(reading, "a second export begins here", error);
	if (number_of(object, "version") != 1)
		return fail_line(reading, "this program knows exports of version 1 only", error);
	reading->store_id = text_of(object, "store");
	reading->first = number_of(object, "after");
	reading->last = number_of(object, "last");
	if (!reading->store_id || !hash_of(object, hash))
		return fail_line(reading, "the export's first line is damaged", error);
	audit_verifier_init(&reading->verifier, reading->store_id, reading->first, hash);
	if (reading->key_count) {
		reading->verifier.trusted = reading->keys;
		reading->verifier.trusted_count = reading->key_count;
	}
	reading->verifier.logins.anchors = reading->anchors;
	return true;
}

static bool take_record(struct reading *reading, const json_t *object, struct audit_record *record,
	struct error *error)
{
	*record = (struct audit_record){
		.id = number_of(object, "id"),
		.time_us = number_of(object, "time"),
		.actor = text_of(object, "actor"),
		.operator_name = text_of(object, "operator"),
		.operation = text_of(object, "operation"),
		.card = text_of(object, "card"),
		.outcome = text_of(object, "outcome"),
		.detail = text_of(object, "detail"),
		.job = (unsigned)number_of(object, "job"),
	};

	return (bytes_of(object, "signature", &record->signature) &&
		       hash_of(object, record->hash)) ||
	       fail_line(reading, "the record is damaged", error);
}

static bool read_record(struct reading *reading, const json_t *object, struct error *error)
{
	_cleanup_audit_record_ struct audit_record record = AUDIT_RECORD_INIT;

	if (!take_record(reading, object, &record, error))
		return false;
	audit_verifier_record(&reading->verifier, &record);
	return true;
}

static bool read_login(struct reading *reading, const json_t *object, struct error *error)
{
	_cleanup_audit_record_ struct audit_record record = AUDIT_RECORD_INIT;

	if (!take_record(reading, object, &record, error))
		return false;
	audit_verifier_earlier_login(&reading->verifier, &record);
	return true;
}

static bool read_checkpoint(struct reading *reading, const json_t *object, struct error *error)
{
	struct audit_checkpoint checkpoint _cleanup_audit_checkpoint_ = {
		.id = number_of(object, "id"),
		.record_id = number_of(object, "record"),
		.time_us = number_of(object, "time"),
	};

	if (!hash_of(object, checkpoint.hash) ||
		!bytes_of(object, "public_key", &checkpoint.public_key) ||
		!bytes_of(object, "signature", &checkpoint.signature))
		return fail_line(reading, "the checkpoint is damaged", error);
	audit_verifier_checkpoint(&reading->verifier, &checkpoint);
	return true;
}

static bool read_end(struct reading *reading, const json_t *object, struct error *error)
{
	if (number_of(object, "last") != reading->last)
		return fail_line(reading, "this is not the end that the first line tells", error);
	reading->ended = true;
	return true;
}

static bool read_line(struct reading *reading, const char *line, size_t length, struct error *error)
{
	static const struct {
		const char *type;
		bool (*read)(struct reading *, const json_t *, struct error *);
	} types[] = {{"record", read_record}, {"checkpoint", read_checkpoint},
		{"login", read_login}, {"tessera-audit", read_header}, {"end", read_end}};
	_cleanup_json_ json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_string_value(json_object_get(object, "type"));

	reading->line++;
	if (!type)
		return fail_line(reading, "it is cut off, or no line of an export", error);
	if (reading->ended)
		return fail_line(reading, "something follows behind the end", error);
	if (!reading->store_id && strcmp(type, "tessera-audit") != 0)
		return fail_line(reading, "an export of the audit trail does not begin so", error);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i].type, type) == 0)
			return types[i].read(reading, object, error);
	}
	return fail_line(reading, "this kind of line is unknown", error);
}

/* --- the whole file --- */

static void show_progress(struct reading *reading)
{
	if (reading->line % PROGRESS_LINES != 0)
		return;
	_cleanup_free_ char *step =
		xasprintf("record %lld", (long long)reading->verifier.last_record);
	int64_t position = reading->size ? ftello(reading->file) : 0;
	progress_show(&reading->progress,
		(unsigned)(reading->size ? position * 100 / reading->size : 0), step);
}

static bool read_lines(struct reading *reading, struct error *error)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t length;

	while ((length = getline(&line, &size, reading->file)) >= 0) {
		if (!read_line(reading, line, (size_t)length, error))
			return false;
		show_progress(reading);
	}
	if (ferror(reading->file))
		return error_set(error, ERROR_FAILED, "cannot read %s: %m", reading->path);
	if (!reading->store_id)
		return error_set(error, ERROR_AUDIT_BROKEN, "%s is empty", reading->path);
	return true;
}

static bool open_file(struct reading *reading, struct error *error)
{
	struct stat status;
	bool is_input = strcmp(reading->path, "-") == 0;

	reading->file = is_input ? stdin : fopen(reading->path, "re");
	if (!reading->file)
		return error_set(error, ERROR_INVALID_ARGUMENT, "cannot read %s: %s", reading->path,
			strerror(errno));
	if (!is_input && fstat(fileno(reading->file), &status) == 0 && S_ISREG(status.st_mode))
		reading->size = status.st_size;
	return true;
}

static bool read_keys(struct reading *reading, const char *path, struct error *error)
{
	_cleanup_free_ char *pem = path ? file_read(path, error) : NULL;

	if (!path)
		return true;
	return pem && (audit_keys_from_pem(pem, &reading->keys, &reading->key_count, error) ||
			      error_prefix(error, "%s", path));
}

static bool read_anchors(struct reading *reading, const char *path, struct error *error)
{
	_cleanup_free_ char *pem = path ? file_read(path, error) : NULL;
	size_t count = 0;
	X509 *certificate;

	if (!path)
		return true;
	if (!pem)
		return false;
	BIO *text = BIO_new_mem_buf(pem, -1);
	reading->anchors = X509_STORE_new();
	while (text && (certificate = PEM_read_bio_X509(text, NULL, NULL, NULL))) {
		count += X509_STORE_add_cert(reading->anchors, certificate) == 1;
		X509_free(certificate);
	}
	BIO_free(text);
	ERR_clear_error();
	return count > 0 ||
	       error_set(error, ERROR_INVALID_ARGUMENT, "%s: there is no certificate in PEM", path);
}

/* Who trusts a key wants its signature: an export of records alone proves nothing. */
static bool check_coverage(const struct reading *reading, struct error *error)
{
	const struct audit_verifier *verifier = &reading->verifier;

	if (!reading->key_count || verifier->covered == verifier->last_record)
		return true;
	return error_set(error, ERROR_AUDIT_BROKEN,
		"%s is whole, but no checkpoint covers the records behind %lld: write it again "
		"while the token is open",
		reading->path,
		(long long)(verifier->last_checkpoint ? verifier->covered : reading->first));
}

static bool check_result(struct reading *reading, struct error *error)
{
	struct audit_verifier *verifier = &reading->verifier;

	audit_verifier_end(verifier, reading->last);
	if (verifier->problem != AUDIT_WHOLE)
		return error_set(
			error, ERROR_AUDIT_BROKEN, "%s: %s", reading->path, verifier->text);
	if (!reading->ended)
		return error_set(
			error, ERROR_FAILED, "%s: the last line is missing", reading->path);
	return check_coverage(reading, error);
}

/* --- what was found --- */

/* The operators whose signatures are there, by the certificates of their cards. */
static json_t *operators_of(const struct reading *reading)
{
	const struct audit_logins *logins = &reading->verifier.logins;
	json_t *operators = json_array();

	for (size_t i = 0; i < logins->operator_count; i++) {
		const struct audit_operator *who = &logins->operators[i];
		json_array_append_new(operators,
			json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "operator", who->name, "card",
				who->card, "subject", who->subject, "certificate", who->fingerprint,
				"logins", (json_int_t)who->logins, "records",
				(json_int_t)who->records));
	}
	return operators;
}

static void print_operators(const struct invocation *invocation, const struct reading *reading)
{
	const struct audit_logins *logins = &reading->verifier.logins;

	if (logins->operator_count == 0)
		return;
	output_text(invocation, "Signed by operators themselves: %llu records.",
		(unsigned long long)logins->signed_records);
	for (size_t i = 0; i < logins->operator_count; i++) {
		const struct audit_operator *who = &logins->operators[i];
		output_text(invocation, "  %s, card %s, certificate %s (%s): %llu records",
			who->name, who->card, who->subject, who->fingerprint,
			(unsigned long long)who->records);
	}
	if (!reading->anchors)
		output_text(invocation,
			"Those certificates are the ones in the export itself: compare them, or "
			"give --ca-certificate.");
}

static void print_json(const struct reading *reading, const char *fingerprint)
{
	const struct audit_verifier *verifier = &reading->verifier;
	_cleanup_json_ json_t *result = json_pack("{s:I,s:I,s:b,s:I,s:I,s:s?,s:b,s:I,s:o,s:b}",
		"first", (json_int_t)reading->first + 1, "last", (json_int_t)verifier->last_record,
		"whole", 1, "covered", (json_int_t)verifier->covered, "covered_time",
		(json_int_t)verifier->covered_time_us, "key", fingerprint, "key_trusted",
		reading->key_count > 0, "signed_records",
		(json_int_t)verifier->logins.signed_records, "operators", operators_of(reading),
		"certificates_trusted", reading->anchors != NULL);

	output_json(result);
}

static void print_coverage(
	const struct invocation *invocation, const struct reading *reading, const char *fingerprint)
{
	const struct audit_verifier *verifier = &reading->verifier;

	if (!fingerprint) {
		output_text(invocation, "No checkpoint signs it: it may have been made anew.");
		return;
	}
	_cleanup_json_ json_t *time = json_integer(verifier->covered_time_us);
	_cleanup_free_ char *when = value_text(time, COLUMN_TIME_MICRO);
	output_text(
		invocation, "Signed up to record %lld at %s.", (long long)verifier->covered, when);
	output_text(invocation, "Key (SHA-256): %s", fingerprint);
	if (!reading->key_count)
		output_text(invocation,
			"That key is the one in the export itself: compare it, or give "
			"--public-key.");
}

static void print_result(const struct invocation *invocation, const struct reading *reading)
{
	const struct audit_verifier *verifier = &reading->verifier;
	_cleanup_free_ char *fingerprint =
		verifier->last_checkpoint ? audit_key_fingerprint(&verifier->key) : NULL;

	if (invocation_has(invocation, OPTION_JSON))
		print_json(reading, fingerprint);
	output_text(invocation, "The export is whole: records %lld to %lld.",
		(long long)reading->first + 1, (long long)verifier->last_record);
	print_coverage(invocation, reading, fingerprint);
	print_operators(invocation, reading);
}

static bool verify_file(const struct invocation *invocation, struct error *error)
{
	struct reading reading _cleanup_(reading_clear) = {.path = invocation->arguments[0],
		.progress = {.enabled = !invocation_has(invocation, OPTION_NO_PROGRESS)}};

	if (!read_keys(&reading, invocation->values[OPTION_PUBLIC_KEY], error) ||
		!read_anchors(&reading, invocation->values[OPTION_CA_CERTIFICATE], error) ||
		!open_file(&reading, error) || !read_lines(&reading, error))
		return false;
	progress_clear(&reading.progress);
	if (!check_result(&reading, error))
		return false;
	print_result(invocation, &reading);
	return true;
}

static bool verify_here(struct invocation *invocation, struct error *error)
{
	static const char *const names[] = {
		"records", "first_bad", "problem", "checkpoints", "covered"};
	struct client *client = invocation_client(invocation, error);

	if (!client)
		return false;
	client_be_patient(client);
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, CLIENT_ROOT, CLIENT_MANAGER, "VerifyAudit", error);
	if (!answer)
		return false;
	_cleanup_json_ json_t *result = audit_object(answer, names, ARRAY_SIZE(names));
	const char *problem = json_string_value(json_object_get(result, "problem"));
	if (problem)
		return error_set(
			error, ERROR_AUDIT_BROKEN, "the audit trail was changed: %s", problem);
	json_object_del(result, "problem");
	json_object_del(result, "first_bad");
	json_object_set_new(result, "whole", json_true());
	if (invocation_has(invocation, OPTION_JSON))
		output_json(result);
	output_text(invocation, "The audit trail is whole: %lld records, signed up to record %lld.",
		(long long)number_of(result, "records"), (long long)number_of(result, "covered"));
	return true;
}

bool audit_verify(struct invocation *invocation, struct error *error)
{
	if (invocation->argument_count == 1)
		return verify_file(invocation, error);
	if (invocation_has(invocation, OPTION_PUBLIC_KEY) ||
		invocation_has(invocation, OPTION_CA_CERTIFICATE))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"--public-key and --ca-certificate are for an export: give its FILE");
	return verify_here(invocation, error);
}

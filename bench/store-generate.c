/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fills a store, as a daemon that ran for years would have: credentials with
 * holders and certificates, and an audit trail whose chain is whole. The schema is the
 * program's own; indexes are made anew at the end, which is faster.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/audit-record.h"
#include "store/database.h"
#include "store/store.h"

#define CERTIFICATES_EACH 2
#define CERTIFICATE_BYTES 900
#define TRANSACTION_ROWS  50000
#define DAY		  86400
#define YEARS_US	  (3 * INT64_C(365) * DAY * 1000000)
#define INDEXES_MAX	  64

static const char *const first_names[] = {"Ada", "Grace", "Alan", "Barbara", "Edsger", "Frances",
	"Donald", "Margaret", "Tony", "Radia", "Dennis", "Jean", "Niklaus", "Hedy", "John",
	"Karen"};
static const char *const last_names[] = {"Lovelace", "Hopper", "Turing", "Liskov", "Dijkstra",
	"Allen", "Knuth", "Hamilton", "Hoare", "Perlman", "Ritchie", "Bartik", "Wirth", "Lamarr",
	"Backus", "Jones"};

/* What happens to cards, and how often out of 100; without operators, who would have to sign. */
static const struct {
	const char *operation;
	const char *outcome;
	const char *detail;
	unsigned share;
} events[] = {
	{"login", "ok", NULL, 70},
	{"login", "PinWrong", "wrong PIN; 2 tries are left", 6},
	{"self-issue", "ok", "employee", 8},
	{"self-activate", "ok", NULL, 6},
	{"change-pin", "ok", NULL, 6},
	{"unblock", "ok", NULL, 3},
	{"verify-audit", "AccessDenied", "/org/tessera1: the caller is no manager", 1},
};

struct generator {
	struct database *database;
	struct error error;
	int64_t credentials, records;		 /* how many to make */
	int64_t credential, certificate, record; /* the last ids there are */
	int64_t template_version;		 /* of "employee", or 0 */
	uint8_t hash[AUDIT_HASH_BYTES];
	int64_t time_us;
	uint64_t random;
	char *indexes[INDEXES_MAX];
	size_t index_count;
};

static void fail(struct generator *generator)
{
	fprintf(stderr, "store-generate: %s\n", error_message(&generator->error));
	exit(EXIT_FAILURE);
}

/* Ends the program when something failed. */
static void must(struct generator *generator, bool done)
{
	if (!done)
		fail(generator);
}

/* xorshift64: the same store each time. */
static uint64_t next_random(struct generator *generator)
{
	generator->random ^= generator->random << 13;
	generator->random ^= generator->random >> 7;
	generator->random ^= generator->random << 17;
	return generator->random;
}

static struct statement *prepare(struct generator *generator, const char *sql)
{
	struct statement *statement = database_prepare(generator->database, sql, &generator->error);

	must(generator, statement != NULL);
	return statement;
}

static void run(struct generator *generator, struct statement *statement)
{
	must(generator, statement_run(statement, &generator->error));
	statement_finish(statement);
}

static int64_t read_number(struct generator *generator, const char *sql)
{
	struct statement *statement = prepare(generator, sql);
	int64_t number;

	must(generator, statement_run_int64(statement, &number, &generator->error));
	statement_finish(statement);
	return number;
}

/* --- what is there, and the indexes --- */

static void read_head(struct generator *generator)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	struct statement *statement =
		prepare(generator, "SELECT time_us, hash FROM audit ORDER BY id DESC LIMIT 1");
	struct buffer hash _cleanup_buffer_ = BUFFER_INIT;
	int64_t now = audit_now_us();

	generator->time_us = now - YEARS_US;
	if (statement_row(statement, &local)) {
		int64_t last = column_int64(statement);
		generator->time_us = last;
		column_blob(statement, &hash);
		memcpy(generator->hash, hash.data, AUDIT_HASH_BYTES);
	}
	statement_finish(statement);
}

static void read_state(struct generator *generator)
{
	generator->credential =
		read_number(generator, "SELECT coalesce(max(id), 0) FROM credential");
	generator->certificate =
		read_number(generator, "SELECT coalesce(max(id), 0) FROM certificate");
	generator->record = read_number(generator, "SELECT coalesce(max(id), 0) FROM audit");
	generator->template_version = read_number(generator,
		"SELECT coalesce(max(version), 0) FROM template WHERE name = 'employee'");
	read_head(generator);
}

static void drop_indexes(struct generator *generator)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	char *names[INDEXES_MAX];
	struct statement *statement = prepare(generator,
		"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL");

	while (generator->index_count < INDEXES_MAX && statement_row(statement, &local)) {
		names[generator->index_count] = column_text(statement);
		generator->indexes[generator->index_count++] = column_text(statement);
	}
	statement_finish(statement);
	for (size_t i = 0; i < generator->index_count; i++) {
		_cleanup_free_ char *sql = xasprintf("DROP INDEX %s", names[i]);
		must(generator, database_execute(generator->database, sql, &generator->error));
		free(names[i]);
	}
}

static void make_indexes(struct generator *generator)
{
	for (size_t i = 0; i < generator->index_count; i++) {
		must(generator, database_execute(generator->database, generator->indexes[i],
					&generator->error));
		free(generator->indexes[i]);
	}
}

static void set_counter(struct generator *generator, const char *name, int64_t value)
{
	struct statement *statement =
		prepare(generator, "INSERT INTO counter (name, value) VALUES ($1, $2)"
				   " ON CONFLICT (name) DO UPDATE SET value = excluded.value");

	bind_text(statement, name);
	bind_int64(statement, value);
	run(generator, statement);
}

/* --- credentials --- */

static void add_field(
	struct generator *generator, int64_t credential, const char *name, const char *folded)
{
	struct statement *statement =
		prepare(generator, "INSERT INTO credential_field (credential_id, name, folded)"
				   " VALUES ($1, $2, lower($3))");

	bind_int64(statement, credential);
	bind_text(statement, name);
	bind_text(statement, folded);
	run(generator, statement);
}

static void add_certificate(
	struct generator *generator, int64_t credential, unsigned which, const char *name)
{
	static const unsigned slots[CERTIFICATES_EACH] = {0x9A, 0x9C};
	struct statement *statement = prepare(generator,
		"INSERT INTO certificate (id, credential_id, slot, authority, profile, serial_hex,"
		" subject, not_before, not_after, status, status_before_hold, reason, revoked_at,"
		" der) VALUES ($1, $2, $3, 'local', 'user', $4, $5, $6, $7, $8, 'valid', $9, $10,"
		" $11)");
	uint8_t der[CERTIFICATE_BYTES];
	bool revoked = next_random(generator) % 50 == 0;
	int64_t now = time(NULL);

	_cleanup_free_ char *serial = xasprintf("%016" PRIx64 "%016" PRIx64,
		next_random(generator) >> 1, (uint64_t)++generator->certificate);
	_cleanup_free_ char *subject = xasprintf("CN=%s", name);
	for (size_t i = 0; i < sizeof(der); i += 4) {
		uint32_t bytes = (uint32_t)next_random(generator);
		memcpy(der + i, &bytes, 4);
	}
	bind_int64(statement, generator->certificate);
	bind_int64(statement, credential);
	bind_int64(statement, slots[which]);
	bind_text(statement, serial);
	bind_text(statement, subject);
	bind_int64(statement, now - 100 * DAY);
	bind_int64(statement, now + INT64_C(600) * DAY);
	bind_text(statement, revoked ? "revoked" : "valid");
	bind_text(statement, revoked ? "cessationOfOperation" : NULL);
	bind_int64(statement, revoked ? now - 10 * DAY : 0);
	bind_blob(statement, der, sizeof(der));
	run(generator, statement);
}

static void add_holder(struct generator *generator, int64_t id, const char *name)
{
	_cleanup_free_ char *address = xasprintf("user%07" PRId64 "@example.org", id);

	add_field(generator, id, "name", name);
	add_field(generator, id, "email", address);
	add_field(generator, id, "upn", address);
	for (unsigned i = 0; i < CERTIFICATES_EACH; i++)
		add_certificate(generator, id, i, name);
}

static void add_credential(struct generator *generator, int64_t number)
{
	struct statement *statement = prepare(generator,
		"INSERT INTO credential (id, serial, card_type, state, holder, template_name,"
		" template_version, kdf, key_version, key_check_value, admin_algorithm, reason,"
		" created_at, changed_at) VALUES ($1, $2, 'yubikey-5', $3, $4, $5, $6,"
		" 'SP800-108-CMAC-AES256', 1, $7, 10, NULL, $8, $8)");
	int64_t id = ++generator->credential;
	uint8_t check[3] = {(uint8_t)id, (uint8_t)(id >> 8), (uint8_t)(id >> 16)};

	_cleanup_free_ char *name =
		xasprintf("%s %s %" PRId64, first_names[id % 16], last_names[id / 16 % 16], id);
	_cleanup_free_ char *serial = xasprintf("yubikey-%08" PRId64, INT64_C(50000000) + number);
	_cleanup_free_ char *holder =
		xasprintf("{\"name\":\"%s\",\"email\":\"user%07" PRId64 "@example.org\","
			  "\"upn\":\"user%07" PRId64 "@example.org\"}",
			name, id, id);
	bind_int64(statement, id);
	bind_text(statement, serial);
	bind_text(statement, generator->template_version ? "active" : "registered");
	bind_text(statement, holder);
	bind_text(statement, generator->template_version ? "employee" : NULL);
	bind_int64(statement, generator->template_version);
	bind_blob(statement, check, sizeof(check));
	bind_int64(statement, time(NULL) - 100 * DAY);
	run(generator, statement);
	add_holder(generator, id, name);
}

/* --- the audit trail --- */

static void insert_record(
	struct generator *generator, const struct audit_record *record, const char *caller)
{
	struct statement *statement =
		prepare(generator, "INSERT INTO audit (id, time_us, actor, operation, card, "
				   "outcome, detail, job, hash,"
				   " caller) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");

	bind_int64(statement, record->id);
	bind_int64(statement, record->time_us);
	bind_text(statement, record->actor);
	bind_text(statement, record->operation);
	bind_text(statement, record->card);
	bind_text(statement, record->outcome);
	bind_text(statement, record->detail);
	bind_int64(statement, record->job);
	bind_blob(statement, record->hash, sizeof(record->hash));
	bind_text(statement, caller);
	run(generator, statement);
}

static size_t random_event(struct generator *generator)
{
	unsigned draw = (unsigned)(next_random(generator) % 100);
	size_t event = 0;

	while (draw >= events[event].share)
		draw -= events[event++].share;
	return event;
}

static void add_record(struct generator *generator, int64_t step_us)
{
	size_t event = random_event(generator);
	unsigned uid = 1000 + (unsigned)(next_random(generator) % 500);
	int64_t card = INT64_C(50000000) + 1 +
		       (int64_t)(next_random(generator) % (uint64_t)generator->credentials);
	struct audit_record record _cleanup_audit_record_ = {.id = ++generator->record,
		.time_us = generator->time_us += step_us,
		.actor = xasprintf("uid=%u pid=%u exe=/usr/bin/ssh", uid,
			(unsigned)(next_random(generator) % 100000)),
		.operation = xstrdup(events[event].operation),
		.card = strcmp(events[event].outcome, "AccessDenied") == 0
				? NULL
				: xasprintf("yubikey-%08" PRId64, card),
		.outcome = xstrdup(events[event].outcome),
		.detail = xstrdup(events[event].detail)};
	_cleanup_free_ char *caller = xasprintf("uid=%u", uid);

	audit_record_chain(&record, generator->hash);
	memcpy(generator->hash, record.hash, AUDIT_HASH_BYTES);
	insert_record(generator, &record, caller);
}

static void add_records(struct generator *generator, int64_t number)
{
	(void)number;
	/* From the last record there is up to now, not beyond. */
	int64_t left = audit_now_us() - generator->time_us;
	int64_t rest = generator->records - number + 1;
	add_record(generator, left / (rest + 1));
}

/* --- all of it --- */

static void repeat(struct generator *generator, const char *what, int64_t count,
	void (*add)(struct generator *, int64_t number))
{
	for (int64_t number = 1; number <= count; number++) {
		if (number % TRANSACTION_ROWS == 1)
			must(generator, database_begin(generator->database, &generator->error));
		add(generator, number);
		if (number % TRANSACTION_ROWS == 0 || number == count)
			must(generator, database_end(generator->database, true, &generator->error));
	}
	printf("%" PRId64 " %s\n", count, what);
	fflush(stdout);
}

static void generate(struct generator *generator)
{
	/* For this program alone: what is cut off is thrown away. */
	must(generator, database_execute(generator->database,
				"PRAGMA synchronous = OFF; PRAGMA cache_size = -400000",
				&generator->error));
	read_state(generator);
	drop_indexes(generator);
	repeat(generator, "credentials", generator->credentials, add_credential);
	repeat(generator, "audit records", generator->records, add_records);
	set_counter(generator, "credential", generator->credential);
	set_counter(generator, "certificate", generator->certificate);
	set_counter(generator, "audit", generator->record);
	make_indexes(generator);
	puts("indexes");
}

static void usage(void)
{
	puts("Usage: store-generate [--credentials N] [--records N] DATABASE\n"
	     "Adds credentials (default 1000000) and audit records (default 5000000) to a store "
	     "of\n"
	     "tesserad, which must not run; makes the store when it is not there.");
}

static void parse(int argc, char **argv, struct generator *generator)
{
	static const struct option known[] = {{"credentials", required_argument, NULL, 'c'},
		{"records", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'}, {0}};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'c')
			generator->credentials = atoll(optarg);
		else if (option == 'r')
			generator->records = atoll(optarg);
		else {
			usage();
			exit(option == 'h' ? EXIT_SUCCESS : 2);
		}
	}
	if (argc - optind != 1 || generator->credentials < 1 || generator->records < 0) {
		usage();
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct generator generator = {
		.credentials = 1000000, .records = 5000000, .random = 0x9E3779B97F4A7C15};

	parse(argc, argv, &generator);
	/* The store makes its tables; the rest goes past it, many rows at a time. */
	struct store *store = store_open(argv[optind], &generator.error);
	if (!store)
		fail(&generator);
	store_close(store);
	generator.database = database_open(argv[optind], &generator.error);
	if (!generator.database)
		fail(&generator);
	generate(&generator);
	database_close(generator.database);
	return EXIT_SUCCESS;
}

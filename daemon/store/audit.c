/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdint.h>
#include <string.h>

#include "common/alloc.h"
#include "store/store-private.h"

#define COUNTER "audit"
#define COLUMNS                                                                                    \
	"id, time_us, actor, audit.operator, operation, card, outcome, detail, job, signature, "   \
	"hash"
/* Records looked at for one page. */
#define SCAN_MAX 4000
/* Two calls may come in another order than they took their times. */
#define CLOCK_TOLERANCE_US 1000000

static bool read_hash(struct statement *statement, uint8_t hash[AUDIT_HASH_BYTES])
{
	_cleanup_buffer_ struct buffer value = BUFFER_INIT;

	column_blob(statement, &value);
	if (value.length != AUDIT_HASH_BYTES)
		return false;
	memcpy(hash, value.data, AUDIT_HASH_BYTES);
	return true;
}

/* What the next record follows. */
struct head {
	int64_t id; /* 0: there is no record yet */
	int64_t time_us;
	uint8_t hash[AUDIT_HASH_BYTES];
};

/* A damaged hash is left zero, for audit_verify to find. */
static bool read_head(struct store *store, struct head *head, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT id, time_us, hash FROM audit ORDER BY id DESC LIMIT 1", error);

	*head = (struct head){0};
	if (!statement)
		return false;
	if (statement_row(statement, &local)) {
		head->id = column_int64(statement);
		head->time_us = column_int64(statement);
		read_hash(statement, head->hash);
	}
	return local.code == ERROR_NONE || error_move(error, &local);
}

bool store_audit_head(
	struct store *store, int64_t *id, uint8_t hash[AUDIT_HASH_BYTES], struct error *error)
{
	struct head head;

	if (!read_head(store, &head, error))
		return false;
	*id = head.id;
	memcpy(hash, head.hash, AUDIT_HASH_BYTES);
	return true;
}

static void bind_bytes(struct statement *statement, const struct buffer *bytes)
{
	if (bytes->length)
		bind_blob(statement, bytes->data, bytes->length);
	else
		bind_text(statement, NULL);
}

static bool insert(struct store *store, const struct audit_record *record, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO audit (id, time_us, actor, operator, operation, card, outcome, detail,"
		" job, signature, hash, caller)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
		error);

	if (!statement)
		return false;
	_cleanup_free_ char *caller = xstrdup(record->actor);
	caller[strcspn(caller, " ")] = '\0';
	bind_int64(statement, record->id);
	bind_int64(statement, record->time_us);
	bind_text(statement, record->actor);
	bind_text(statement, record->operator_name);
	bind_text(statement, record->operation);
	bind_text(statement, record->card);
	bind_text(statement, record->outcome);
	bind_text(statement, record->detail);
	bind_int64(statement, record->job);
	bind_bytes(statement, &record->signature);
	bind_blob(statement, record->hash, sizeof(record->hash));
	bind_text(statement, caller);
	return statement_run(statement, error);
}

/* Keeps times in order, or begins a new run of them. */
static bool settle_time(struct store *store, struct audit_record *record, const struct head *head,
	struct error *error)
{
	if (record->time_us >= head->time_us)
		return true;
	if (head->time_us - record->time_us > CLOCK_TOLERANCE_US)
		return store_audit_note_run(store, record->id, error);
	record->time_us = head->time_us;
	return true;
}

/* For lists by one of several operators. The names have spaces between them. */
static bool insert_operators(
	struct store *store, const struct audit_record *record, struct error *error)
{
	_cleanup_free_ char *names = xstrdup(record->operator_name ? record->operator_name : "");
	char *rest = NULL;

	for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		_cleanup_statement_ struct statement *statement = database_prepare(store->database,
			"INSERT INTO audit_operator (operator, record_id) VALUES ($1, $2)", error);
		if (!statement)
			return false;
		bind_text(statement, name);
		bind_int64(statement, record->id);
		if (!statement_run(statement, error))
			return false;
	}
	return true;
}

static bool append(struct store *store, struct audit_record *record, store_audit_sign sign,
	void *context, struct error *error)
{
	struct head head;

	if (!read_head(store, &head, error) ||
		!store_counter_next(store, COUNTER, &record->id, error) ||
		!settle_time(store, record, &head, error))
		return false;
	if (sign)
		sign(context, record, head.hash);
	audit_record_chain(record, head.hash);
	return insert(store, record, error) && insert_operators(store, record, error);
}

bool store_audit_append(struct store *store, struct audit_record *record, store_audit_sign sign,
	void *context, struct error *error)
{
	if (!database_begin(store->database, error))
		return false;
	bool appended = append(store, record, sign, context, error);
	return database_end(store->database, appended, error);
}

bool store_audit_last(struct store *store, int64_t *id, struct error *error)
{
	return store_counter_get(store, COUNTER, id, error);
}

static void read_record(struct statement *statement, struct audit_record *record)
{
	*record = (struct audit_record)AUDIT_RECORD_INIT;
	record->id = column_int64(statement);
	record->time_us = column_int64(statement);
	record->actor = column_text(statement);
	record->operator_name = column_text(statement);
	record->operation = column_text(statement);
	record->card = column_text(statement);
	record->outcome = column_text(statement);
	record->detail = column_text(statement);
	record->job = (unsigned)column_int64(statement);
	column_blob(statement, &record->signature);
	read_hash(statement, record->hash);
}

/*
 * Each list goes along one index; what else the filter asks is looked at row by row. The first
 * that is asked for, in the order of how few records that leaves, decides.
 */
#define LIST(tables, id, condition)                                                                \
	"SELECT " COLUMNS " FROM " tables " WHERE " id " > $1 AND " id " < $2" condition           \
	" ORDER BY " id
#define BOTH_ORDERS(list)                                                                          \
	{                                                                                          \
		list, list " DESC"                                                                 \
	}
#define ALONG(condition) BOTH_ORDERS(LIST("audit", "id", condition))
#define ALONG_OPERATOR                                                                             \
	BOTH_ORDERS(LIST("audit_operator JOIN audit ON id = record_id", "record_id",               \
		" AND audit_operator.operator = $3"))

static struct statement *prepare_list(struct store *store, const struct audit_filter *filter,
	const char **value, struct error *error)
{
	static const char *const all[] = ALONG("");
	static const char *const failed[] = ALONG(" AND outcome <> 'ok'");
	static const char *const by_text[][2] = {
		ALONG(" AND card = $3"),
		ALONG_OPERATOR,
		ALONG(" AND outcome = $3"),
		ALONG(" AND caller = $3"),
		ALONG(" AND operation = $3"),
	};
	const char *outcome = filter->outcome;
	bool any_failure = outcome && strcmp(outcome, AUDIT_NOT_OK) == 0;
	/* Most records are "ok": that leaves the most, and is the last to go along. */
	bool rare = outcome && strcmp(outcome, "ok") != 0 && !any_failure;
	const char *values[] = {filter->card, filter->operator_name, rare ? outcome : NULL,
		filter->caller, filter->operation};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (!values[i])
			continue;
		if (i > 2 && any_failure)
			break; /* failures are fewer */
		*value = values[i];
		return database_prepare(store->database, by_text[i][filter->newest_first], error);
	}
	return database_prepare(
		store->database, (any_failure ? failed : all)[filter->newest_first], error);
}

static bool same(const char *wanted, const char *text)
{
	return !wanted || (text && strcmp(wanted, text) == 0);
}

/* Whether the operator is among those whom the record names. */
static bool names(const struct audit_record *record, const char *operator_name)
{
	_cleanup_free_ char *all = xstrdup(record->operator_name ? record->operator_name : "");
	char *rest = NULL;

	for (char *name = strtok_r(all, " ", &rest); operator_name && name;
		name = strtok_r(NULL, " ", &rest)) {
		if (strcmp(name, operator_name) == 0)
			return true;
	}
	return !operator_name;
}

static bool fits(const struct audit_filter *filter, const struct audit_record *record)
{
	size_t caller = filter->caller ? strlen(filter->caller) : 0;
	bool failed = strcmp(record->outcome ? record->outcome : "", "ok") != 0;

	return same(filter->card, record->card) && names(record, filter->operator_name) &&
	       same(filter->operation, record->operation) &&
	       (!filter->outcome || same(filter->outcome, record->outcome) ||
		       (failed && strcmp(filter->outcome, AUDIT_NOT_OK) == 0)) &&
	       (!caller || (record->actor && strncmp(record->actor, filter->caller, caller) == 0 &&
				   strchr(" ", record->actor[caller]))) &&
	       (!filter->since_us || record->time_us >= filter->since_us) &&
	       (!filter->until_us || record->time_us < filter->until_us);
}

/* The ids between which the page lies. */
static bool find_bounds(struct store *store, const struct audit_filter *filter, int64_t *low,
	int64_t *high, struct error *error)
{
	*low = filter->newest_first ? 0 : filter->after;
	*high = filter->newest_first && filter->after ? filter->after : INT64_MAX;
	return store_audit_narrow(store, filter->since_us, filter->until_us, low, high, error);
}

/* Reads rows until the page is full or enough was looked at; *next says where that was. */
static bool read_page(struct statement *statement, const struct audit_filter *filter,
	struct audit_record *page, size_t *count, int64_t *next, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	unsigned seen = 0;

	*next = 0;
	while (*count < filter->limit && seen < SCAN_MAX) {
		struct audit_record record;
		if (!statement_row(statement, &local)) {
			*next = 0;
			return local.code == ERROR_NONE || error_move(error, &local);
		}
		read_record(statement, &record);
		seen++;
		*next = record.id;
		if (fits(filter, &record))
			page[(*count)++] = record;
		else
			audit_record_clear(&record);
	}
	return true;
}

bool store_audit_list(struct store *store, const struct audit_filter *filter,
	struct audit_record **records, size_t *count, int64_t *next, struct error *error)
{
	const char *value = NULL;
	int64_t low, high;
	size_t length = 0;

	if (!find_bounds(store, filter, &low, &high, error))
		return false;
	_cleanup_statement_ struct statement *statement =
		prepare_list(store, filter, &value, error);
	if (!statement)
		return false;
	bind_int64(statement, low);
	bind_int64(statement, high);
	if (value)
		bind_text(statement, value);
	struct audit_record *page = xcalloc(filter->limit, sizeof(*page));
	if (!read_page(statement, filter, page, &length, next, error)) {
		audit_records_free(page, length);
		return false;
	}
	*records = page;
	*count = length;
	return true;
}

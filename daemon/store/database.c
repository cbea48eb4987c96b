/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/alloc.h"

#define STATEMENTS_MAXIMUM 128
#define BUSY_TIMEOUT_MS	   5000
/* A database up to this size is checked as a whole after it was not closed in order. */
#define CHECKED_BYTES_MAXIMUM (16 * 1024 * 1024)

/* 2 MiB of cache and 4 MiB of log left on disk at most: an idle daemon is small. */
static const char settings[] = "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = FULL;"
			       "PRAGMA foreign_keys = ON;"
			       "PRAGMA trusted_schema = OFF;"
			       "PRAGMA cell_size_check = ON;"
			       "PRAGMA cache_size = -2048;"
			       "PRAGMA journal_size_limit = 4194304;";

struct statement {
	struct database *database;
	const char *sql;
	sqlite3_stmt *prepared;
	bool in_use;
	bool kept; /* in the array below; else made for one use */
	int next_parameter;
	int next_column;
	int bind_result;
};

struct database {
	char *path;
	sqlite3 *connection;
	/* Guards all below and the connection; recursive, held through statements and transactions.
	 */
	pthread_mutex_t lock;
	struct statement statements[STATEMENTS_MAXIMUM];
	size_t statement_count;
	unsigned depth;		/* of database_begin() */
	enum error_code spoilt; /* why the open transaction cannot commit, or ERROR_NONE */
};

static enum error_code code_of_errno(int number)
{
	switch (number) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERROR_STORE_FULL;
	case EROFS:
	case EACCES:
	case EPERM:
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
		return ERROR_STORE_READ_ONLY;
	default:
		return ERROR_STORE_FAILED;
	}
}

/* https://www.sqlite.org/rescode.html; extended codes carry the primary one in the low byte. */
static enum error_code code_of_result(int result, int system_errno)
{
	switch (result) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
		return ERROR_EXISTS;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return ERROR_NOT_FOUND;
	}
	switch (result & 0xFF) {
	case SQLITE_FULL:
		return ERROR_STORE_FULL;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return code_of_errno(system_errno) == ERROR_STORE_FULL ? ERROR_STORE_FULL
								       : ERROR_STORE_READ_ONLY;
	case SQLITE_IOERR:
		return code_of_errno(system_errno);
	default:
		return ERROR_STORE_FAILED;
	}
}

/*
 * The system call's error behind a failed SQLite call, or 0. SQLite does not keep
 * it for every failing step, so errno is cleared before each call and asked then.
 */
static int system_errno_of(struct database *database)
{
	int number = sqlite3_system_errno(database->connection);

	return number ? number : errno;
}

/* Fills error for a failed SQLite call. Returns false. */
static bool fail(struct database *database, int result, struct error *error)
{
	int system_errno = system_errno_of(database);
	enum error_code code = code_of_result(result, system_errno);
	const char *text = sqlite3_errmsg(database->connection);

	switch (code) {
	case ERROR_EXISTS:
		return error_set(error, code, "the store has such a record already");
	case ERROR_NOT_FOUND:
		return error_set(error, code, "the record refers to one that is not in the store");
	case ERROR_STORE_FULL:
		return error_set(error, code, "no space is left for %s", database->path);
	case ERROR_STORE_READ_ONLY:
		return error_set(error, code, "%s cannot be written: %s", database->path, text);
	default:
		break;
	}
	if ((result & 0xFF) == SQLITE_CORRUPT || (result & 0xFF) == SQLITE_NOTADB)
		return error_set(error, code,
			"%s is damaged or no database; restore it from a backup", database->path);
	bool has_cause = (result & 0xFF) == SQLITE_IOERR && system_errno;
	return error_set(error, code, "%s: %s%s%s", database->path, text, has_cause ? ": " : "",
		has_cause ? strerror(system_errno) : "");
}

static int execute(struct database *database, const char *sql)
{
	errno = 0;
	return sqlite3_exec(database->connection, sql, NULL, NULL, NULL);
}

/* A failure inside a transaction spoils it, as in PostgreSQL. Returns false. */
static bool fail_statement(struct database *database, int result, struct error *error)
{
	if (database->depth > 0 && database->spoilt == ERROR_NONE)
		database->spoilt =
			code_of_result(result, sqlite3_system_errno(database->connection));
	return fail(database, result, error);
}

static bool fail_spoilt(struct database *database, struct error *error)
{
	return error_set(error, database->spoilt,
		"the changes to %s were given up after an earlier failure", database->path);
}

static bool fail_path(const char *path, int number, struct error *error)
{
	return error_set(error, code_of_errno(number), "%s cannot be opened for writing: %s", path,
		strerror(number));
}

/* Makes the file if need be, private to us whatever the umask; SQLite gives its log the same mode.
 */
static bool prepare_file(const char *path, struct error *error)
{
	struct stat status;
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

	if (file < 0)
		return fail_path(path, errno, error);
	int number = fstat(file, &status) < 0	     ? errno
		     : !S_ISREG(status.st_mode)	     ? EINVAL
		     : (status.st_mode & 07077) == 0 ? 0
		     : fchmod(file, 0600) < 0	     ? errno
						     : 0;
	close(file);
	return number ? fail_path(path, number, error) : true;
}

/* A log that is there when we come was left by a daemon that did not end in order. */
static bool has_log(const char *path)
{
	struct stat status;
	_cleanup_free_ char *log = xasprintf("%s-wal", path);

	return stat(log, &status) == 0 && status.st_size > 0;
}

/* The tables that stay small. */
static const char *const small_tables[] = {
	"PRAGMA quick_check('schema_version')",
	"PRAGMA quick_check('counter')",
	"PRAGMA quick_check('named_value')",
	"PRAGMA quick_check('template')",
	"PRAGMA quick_check('connection')",
	"PRAGMA quick_check('intent')",
};

static bool check_with(struct database *database, const char *sql, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(database, sql, error);

	if (!statement)
		return false;
	if (!statement_row(statement, &local))
		return local.code == ERROR_NONE || error_move(error, &local);
	_cleanup_free_ char *answer = column_text(statement);
	if (answer && strcmp(answer, "ok") == 0)
		return true;
	return fail(database, SQLITE_CORRUPT, error);
}

/* A great store is not read as a whole while people wait: then only what all else stands on. */
static bool check_damage(struct database *database, struct error *error)
{
	struct stat status;
	bool is_small =
		stat(database->path, &status) == 0 && status.st_size <= CHECKED_BYTES_MAXIMUM;
	bool is_store = true;

	if (is_small)
		return check_with(database, "PRAGMA quick_check(1)", error);
	if (!database_has_table(database, "intent", &is_store, error))
		return false;
	for (size_t i = 0; is_store && i < ARRAY_SIZE(small_tables); i++) {
		if (!check_with(database, small_tables[i], error))
			return false;
	}
	return true;
}

static bool open_connection(struct database *database, struct error *error)
{
	/* NOMUTEX: our lock serialises all use of the connection. */
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	errno = 0;
	int result = sqlite3_open_v2(database->path, &database->connection, flags, NULL);

	if (!database->connection)
		return error_set(error, ERROR_STORE_FAILED, "SQLite cannot be used");
	if (result != SQLITE_OK)
		return fail(database, result, error);
	if (sqlite3_db_readonly(database->connection, "main") != 0)
		return fail_path(database->path, EROFS, error);
	sqlite3_busy_timeout(database->connection, BUSY_TIMEOUT_MS);
	return database_execute(database, settings, error);
}

static void lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

struct database *database_open(const char *path, struct error *error)
{
	if (!prepare_file(path, error))
		return NULL;
	bool was_left_open = has_log(path);
	struct database *database _cleanup_(database_closep) = xnew(struct database);
	lock_init(&database->lock);
	database->path = xstrdup(path);
	if (!open_connection(database, error))
		return NULL;
	if (was_left_open && !check_damage(database, error))
		return NULL;
	return steal_pointer(&database);
}

void database_close(struct database *database)
{
	if (!database)
		return;
	for (size_t i = 0; i < database->statement_count; i++)
		sqlite3_finalize(database->statements[i].prepared);
	sqlite3_close_v2(database->connection);
	pthread_mutex_destroy(&database->lock);
	free(database->path);
	free(database);
}

bool database_execute(struct database *database, const char *sql, struct error *error)
{
	pthread_mutex_lock(&database->lock);
	int result = execute(database, sql);
	bool done = result == SQLITE_OK || fail_statement(database, result, error);
	pthread_mutex_unlock(&database->lock);
	return done;
}

bool database_has_table(
	struct database *database, const char *name, bool *found, struct error *error)
{
	int64_t tables;
	_cleanup_statement_ struct statement *statement = database_prepare(database,
		"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND ($1 IS NULL OR name = "
		"$1)",
		error);

	if (!statement)
		return false;
	bind_text(statement, name);
	if (!statement_run_int64(statement, &tables, error))
		return false;
	*found = tables > 0;
	return true;
}

bool database_begin(struct database *database, struct error *error)
{
	pthread_mutex_lock(&database->lock);
	if (database->depth == 0) {
		/* At once for writing: a transaction that is promoted later can fail as busy. */
		int result = execute(database, "BEGIN IMMEDIATE");
		if (result != SQLITE_OK) {
			fail(database, result, error);
			pthread_mutex_unlock(&database->lock);
			return false;
		}
		database->spoilt = ERROR_NONE;
	}
	database->depth++;
	return true;
}

static bool commit(struct database *database, struct error *error)
{
	int result = execute(database, "COMMIT");

	return result == SQLITE_OK || fail(database, result, error);
}

bool database_end(struct database *database, bool succeeded, struct error *error)
{
	if (!succeeded && database->spoilt == ERROR_NONE)
		database->spoilt = ERROR_STORE_FAILED;
	if (database->depth == 1) {
		if (succeeded)
			succeeded = database->spoilt ? fail_spoilt(database, error)
						     : commit(database, error);
		/* SQLite has rolled back by itself after some failures. */
		if (!succeeded && !sqlite3_get_autocommit(database->connection))
			execute(database, "ROLLBACK");
		database->spoilt = ERROR_NONE;
	}
	database->depth--;
	pthread_mutex_unlock(&database->lock);
	return succeeded;
}

/* Whoever gets the lock while depth is not 0 is the thread that began: it is recursive. */
bool database_in_transaction(struct database *database)
{
	if (pthread_mutex_trylock(&database->lock) != 0)
		return false;
	bool inside = database->depth > 0;
	pthread_mutex_unlock(&database->lock);
	return inside;
}

/* A kept statement that is free, a new place to keep one, or one for this use only. */
static struct statement *find_statement(struct database *database, const char *sql)
{
	for (size_t i = 0; i < database->statement_count; i++) {
		struct statement *statement = &database->statements[i];
		if (statement->sql == sql && !statement->in_use)
			return statement;
	}
	bool kept = database->statement_count < STATEMENTS_MAXIMUM;
	struct statement *statement =
		kept ? &database->statements[database->statement_count++] : xnew(struct statement);
	*statement = (struct statement){.database = database, .sql = sql, .kept = kept};
	return statement;
}

struct statement *database_prepare(struct database *database, const char *sql, struct error *error)
{
	pthread_mutex_lock(&database->lock);
	if (database->depth > 0 && database->spoilt) {
		fail_spoilt(database, error);
		pthread_mutex_unlock(&database->lock);
		return NULL;
	}
	struct statement *statement = find_statement(database, sql);
	statement->in_use = true;
	statement->next_parameter = 1;
	statement->next_column = 0;
	statement->bind_result = SQLITE_OK;
	if (statement->prepared)
		return statement;
	errno = 0;
	int result = sqlite3_prepare_v3(database->connection, sql, -1, SQLITE_PREPARE_PERSISTENT,
		&statement->prepared, NULL);
	if (result == SQLITE_OK)
		return statement;
	fail_statement(database, result, error);
	statement_finish(statement);
	return NULL;
}

void statement_finish(struct statement *statement)
{
	if (!statement)
		return;
	struct database *database = statement->database;
	if (statement->prepared) {
		sqlite3_reset(statement->prepared);
		sqlite3_clear_bindings(statement->prepared);
	}
	statement->in_use = false;
	if (!statement->kept) {
		sqlite3_finalize(statement->prepared);
		free(statement);
	}
	pthread_mutex_unlock(&database->lock);
}

static void note_bind(struct statement *statement, int result)
{
	if (statement->bind_result == SQLITE_OK)
		statement->bind_result = result;
}

void bind_int64(struct statement *statement, int64_t value)
{
	note_bind(statement,
		sqlite3_bind_int64(statement->prepared, statement->next_parameter++, value));
}

void bind_text(struct statement *statement, const char *text)
{
	note_bind(statement, sqlite3_bind_text(statement->prepared, statement->next_parameter++,
				     text, -1, SQLITE_TRANSIENT));
}

void bind_blob(struct statement *statement, const void *data, size_t length)
{
	/* A NULL pointer would be SQL's NULL, not an empty blob. */
	note_bind(statement, sqlite3_bind_blob64(statement->prepared, statement->next_parameter++,
				     length ? data : "", length, SQLITE_TRANSIENT));
}

bool statement_row(struct statement *statement, struct error *error)
{
	int result = statement->bind_result;

	errno = 0;
	if (result == SQLITE_OK)
		result = sqlite3_step(statement->prepared);
	statement->next_column = 0;
	if (result == SQLITE_ROW)
		return true;
	if (result == SQLITE_DONE) {
		if (error)
			error_clear(error);
		return false;
	}
	return fail_statement(statement->database, result, error);
}

bool statement_run(struct statement *statement, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;

	while (statement_row(statement, &local))
		;
	return local.code == ERROR_NONE || error_move(error, &local);
}

bool statement_run_int64(struct statement *statement, int64_t *value, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;

	if (!statement_row(statement, &local)) {
		if (local.code == ERROR_NONE)
			error_set(&local, ERROR_NOT_FOUND, "the store has no such record");
		return error_move(error, &local);
	}
	int64_t number = column_int64(statement);
	if (!statement_run(statement, error))
		return false;
	*value = number;
	return true;
}

int64_t column_int64(struct statement *statement)
{
	return sqlite3_column_int64(statement->prepared, statement->next_column++);
}

char *column_text(struct statement *statement)
{
	int column = statement->next_column++;

	return xstrdup((const char *)sqlite3_column_text(statement->prepared, column));
}

void column_blob(struct statement *statement, struct buffer *blob)
{
	int column = statement->next_column++;
	const void *data = sqlite3_column_blob(statement->prepared, column);
	int length = sqlite3_column_bytes(statement->prepared, column);

	buffer_truncate(blob, 0);
	if (data && length > 0)
		buffer_append(blob, data, (size_t)length);
}

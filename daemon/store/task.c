/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/alloc.h"
#include "store/store-private.h"

bool store_task_put(struct store *store, int64_t certificate_id, const char *kind, int64_t next_at,
	int64_t alarm_at, struct error *error)
{
	int64_t id;

	if (!database_begin(store->database, error))
		return false;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO task (id, certificate_id, kind, created_at, attempts, next_at, "
		"problem, alarm_at, alarms, alarms_mailed)"
		" VALUES ($1, $2, $3, $4, 0, $5, NULL, $6, 0, 0)"
		" ON CONFLICT (certificate_id) DO UPDATE SET kind = excluded.kind,"
		" created_at = excluded.created_at, attempts = 0, next_at = excluded.next_at,"
		" problem = NULL, alarm_at = excluded.alarm_at, alarms = 0, alarms_mailed = 0",
		error);
	bool done = statement && store_counter_next(store, "task", &id, error);
	if (done) {
		bind_int64(statement, id);
		bind_int64(statement, certificate_id);
		bind_text(statement, kind);
		bind_int64(statement, store_now());
		bind_int64(statement, next_at);
		bind_int64(statement, alarm_at);
		done = statement_run(statement, error);
	}
	return database_end(store->database, done, error);
}

bool store_task_turn(struct store *store, int64_t certificate_id, const char *kind, int64_t next_at,
	int64_t alarm_at, const char *problem, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"UPDATE task SET kind = $1, attempts = 0, next_at = $2, problem = $3,"
		" alarm_at = $4 WHERE certificate_id = $5",
		error);

	if (!statement)
		return false;
	bind_text(statement, kind);
	bind_int64(statement, next_at);
	bind_text(statement, problem);
	bind_int64(statement, alarm_at);
	bind_int64(statement, certificate_id);
	return statement_run(statement, error);
}

bool store_task_note(
	struct store *store, int64_t certificate_id, const char *problem, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "UPDATE task SET problem = $1 WHERE certificate_id = $2", error);

	if (!statement)
		return false;
	bind_text(statement, problem);
	bind_int64(statement, certificate_id);
	return statement_run(statement, error);
}

bool store_task_forget_renewals(struct store *store, int64_t now, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"DELETE FROM task WHERE kind = $1 AND certificate_id IN (SELECT id FROM certificate"
		" WHERE status NOT IN ('valid', 'on-hold') OR not_after < $2)",
		error);

	if (!statement)
		return false;
	bind_text(statement, TASK_RENEW);
	bind_int64(statement, now);
	return statement_run(statement, error);
}

/* What needs an operator is said at once, the first time that it does. */
bool store_task_postpone(struct store *store, int64_t certificate_id, int64_t next_at,
	int64_t alarm_at, const char *problem, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"UPDATE task SET attempts = attempts + 1, next_at = $1, problem = $2, alarm_at ="
		" CASE WHEN $1 = $3 AND next_at <> $3 THEN $4"
		" WHEN alarm_at < $5 THEN $5 ELSE alarm_at END WHERE certificate_id = $6",
		error);

	if (!statement)
		return false;
	bind_int64(statement, next_at);
	bind_text(statement, problem);
	bind_int64(statement, TASK_NEVER);
	bind_int64(statement, store_now());
	bind_int64(statement, alarm_at);
	bind_int64(statement, certificate_id);
	return statement_run(statement, error);
}

bool store_task_remove(struct store *store, int64_t certificate_id, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "DELETE FROM task WHERE certificate_id = $1", error);

	if (!statement)
		return false;
	bind_int64(statement, certificate_id);
	return statement_run(statement, error);
}

void task_clear(struct task *task)
{
	free(task->kind);
	free(task->problem);
	*task = (struct task)TASK_INIT;
}

void tasks_free(struct task *tasks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		task_clear(&tasks[i]);
	free(tasks);
}

#define COLUMNS                                                                                    \
	"id, certificate_id, kind, created_at, attempts, next_at, problem, alarm_at, alarms,"      \
	" alarms_mailed"

static void read_task(struct statement *statement, struct task *task)
{
	task->id = column_int64(statement);
	task->certificate_id = column_int64(statement);
	task->kind = column_text(statement);
	task->created_at = column_int64(statement);
	task->attempts = column_int64(statement);
	task->next_at = column_int64(statement);
	task->problem = column_text(statement);
	task->alarm_at = column_int64(statement);
	task->alarms = column_int64(statement);
	task->alarms_mailed = column_int64(statement);
}

static bool get_by(
	struct store *store, const char *sql, int64_t id, struct task *task, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, sql, error);

	if (!statement)
		return false;
	bind_int64(statement, id);
	if (statement_row(statement, &local)) {
		task_clear(task);
		read_task(statement, task);
		return true;
	}
	return local.code == ERROR_NONE ? error_set(error, ERROR_NOT_FOUND, "there is no such task")
					: error_move(error, &local);
}

bool store_task_get(
	struct store *store, int64_t certificate_id, struct task *task, struct error *error)
{
	return get_by(store, "SELECT " COLUMNS " FROM task WHERE certificate_id = $1",
		certificate_id, task, error);
}

bool store_task_find(struct store *store, int64_t id, struct task *task, struct error *error)
{
	return get_by(store, "SELECT " COLUMNS " FROM task WHERE id = $1", id, task, error);
}

static bool list_by(
	struct statement *statement, struct task **tasks, size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;

	while (statement_row(statement, &local)) {
		*tasks = xreallocarray(*tasks, *count + 1, sizeof(**tasks));
		read_task(statement, &(*tasks)[(*count)++]);
	}
	if (local.code == ERROR_NONE)
		return true;
	tasks_free(*tasks, *count);
	*tasks = NULL;
	*count = 0;
	return error_move(error, &local);
}

bool store_task_list(struct store *store, int64_t due, unsigned limit, struct task **tasks,
	size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT " COLUMNS " FROM task WHERE next_at <= $1 ORDER BY next_at, id LIMIT $2",
		error);

	*tasks = NULL;
	*count = 0;
	if (!statement)
		return false;
	bind_int64(statement, due);
	bind_int64(statement, limit);
	return list_by(statement, tasks, count, error);
}

/* --- alarms --- */

bool store_task_list_alarms(struct store *store, int64_t due, unsigned limit, struct task **tasks,
	size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT " COLUMNS " FROM task WHERE alarm_at <= $1 ORDER BY alarm_at, id LIMIT $2",
		error);

	*tasks = NULL;
	*count = 0;
	if (!statement)
		return false;
	bind_int64(statement, due);
	bind_int64(statement, limit);
	return list_by(statement, tasks, count, error);
}

bool store_task_list_unmailed(struct store *store, unsigned limit, struct task **tasks,
	size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT " COLUMNS " FROM task WHERE alarms > alarms_mailed ORDER BY id LIMIT $1",
		error);

	*tasks = NULL;
	*count = 0;
	if (!statement)
		return false;
	bind_int64(statement, limit);
	return list_by(statement, tasks, count, error);
}

static bool run_with(
	struct store *store, const char *sql, int64_t first, int64_t second, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, sql, error);

	if (!statement)
		return false;
	bind_int64(statement, first);
	bind_int64(statement, second);
	return statement_run(statement, error);
}

bool store_task_alarmed(struct store *store, int64_t id, int64_t next_at, struct error *error)
{
	return run_with(store, "UPDATE task SET alarms = alarms + 1, alarm_at = $1 WHERE id = $2",
		next_at, id, error);
}

bool store_task_mailed(struct store *store, int64_t id, int64_t alarms, struct error *error)
{
	return run_with(
		store, "UPDATE task SET alarms_mailed = $1 WHERE id = $2", alarms, id, error);
}

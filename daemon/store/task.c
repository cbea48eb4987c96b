/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/alloc.h"
#include "store/store-private.h"

bool store_task_put(struct store *store, int64_t certificate_id, const char *kind, int64_t next_at,
	struct error *error)
{
	int64_t id;

	if (!database_begin(store->database, error))
		return false;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO task (id, certificate_id, kind, created_at, attempts, next_at, "
		"problem)"
		" VALUES ($1, $2, $3, $4, 0, $5, NULL)"
		" ON CONFLICT (certificate_id) DO UPDATE SET kind = excluded.kind,"
		" created_at = excluded.created_at, attempts = 0, next_at = excluded.next_at,"
		" problem = NULL",
		error);
	bool done = statement && store_counter_next(store, "task", &id, error);
	if (done) {
		bind_int64(statement, id);
		bind_int64(statement, certificate_id);
		bind_text(statement, kind);
		bind_int64(statement, store_now());
		bind_int64(statement, next_at);
		done = statement_run(statement, error);
	}
	return database_end(store->database, done, error);
}

bool store_task_turn(struct store *store, int64_t certificate_id, const char *kind, int64_t next_at,
	const char *problem, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"UPDATE task SET kind = $1, attempts = 0, next_at = $2, problem = $3"
		" WHERE certificate_id = $4",
		error);

	if (!statement)
		return false;
	bind_text(statement, kind);
	bind_int64(statement, next_at);
	bind_text(statement, problem);
	bind_int64(statement, certificate_id);
	return statement_run(statement, error);
}

bool store_task_postpone(struct store *store, int64_t certificate_id, int64_t next_at,
	const char *problem, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"UPDATE task SET attempts = attempts + 1, next_at = $1, problem = $2"
		" WHERE certificate_id = $3",
		error);

	if (!statement)
		return false;
	bind_int64(statement, next_at);
	bind_text(statement, problem);
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

#define COLUMNS "id, certificate_id, kind, created_at, attempts, next_at, problem"

static void read_task(struct statement *statement, struct task *task)
{
	task->id = column_int64(statement);
	task->certificate_id = column_int64(statement);
	task->kind = column_text(statement);
	task->created_at = column_int64(statement);
	task->attempts = column_int64(statement);
	task->next_at = column_int64(statement);
	task->problem = column_text(statement);
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

bool store_task_list(struct store *store, int64_t due, unsigned limit, struct task **tasks,
	size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT " COLUMNS " FROM task WHERE next_at <= $1 ORDER BY next_at, id LIMIT $2",
		error);

	*tasks = NULL;
	*count = 0;
	if (!statement)
		return false;
	bind_int64(statement, due);
	bind_int64(statement, limit);
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

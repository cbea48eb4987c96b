/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The small interface between the store and SQL: the only place that knows
 * SQLite. SQL outside of database.c stays in the subset that PostgreSQL also
 * takes ($1 parameters, ON CONFLICT, RETURNING, BIGINT, TEXT, BYTEA).
 *
 * One connection, one recursive lock. A statement holds the lock from
 * database_prepare() to statement_finish(), a transaction from database_begin()
 * to database_end(): others wait, so both are kept short.
 *
 * Errors of all fallible functions: ERROR_STORE_FULL, ERROR_STORE_READ_ONLY,
 * ERROR_STORE_FAILED (damage, and all else), ERROR_EXISTS for a value that must
 * be unique, ERROR_NOT_FOUND for a reference to nothing.
 */
#ifndef TESSERA_STORE_DATABASE_H
#define TESSERA_STORE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/macros.h"

struct database;
struct statement;

/* Opens or creates the file, with mode 0600. A file that was not closed cleanly is checked. */
struct database *database_open(const char *path, struct error *error);
/* NULL is allowed. No statement or transaction may be open. */
void database_close(struct database *database);
DEFINE_CLEANUP(struct database *, database_close);

/*
 * A transaction of this thread. Begins nest: only the outermost one commits. A
 * failed statement, or an inner part that did not succeed, spoils the whole:
 * every further statement fails and the outermost database_end() rolls back.
 */
bool database_begin(struct database *database, struct error *error);
/* Ends a begin: commits if succeeded, else rolls back. False if it did not commit. */
bool database_end(struct database *database, bool succeeded, struct error *error);
/* Whether this thread is between database_begin() and database_end(). */
bool database_in_transaction(struct database *database);

/* Runs several statements without parameters or rows: for migrations. */
bool database_execute(struct database *database, const char *sql, struct error *error);
/* Whether there is a table of that name, or any table at all for NULL. */
bool database_has_table(
	struct database *database, const char *name, bool *found, struct error *error);

/*
 * A statement ready for its parameters. sql must have static storage: prepared
 * statements are kept by its address.
 */
struct statement *database_prepare(struct database *database, const char *sql, struct error *error);
/* Ends the use of a statement; rows that were not read are dropped. NULL is allowed. */
void statement_finish(struct statement *statement);
DEFINE_CLEANUP(struct statement *, statement_finish);
#define _cleanup_statement_ _cleanup_(statement_finishp)

/* Bind the next parameter: $1, $2, ..., which must first appear in this order in the text. The
 * value is copied. NULL text is SQL's NULL. */
void bind_int64(struct statement *statement, int64_t value);
void bind_text(struct statement *statement, const char *text);
void bind_blob(struct statement *statement, const void *data, size_t length);

/* The next row. False with code ERROR_NONE at the end, with another code on failure; error is
 * not NULL. */
bool statement_row(struct statement *statement, struct error *error);
/* Runs a statement to its end, dropping rows. */
bool statement_run(struct statement *statement, struct error *error);
/* Runs a statement that gives one number (INSERT ... RETURNING id). */
bool statement_run_int64(struct statement *statement, int64_t *value, struct error *error);

/* The next column of the row: in the order of the SELECT. */
int64_t column_int64(struct statement *statement);
/* Heap string, or NULL for SQL's NULL. */
char *column_text(struct statement *statement);
/* Replaces the contents of *blob. */
void column_blob(struct statement *statement, struct buffer *blob);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the store's files share. */
#ifndef TESSERA_STORE_STORE_PRIVATE_H
#define TESSERA_STORE_STORE_PRIVATE_H

#include <pthread.h>

#include "store/database.h"
#include "store/store.h"

/* The states of lifecycle_is_managed(), for SQL. */
#define MANAGED_STATES "('registered', 'issued', 'active', 'inactive', 'revoked', 'expired')"

struct store {
	struct database *database;
	char *id;
	/*
	 * The age limit of the template version that was asked for last: a page of cards mostly
	 * asks for the same one, and a version never changes. Guarded by the lock, under which
	 * nothing else is done.
	 */
	pthread_mutex_t age_lock;
	char *age_template; /* or NULL */
	int64_t age_version;
	unsigned age_days;
};

/* Seconds since 1970. */
int64_t store_now(void);

/* Reads one TEXT column of all rows into a heap array of heap strings; finishes the statement. */
bool store_read_names(
	struct statement *statement, char ***names, size_t *count, struct error *error);

/* The same of one BIGINT column. */
bool store_read_ids(struct statement *statement, int64_t **ids, size_t *count, struct error *error);

/* Replaces what is searched for of a credential's holder (search.c). */
bool store_search_update(
	struct store *store, const struct credential *credential, struct error *error);

/*
 * Narrows *low < id < *high to where records of that time are (audit-time.c); 0 is no limit.
 * Other records may lie there, too, where the clock was set back.
 */
bool store_audit_narrow(struct store *store, int64_t since_us, int64_t until_us, int64_t *low,
	int64_t *high, struct error *error);
/* Notes that the clock was set back before this record. */
bool store_audit_note_run(struct store *store, int64_t first_id, struct error *error);

/* ERROR_IN_USE while cards that are in use are of people of the connection (person.c). */
bool store_person_check_unused(struct store *store, const char *connection, struct error *error);

/* ERROR_STORE_FAILED: a row holds what this program never writes. Returns false. */
bool store_fail_damaged(const char *table, int64_t id, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the store's files share. */
#ifndef TESSERA_STORE_STORE_PRIVATE_H
#define TESSERA_STORE_STORE_PRIVATE_H

#include <pthread.h>

#include "store/database.h"
#include "store/store.h"

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

/* ERROR_STORE_FAILED: a row holds what this program never writes. Returns false. */
bool store_fail_damaged(const char *table, int64_t id, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A store in a folder of its own, for the tests of the store and of what stands on it. */
#ifndef TESSERA_TESTS_UNIT_STORE_FIXTURE_H
#define TESSERA_TESTS_UNIT_STORE_FIXTURE_H

#include "store/store.h"

struct fixture {
	char *folder;
	char *path; /* of the database */
	struct store *store;
};

/* cmocka's setup and teardown; *state is the struct fixture. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Closes the store and opens it again. */
void fixture_reopen(struct fixture *fixture);
/* Runs SQL on the file behind the store's back, as sqlite3(1) would. */
void fixture_sql(const struct fixture *fixture, const char *sql);

/* A credential that is only registered; not saved. */
struct credential *sample_credential(const char *serial);
/* A template of one key whose certificate comes from the connection; not saved. */
struct template *sample_template(const char *name, const char *connection);

#endif

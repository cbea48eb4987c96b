/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "common/alloc.h"
#include "lib/scratch.h"

int fixture_set_up(void **state)
{
	struct fixture *fixture = xnew(struct fixture);

	fixture->folder = scratch_new();
	fixture->path = xasprintf("%s/store.db", fixture->folder);
	fixture->store = store_open(fixture->path, NULL);
	*state = fixture;
	return fixture->store ? 0 : -1;
}

int fixture_tear_down(void **state)
{
	struct fixture *fixture = *state;

	store_close(fixture->store);
	scratch_free(fixture->folder);
	free(fixture->path);
	free(fixture);
	return 0;
}

void fixture_reopen(struct fixture *fixture)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	store_close(fixture->store);
	fixture->store = store_open(fixture->path, &error);
	if (!fixture->store)
		fail_msg("%s", error_message(&error));
}

void fixture_sql(const struct fixture *fixture, const char *sql)
{
	sqlite3 *connection;

	assert_int_equal(sqlite3_open(fixture->path, &connection), SQLITE_OK);
	int result = sqlite3_exec(connection, sql, NULL, NULL, NULL);
	if (result != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(connection));
	sqlite3_close(connection);
}

struct credential *sample_credential(const char *serial)
{
	struct credential *credential = xnew(struct credential);

	credential->serial = xstrdup(serial);
	credential->card_type = xstrdup("piv");
	credential->state = LIFECYCLE_REGISTERED;
	credential->kdf = xstrdup("SP800-108-CMAC-AES256");
	credential->key_version = 1;
	credential->key_check_value[0] = 0xA5;
	credential->admin_algorithm = 0x0C;
	fields_set(&credential->holder, "name", "Ada Lovelace");
	return credential;
}

struct template *sample_template(const char *name, const char *connection)
{
	_cleanup_free_ char *document = xasprintf(
		"{\"name\": \"%s\", \"card-type\": \"piv\", \"keys\": [{\"slot\": \"signature\","
		" \"algorithm\": \"ec-p256\", \"certificate\": {\"authority\": \"%s\","
		" \"profile\": \"signature\"}}]}",
		name, connection);
	struct template *template = template_parse(document, NULL);

	assert_non_null(template);
	return template;
}

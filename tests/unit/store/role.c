/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Custom roles and quorums in the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "unit/store/fixture.h"

#define BIT(name) permission_bit(PERMISSION_##name)

static struct role_record role_of(const char *name, permission_set permissions)
{
	return (struct role_record){.name = (char *)name,
		.description = (char *)"At night.",
		.permissions = permissions};
}

static void expect(bool done, enum error_code code, const char *text, struct error *error)
{
	assert_false(done);
	assert_int_equal(error->code, code);
	assert_non_null(strstr(error_message(error), text));
	error_clear(error);
}

static void roles_are_kept_changed_and_removed(void **state)
{
	struct fixture *fixture = *state;
	struct error error _cleanup_error_ = ERROR_INIT;
	struct role_record day = role_of("day", BIT(ISSUE));
	const struct role_record night = role_of("night", BIT(VIEW_CARDS) | BIT(UNBLOCK));
	struct role_record found _cleanup_role_record_ = ROLE_RECORD_INIT, *roles;
	size_t count;

	assert_true(store_role_add(fixture->store, &night, NULL));
	assert_true(store_role_add(fixture->store, &day, NULL));
	expect(store_role_add(fixture->store, &night, &error), ERROR_EXISTS, "night", &error);
	fixture_reopen(fixture);
	assert_true(store_role_get(fixture->store, "night", &found, NULL));
	assert_string_equal(found.description, "At night.");
	assert_int_equal(found.permissions, night.permissions);
	day.permissions = BIT(ISSUE) | BIT(REVOKE);
	assert_true(store_role_change(fixture->store, &day, NULL));
	assert_true(store_role_list(fixture->store, &roles, &count, NULL));
	assert_int_equal(count, 2);
	assert_string_equal(roles[0].name, "day");
	assert_int_equal(roles[0].permissions, day.permissions);
	roles_free(roles, count);
	assert_true(store_role_remove(fixture->store, "day", NULL));
	expect(store_role_remove(fixture->store, "day", &error), ERROR_NOT_FOUND, "day", &error);
	expect(store_role_change(fixture->store, &day, &error), ERROR_NOT_FOUND, "day", &error);
	expect(store_role_get(fixture->store, "day", &found, &error), ERROR_NOT_FOUND, "day",
		&error);
	assert_string_equal(found.name, "night");
}

/* Somebody else's hand, or a later version's permission, gives nothing. */
static void what_is_no_permission_gives_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct role_record found _cleanup_role_record_ = ROLE_RECORD_INIT;

	fixture_sql(fixture, "INSERT INTO role VALUES ('odd', '', "
			     "'issue fly manage-owners holder anyone  unblock')");
	assert_true(store_role_get(fixture->store, "odd", &found, NULL));
	assert_int_equal(found.permissions, BIT(ISSUE) | BIT(UNBLOCK));
}

static void save_template(struct store *store, const char *unblock)
{
	_cleanup_free_ char *document =
		xasprintf("{\"name\": \"ec\", \"card-type\": \"piv\", \"keys\": [{\"slot\": "
			  "\"signature\", \"algorithm\": \"ec-p256\", \"certificate\": "
			  "{\"authority\": \"local\", \"profile\": \"signature\"}}]%s}",
			unblock);
	struct template *template _cleanup_template_ = template_parse(document, NULL);

	assert_non_null(template);
	assert_true(store_template_save(store, template, NULL));
}

static void what_is_in_use_stays(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	struct error error _cleanup_error_ = ERROR_INIT;
	struct credential *credential _cleanup_credential_ = sample_credential("card-1");
	char *names[] = {(char *)"night"};
	const struct role_record night = role_of("night", BIT(UNBLOCK));
	const struct role_record less = role_of("night", BIT(ISSUE));

	assert_true(store_role_add(store, &night, NULL));
	assert_true(store_credential_save(store, credential, NULL));
	struct operator_record record _cleanup_operator_ = {
		.credential_id = credential->id, .id = xstrdup("K7M2P")};
	operator_set_roles(&record, names, 1);
	assert_true(store_operator_save(store, &record, NULL));
	expect(store_role_remove(store, "night", &error), ERROR_IN_USE, "K7M2P", &error);
	assert_true(store_operator_remove(store, credential->id, NULL));

	/* The newest version of a template, then only a card that has an older one. */
	save_template(store, ", \"unblock\": {\"roles\": [\"night\"]}");
	expect(store_role_remove(store, "night", &error), ERROR_IN_USE, "\"ec\"", &error);
	expect(store_role_change(store, &less, &error), ERROR_IN_USE, "\"ec\"", &error);
	credential->template_name = xstrdup("ec");
	credential->template_version = 1;
	credential->state = LIFECYCLE_ACTIVE;
	assert_true(store_credential_save(store, credential, NULL));
	save_template(store, "");
	expect(store_role_remove(store, "night", &error), ERROR_IN_USE, "version 1", &error);
	credential->template_version = 2;
	assert_true(store_credential_save(store, credential, NULL));
	assert_true(store_role_change(store, &less, NULL));
	assert_true(store_role_remove(store, "night", NULL));
}

static void a_quorum_is_one_until_it_is_set(void **state)
{
	struct fixture *fixture = *state;
	unsigned count;

	assert_true(store_quorum_get(fixture->store, PERMISSION_ROTATE_KEYS, &count, NULL));
	assert_int_equal(count, 1);
	assert_true(store_quorum_set(fixture->store, PERMISSION_ROTATE_KEYS, 3, NULL));
	assert_true(store_quorum_set(fixture->store, PERMISSION_ROTATE_KEYS, 2, NULL));
	fixture_reopen(fixture);
	assert_true(store_quorum_get(fixture->store, PERMISSION_ROTATE_KEYS, &count, NULL));
	assert_int_equal(count, 2);
	assert_true(store_quorum_get(fixture->store, PERMISSION_EXPORT_KEYS, &count, NULL));
	assert_int_equal(count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(roles_are_kept_changed_and_removed),
		TEST(what_is_no_permission_gives_nothing),
		TEST(what_is_in_use_stays),
		TEST(a_quorum_is_one_until_it_is_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

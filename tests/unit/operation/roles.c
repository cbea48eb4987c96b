/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles, appointing and quorums by the store and logins alone; tests/e2e has them with cards. */
#include "operation/roles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "operation/appoint.h"
#include "operation/login-private.h"
#include "operation/operators.h"
#include "operation/owner.h"
#include "operation/quorum.h"
#include "operation/remaining.h"
#include "unit/store/fixture.h"

#define BIT(name) permission_bit(PERMISSION_##name)
#define ROTATE	  PERMISSION_ROTATE_KEYS

static struct services services;
static struct store *store;

static int set_up(void **state)
{
	if (fixture_set_up(state) != 0)
		return -1;
	store = ((struct fixture *)*state)->store;
	services = (struct services){.store = store};
	services.logins = logins_new(&services, 60);
	return store_value_set(store, VALUE_INITIALISED, (const uint8_t *)"1", 1, NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
	logins_free(services.logins);
	return fixture_tear_down(state);
}

/* As if the card had signed its challenge. */
static void log_in(const char *caller, const struct credential *credential)
{
	struct login_attempt attempt _cleanup_login_attempt_ = {0};
	const struct login_request request = {.caller = caller, .actor = AUDIT_CALLER("uid=0")};

	assert_true(login_attempt_begin(services.logins, credential->serial, &attempt, NULL));
	assert_true(login_add(services.logins, &request, credential, &attempt, NULL));
}

/* Makes an operator with a card and that name, logged in as the caller of the same name as the id.
 */
static int64_t make_operator(const char *id, const char *name, const char *role)
{
	_cleanup_free_ char *serial = xasprintf("card-%s", id);
	struct credential *credential _cleanup_credential_ = sample_credential(serial);
	struct operator_record record _cleanup_operator_ = {.id = xstrdup(id), .active = true};
	char *roles[] = {(char *)role};

	credential->state = LIFECYCLE_ACTIVE;
	fields_set(&credential->holder, "name", name);
	assert_true(store_credential_save(store, credential, NULL));
	record.credential_id = credential->id;
	operator_set_roles(&record, roles, 1);
	assert_true(store_operator_save(store, &record, NULL));
	log_in(id, credential);
	return credential->id;
}

/* Also logs the operator's card in as another caller. */
static void join(const char *caller, int64_t id)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(store, id, NULL);

	log_in(caller, credential);
}

static void refused(bool done, enum error_code code, struct error *error)
{
	if (done || error->code != code)
		fail_msg("done %d: %s: %s", done, error_name(error->code), error_message(error));
	error_clear(error);
}

static struct role_record role_of(const char *name, permission_set permissions)
{
	return (struct role_record){
		.name = (char *)name, .description = (char *)"", .permissions = permissions};
}

static void a_role_counts_from_the_moment_it_is_changed(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct role_record night = role_of("night", BIT(UNBLOCK));

	(void)state;
	make_operator("admin", "Grace", ROLE_ADMINISTRATOR);
	assert_true(roles_add(&services, "admin", &night, NULL));
	make_operator("ada", "Ada", "night");
	assert_true(logins_may(services.logins, "ada", PERMISSION_UNBLOCK, NULL));
	refused(logins_may(services.logins, "ada", PERMISSION_ISSUE, &error), ERROR_ACCESS_DENIED,
		&error);
	night.permissions = BIT(ISSUE);
	assert_true(roles_change(&services, "admin", &night, NULL));
	assert_true(logins_may(services.logins, "ada", PERMISSION_ISSUE, NULL));
	refused(logins_may(services.logins, "ada", PERMISSION_UNBLOCK, &error), ERROR_ACCESS_DENIED,
		&error);
}

static void nobody_gives_more_than_there_is(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct role_record staff = role_of("staff", BIT(MANAGE_OPERATORS) | BIT(ISSUE));
	struct role_record more = role_of("more", BIT(ISSUE) | BIT(REVOKE));
	struct role_record less = role_of("less", BIT(ISSUE));
	char *normal[] = {(char *)"normal"}, *given[] = {(char *)"less"},
	     *recovery[] = {(char *)"key-recovery"};

	(void)state;
	int64_t admin = make_operator("admin", "Grace", ROLE_ADMINISTRATOR);
	assert_true(roles_add(&services, "admin", &staff, NULL));
	int64_t ada = make_operator("ada", "Ada", "staff");
	refused(roles_add(&services, "ada", &more, &error), ERROR_ACCESS_DENIED, &error);
	assert_true(roles_add(&services, "ada", &less, NULL));
	less.permissions |= BIT(REVOKE);
	refused(roles_change(&services, "ada", &less, &error), ERROR_ACCESS_DENIED, &error);
	staff.permissions = BIT(ISSUE);
	refused(roles_change(&services, "ada", &staff, &error), ERROR_ACCESS_DENIED, &error);
	refused(roles_remove(&services, "ada", "staff", &error), ERROR_ACCESS_DENIED, &error);
	assert_true(appoint_check_roles(&services, "ada", 0, given, 1, NULL));
	refused(appoint_check_roles(&services, "ada", 0, normal, 1, &error), ERROR_ACCESS_DENIED,
		&error);
	refused(appoint_check_roles(&services, "ada", admin, given, 1, &error), ERROR_ACCESS_DENIED,
		&error);
	refused(appoint_check_roles(&services, "ada", admin, NULL, 0, &error), ERROR_ACCESS_DENIED,
		&error);
	assert_true(appoint_check_roles(&services, "admin", ada, recovery, 1, NULL));
	/* Not before the one who may is there, too. */
	more.permissions = BIT(RECOVER_KEYS);
	refused(roles_add(&services, "admin", &more, &error), ERROR_ACCESS_DENIED, &error);
	join("admin", make_operator("rec", "Barbara", "key-recovery"));
	assert_true(roles_add(&services, "admin", &more, NULL));
}

static void a_quorum_counts_persons(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	make_operator("admin", "Grace", ROLE_ADMINISTRATOR);
	int64_t same = make_operator("admin2", "GRACE", ROLE_ADMINISTRATOR);
	int64_t other = make_operator("admin3", "Ada", ROLE_ADMINISTRATOR);
	int64_t none = make_operator("normal", "Barbara", "normal");
	refused(quorum_set(&services, "admin", "rotate-keys", 3, &error), ERROR_INVALID_ARGUMENT,
		&error);
	refused(quorum_set(&services, "admin", "issue", 2, &error), ERROR_INVALID_ARGUMENT, &error);
	refused(quorum_set(&services, "normal", "rotate-keys", 2, &error), ERROR_ACCESS_DENIED,
		&error);
	assert_true(quorum_set(&services, "admin", "rotate-keys", 2, NULL));
	refused(logins_may(services.logins, "admin", ROTATE, &error), ERROR_QUORUM_MISSING, &error);
	refused(logins_may(services.logins, "normal", ROTATE, &error), ERROR_ACCESS_DENIED, &error);
	join("admin", same);
	join("admin", none);
	refused(logins_may(services.logins, "admin", ROTATE, &error), ERROR_QUORUM_MISSING, &error);
	refused(quorum_set(&services, "admin", "rotate-keys", 1, &error), ERROR_QUORUM_MISSING,
		&error);
	assert_true(logins_may(services.logins, "admin", PERMISSION_EXPORT_KEYS, NULL));
	join("admin", other);
	assert_true(logins_may(services.logins, "admin", ROTATE, NULL));
	assert_true(quorum_set(&services, "admin", "rotate-keys", 1, NULL));
	assert_true(logins_may(services.logins, "admin2", ROTATE, NULL));
}

/* The first one works on; whoever came to help is out after the time, or logs in again. */
static void who_was_added_runs_out(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct login_entry *entries = NULL;

	(void)state;
	make_operator("admin", "Grace", ROLE_ADMINISTRATOR);
	int64_t other = make_operator("admin3", "Ada", ROLE_ADMINISTRATOR);
	assert_true(quorum_set(&services, "admin", "rotate-keys", 2, NULL));
	join("admin", other);
	logins_end(services.logins, "admin3");
	assert_int_equal(services.logins->count, 2);
	entries = services.logins->entries;
	entries[0].used_at = entries[1].used_at = login_now() - 40;
	assert_true(logins_may(services.logins, "admin", ROTATE, NULL));
	assert_true(entries[0].used_at >= login_now() - 20);
	assert_true(entries[1].used_at < login_now() - 20);
	entries[1].used_at = login_now() - 90;
	refused(logins_may(services.logins, "admin", ROTATE, &error), ERROR_QUORUM_MISSING, &error);
	assert_true(logins_may(services.logins, "admin", PERMISSION_EXPORT_KEYS, NULL));
}

static void who_could_take_part_is_appointed_by_the_quorum(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	char *administrator[] = {(char *)ROLE_ADMINISTRATOR}, *normal[] = {(char *)"normal"};
	struct role_record keeper = role_of("keeper", BIT(VIEW_CARDS));

	(void)state;
	int64_t admin = make_operator("admin", "Grace", ROLE_ADMINISTRATOR);
	int64_t other = make_operator("admin3", "Ada", ROLE_ADMINISTRATOR);
	int64_t normal_id = make_operator("normal", "Barbara", "normal");
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	assert_true(store_operator_get(store, other, &record, NULL));
	assert_true(roles_add(&services, "admin", &keeper, NULL));
	assert_true(quorum_set(&services, "admin", "rotate-keys", 2, NULL));
	refused(appoint_check_roles(&services, "admin", normal_id, administrator, 1, &error),
		ERROR_QUORUM_MISSING, &error);
	refused(appoint_check_pin(&services, "admin", &record, &error), ERROR_QUORUM_MISSING,
		&error);
	keeper.permissions |= BIT(ROTATE_KEYS);
	refused(roles_change(&services, "admin", &keeper, &error), ERROR_QUORUM_MISSING, &error);
	/* Nothing is gained by what somebody has already, or by less. */
	assert_true(appoint_check_roles(&services, "admin", other, administrator, 1, NULL));
	assert_true(appoint_check_roles(&services, "admin", normal_id, normal, 1, NULL));
	join("admin3", admin);
	assert_true(appoint_check_roles(&services, "admin3", normal_id, administrator, 1, NULL));
	assert_true(appoint_check_pin(&services, "admin3", &record, NULL));
	assert_true(roles_change(&services, "admin3", &keeper, NULL));
}

static void enough_operators_stay(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct role_record keeper = role_of("keeper", BIT(ROTATE_KEYS) | BIT(MANAGE_OPERATORS));
	char *normal[] = {(char *)"normal"};
	const struct operator_change demotion = {.roles = normal, .role_count = 1, .active = true};

	(void)state;
	int64_t admin = make_operator("admin", "Grace", ROLE_ADMINISTRATOR);
	/* The last who may manage operators. */
	refused(operators_check_dispensable(&services, admin, true, &error), ERROR_IN_USE, &error);
	refused(operators_set(&services, admin, &demotion, &error), ERROR_IN_USE, &error);
	assert_true(roles_add(&services, "admin", &keeper, NULL));
	int64_t ada = make_operator("ada", "Ada", "keeper");
	assert_true(operators_check_dispensable(&services, admin, true, NULL));
	assert_true(quorum_set(&services, "admin", "rotate-keys", 2, NULL));
	refused(operators_check_dispensable(&services, admin, true, &error), ERROR_IN_USE, &error);
	refused(operators_remove(&services, ada, &error), ERROR_IN_USE, &error);
	refused(operators_set(&services, ada, &demotion, &error), ERROR_IN_USE, &error);
	keeper.permissions = BIT(MANAGE_OPERATORS);
	refused(roles_change(&services, "admin", &keeper, &error), ERROR_IN_USE, &error);
	/* A suspended card can come back; it cannot be given up after that either. */
	assert_true(operators_check_dispensable(&services, ada, false, NULL));
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(store, ada, NULL);
	credential->state = LIFECYCLE_INACTIVE;
	assert_true(store_credential_save(store, credential, NULL));
	refused(operators_check_dispensable(&services, ada, true, &error), ERROR_IN_USE, &error);
	/* A spare one, and all of it goes. */
	make_operator("third", "Barbara", ROLE_ADMINISTRATOR);
	assert_true(roles_change(&services, "admin", &keeper, NULL));
	assert_true(operators_remove(&services, ada, NULL));
}

/* The last one who may manage operators by a custom role does not lose it by the role's change. */
static void a_role_of_the_last_administrator_keeps_its_right(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct role_record chief = role_of("chief", BIT(MANAGE_OPERATORS) | BIT(ISSUE));

	(void)state;
	int64_t admin = make_operator("admin", "Grace", ROLE_ADMINISTRATOR);
	assert_true(roles_add(&services, "admin", &chief, NULL));
	make_operator("ada", "Ada", "chief");
	assert_true(operators_remove(&services, admin, NULL));
	make_operator("aux", "Barbara", "normal");
	chief.permissions = BIT(ISSUE);
	refused(roles_change(&services, "aux", &chief, &error), ERROR_IN_USE, &error);
	chief.permissions = BIT(MANAGE_OPERATORS) | BIT(ISSUE);
	refused(roles_change(&services, "aux", &chief, &error), ERROR_ACCESS_DENIED, &error);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_role_counts_from_the_moment_it_is_changed),
		TEST(nobody_gives_more_than_there_is),
		TEST(a_quorum_counts_persons),
		TEST(who_was_added_runs_out),
		TEST(who_could_take_part_is_appointed_by_the_quorum),
		TEST(enough_operators_stay),
		TEST(a_role_of_the_last_administrator_keeps_its_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

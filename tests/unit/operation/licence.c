/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The limit by the store and threads alone; tests/e2e has it with cards and signed licences. */
#include "operation/licence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "common/alloc.h"
#include "unit/store/fixture.h"

#define THREADS 24

static struct services services;

static int set_up(void **state)
{
	if (fixture_set_up(state) != 0)
		return -1;
	services = (struct services){.store = ((struct fixture *)*state)->store};
	return 0;
}

/* As the verbs do it: the intent first, in the transaction that was allowed. */
static bool take_place(const char *serial, enum lifecycle_state from, struct error *error)
{
	struct credential credential = {.serial = (char *)serial, .state = from};
	struct intent intent _cleanup_intent_ = {.serial = xstrdup(serial),
		.operation = xstrdup("issue"),
		.step = xstrdup("ownership"),
		.new_version = 1};

	if (!licence_begin(&services, &credential, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services.store;
	return store_intent_add(transaction, &intent, error) && store_commit(transaction, error);
}

static void *run(void *context)
{
	_cleanup_free_ char *serial = xasprintf("card-%d", *(int *)context);
	struct error error _cleanup_error_ = ERROR_INIT;

	if (take_place(serial, LIFECYCLE_UNREGISTERED, &error))
		return context;
	return error.code == ERROR_LIMIT_REACHED ? NULL : (void *)-1;
}

static void side_by_side_no_place_is_given_twice(void **state)
{
	pthread_t threads[THREADS];
	int numbers[THREADS], given = 0;
	int64_t count;

	(void)state;
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, run, &numbers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		void *result;
		pthread_join(threads[i], &result);
		assert_ptr_not_equal(result, (void *)-1);
		given += result != NULL;
	}
	assert_int_equal(given, LICENCE_EVALUATION_CREDENTIALS);
	assert_true(store_credential_count_managed(services.store, &count, NULL));
	assert_int_equal(count, LICENCE_EVALUATION_CREDENTIALS);
}

static void fill(void)
{
	for (int i = 0; i < LICENCE_EVALUATION_CREDENTIALS; i++) {
		_cleanup_free_ char *serial = xasprintf("card-%d", i);
		assert_true(take_place(serial, LIFECYCLE_UNREGISTERED, NULL));
	}
}

static void a_refusal_leaves_no_transaction_open(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	fill();
	assert_false(take_place("late", LIFECYCLE_RETIRED, &error));
	assert_int_equal(error.code, ERROR_LIMIT_REACHED);
	assert_true(store_begin(services.store, &error));
	store_rollback(services.store);
}

static void managed_and_interrupted_cards_are_never_refused(void **state)
{
	struct credential *known _cleanup_credential_ = sample_credential("known");
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	fill();
	assert_true(store_credential_save(services.store, known, NULL));
	assert_true(licence_check_room(&services, "known", &error));
	assert_true(licence_check_room(&services, "card-3", &error));
	for (enum lifecycle_state s = LIFECYCLE_REGISTERED; s < LIFECYCLE_RETIRED; s++)
		assert_true(take_place("known", s, &error));
	assert_false(licence_check_room(&services, "new", &error));
	assert_int_equal(error.code, ERROR_LIMIT_REACHED);
	assert_false(licence_check_room(&services, NULL, &error));
}

static void a_stored_licence_that_cannot_be_verified_is_evaluation_mode(void **state)
{
	struct licence_status status _cleanup_licence_status_ = LICENCE_STATUS_INIT;
	static const char nonsense[] = "{}";

	(void)state;
	assert_true(store_value_set(
		services.store, "licence", (const uint8_t *)nonsense, strlen(nonsense), NULL));
	assert_true(licence_status_read(&services, &status, NULL));
	assert_int_equal(status.state, LICENCE_REJECTED);
	assert_int_equal(status.limit, LICENCE_EVALUATION_CREDENTIALS);
	assert_non_null(strstr(status.problem, "licence-public-key-file"));
	assert_true(licence_remove(&services, NULL));
	assert_false(licence_remove(&services, NULL));
}

static void malformed_codes_are_refused_before_anything_is_sent(void **state)
{
	static const char *const cases[] = {"", "two words", "line\n", "\x80"};
	struct error error _cleanup_error_ = ERROR_INIT;
	_cleanup_free_ char *id = NULL;

	(void)state;
	services.licensing.activation_url = "https://nobody.invalid/";
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct secret code _cleanup_secret_ = SECRET_INIT;
		assert_true(secret_set(&code, cases[i], strlen(cases[i])));
		assert_false(licence_activate(&services, &code, &id, &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
		assert_string_equal(error.field, "code");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			side_by_side_no_place_is_given_twice, set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			a_refusal_leaves_no_transaction_open, set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			managed_and_interrupted_cards_are_never_refused, set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			a_stored_licence_that_cannot_be_verified_is_evaluation_mode, set_up,
			fixture_tear_down),
		cmocka_unit_test_setup_teardown(malformed_codes_are_refused_before_anything_is_sent,
			set_up, fixture_tear_down),
	};

	return cmocka_run_group_tests_name("operation/licence", tests, NULL, NULL);
}

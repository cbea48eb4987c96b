/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "model/lifecycle.h"
#include "unit/store/fixture.h"

static int64_t managed(const struct fixture *fixture)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	int64_t count = -1;

	if (!store_credential_count_managed(fixture->store, &count, &error))
		fail_msg("%s", error_message(&error));
	return count;
}

static bool has_room(const struct fixture *fixture, int64_t limit)
{
	bool room = false;

	assert_true(store_credential_has_room(fixture->store, limit, &room, NULL));
	return room;
}

static void add_credential(
	const struct fixture *fixture, const char *serial, enum lifecycle_state state)
{
	struct credential *credential _cleanup_credential_ = sample_credential(serial);

	credential->state = state;
	assert_true(store_credential_save(fixture->store, credential, NULL));
}

static int64_t add_intent(const struct fixture *fixture, const char *serial)
{
	struct intent intent _cleanup_intent_ = {.serial = xstrdup(serial),
		.operation = xstrdup("issue"),
		.step = xstrdup("ownership"),
		.new_version = 1};

	assert_true(store_intent_add(fixture->store, &intent, NULL));
	return intent.id;
}

static void each_state_counts_as_the_lifecycle_says(void **state)
{
	struct fixture *fixture = *state;
	int64_t expected = 0;

	for (enum lifecycle_state s = 0; s < LIFECYCLE_STATE_COUNT; s++) {
		add_credential(fixture, lifecycle_state_name(s), s);
		expected += lifecycle_is_managed(s);
		assert_int_equal(managed(fixture), expected);
	}
	assert_int_equal(expected, 6);
}

static void an_intent_takes_the_place_of_a_card_to_be(void **state)
{
	struct fixture *fixture = *state;

	add_credential(fixture, "retired", LIFECYCLE_RETIRED);
	add_credential(fixture, "active", LIFECYCLE_ACTIVE);
	assert_int_equal(managed(fixture), 1);
	int64_t first = add_intent(fixture, "new");
	int64_t second = add_intent(fixture, "new");
	add_intent(fixture, "active");
	assert_int_equal(managed(fixture), 2);
	add_intent(fixture, "retired");
	assert_int_equal(managed(fixture), 3);
	assert_true(store_intent_remove(fixture->store, first, NULL));
	assert_int_equal(managed(fixture), 3);
	assert_true(store_intent_remove(fixture->store, second, NULL));
	assert_int_equal(managed(fixture), 2);
	add_intent(fixture, "new");
	add_credential(fixture, "new", LIFECYCLE_REGISTERED);
	assert_int_equal(managed(fixture), 3);
}

static void a_key_in_an_hsm_is_no_card(void **state)
{
	struct fixture *fixture = *state;
	struct credential *key _cleanup_credential_ = sample_credential("hsm-01");

	free(key->card_type);
	key->card_type = xstrdup("hsm-key");
	key->state = LIFECYCLE_ACTIVE;
	assert_true(store_credential_save(fixture->store, key, NULL));
	assert_int_equal(managed(fixture), 0);
	add_credential(fixture, "active", LIFECYCLE_ACTIVE);
	assert_int_equal(managed(fixture), 1);
	assert_false(has_room(fixture, 1));
	assert_true(has_room(fixture, 2));
}

static void there_is_room_below_the_limit_only(void **state)
{
	struct fixture *fixture = *state;

	assert_false(has_room(fixture, 0));
	assert_true(has_room(fixture, 1));
	add_credential(fixture, "a", LIFECYCLE_RETIRED);
	add_credential(fixture, "b", LIFECYCLE_RETIRED);
	add_credential(fixture, "c", LIFECYCLE_ISSUED);
	assert_false(has_room(fixture, 1));
	assert_true(has_room(fixture, 2));
	add_intent(fixture, "d");
	assert_false(has_room(fixture, 2));
	assert_true(has_room(fixture, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			each_state_counts_as_the_lifecycle_says, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(an_intent_takes_the_place_of_a_card_to_be,
			fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			a_key_in_an_hsm_is_no_card, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			there_is_room_below_the_limit_only, fixture_set_up, fixture_tear_down),
	};

	return cmocka_run_group_tests_name("store/managed", tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "unit/store/fixture.h"

static int64_t add_credential(const struct fixture *fixture, const char *serial)
{
	struct credential *credential _cleanup_credential_ = sample_credential(serial);

	assert_true(store_credential_save(fixture->store, credential, NULL));
	return credential->id;
}

static void set_key(struct hsm_key *key, int64_t credential_id, const char *slot, const char *id)
{
	*key = (struct hsm_key){.credential_id = credential_id,
		.slot = xstrdup(slot),
		.label = xstrdup("tls"),
		.was_there = true,
		.step = HSM_KEY_RENEW,
		.last_certificate = 7};
	buffer_append_string(&key->id, id);
	buffer_append_string(&key->new_id, "next");
}

static void a_key_comes_back_as_it_was_saved(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_hsm_key_ struct hsm_key saved = HSM_KEY_INIT, read = HSM_KEY_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	int64_t id = add_credential(fixture, "hsm-6964");

	set_key(&saved, id, "web", "id");
	assert_true(store_hsm_key_save(fixture->store, &saved, NULL));
	fixture_reopen(fixture);
	assert_true(store_hsm_key_get(fixture->store, id, &read, NULL));
	assert_string_equal(read.slot, "web");
	assert_string_equal(read.label, "tls");
	assert_int_equal(read.id.length, 2);
	assert_memory_equal(read.id.data, "id", 2);
	assert_int_equal(read.new_id.length, 4);
	assert_int_equal(read.old_id.length, 0);
	assert_true(read.was_there);
	assert_int_equal(read.step, HSM_KEY_RENEW);
	assert_int_equal(read.last_certificate, 7);
	_cleanup_free_ char *serial = hsm_key_serial(&read.id);
	assert_string_equal(serial, "hsm-6964");
	hsm_key_clear(&read);
	assert_false(store_hsm_key_get(fixture->store, id + 1, &read, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
}

static void saving_again_replaces_it(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_hsm_key_ struct hsm_key key = HSM_KEY_INIT, read = HSM_KEY_INIT;
	int64_t id = add_credential(fixture, "hsm-01");

	set_key(&key, id, "web", "id");
	assert_true(store_hsm_key_save(fixture->store, &key, NULL));
	buffer_clear(&key.id);
	buffer_append_string(&key.id, "next");
	buffer_clear(&key.new_id);
	buffer_append_string(&key.old_id, "id");
	key.step = HSM_KEY_SETTLED;
	assert_true(store_hsm_key_save(fixture->store, &key, NULL));
	assert_true(store_hsm_key_get(fixture->store, id, &read, NULL));
	assert_int_equal(read.id.length, 4);
	assert_int_equal(read.new_id.length, 0);
	assert_int_equal(read.old_id.length, 2);
	assert_int_equal(read.step, HSM_KEY_SETTLED);
}

static void keys_are_listed_by_slot_and_forgotten(void **state)
{
	struct fixture *fixture = *state;
	struct hsm_key keys[3] = {HSM_KEY_INIT, HSM_KEY_INIT, HSM_KEY_INIT};
	struct hsm_key *list;
	size_t count;

	for (size_t i = 0; i < 3; i++) {
		_cleanup_free_ char *serial = xasprintf("hsm-%zu", i);
		set_key(&keys[i], add_credential(fixture, serial), i < 2 ? "web" : "other", serial);
		assert_true(store_hsm_key_save(fixture->store, &keys[i], NULL));
	}
	assert_true(store_hsm_key_list(fixture->store, "web", &list, &count, NULL));
	assert_int_equal(count, 2);
	assert_int_equal(list[1].credential_id, keys[1].credential_id);
	hsm_keys_free(list, count);
	assert_true(store_hsm_key_list_labelled(fixture->store, "web", "tls", &list, &count, NULL));
	assert_int_equal(count, 2);
	hsm_keys_free(list, count);
	assert_true(
		store_hsm_key_list_labelled(fixture->store, "web", "other", &list, &count, NULL));
	assert_int_equal(count, 0);
	hsm_keys_free(list, count);
	keys[1].step = HSM_KEY_SETTLED;
	assert_true(store_hsm_key_save(fixture->store, &keys[1], NULL));
	assert_true(store_hsm_key_list_unsettled(fixture->store, "web", &list, &count, NULL));
	assert_int_equal(count, 1);
	assert_int_equal(list[0].credential_id, keys[0].credential_id);
	hsm_keys_free(list, count);
	assert_true(store_hsm_key_forget(fixture->store, keys[0].credential_id, NULL));
	assert_true(store_hsm_key_list(fixture->store, "web", &list, &count, NULL));
	assert_int_equal(count, 1);
	hsm_keys_free(list, count);
	assert_null(store_credential_by_id(fixture->store, keys[0].credential_id, NULL));
	assert_true(store_hsm_key_list(fixture->store, "none", &list, &count, NULL));
	assert_int_equal(count, 0);
	hsm_keys_free(list, count);
	for (size_t i = 0; i < 3; i++)
		hsm_key_clear(&keys[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_key_comes_back_as_it_was_saved, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			saving_again_replaces_it, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			keys_are_listed_by_slot_and_forgotten, fixture_set_up, fixture_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

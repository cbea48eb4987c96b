/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/simple-id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "common/alloc.h"
#include "operation/contact.h"
#include "unit/store/fixture.h"

#define THREADS 8

static struct services services;
static _Atomic unsigned made;

static int set_up(void **state)
{
	if (fixture_set_up(state) != 0)
		return -1;
	services = (struct services){.store = ((struct fixture *)*state)->store};
	services.contacts = contacts_new(&services, NULL, NULL);
	made = 0;
	return 0;
}

static int tear_down(void **state)
{
	contacts_free(services.contacts);
	return fixture_tear_down(state);
}

/* Always the same few, each several times. */
static char *from_a_few(size_t length, struct error *error)
{
	(void)error;
	return xasprintf("%0*u", (int)length, made++ / 4);
}

static char *always_the_same(size_t length, struct error *error)
{
	(void)error;
	made++;
	return xasprintf("%0*u", (int)length, 7);
}

static void add_holder(const char *serial, const char *id)
{
	_cleanup_credential_ struct credential *card = sample_credential(serial);

	fields_set(&card->holder, "id", id);
	assert_true(store_credential_save(services.store, card, NULL));
}

static void an_id_that_a_holder_has_is_not_made_again(void **state)
{
	(void)state;
	add_holder("one", "00000");
	add_holder("two", "00001");
	_cleanup_free_ char *id = simple_id_new(&services, 5, from_a_few, NULL);
	assert_string_equal(id, "00002");
	assert_int_equal(made, 9); /* each of those that are taken came four times */
	simple_id_release(&services, id);
}

static void an_id_that_is_being_given_is_not_made_again(void **state)
{
	(void)state;
	_cleanup_free_ char *one = simple_id_new(&services, 5, from_a_few, NULL);
	_cleanup_free_ char *two = simple_id_new(&services, 5, from_a_few, NULL);
	assert_string_not_equal(one, two);
	simple_id_release(&services, one);
	simple_id_release(&services, two);
	simple_id_release(&services, NULL);
}

static void without_a_free_one_it_says_so_and_ends(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	add_holder("one", "0007");
	assert_null(simple_id_new(&services, 4, always_the_same, &error));
	assert_int_equal(error.code, ERROR_LIMIT_REACHED);
	assert_non_null(strstr(error_message(&error), "id-length"));
	assert_true(made > 1);
}

static void *take_one(void *context)
{
	(void)context;
	return simple_id_new(&services, 5, from_a_few, NULL);
}

static void side_by_side_no_two_get_the_same(void **state)
{
	pthread_t threads[THREADS];
	char *ids[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_one, NULL), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *id;
		pthread_join(threads[i], &id);
		ids[i] = id;
		assert_non_null(id);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(ids[i], ids[j]);
	}
	for (size_t i = 0; i < THREADS; i++)
		free(ids[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_id_that_a_holder_has_is_not_made_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_id_that_is_being_given_is_not_made_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			without_a_free_one_it_says_so_and_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			side_by_side_no_two_get_the_same, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("simple-id", tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/person.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/alloc.h"

static void a_holder_differs_where_the_directory_has_changed(void **state)
{
	_cleanup_person_record_ struct person_record record = PERSON_RECORD_INIT;
	struct person_link link _cleanup_(person_link_clear) = {0};
	struct fields holder _cleanup_fields_ = FIELDS_INIT, changes _cleanup_fields_ = FIELDS_INIT;

	(void)state;
	fields_set(&record.fields, "name", "Ada King");
	fields_set(&record.fields, "user", "ada");
	fields_set(&record.fields, "phone", "1815");
	fields_set(&link.given, "badge", "7");
	fields_set(&holder, "name", "Ada Byron"); /* is another one */
	fields_set(&holder, "user", "ada");	  /* is the same */
	fields_set(&holder, "email", "a@b");	  /* is none any more */
	fields_set(&holder, "badge", "7");	  /* was never the directory's */
	person_changes(&record, &link, &holder, &changes);
	assert_int_equal(changes.count, 2);
	assert_string_equal(fields_get(&changes, "name"), "Ada King");
	assert_string_equal(fields_get(&changes, "email"), "");
}

static void what_was_given_gives_way_to_the_directory(void **state)
{
	_cleanup_person_record_ struct person_record record = PERSON_RECORD_INIT;
	struct person_link link _cleanup_(person_link_clear) = {0};
	struct fields holder _cleanup_fields_ = FIELDS_INIT, changes _cleanup_fields_ = FIELDS_INIT;

	(void)state;
	fields_set(&link.given, "badge", "7");
	fields_set(&holder, "badge", "7");
	fields_set(&record.fields, "badge", "8");
	person_changes(&record, &link, &holder, &changes);
	assert_string_equal(fields_get(&changes, "badge"), "8");
}

static void names_of_states_go_there_and_back(void **state)
{
	(void)state;
	for (enum person_state each = PERSON_PRESENT; each < PERSON_STATE_COUNT; each++)
		assert_int_equal(person_state_from_name(person_state_name(each)), each);
	assert_int_equal(person_state_from_name("dead"), PERSON_STATE_COUNT);
	assert_int_equal(person_state_from_name(NULL), PERSON_STATE_COUNT);
	assert_null(person_news_find("dead"));
	assert_string_equal(person_news_find("gone"), PERSON_NEWS_GONE);
}

static void links_are_copied_and_nobody_is_nobody(void **state)
{
	struct person_link one _cleanup_(person_link_clear) = {
		.connection = xstrdup("staff"), .id = xstrdup("1")};
	struct person_link other _cleanup_(person_link_clear) = {0};

	(void)state;
	fields_set(&one.given, "badge", "7");
	person_link_copy(&other, &one);
	assert_string_equal(other.id, "1");
	assert_string_equal(fields_get(&other.given, "badge"), "7");
	person_link_copy(&other, NULL);
	assert_null(other.connection);
	assert_int_equal(other.given.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_holder_differs_where_the_directory_has_changed),
		cmocka_unit_test(what_was_given_gives_way_to_the_directory),
		cmocka_unit_test(names_of_states_go_there_and_back),
		cmocka_unit_test(links_are_copied_and_nobody_is_nobody),
	};

	return cmocka_run_group_tests_name("person", tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/alloc.h"
#include "unit/store/fixture.h"

/* A card in that state, of a person of the directory "staff"; its id. */
static int64_t add_card(
	struct fixture *fixture, const char *serial, const char *person, enum lifecycle_state state)
{
	_cleanup_credential_ struct credential *credential = sample_credential(serial);

	credential->state = state;
	credential->person.connection = xstrdup("staff");
	credential->person.id = xstrdup(person);
	fields_set(&credential->person.given, "badge", "7");
	assert_true(store_credential_save(fixture->store, credential, NULL));
	return credential->id;
}

static void add_person(struct fixture *fixture, const char *id, const char *news)
{
	_cleanup_person_record_ struct person_record record = {.connection = xstrdup("staff"),
		.id = xstrdup(id),
		.name = xstrdup("Ada"),
		.since = 5,
		.seen_at = 6,
		.reason = xstrdup("left"),
		.state = PERSON_DISABLED,
		.news = news};

	fields_set(&record.fields, "name", "Ada");
	assert_true(store_person_save(fixture->store, &record, NULL));
}

static size_t list(struct fixture *fixture, const char *after, unsigned limit)
{
	struct person_record *records;
	size_t count = 0;

	assert_true(
		store_person_list(fixture->store, "staff", after, limit, &records, &count, NULL));
	person_records_free(records, count);
	return count;
}

static void a_card_keeps_whose_it_is(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = add_card(fixture, "one", "p1", LIFECYCLE_ACTIVE);

	fixture_reopen(fixture);
	_cleanup_credential_ struct credential *read =
		store_credential_by_id(fixture->store, id, NULL);
	assert_string_equal(read->person.connection, "staff");
	assert_string_equal(read->person.id, "p1");
	assert_string_equal(fields_get(&read->person.given, "badge"), "7");
	credential_forget(read);
	assert_true(store_credential_save(fixture->store, read, NULL));
	_cleanup_credential_ struct credential *again =
		store_credential_by_id(fixture->store, id, NULL);
	assert_null(again->person.connection);
	assert_null(again->person.id);
}

static void a_person_is_kept_and_replaced(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_person_record_ struct person_record record = PERSON_RECORD_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	add_person(fixture, "p1", PERSON_NEWS_GONE);
	add_person(fixture, "p1", PERSON_NEWS_BACK);
	fixture_reopen(fixture);
	assert_true(store_person_get(fixture->store, "staff", "p1", &record, NULL));
	assert_int_equal(record.state, PERSON_DISABLED);
	assert_string_equal(record.news, PERSON_NEWS_BACK);
	assert_string_equal(record.reason, "left");
	assert_int_equal(record.since, 5);
	assert_int_equal(record.seen_at, 6);
	assert_string_equal(fields_get(&record.fields, "name"), "Ada");
	assert_false(store_person_get(fixture->store, "others", "p1", &record, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
}

static void only_people_with_cards_in_use_are_looked_at(void **state)
{
	struct fixture *fixture = *state;
	char **names;
	size_t count;
	int64_t number;

	add_person(fixture, "p1", "");
	add_person(fixture, "p2", "");
	add_person(fixture, "p3", "");
	add_person(fixture, "p4", "");
	assert_true(store_person_connections(fixture->store, &names, &count, NULL));
	assert_int_equal(count, 0);
	store_names_free(names, count);
	add_card(fixture, "one", "p1", LIFECYCLE_ACTIVE);
	add_card(fixture, "two", "p1", LIFECYCLE_ISSUED);
	add_card(fixture, "three", "p2", LIFECYCLE_INACTIVE);
	add_card(fixture, "four", "p3", LIFECYCLE_REVOKED);
	add_card(fixture, "five", "p4", LIFECYCLE_REGISTERED);
	assert_int_equal(list(fixture, "", 10), 2);
	assert_int_equal(list(fixture, "", 1), 1);
	assert_int_equal(list(fixture, "p1", 10), 1);
	assert_int_equal(list(fixture, "p2", 10), 0);
	assert_true(store_person_count(fixture->store, "staff", &number, NULL));
	assert_int_equal(number, 2);
	assert_true(store_person_connections(fixture->store, &names, &count, NULL));
	assert_int_equal(count, 1);
	assert_string_equal(names[0], "staff");
	store_names_free(names, count);
}

static void news_stay_until_they_are_told(void **state)
{
	struct fixture *fixture = *state;
	struct person_record *records;
	size_t count;

	add_person(fixture, "p1", PERSON_NEWS_GONE);
	add_person(fixture, "p2", "");
	assert_true(
		store_person_list_news(fixture->store, "staff", "", 10, &records, &count, NULL));
	assert_int_equal(count, 1);
	/* Something else has been found meanwhile: that is not told yet. */
	add_person(fixture, "p1", PERSON_NEWS_BACK);
	assert_true(store_person_settle(fixture->store, &records[0], NULL));
	person_records_free(records, count);
	assert_true(
		store_person_list_news(fixture->store, "staff", "", 10, &records, &count, NULL));
	assert_int_equal(count, 1);
	assert_true(store_person_settle(fixture->store, &records[0], NULL));
	person_records_free(records, count);
	assert_true(
		store_person_list_news(fixture->store, "staff", "", 10, &records, &count, NULL));
	assert_int_equal(count, 0);
}

static void a_connection_that_cards_name_stays(void **state)
{
	struct fixture *fixture = *state;
	struct connection connection = {
		.name = (char *)"staff", .kind = (char *)"ldap", .document = (char *)"{}"};
	_cleanup_error_ struct error error = ERROR_INIT;
	int64_t id = add_card(fixture, "one", "p1", LIFECYCLE_ACTIVE);

	assert_true(store_connection_save(fixture->store, &connection, NULL));
	assert_false(store_connection_remove(fixture->store, "staff", &error));
	assert_int_equal(error.code, ERROR_IN_USE);
	_cleanup_credential_ struct credential *card =
		store_credential_by_id(fixture->store, id, NULL);
	card->state = LIFECYCLE_RETIRED;
	assert_true(store_credential_save(fixture->store, card, NULL));
	assert_true(store_connection_remove(fixture->store, "staff", NULL));
}

static void who_has_no_card_is_forgotten_after_a_day(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_person_record_ struct person_record record = PERSON_RECORD_INIT;

	add_person(fixture, "p1", "");
	add_person(fixture, "p2", "");
	add_card(fixture, "one", "p1", LIFECYCLE_REVOKED);
	assert_true(store_person_forget_others(fixture->store, NULL));
	assert_true(store_person_get(fixture->store, "staff", "p1", &record, NULL));
	assert_false(store_person_get(fixture->store, "staff", "p2", &record, NULL));
}

static void a_simple_id_is_taken_by_holders_and_operators(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_credential_ struct credential *card = sample_credential("one");
	bool is_taken = true;

	assert_true(store_holder_id_is_taken(fixture->store, "7KQ2M", &is_taken, NULL));
	assert_false(is_taken);
	fields_set(&card->holder, "badge", "7KQ2M"); /* is not the ID */
	assert_true(store_credential_save(fixture->store, card, NULL));
	assert_true(store_holder_id_is_taken(fixture->store, "7KQ2M", &is_taken, NULL));
	assert_false(is_taken);
	fields_set(&card->holder, "id", "7kq2m");
	assert_true(store_credential_save(fixture->store, card, NULL));
	assert_true(store_holder_id_is_taken(fixture->store, "7KQ2M", &is_taken, NULL));
	assert_true(is_taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
		TEST(a_card_keeps_whose_it_is),
		TEST(a_person_is_kept_and_replaced),
		TEST(only_people_with_cards_in_use_are_looked_at),
		TEST(news_stay_until_they_are_told),
		TEST(a_connection_that_cards_name_stays),
		TEST(who_has_no_card_is_forgotten_after_a_day),
		TEST(a_simple_id_is_taken_by_holders_and_operators),
	};

	return cmocka_run_group_tests_name("store/person", tests, NULL, NULL);
}

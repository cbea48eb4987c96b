/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/alloc.h"
#include "directory/entra-private.h"

#define DOCUMENT                                                                                   \
	"{\"name\":\"entra\",\"kind\":\"entra-id\",\"tenant\":\"t\","                              \
	"\"client-id\":\"99999999-8888-4777-8666-555555555555\","                                  \
	"\"api-url\":\"https://graph.example\",\"fields\":{\"badge\":\"x/y\"}}"
#define ID    "\"id\":\"6e1a0000-4000-4000-8000-000000000001\""
#define OTHER "\"id\":\"6e1a0000-4000-4000-8000-000000000002\""
#define ON    ",\"accountEnabled\":true"

static struct entra_settings settings;

static int set_up(void **state)
{
	(void)state;
	return entra_settings_parse(&settings, DOCUMENT, NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	entra_settings_clear(&settings);
	return 0;
}

static bool read_person(const char *text, struct directory_person *person, struct error *error)
{
	json_t *json _cleanup_json_ = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	*person = (struct directory_person){0};
	assert_non_null(json);
	return entra_read_person(&settings.fields, json, person, error);
}

static bool read_people(
	const char *text, size_t limit, struct directory_people *people, struct error *error)
{
	json_t *json _cleanup_json_ = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	*people = (struct directory_people){0};
	assert_non_null(json);
	return entra_read_people(&settings, json, limit, people, error);
}

static void properties_become_fields(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct directory_person person;

	(void)state;
	assert_true(
		read_person("{" ID ON ",\"displayName\":\"Ada\",\"userPrincipalName\":\"ada@x\","
			    "\"mail\":null,\"businessPhones\":[\"1\",\"2\"],\"jobTitle\":7,"
			    "\"securityIdentifier\":\"S-1-12-1-1\",\"x\":{\"y\":\"B-1\"},"
			    "\"department\":\"two\\nlines\",\"surname\":\"\"}",
			&person, &error));
	assert_string_equal(person.id, "6e1a0000-4000-4000-8000-000000000001");
	assert_string_equal(person.name, "Ada");
	assert_false(person.is_disabled);
	assert_string_equal(fields_get(&person.fields, "user"), "ada");
	assert_string_equal(fields_get(&person.fields, "phone"), "1");
	assert_string_equal(fields_get(&person.fields, "sid"), "S-1-12-1-1");
	assert_string_equal(fields_get(&person.fields, "badge"), "B-1");
	assert_null(fields_get(&person.fields, "email"));
	assert_null(fields_get(&person.fields, "title"));
	assert_null(fields_get(&person.fields, "department"));
	assert_non_null(strstr(person.reason, "department is left out"));
	assert_null(fields_get(&person.fields, "surname"));
	directory_person_clear(&person);
}

static void on_premises_names_come_first(void **state)
{
	struct directory_person person;

	(void)state;
	assert_true(read_person("{" ID ON ",\"userPrincipalName\":\"ada@x\","
				"\"onPremisesSamAccountName\":\"alovelace\","
				"\"onPremisesSecurityIdentifier\":\"S-1-5-21-1\","
				"\"securityIdentifier\":\"S-1-12-1-1\"}",
		&person, NULL));
	assert_string_equal(fields_get(&person.fields, "user"), "alovelace");
	assert_string_equal(fields_get(&person.fields, "sid"), "S-1-5-21-1");
	assert_string_equal(person.name, "ada@x");
	directory_person_clear(&person);
}

static void a_disabled_account_says_so(void **state)
{
	struct directory_person person;

	(void)state;
	assert_true(read_person("{" ID ",\"accountEnabled\":false}", &person, NULL));
	assert_true(person.is_disabled);
	assert_non_null(person.reason);
	assert_string_equal(person.name, person.id);
	directory_person_clear(&person);
}

static void nobody_is_made_of_other_answers(void **state)
{
	static const char *const answers[] = {"{}", "{" ID "}", "{" ID ",\"accountEnabled\":null}",
		"{" ID ",\"accountEnabled\":\"true\"}", "{\"id\":7" ON "}", "{\"id\":\"\"" ON "}",
		"{\"id\":\"../users\"" ON "}", "[]"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		struct directory_person person;

		if (read_person(answers[i], &person, &error))
			fail_msg("a person: %s", answers[i]);
		assert_int_equal(error.code, ENTRA_FAILED);
		assert_null(person.id);
		assert_int_equal(person.fields.count, 0);
	}
}

static void pages_are_read_and_their_next_one(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct directory_people people;

	(void)state;
	assert_true(read_people(
		"{\"value\":[{" ID ON "},{" OTHER ON "},{" ID ON "}],"
		"\"@odata.nextLink\":\"https://graph.example/v1.0/users?$skiptoken=1\"}",
		3, &people, &error));
	assert_int_equal(people.count, 2);
	assert_string_equal(people.next, "https://graph.example/v1.0/users?$skiptoken=1");
	directory_people_clear(&people);
	assert_true(read_people("{\"value\":[]}", 3, &people, &error));
	assert_null(people.next);
	directory_people_clear(&people);
}

static void wrong_pages_are_refused(void **state)
{
	static const struct {
		const char *answer, *words;
	} cases[] = {
		{"{}", "not Graph"},
		{"{\"value\":{}}", "not Graph"},
		{"{\"value\":[],\"@odata.nextLink\":7}", "not Graph"},
		{"{\"value\":[7]}", "no person"},
		{"{\"value\":[{" ID ON "},{" OTHER ON "},{" ID ON "},{" OTHER ON "}]}", "4 people"},
		{"{\"value\":[],\"@odata.nextLink\":\"https://evil/v1.0/users\"}",
			"another address"},
		{"{\"value\":[],\"@odata.nextLink\":\"http://graph.example/v1.0/users\"}",
			"another address"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		struct directory_people people;

		assert_false(read_people(cases[i].answer, 3, &people, &error));
		if (!strstr(error.message, cases[i].words))
			fail_msg("%s: %s", cases[i].answer, error.message);
		directory_people_clear(&people);
	}
}

static void errors_of_tokens_say_what_to_do_and_tell_no_secret(void **state)
{
	static const struct {
		const char *answer, *words, *never;
	} cases[] = {
		{"{\"error\":\"invalid_client\",\"error_codes\":[7000215],"
		 "\"error_description\":\"AADSTS7000215: Invalid S3cret~x\"}",
			"value that is needed, not its id (AADSTS7000215)", "S3cret"},
		{"{\"error\":\"a\",\"error_description\":\"AADSTS7000222: x\"}", "expired", NULL},
		{"{\"error\":\"a\",\"error_codes\":[1],"
		 "\"error_description\":\"AADSTS1: odd \\u001b[2J\\r\\nTrace ID: 7\"}",
			"AADSTS1: odd  [2J", "Trace"},
		{"{\"error\":\"odd_thing\",\"error_description\":\"you sent S3cret~x\"}",
			"odd_thing", "S3cret"},
		{"{\"error\":\"S3cret~x\"}", NULL, NULL},
		{"{\"error\":{\"code\":1}}", NULL, NULL},
		{"[1]", NULL, NULL},
	};
	_cleanup_secret_ struct secret secret = SECRET_INIT;

	(void)state;
	assert_true(secret_set(&secret, "S3cret~x", 8));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *json _cleanup_json_ = json_loads(cases[i].answer, 0, NULL);
		_cleanup_free_ char *words = entra_token_words(json, &secret);

		if (!cases[i].words)
			assert_null(words);
		else if (!words || !strstr(words, cases[i].words))
			fail_msg("%s: %s", cases[i].answer, words);
		if (cases[i].never)
			assert_null(strstr(words, cases[i].never));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(properties_become_fields),
		cmocka_unit_test(on_premises_names_come_first),
		cmocka_unit_test(a_disabled_account_says_so),
		cmocka_unit_test(nobody_is_made_of_other_answers),
		cmocka_unit_test(pages_are_read_and_their_next_one),
		cmocka_unit_test(wrong_pages_are_refused),
		cmocka_unit_test(errors_of_tokens_say_what_to_do_and_tell_no_secret),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

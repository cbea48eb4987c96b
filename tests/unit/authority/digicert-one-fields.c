/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "authority/digicert-one-private.h"
#include "common/alloc.h"

/* %s: the member with the sources of the first attribute. */
#define PROFILE                                                                                    \
	"{\"certificate\":{\"subject\":{\"attributes\":["                                          \
	"{\"type\":\"common_name\",\"mandatory\":true,\"multiple\":false,%s},"                     \
	"{\"type\":\"organization_name\",\"mandatory\":true,\"sources\":"                          \
	"[{\"source\":\"FIXED_VALUE\",\"value\":\"Example\"}]},"                                   \
	"{\"type\":\"locality\",\"mandatory\":false,\"source\":[{\"source\":\"FROM_CSR\"}]}]},"    \
	"\"extensions\":{\"san\":{\"attributes\":["                                                \
	"{\"type\":\"User_Principal_Name\",\"mandatory\":true,\"multiple\":true}]}}}}"

static void read_profile(struct authority_profile *profile, const char *sources)
{
	_cleanup_free_ char *text = xasprintf(PROFILE, sources);
	json_t *json _cleanup_json_ = json_loads(text, 0, NULL);

	assert_non_null(json);
	profile->is_usable = true;
	profile->reason = xstrdup("");
	digicert_one_read_fields(profile, json);
}

static void fields_are_read_in_each_of_their_forms(void **state)
{
	static const char *const sources[] = {
		"\"sources\":[{\"source\":\"REST_REQUEST\",\"mandatory\":true}]",
		"\"sources\":{\"source\":\"REST_REQUEST\"}",
		"\"source\":[{\"source\":\"rest_request\"}]",
		"\"source\":\"REST_REQUEST\"",
		"\"sources\":[]",
		"\"sources\":7",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct authority_profile profile = {0};
		read_profile(&profile, sources[i]);
		assert_true(profile.is_usable);
		assert_int_equal(profile.field_count, 5);
		assert_string_equal(profile.fields[0].name, "seat.id");
		assert_string_equal(profile.fields[1].name, "subject.common_name");
		assert_true(profile.fields[1].is_required);
		assert_null(profile.fields[1].fixed);
		assert_string_equal(profile.fields[1].subject_type, "CN");
		assert_string_equal(profile.fields[2].fixed, "Example");
		assert_null(profile.fields[2].subject_type);
		assert_true(profile.fields[3].is_from_request);
		assert_string_equal(profile.fields[4].name, "san.user_principal_names");
		assert_string_equal(profile.fields[4].san_type, "upn");
		assert_true(profile.fields[4].is_multiple);
		authority_profile_clear(&profile);
	}
}

static void a_required_field_that_is_unknown_makes_a_profile_unusable(void **state)
{
	struct authority_profile profile = {.is_usable = true, .reason = xstrdup("")};
	json_t *json _cleanup_json_ = json_loads("{\"certificate\":{\"subject\":{\"attributes\":["
						 "{\"type\":\"shoe_size\",\"mandatory\":false},"
						 "{\"type\":\"hat_size\",\"mandatory\":true}]}}}",
		0, NULL);

	(void)state;
	digicert_one_read_fields(&profile, json);
	assert_false(profile.is_usable);
	assert_non_null(strstr(profile.reason, "subject.hat_size"));
	assert_non_null(authority_profile_field(&profile, "subject.shoe_size"));
	authority_profile_clear(&profile);
}

static void anything_else_than_a_profile_has_no_fields(void **state)
{
	static const char *const texts[] = {"{}", "[]", "{\"certificate\":7}",
		"{\"certificate\":{\"subject\":[]}}",
		"{\"certificate\":{\"subject\":{\"attributes\":{}}}}",
		"{\"certificate\":{\"subject\":{\"attributes\":[7,null,{\"type\":7}]}}}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct authority_profile profile = {.is_usable = true, .reason = xstrdup("")};
		json_t *json _cleanup_json_ = json_loads(texts[i], 0, NULL);
		digicert_one_read_fields(&profile, json);
		assert_int_equal(profile.field_count, 1);
		authority_profile_clear(&profile);
	}
}

static void values_are_put_where_a_request_has_them(void **state)
{
	json_t *body _cleanup_json_ = json_object();

	(void)state;
	assert_true(digicert_one_put(body, "seat.id", "ada@example.org"));
	assert_true(digicert_one_put(body, "subject.common_name", "Ada"));
	assert_true(digicert_one_put(body, "subject.organization_units", "Staff"));
	assert_true(digicert_one_put(body, "san.emails", "ada@example.org"));
	assert_true(digicert_one_put(body, "san.emails", "lovelace@example.org"));
	assert_true(digicert_one_put(body, "san.guid", "b4f5dc26-63f3-4157-83f5-729992ab10c0"));
	assert_false(digicert_one_put(body, "subject.shoe", "42"));
	assert_false(digicert_one_put(body, "common_name", "Ada"));
	assert_false(digicert_one_put(body, "san.", "Ada"));
	assert_false(digicert_one_put(body, "seat.number", "1"));
	char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text,
		"{\"attributes\":{\"extensions\":{\"san\":{\"emails\":[\"ada@example.org\","
		"\"lovelace@example.org\"],\"other_names\":{\"guid\":"
		"[\"b4f5dc26-63f3-4157-83f5-729992ab10c0\"]}}},"
		"\"subject\":{\"common_name\":\"Ada\",\"organization_units\":[\"Staff\"]}},"
		"\"seat\":{\"seat_id\":\"ada@example.org\"}}");
	free(text);
}

/* --- the kept list --- */

static void a_list_is_kept_and_read_again(void **state)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	_cleanup_profiles_ struct authority_profiles again = AUTHORITY_PROFILES_INIT;
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;

	(void)state;
	struct authority_profile *profile = authority_profiles_add(&profiles, "guid", "Badge");
	struct authority_field *field = authority_profile_add_field(profile, "subject.common_name");
	field->is_required = true;
	field->subject_type = "CN";
	profile->settings = json_pack("{s:i}", "renewal-days", 30);
	_cleanup_free_ char *text = authority_profiles_text(&profiles);
	buffer_append_string(&buffer, text);
	assert_true(authority_profiles_parse(&again, &buffer, NULL));
	assert_int_equal(again.count, 1);
	assert_string_equal(again.items[0].fields[0].subject_type, "CN");
	assert_true(again.items[0].fields[0].is_required);
	assert_int_equal(
		json_integer_value(json_object_get(again.items[0].settings, "renewal-days")), 30);
	buffer_truncate(&buffer, buffer.length / 2);
	assert_false(authority_profiles_parse(&again, &buffer, NULL));
}

static void profiles_are_found_by_id_or_a_name_that_is_clear(void **state)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	authority_profiles_add(&profiles, "1", "Badge");
	authority_profiles_add(&profiles, "2", "Twice");
	authority_profiles_add(&profiles, "3", "Twice");
	authority_profiles_add(&profiles, "4", "Badge");
	profiles.items[3].is_usable = false;
	free(profiles.items[3].reason);
	profiles.items[3].reason = xstrdup("it is old");
	assert_string_equal(authority_profiles_find(&profiles, "Badge", NULL)->id, "1");
	assert_string_equal(authority_profiles_find(&profiles, "3", NULL)->id, "3");
	assert_null(authority_profiles_find(&profiles, "Twice", &error));
	assert_non_null(strstr(error.message, "by its id"));
	assert_null(authority_profiles_find(&profiles, "4", &error));
	assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
	assert_non_null(strstr(error.message, "it is old"));
	assert_null(authority_profiles_find(&profiles, "Nothing", &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read_in_each_of_their_forms),
		cmocka_unit_test(a_required_field_that_is_unknown_makes_a_profile_unusable),
		cmocka_unit_test(anything_else_than_a_profile_has_no_fields),
		cmocka_unit_test(values_are_put_where_a_request_has_them),
		cmocka_unit_test(a_list_is_kept_and_read_again),
		cmocka_unit_test(profiles_are_found_by_id_or_a_name_that_is_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

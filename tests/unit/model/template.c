/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/macros.h"

#define HEAD	    "\"name\": \"t\", \"card-type\": \"piv\""
#define KEY(rest)   "{" HEAD ", \"keys\": [{\"slot\": \"signature\", " rest "}]}"
#define CERT(rest)  KEY("\"algorithm\": \"ec-p256\", \"certificate\": {" rest "}")
#define NAMES(rest) CERT("\"authority\": \"local\", \"profile\": \"p\", " rest)
#define PIN(rest)                                                                                  \
	"{" HEAD ", \"keys\": [{\"slot\": \"signature\", \"algorithm\": \"ec-p256\"}], "           \
	"\"pin-policy\": {" rest "}}"

static void a_small_template_gets_the_defaults(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	static const char document[] = CERT("\"authority\": \"local\", \"profile\": \"signature\"");
	_cleanup_template_ struct template *template = template_parse(document, &error);

	(void)state;
	assert_non_null(template);
	assert_string_equal(template->name, "t");
	assert_string_equal(template->card_types[0], "piv");
	assert_null(template->comment);
	assert_string_equal(template->document, document);
	assert_int_equal(template->key_count, 1);
	assert_int_equal(template->keys[0].slot, KEY_SLOT_SIGNATURE);
	assert_int_equal(template->keys[0].algorithm, KEY_ALGORITHM_EC_P256);
	assert_int_equal(template->keys[0].pin, PIN_USE_DEFAULT);
	assert_int_equal(template->keys[0].touch, TOUCH_USE_DEFAULT);
	assert_int_equal(template->keys[0].subject_count, 1);
	assert_string_equal(template->keys[0].subject[0].type, "CN");
	assert_string_equal(template->keys[0].subject[0].pattern, "{name}");
	assert_int_equal(template->keys[0].san_count, 0);
	assert_memory_equal(&template->pin_policy, &pin_policy_default, sizeof(pin_policy_default));
}

static void every_member_is_read(void **state)
{
	static const char document[] =
		"{\"name\": \"full-1\", \"card-type\": \"piv\", \"comment\": \"all of it\","
		" \"keys\": [{\"slot\": \"retired-20\", \"algorithm\": \"rsa-3072\", \"pin\": "
		"\"always\","
		" \"touch\": \"cached\", \"certificate\": {\"authority\": \"a\", \"profile\": "
		"\"b\","
		" \"subject\": [[\"C\", \"CH\"], [\"CN\", \"{name} ({{x})\"]],"
		" \"san\": [[\"email\", \"{email}\"], [\"email\", \"{email2}\"]]}},"
		" {\"slot\": \"authentication\", \"algorithm\": \"rsa-4096\"}],"
		" \"pin-policy\": {\"minimum-length\": 7, \"maximum-length\": 7,"
		" \"characters\": \"alphanumeric\", \"maximum-repeats\": 2, \"maximum-sequence\": "
		"4}}";
	_cleanup_template_ struct template *template = template_parse(document, NULL);

	(void)state;
	assert_non_null(template);
	assert_string_equal(template->comment, "all of it");
	const struct template_key *key = &template->keys[0];
	assert_int_equal(key->slot, KEY_SLOT_RETIRED_20);
	assert_int_equal(key->algorithm, KEY_ALGORITHM_RSA_3072);
	assert_int_equal(key->pin, PIN_USE_ALWAYS);
	assert_int_equal(key->touch, TOUCH_USE_CACHED);
	assert_string_equal(key->authority, "a");
	assert_string_equal(key->profile, "b");
	assert_int_equal(key->subject_count, 2);
	assert_string_equal(key->subject[1].pattern, "{name} ({{x})");
	assert_int_equal(key->san_count, 2);
	assert_string_equal(key->san[1].pattern, "{email2}");
	assert_null(template->keys[1].authority);
	assert_null(template->keys[1].profile);
	assert_int_equal(template->keys[1].subject_count, 0);
	assert_int_equal(template->pin_policy.minimum_length, 7);
	assert_int_equal(template->pin_policy.maximum_length, 7);
	assert_int_equal(template->pin_policy.characters, PIN_ALPHANUMERIC);
	assert_int_equal(template->pin_policy.maximum_repeats, 2);
	assert_int_equal(template->pin_policy.maximum_sequence, 4);
}

struct refusal {
	const char *document;
	const char *field;
	const char *word; /* part of the message */
};

static void check_refusals(const struct refusal *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		_cleanup_template_ struct template *template =
			template_parse(cases[i].document, &error);
		if (template)
			fail_msg("taken: %s", cases[i].document);
		assert_int_equal(error.code, ERROR_INVALID_TEMPLATE);
		if (strcmp(error.field, cases[i].field) != 0 ||
			!strstr(error_message(&error), cases[i].word))
			fail_msg("%s\ngives %s: %s", cases[i].document, error.field,
				error_message(&error));
	}
}

static void what_is_no_json_object_is_refused(void **state)
{
	static const struct refusal cases[] = {
		{"", "", "line 1"},
		{"{", "", "line 1"},
		{"[]", "", "name, card-type, card-types, comment"},
		{"{\"name\": \"a\", \"name\": \"b\"}", "", "duplicate"},
		{"{\"name\": \"a\"} x", "", "end of file"},
		{"{\"name\": \"a\\u0000b\"}", "", "NUL"},
	};

	(void)state;
	check_refusals(cases, ARRAY_SIZE(cases));
}

static void wrong_members_of_the_top_are_refused(void **state)
{
	static const struct refusal cases[] = {
		{"{\"nam\": 1}", "/nam", "unknown member; allowed are name,"},
		{"{}", "/name", "missing"},
		{"{\"name\": 1}", "/name", "string"},
		{"{\"name\": \"\"}", "/name", "1 to 64"},
		{"{\"name\": \"Up\"}", "/name", "lower-case"},
		{"{\"name\": \"-x\"}", "/name", "not '-' first"},
		{"{\"name\": \"a/b\"}", "/name", "lower-case"},
		{"{\"name\": \"t\"}", "/card-type", "missing"},
		{"{\"name\": \"t\", \"card-type\": \"PIV\"}", "/card-type", "lower-case"},
		{"{" HEAD "}", "/keys", "missing"},
		{"{" HEAD ", \"comment\": [1]}", "/comment", "string"},
		{"{" HEAD ", \"comment\": \"two\\nlines\"}", "/comment", "control"},
		{"{" HEAD ", \"keys\": {}}", "/keys", "array of 1 to 24"},
		{"{" HEAD ", \"keys\": []}", "/keys", "array of 1 to 24"},
		{"{" HEAD ", \"keys\": [7]}", "/keys/0", "object"},
	};

	(void)state;
	check_refusals(cases, ARRAY_SIZE(cases));
}

static void wrong_keys_are_refused(void **state)
{
	static const struct refusal cases[] = {
		{"{" HEAD ", \"keys\": [{}]}", "/keys/0/slot", "missing"},
		{"{" HEAD ", \"keys\": [{\"slot\": \"9a\"}]}", "/keys/0/slot",
			"authentication, signature"},
		{KEY("\"alg\": 1"), "/keys/0/alg", "slot, algorithm, pin, touch, certificate"},
		{KEY("\"touch\": \"never\""), "/keys/0/algorithm", "missing"},
		{KEY("\"algorithm\": \"rsa-1024\""), "/keys/0/algorithm",
			"rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384"},
		{KEY("\"algorithm\": null"), "/keys/0/algorithm", "rsa-2048"},
		{KEY("\"algorithm\": \"ec-p256\", \"pin\": \"maybe\""), "/keys/0/pin",
			"default, never, once, always"},
		{KEY("\"algorithm\": \"ec-p256\", \"touch\": true"), "/keys/0/touch",
			"default, never, always, cached"},
		{"{" HEAD ", \"keys\": [{\"slot\": \"signature\", \"algorithm\": \"ec-p256\"},"
		 " {\"slot\": \"signature\", \"algorithm\": \"ec-p384\"}]}",
			"/keys/1/slot", "/keys/0"},
	};

	(void)state;
	check_refusals(cases, ARRAY_SIZE(cases));
}

static void wrong_certificates_are_refused(void **state)
{
	static const char at[] = "/keys/0/certificate";
	static const struct refusal cases[] = {
		{KEY("\"algorithm\": \"ec-p256\", \"certificate\": \"local\""), at, "object"},
		{CERT(""), "/keys/0/certificate/authority", "missing"},
		{CERT("\"authority\": \"a b\""), "/keys/0/certificate/authority", "name"},
		{CERT("\"authority\": \"local\""), "/keys/0/certificate/profile", "missing"},
		{NAMES("\"usage\": 1"), "/keys/0/certificate/usage", "authority, profile"},
		{NAMES("\"subject\": {\"CN\": \"x\"}"), "/keys/0/certificate/subject", "array"},
		{NAMES("\"subject\": [\"CN\"]"), "/keys/0/certificate/subject/0", "array of 2"},
		{NAMES("\"subject\": [[\"cn\", \"x\"]]"), "/keys/0/certificate/subject/0/0",
			"CN, O, OU, C"},
		{NAMES("\"subject\": [[\"CN\", \"\"]]"), "/keys/0/certificate/subject/0/1",
			"length"},
		{NAMES("\"subject\": [[\"CN\", \"{name\"]]"), "/keys/0/certificate/subject/0/1",
			"'}'"},
		{NAMES("\"subject\": [[\"CN\", \"{}\"]]"), "/keys/0/certificate/subject/0/1",
			"name of a field"},
		{NAMES("\"subject\": [[\"C\", \"che\"]]"), "/keys/0/certificate/subject/0/1",
			"ISO 3166"},
		{NAMES("\"subject\": []"), at, "not empty"},
		{NAMES("\"san\": \"x\""), "/keys/0/certificate/san", "array"},
		{NAMES("\"san\": {\"mail\": \"x\"}"), "/keys/0/certificate/san/mail",
			"email, upn, dns, ip, uri"},
		{NAMES("\"san\": {\"upn\": 1}"), "/keys/0/certificate/san/upn", "string"},
		{NAMES("\"san\": [[\"rid\", \"x\"]]"), "/keys/0/certificate/san/0/0",
			"email, upn, dns, ip, uri"},
	};

	(void)state;
	check_refusals(cases, ARRAY_SIZE(cases));
}

#define HSM(rest) "{\"name\": \"t\", \"card-type\": \"hsm-key\", " rest "}"
#define HSM_CERT                                                                                   \
	"\"certificate\": {\"authority\": \"a\", \"profile\": \"p\", "                             \
	"\"san\": [[\"ip\", \"{ip}\"]]}"
#define HSM_KEY(rest) HSM("\"keys\": [{\"algorithm\": \"ec-p256\", " rest HSM_CERT "}]")
#define HSM_TOP(rest)                                                                              \
	HSM("\"keys\": [{\"algorithm\": \"ec-p256\", " HSM_CERT "}], \"comment\": \"\", " rest)

static void a_key_in_an_hsm_has_no_slot_and_no_pin(void **state)
{
	_cleanup_template_ struct template *template = template_parse(HSM_KEY(""), NULL);
	_cleanup_template_ struct template *other = template_parse(
		HSM_TOP("\"enabled\": false, \"lifecycle\": {\"on-retire\": \"keep\"}"), NULL);

	(void)state;
	assert_non_null(template);
	assert_non_null(other);
	assert_true(template_is_hsm_key(template));
	assert_int_equal(template->key_count, 1);
	assert_int_equal(template->keys[0].slot, KEY_SLOT_HSM);
	assert_string_equal(template->keys[0].san[0].type, "ip");
	assert_string_equal(key_slot_name(KEY_SLOT_HSM), "hsm");
	static const struct refusal cases[] = {
		{HSM_KEY("\"slot\": \"signature\", "), "/keys/0/slot", "label"},
		{HSM_KEY("\"pin\": \"once\", "), "/keys/0/pin", "no PIN"},
		{HSM_KEY("\"touch\": \"never\", "), "/keys/0/touch", "no touch"},
		{HSM("\"keys\": [{\"algorithm\": \"ec-p256\"}]"), "/keys/0/certificate", "missing"},
		{HSM("\"keys\": [{\"algorithm\": \"ec-p521\", " HSM_CERT "}]"), "/keys/0/algorithm",
			"ec-p256"},
		{HSM("\"keys\": [{}, {}]"), "/keys", "1"},
		{HSM("\"comment\": \"\""), "/keys", "missing"},
		{HSM_TOP("\"operator\": {\"kind\": \"operator\"}"), "/operator", "cards"},
		{HSM_TOP("\"pin-policy\": {}"), "/pin-policy", "no PIN"},
		{HSM_TOP("\"issue\": {}"), "/issue", "CHUID"},
		{HSM_TOP("\"unblock\": {}"), "/unblock", "no PIN"},
		{HSM_TOP("\"self-service\": {}"), "/self-service", "no PIN"},
		{HSM_TOP("\"rotate-at-contact\": false"), "/rotate-at-contact", "no master key"},
		{HSM_TOP("\"lifecycle\": {\"block-pin\": true}"), "/lifecycle/block-pin", "no PIN"},
		{"{\"name\": \"t\", \"card-types\": [\"piv\", \"hsm-key\"]}", "/card-types",
			"nothing else"},
	};
	check_refusals(cases, ARRAY_SIZE(cases));
}

static void wrong_pin_policies_are_refused(void **state)
{
	static const struct refusal cases[] = {
		{PIN("\"length\": 6"), "/pin-policy/length", "minimum-length, maximum-length"},
		{PIN("\"minimum-length\": 5"), "/pin-policy/minimum-length", "6 to 8"},
		{PIN("\"minimum-length\": 6.0"), "/pin-policy/minimum-length", "whole number"},
		{PIN("\"minimum-length\": \"6\""), "/pin-policy/minimum-length", "whole number"},
		{PIN("\"maximum-length\": 9"), "/pin-policy/maximum-length", "6 to 8"},
		{PIN("\"minimum-length\": 8, \"maximum-length\": 7"), "/pin-policy",
			"must not be above"},
		{PIN("\"characters\": \"emoji\""), "/pin-policy/characters",
			"digits, alphanumeric, any"},
		{PIN("\"maximum-repeats\": -1"), "/pin-policy/maximum-repeats", "0 to 8"},
		{PIN("\"maximum-sequence\": 4294967296"), "/pin-policy/maximum-sequence", "0 to 8"},
		{PIN("\"required\": {\"vowels\": 1}"), "/pin-policy/required/vowels",
			"digits, letters, upper, lower, special"},
		{PIN("\"required\": {\"digits\": 9}"), "/pin-policy/required/digits", "0 to 8"},
		{PIN("\"characters\": \"digits\", \"required\": {\"upper\": 1}"),
			"/pin-policy/required/upper", "digits"},
		{PIN("\"characters\": \"alphanumeric\", \"required\": {\"special\": 1}"),
			"/pin-policy/required/special", "alphanumeric"},
		{PIN("\"maximum-length\": 7, \"required\": {\"letters\": 2, \"upper\": 2, "
		     "\"lower\": 2, \"digits\": 2, \"special\": 2}"),
			"/pin-policy/required", "more than maximum-length"},
		{PIN("\"weak-list\": true"), "/pin-policy/weak-list", "none, shipped"},
		{PIN("\"weak-list\": \"mine\""), "/pin-policy/weak-list", "none, shipped"},
		{PIN("\"holder-data\": \"hidden\""), "/pin-policy/holder-data", "allowed, refused"},
		{PIN("\"forbidden\": \"acme\""), "/pin-policy/forbidden", "array"},
		{PIN("\"forbidden\": [\"acme\", \"ab\"]"), "/pin-policy/forbidden/1", "3 to 8"},
		{PIN("\"forbidden\": [\"acme-corp\"]"), "/pin-policy/forbidden/0", "3 to 8"},
		{PIN("\"history\": 25"), "/pin-policy/history", "0 to 24"},
		{PIN("\"maximum-age-days\": 3651"), "/pin-policy/maximum-age-days", "0 to 3650"},
		{PIN("\"pin-tries\": 2"), "/pin-policy/pin-tries", "3 to 15"},
		{PIN("\"puk-tries\": 16"), "/pin-policy/puk-tries", "3 to 15"},
	};

	(void)state;
	check_refusals(cases, ARRAY_SIZE(cases));
}

static void the_whole_pin_policy_is_read(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_template_ struct template *template = template_parse(
		PIN("\"required\": {\"digits\": 1, \"lower\": 2}, \"weak-list\": \"shipped\", "
		    "\"forbidden\": [\"acme\", \"0815\"], \"holder-data\": \"refused\", "
		    "\"history\": 24, \"maximum-age-days\": 3650, \"puk-tries\": 15"),
		&error);

	(void)state;
	if (!template)
		fail_msg("%s", error_message(&error));
	const struct pin_policy *policy = &template->pin_policy;
	assert_int_equal(policy->required[PIN_CLASS_DIGITS], 1);
	assert_int_equal(policy->required[PIN_CLASS_LOWER], 2);
	assert_int_equal(policy->required[PIN_CLASS_UPPER], 0);
	assert_true(policy->refuses_weak);
	assert_true(policy->refuses_holder_data);
	assert_int_equal(policy->forbidden_count, 2);
	assert_string_equal(policy->forbidden[1], "0815");
	assert_int_equal(policy->history, 24);
	assert_int_equal(policy->maximum_age_days, 3650);
	assert_int_equal(policy->puk_tries, 15);
	/* The card sets both at once. */
	assert_int_equal(policy->pin_tries, 3);
}

static void a_document_that_is_too_large_is_refused(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *document = xcalloc(70000, 1);

	(void)state;
	memset(document, ' ', 69999);
	assert_null(template_parse(document, &error));
	assert_int_equal(error.code, ERROR_INVALID_TEMPLATE);
	assert_non_null(strstr(error_message(&error), "larger"));
}

static void a_document_that_is_too_deep_is_refused(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *document = xcalloc(60001, 1);

	(void)state;
	memset(document, '[', 60000);
	assert_null(template_parse(document, &error));
	assert_non_null(strstr(error_message(&error), "deeper"));
	/* brackets in a string are no depth */
	assert_null(template_parse("{\"name\": \"[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[\"}", &error));
	assert_string_equal(error.field, "/name");
}

static void an_error_quotes_no_value(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_null(template_parse("{\"password\": \"hunter2\" \"hunter2\"}", &error));
	assert_null(strstr(error_message(&error), "hunter2"));
	assert_null(template_parse("{\"name\": \"HUNTER2\"}", &error));
	assert_null(strstr(error_message(&error), "HUNTER2"));
}

static void the_fields_that_patterns_need_are_listed_once(void **state)
{
	_cleanup_template_ struct template *template =
		template_parse(NAMES("\"subject\": [[\"CN\", \"{name} {{no} {serial}\"]],"
				     " \"san\": {\"upn\": \"{upn}@{name}\", \"email\": \"a@b\"}"),
			NULL);
	_cleanup_fields_ struct fields fields = FIELDS_INIT;

	(void)state;
	assert_non_null(template);
	template_required_fields(template, &fields);
	assert_int_equal(fields.count, 2);
	assert_non_null(fields_get(&fields, "name"));
	assert_non_null(fields_get(&fields, "upn"));
}

static char *read_file(const char *path)
{
	char *text = xcalloc(65536, 1);
	FILE *file = fopen(path, "re");

	if (!file) {
		free(text);
		return NULL;
	}
	size_t length = fread(text, 1, 65535, file);
	fclose(file);
	assert_true(length > 0);
	return text;
}

static void the_shipped_templates_are_valid(void **state)
{
	static const char *const names[] = {"employee", "ec"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		_cleanup_free_ char *path =
			xasprintf("%s/data/templates/%s.json", SOURCE_FOLDER, names[i]);
		_cleanup_free_ char *document = read_file(path);
		if (!document)
			fail_msg("%s cannot be read", path);
		_cleanup_template_ struct template *template = template_parse(document, &error);
		if (!template)
			fail_msg("%s: %s: %s", path, error.field, error_message(&error));
		assert_string_equal(template->name, names[i]);
		assert_int_equal(template->key_count, 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_template_gets_the_defaults),
		cmocka_unit_test(every_member_is_read),
		cmocka_unit_test(what_is_no_json_object_is_refused),
		cmocka_unit_test(wrong_members_of_the_top_are_refused),
		cmocka_unit_test(wrong_keys_are_refused),
		cmocka_unit_test(wrong_certificates_are_refused),
		cmocka_unit_test(a_key_in_an_hsm_has_no_slot_and_no_pin),
		cmocka_unit_test(wrong_pin_policies_are_refused),
		cmocka_unit_test(the_whole_pin_policy_is_read),
		cmocka_unit_test(a_document_that_is_too_large_is_refused),
		cmocka_unit_test(a_document_that_is_too_deep_is_refused),
		cmocka_unit_test(an_error_quotes_no_value),
		cmocka_unit_test(the_fields_that_patterns_need_are_listed_once),
		cmocka_unit_test(the_shipped_templates_are_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/template-change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/macros.h"

#define KEY(rest)	 "{\"slot\": \"signature\", \"algorithm\": \"ec-p256\"" rest "}"
#define CERT(rest)	 ", \"certificate\": {\"authority\": \"a\", \"profile\": \"p\"" rest "}"
#define WITH(keys, rest) "{\"name\": \"t\", \"card-type\": \"piv\", \"keys\": [" keys "]" rest "}"
#define PLAIN		 WITH(KEY(""), "")
#define AND(rest)	 WITH(KEY(""), ", " rest)

static void compare(const char *before, const char *after, struct template_changes *changes)
{
	_cleanup_template_ struct template *old = template_parse(before, NULL);
	_cleanup_template_ struct template *fresh = template_parse(after, NULL);

	assert_non_null(old);
	assert_non_null(fresh);
	template_compare(old, fresh, changes);
}

static void what_means_the_same_is_no_change(void **state)
{
	static const struct {
		const char *one, *other;
	} cases[] = {
		{PLAIN, PLAIN},
		{PLAIN, WITH(KEY(", \"pin\": \"default\", \"touch\": \"default\""), "")},
		{PLAIN, AND("\"enabled\": true")},
		{PLAIN, AND("\"comment\": \"\"")},
		{PLAIN, AND("\"pin-policy\": {\"history\": 0, \"weak-list\": \"none\"}")},
		{PLAIN, AND("\"issue\": {\"by\": \"operator\", \"chuid\": {\"agency\": "
			    "\"9999\"}}")},
		{PLAIN, AND("\"unblock\": {}, \"self-service\": {\"unblock\": false}")},
		{PLAIN, AND("\"lifecycle\": {\"on-retire\": \"revoke\"}")},
		{WITH(KEY(CERT("")), ""),
			WITH(KEY(CERT(", \"subject\": [[\"CN\", \"{name}\"]]")), "")},
		{WITH(KEY(CERT(", \"san\": {\"upn\": \"{u}\"}")), ""),
			WITH(KEY(CERT(", \"san\": [[\"upn\", \"{u}\"]]")), "")},
		{WITH(KEY("") ", {\"slot\": \"retired-1\", \"algorithm\": \"ec-p384\"}", ""),
			WITH("{\"slot\": \"retired-1\", \"algorithm\": \"ec-p384\"}, " KEY(""),
				"")},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_template_changes_ struct template_changes changes = TEMPLATE_CHANGES_INIT;
		compare(cases[i].one, cases[i].other, &changes);
		if (changes.count > 0)
			fail_msg("%s has changed: %s to %s", changes.items[0].path,
				changes.items[0].before, changes.items[0].after);
	}
}

static void each_change_takes_what_it_must(void **state)
{
	static const struct {
		const char *after, *path, *before_text, *after_text;
		enum change_effect effect;
	} cases[] = {
		{AND("\"comment\": \"x\""), "/comment", "\"\"", "\"x\"", CHANGE_NONE},
		{AND("\"enabled\": false"), "/enabled", "true", "false", CHANGE_NONE},
		{AND("\"issue\": {\"auto-initiate\": true}"), "/issue/auto-initiate", "false",
			"true", CHANGE_NONE},
		{AND("\"lifecycle\": {\"block-pin\": false}"), "/lifecycle/block-pin", "true",
			"false", CHANGE_NONE},
		{AND("\"lifecycle\": {\"on-retire\": \"keep\"}"), "/lifecycle/on-retire",
			"\"revoke\"", "\"keep\"", CHANGE_RULE},
		{AND("\"pin-policy\": {\"history\": 3}"), "/pin-policy/history", "0", "3",
			CHANGE_RULE},
		{AND("\"pin-policy\": {\"required\": {\"digits\": 2}}"),
			"/pin-policy/required/digits", "0", "2", CHANGE_RULE},
		{AND("\"unblock\": {\"roles\": [\"elevated\"]}"), "/unblock/roles", "",
			"[\"elevated\"]", CHANGE_RULE},
		{AND("\"self-service\": {\"reissue\": true}"), "/self-service/reissue", "false",
			"true", CHANGE_RULE},
		{AND("\"issue\": {\"chuid\": {\"person\": \"7\"}}"), "/issue/chuid/person", "\"0\"",
			"\"7\"", CHANGE_CARD},
		{WITH(KEY(", \"touch\": \"always\""), ""), "/keys/signature/touch", "\"default\"",
			"\"always\"", CHANGE_REISSUE},
		{WITH(KEY(CERT("")), ""), "/keys/signature/certificate", "",
			"{\"authority\":\"a\",\"profile\":\"p\",\"subject\":[[\"CN\",\"{name}\"]],"
			"\"san\":[]}",
			CHANGE_REISSUE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_template_changes_ struct template_changes changes = TEMPLATE_CHANGES_INIT;
		compare(PLAIN, cases[i].after, &changes);
		assert_int_equal(changes.count, 1);
		assert_string_equal(changes.items[0].path, cases[i].path);
		assert_string_equal(changes.items[0].before, cases[i].before_text);
		assert_string_equal(changes.items[0].after, cases[i].after_text);
		assert_int_equal(template_changes_effect(&changes), cases[i].effect);
	}
}

static void the_most_of_several_changes_counts(void **state)
{
	_cleanup_template_changes_ struct template_changes changes = TEMPLATE_CHANGES_INIT;

	(void)state;
	assert_int_equal(template_changes_effect(&changes), CHANGE_NONE);
	compare(PLAIN,
		AND("\"pin-policy\": {\"history\": 1, \"puk-tries\": 5}, \"comment\": \"x\""),
		&changes);
	/* The tries of the PIN follow those of the PUK. */
	assert_int_equal(changes.count, 4);
	assert_int_equal(template_changes_effect(&changes), CHANGE_REISSUE);
	assert_string_equal(change_effect_name(CHANGE_REISSUE), "reissue");
	assert_null(change_effect_name(CHANGE_REISSUE + 1));
}

static void a_key_that_goes_is_one_change(void **state)
{
	_cleanup_template_changes_ struct template_changes changes = TEMPLATE_CHANGES_INIT;

	(void)state;
	compare(WITH(KEY("") ", {\"slot\": \"retired-1\", \"algorithm\": \"ec-p384\"}", ""), PLAIN,
		&changes);
	assert_int_equal(changes.count, 1);
	assert_string_equal(changes.items[0].path, "/keys/retired-1");
	assert_string_equal(changes.items[0].after, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_means_the_same_is_no_change),
		cmocka_unit_test(each_change_takes_what_it_must),
		cmocka_unit_test(the_most_of_several_changes_counts),
		cmocka_unit_test(a_key_that_goes_is_one_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

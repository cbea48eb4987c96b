/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "model/template.h"

#define KEYS	     "\"keys\": [{\"slot\": \"signature\", \"algorithm\": \"ec-p256\"}]"
#define WITH(rest)   "{\"name\": \"t\", \"card-type\": \"piv\", " KEYS ", " rest "}"
#define TYPES(rest)  "{\"name\": \"t\", " KEYS ", " rest "}"
#define CHUID(rest)  WITH("\"issue\": {\"chuid\": {" rest "}}")
#define STAFF(rest)  HOLDER("\"from\": \"directory\", \"directory\": \"staff\", " rest)
#define HOLDER(rest) WITH("\"issue\": {\"holder\": {" rest "}}")

#define USER(rest)                                                                                 \
	WITH("\"issue\": {\"by\": \"user\", \"holder\": {\"from\": \"system-user\"}}, " rest)

static void an_old_document_has_the_defaults(void **state)
{
	_cleanup_template_ struct template *template =
		template_parse(WITH("\"comment\": \"old\""), NULL);

	(void)state;
	assert_non_null(template);
	assert_true(template->enabled);
	assert_int_equal(template->card_type_count, 1);
	assert_int_equal(template->id_length, 0);
	assert_int_equal(template->issue.by, ISSUE_BY_OPERATOR);
	assert_int_equal(template->issue.holder, ISSUE_HOLDER_FIELDS);
	assert_false(template->self_service.ways[SELF_SERVICE_ACTIVATE]);
	assert_false(template->issue.auto_initiate);
	assert_string_equal(template->issue.chuid.agency, "9999");
	assert_string_equal(template->issue.chuid.credential, "999999");
	assert_string_equal(chuid_category_name(template->issue.chuid.category), "commercial");
	assert_int_equal(template->issue.chuid.expiry_days, 0);
	assert_true(template->unblock.online);
	assert_true(template->unblock.offline);
	assert_null(template->unblock.roles);
	assert_false(template->self_service.ways[SELF_SERVICE_UNBLOCK]);
	assert_true(template->lifecycle.block_pin);
	assert_int_equal(template->lifecycle.on_retire, RETIRE_REVOKES);
}

static void every_section_is_read(void **state)
{
	_cleanup_template_ struct template *template = template_parse(
		TYPES("\"card-types\": [\"piv\", \"yubikey-5\"], \"enabled\": false,"
		      "\"issue\": {\"by\": \"operator\", \"auto-initiate\": true,"
		      " \"holder\": {\"from\": \"simple-id\", \"id-length\": 9},"
		      " \"chuid\": {\"agency\": \"1234\", \"system\": \"5678\", \"credential\": "
		      "\"{badge}\", \"series\": \"2\", \"issue\": \"3\", \"person\": \"42\","
		      " \"category\": \"federal\", \"organisation\": \"0815\","
		      " \"association\": \"contractor\", \"expiry-days\": 365}},"
		      "\"unblock\": {\"online\": false, \"offline\": false,"
		      " \"roles\": [\"restricted\", \"elevated\"]},"
		      "\"self-service\": {\"unblock\": true, \"reissue\": true,"
		      " \"report-lost\": true},"
		      "\"lifecycle\": {\"block-pin\": false, \"on-retire\": \"keep\"}"),
		NULL);

	(void)state;
	assert_non_null(template);
	assert_false(template->enabled);
	assert_true(template_names_card_type(template, "yubikey-5"));
	assert_false(template_names_card_type(template, "yubikey-4"));
	_cleanup_free_ char *types = template_card_types_text(template);
	assert_string_equal(types, "piv, yubikey-5");
	assert_true(template->issue.auto_initiate);
	assert_int_equal(template->id_length, 9);
	const struct template_chuid *chuid = &template->issue.chuid;
	assert_string_equal(chuid->system, "5678");
	assert_string_equal(chuid->credential, "{badge}");
	assert_string_equal(chuid->person, "42");
	assert_string_equal(chuid->organisation, "0815");
	assert_string_equal(chuid_category_name(chuid->category), "federal");
	assert_string_equal(chuid_association_name(chuid->association), "contractor");
	assert_int_equal(chuid->expiry_days, 365);
	assert_false(template->unblock.online);
	assert_int_equal(template->unblock.role_count, 2);
	assert_string_equal(template->unblock.roles[1], "elevated");
	assert_true(template->self_service.ways[SELF_SERVICE_REPORT_LOST]);
	assert_false(template->lifecycle.block_pin);
	assert_int_equal(template->lifecycle.on_retire, RETIRE_KEEPS);
}

#define SELF(rest) WITH("\"self-service\": {" rest "}")
#define ISSUE_BY(rest)                                                                             \
	WITH("\"issue\": {\"by\": \"user\", " rest "}, \"self-service\": {\"directory\": "         \
	     "\"corp\"}")

static void rights_name_the_ways_that_are_good_enough(void **state)
{
	_cleanup_template_ struct template *template =
		template_parse(SELF("\"unblock\": [\"code\", \"directory\"], \"reissue\": true,"
				    "\"activate\": [\"system-user\"], \"retire\": [\"card\"],"
				    "\"directory\": \"corp\", \"system-users\": \"directory\""),
			NULL);

	(void)state;
	assert_non_null(template);
	const struct template_self_service *service = &template->self_service;
	assert_int_equal(service->ways[SELF_SERVICE_UNBLOCK],
		self_way_bit(SELF_BY_CODE) | self_way_bit(SELF_BY_DIRECTORY));
	assert_int_equal(service->ways[SELF_SERVICE_REISSUE], self_way_bit(SELF_BY_CARD));
	assert_int_equal(service->ways[SELF_SERVICE_ACTIVATE], self_way_bit(SELF_BY_SYSTEM_USER));
	assert_int_equal(service->ways[SELF_SERVICE_RETIRE], self_way_bit(SELF_BY_CARD));
	assert_int_equal(service->ways[SELF_SERVICE_REPORT_LOST], 0);
	assert_int_equal(service->ways[SELF_SERVICE_ISSUE], 0);
	assert_string_equal(service->directory, "corp");
	assert_true(service->system_users_are_directory);
}

static void who_issues_proves_what_the_holder_is_made_from(void **state)
{
	_cleanup_template_ struct template *usual =
		template_parse(ISSUE_BY("\"holder\": {\"from\": \"system-user\"}"), NULL);
	_cleanup_template_ struct template *code =
		template_parse(ISSUE_BY("\"authentication\": [\"code\"]"), NULL);

	(void)state;
	assert_non_null(usual);
	assert_int_equal(
		usual->self_service.ways[SELF_SERVICE_ISSUE], self_way_bit(SELF_BY_USER_ID));
	assert_non_null(code);
	assert_int_equal(code->issue.holder, ISSUE_HOLDER_FIELDS);
	assert_int_equal(code->self_service.ways[SELF_SERVICE_ISSUE], self_way_bit(SELF_BY_CODE));
}

static void rights_that_cannot_be_are_refused_with_their_place(void **state)
{
	static const struct {
		const char *document, *field;
	} cases[] = {
		{SELF("\"unblock\": []"), "/self-service/unblock"},
		{SELF("\"unblock\": 1"), "/self-service/unblock"},
		{SELF("\"unblock\": [\"pin\"]"), "/self-service/unblock/0"},
		{SELF("\"unblock\": [\"code\", \"code\"]"), "/self-service/unblock/1"},
		{SELF("\"unblock\": [\"user-id\"]"), "/self-service/unblock"},
		{SELF("\"unblock\": [\"directory\"]"), "/self-service/unblock"},
		{SELF("\"activate\": [\"card\"]"), "/self-service/activate/0"},
		{SELF("\"activate\": true"), "/self-service/activate"},
		{SELF("\"issue\": true"), "/self-service/issue"},
		{SELF("\"directory\": \"\""), "/self-service/directory"},
		{SELF("\"system-users\": true"), "/self-service/system-users"},
		{WITH("\"issue\": {\"authentication\": [\"code\"]}"), "/issue/authentication"},
		{ISSUE_BY("\"authentication\": [\"card\"]"), "/issue/authentication/0"},
		{ISSUE_BY("\"authentication\": [\"user-id\", \"code\"]"), "/issue/by"},
		{ISSUE_BY("\"authentication\": [\"directory\"],"
			  " \"holder\": {\"from\": \"system-user\"}"),
			"/issue/authentication"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		_cleanup_template_ struct template *template =
			template_parse(cases[i].document, &error);
		assert_null(template);
		if (!error.field || strcmp(error.field, cases[i].field) != 0)
			fail_msg("%s: %s", cases[i].document, error_message(&error));
	}
}

/* The user database has login name, id and name: a pattern that asks for more has no answer. */
static void patterns_of_users_cards_use_what_the_user_database_has(void **state)
{
#define SUBJECT(pattern)                                                                           \
	"{\"name\": \"t\", \"card-type\": \"piv\", \"keys\": [{\"slot\": \"signature\","           \
	" \"algorithm\": \"ec-p256\", \"certificate\": {\"authority\": \"a\", \"profile\": \"p\"," \
	" \"subject\": [[\"CN\", \"" pattern "\"]]}}], \"issue\": {\"by\": \"user\","              \
	" \"holder\": {\"from\": \"system-user\"}}, \"self-service\": {\"activate\": true}}"
	struct fields fields _cleanup_fields_ = FIELDS_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_template_ struct template *good =
		template_parse(SUBJECT("{name} {user} {uid} {serial}"), NULL);
	_cleanup_template_ struct template *bad = template_parse(SUBJECT("{email}"), &error);

	(void)state;
	assert_non_null(good);
	assert_int_equal(good->issue.by, ISSUE_BY_USER);
	assert_int_equal(good->issue.holder, ISSUE_HOLDER_SYSTEM_USER);
	assert_true(good->self_service.ways[SELF_SERVICE_ACTIVATE]);
	template_required_fields(good, &fields);
	assert_int_equal(fields.count, 0);
	assert_null(bad);
	assert_string_equal(error.field, "/issue");
	assert_non_null(strstr(error_message(&error), "{email}"));
}

static void all_fields_that_are_missing_are_named(void **state)
{
	_cleanup_template_ struct template *template =
		template_parse(CHUID("\"credential\": \"{badge}\", \"person\": \"{staff}\""), NULL);
	struct fields holder _cleanup_fields_ = FIELDS_INIT;
	_cleanup_error_ struct error several = ERROR_INIT, one = ERROR_INIT;

	(void)state;
	fields_set(&holder, "staff", "");
	assert_false(template_check_holder(template, &holder, &several));
	assert_int_equal(several.code, ERROR_INVALID_ARGUMENT);
	assert_string_equal(
		error_message(&several), "the holder's fields \"badge\", \"staff\" are missing");
	fields_set(&holder, "badge", "1");
	assert_false(template_check_holder(template, &holder, &one));
	assert_string_equal(error_message(&one), "the holder's field \"staff\" is missing");
	assert_string_equal(one.field, "staff");
	fields_set(&holder, "staff", "2");
	assert_true(template_check_holder(template, &holder, NULL));
}

static void holders_of_a_directory_are_read(void **state)
{
	_cleanup_template_ struct template *plain =
		template_parse(STAFF("\"one-each\": true"), NULL);
	_cleanup_template_ struct template *strict =
		template_parse(STAFF("\"further\": [\"badge\"], \"if-gone\": \"suspend\", "
				     "\"if-back\": \"resume\""),
			NULL);

	(void)state;
	assert_int_equal(plain->issue.holder, ISSUE_HOLDER_DIRECTORY);
	assert_string_equal(plain->issue.directory.connection, "staff");
	assert_true(plain->issue.directory.one_each);
	assert_int_equal(plain->issue.directory.if_gone, PERSON_REPORTED);
	assert_false(template_takes_further(plain, "badge"));
	assert_true(template_takes_further(strict, "badge"));
	assert_int_equal(strict->issue.directory.if_disabled, PERSON_REPORTED);
	assert_int_equal(strict->issue.directory.if_gone, PERSON_TAKES_EFFECT);
	assert_int_equal(strict->issue.directory.if_back, PERSON_TAKES_EFFECT);
	assert_string_equal(person_policy_name(strict->issue.directory.if_gone, false), "suspend");
	assert_string_equal(person_policy_name(strict->issue.directory.if_back, true), "resume");
}

struct wrong_case {
	const char *document, *field, *word;
};

static void assert_refused(const struct wrong_case *cases, size_t count)
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

static void wrong_directories_are_refused(void **state)
{
	static const struct wrong_case cases[] = {
		{HOLDER("\"from\": \"directory\""), "/issue/holder/directory", "missing"},
		{HOLDER("\"directory\": \"staff\""), "/issue/holder/directory", "from"},
		{HOLDER("\"if-gone\": \"suspend\""), "/issue/holder/if-gone", "from"},
		{STAFF("\"if-gone\": \"resume\""), "/issue/holder/if-gone", "report, suspend"},
		{STAFF("\"if-back\": \"suspend\""), "/issue/holder/if-back", "report, resume"},
		{STAFF("\"one-each\": 1"), "/issue/holder/one-each", "true or false"},
		{STAFF("\"further\": []"), "/issue/holder/further", "1 to 16"},
		{STAFF("\"further\": [\"a b\"]"), "/issue/holder/further/0", "letters"},
		{STAFF("\"further\": [\"a\", \"a\"]"), "/issue/holder/further/1", "twice"},
		{STAFF("\"id-length\": 5"), "/issue/holder/id-length", "simple ID"},
		{WITH("\"operator\": {\"kind\": \"system-owner\"}, \"issue\": {\"holder\": "
		      "{\"from\": \"directory\", \"directory\": \"staff\"}}"),
			"/issue/holder/from", "system owner"},
	};

	(void)state;
	assert_refused(cases, ARRAY_SIZE(cases));
}

static void wrong_sections_are_refused(void **state)
{
	static const struct wrong_case cases[] = {
		{TYPES("\"card-types\": []"), "/card-types", "1 to 16"},
		{TYPES("\"card-types\": [\"piv\", \"piv\"]"), "/card-types/1", "twice"},
		{TYPES("\"card-types\": [\"PIV\"]"), "/card-types/0", "lower-case"},
		{TYPES("\"enabled\": true"), "/card-type", "missing"},
		{WITH("\"card-types\": [\"piv\"]"), "/card-type", "card-types"},
		{WITH("\"enabled\": 1"), "/enabled", "true or false"},
		{WITH("\"issue\": 1"), "/issue", "object"},
		{WITH("\"issue\": {\"by\": \"user\"}"), "/issue/by", "users"},
		{WITH("\"issue\": {\"by\": \"me\"}"), "/issue/by", "operator, user"},
		{HOLDER("\"from\": \"system-user\""), "/issue/holder", "must be user"},
		{USER("\"operator\": {\"kind\": \"operator\"}"), "/issue/by", "operators"},
		{USER("\"operator\": {\"kind\": \"system-owner\"}"), "/issue/by", "operators"},
		{WITH("\"self-service\": {\"activate\": true}"), "/self-service/activate",
			"users issue"},
		{WITH("\"issue\": {\"auto-initiate\": \"yes\"}"), "/issue/auto-initiate", "true"},
		{WITH("\"operator\": {\"kind\": \"system-owner\"}, "
		      "\"issue\": {\"auto-initiate\": true}"),
			"/issue/auto-initiate", "system owner"},
		{HOLDER("\"from\": \"connection\""), "/issue/holder/from", "directory"},
		{HOLDER("\"from\": \"air\""), "/issue/holder/from", "fields, simple-id"},
		{HOLDER("\"from\": \"simple-id\", \"id-length\": 3"), "/issue/holder/id-length",
			"4 to 16"},
		{HOLDER("\"id-length\": 5"), "/issue/holder/id-length", "simple ID"},
		{CHUID("\"agency\": \"12a4\""), "/issue/chuid/agency", "4 decimal"},
		{CHUID("\"agency\": 1234"), "/issue/chuid/agency", "4 decimal"},
		{CHUID("\"series\": \"12\""), "/issue/chuid/series", "1 decimal"},
		{CHUID("\"credential\": \"1234567\""), "/issue/chuid/credential", "at most 6"},
		{CHUID("\"person\": \"{\""), "/issue/chuid/person", "{"},
		{CHUID("\"category\": \"village\""), "/issue/chuid/category", "federal"},
		{CHUID("\"association\": \"\""), "/issue/chuid/association", "employee"},
		{CHUID("\"expiry-days\": 0"), "/issue/chuid/expiry-days", "1 to 7300"},
		{CHUID("\"colour\": 1"), "/issue/chuid/colour", "unknown member"},
		{WITH("\"unblock\": {\"roles\": []}"), "/unblock/roles", "1 to 16"},
		{WITH("\"unblock\": {\"roles\": [\"auditor\"]}"), "/unblock/roles/0", "may not"},
		{WITH("\"unblock\": {\"roles\": [\"the king\"]}"), "/unblock/roles/0", "name"},
		{WITH("\"self-service\": {\"revoke\": true}"), "/self-service/revoke", "unknown"},
		{WITH("\"lifecycle\": {\"on-retire\": \"burn\"}"), "/lifecycle/on-retire",
			"revoke, keep"},
	};

	(void)state;
	assert_refused(cases, ARRAY_SIZE(cases));
}

static void a_simple_id_and_its_name_are_not_asked_for(void **state)
{
	_cleanup_fields_ struct fields fields = FIELDS_INIT;
	_cleanup_template_ struct template *template =
		template_parse(WITH("\"issue\": {\"holder\": {\"from\": \"simple-id\"},"
				    " \"chuid\": {\"credential\": \"{id}\","
				    " \"person\": \"{badge}\"}}"),
			NULL);

	(void)state;
	assert_non_null(template);
	template_required_fields(template, &fields);
	assert_int_equal(fields.count, 1);
	assert_string_equal(fields.items[0].name, "badge");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_old_document_has_the_defaults),
		cmocka_unit_test(every_section_is_read),
		cmocka_unit_test(rights_name_the_ways_that_are_good_enough),
		cmocka_unit_test(who_issues_proves_what_the_holder_is_made_from),
		cmocka_unit_test(rights_that_cannot_be_are_refused_with_their_place),
		cmocka_unit_test(patterns_of_users_cards_use_what_the_user_database_has),
		cmocka_unit_test(all_fields_that_are_missing_are_named),
		cmocka_unit_test(holders_of_a_directory_are_read),
		cmocka_unit_test(wrong_directories_are_refused),
		cmocka_unit_test(wrong_sections_are_refused),
		cmocka_unit_test(a_simple_id_and_its_name_are_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

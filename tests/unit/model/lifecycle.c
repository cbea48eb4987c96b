/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/lifecycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/macros.h"
#include "model/credential.h"

#define NO LIFECYCLE_STATE_COUNT

#define SAME	 (-1)
#define S(state) (1u << LIFECYCLE_##state)

/* The whole table once more, from the states' side: where each verb is allowed, and its target. */
static const struct {
	unsigned from;
	int to;
} expected[LIFECYCLE_VERB_COUNT] = {
	[LIFECYCLE_REGISTER] = {S(UNREGISTERED) | S(RETIRED), LIFECYCLE_REGISTERED},
	[LIFECYCLE_ISSUE] = {S(UNREGISTERED) | S(REGISTERED) | S(RETIRED), LIFECYCLE_ISSUED},
	[LIFECYCLE_ACTIVATE] = {S(ISSUED), LIFECYCLE_ACTIVE},
	[LIFECYCLE_CHANGE_PIN] = {S(ACTIVE), SAME},
	[LIFECYCLE_UNBLOCK] = {S(ACTIVE), SAME},
	[LIFECYCLE_REISSUE] = {S(ISSUED) | S(ACTIVE) | S(REVOKED), LIFECYCLE_ISSUED},
	[LIFECYCLE_SUSPEND] = {S(ISSUED) | S(ACTIVE), LIFECYCLE_INACTIVE},
	[LIFECYCLE_RESUME] = {S(INACTIVE), LIFECYCLE_ACTIVE},
	[LIFECYCLE_REVOKE] = {S(ISSUED) | S(ACTIVE) | S(INACTIVE) | S(EXPIRED), LIFECYCLE_REVOKED},
	[LIFECYCLE_REPORT_LOST] = {S(ISSUED) | S(ACTIVE) | S(INACTIVE), LIFECYCLE_INACTIVE},
	[LIFECYCLE_REPORT_STOLEN] = {S(ISSUED) | S(ACTIVE) | S(INACTIVE) | S(EXPIRED),
		LIFECYCLE_REVOKED},
	[LIFECYCLE_REPORT_DAMAGED] = {S(ISSUED) | S(ACTIVE) | S(INACTIVE) | S(EXPIRED),
		LIFECYCLE_REVOKED},
	[LIFECYCLE_REPORT_COMPROMISED] = {S(ISSUED) | S(ACTIVE) | S(INACTIVE) | S(EXPIRED),
		LIFECYCLE_REVOKED},
	[LIFECYCLE_REPLACE] = {S(ISSUED) | S(ACTIVE) | S(INACTIVE) | S(REVOKED) | S(EXPIRED),
		LIFECYCLE_REVOKED},
	[LIFECYCLE_EXPIRE] = {S(ISSUED) | S(ACTIVE) | S(INACTIVE) | S(EXPIRED), LIFECYCLE_EXPIRED},
	[LIFECYCLE_RETIRE] = {S(REGISTERED) | S(ISSUED) | S(ACTIVE) | S(INACTIVE) | S(REVOKED) |
				      S(EXPIRED),
		LIFECYCLE_RETIRED},
	[LIFECYCLE_UNREGISTER] = {S(REGISTERED) | S(RETIRED), LIFECYCLE_UNREGISTERED},
	[LIFECYCLE_UPDATE] = {S(ISSUED) | S(ACTIVE), SAME},
	[LIFECYCLE_USE] = {S(ACTIVE), SAME},
	[LIFECYCLE_ROTATE] = {S(REGISTERED) | S(ISSUED) | S(ACTIVE) | S(INACTIVE) | S(REVOKED) |
				      S(EXPIRED),
		SAME},
	[LIFECYCLE_OFFLINE_UNBLOCK] = {S(ACTIVE), SAME},
	/* For keys in HSM slots alone. */
	[LIFECYCLE_ENROLL] = {0, SAME},
	[LIFECYCLE_RENEW] = {S(ACTIVE), SAME},
};

static void every_verb_in_every_state_does_what_the_table_says(void **state)
{
	(void)state;
	for (enum lifecycle_state s = 0; s < LIFECYCLE_STATE_COUNT; s++) {
		for (enum lifecycle_verb v = 0; v < LIFECYCLE_VERB_COUNT; v++) {
			_cleanup_error_ struct error error = ERROR_INIT;
			enum lifecycle_state next = NO;
			bool is_expected = expected[v].from & 1u << s;
			int target = expected[v].to == SAME ? (int)s : expected[v].to;
			assert_int_equal(lifecycle_check(s, v, &next, &error), is_expected);
			assert_int_equal(next, is_expected ? target : (int)NO);
			if (!is_expected)
				assert_int_equal(error.code, ERROR_WRONG_STATE);
		}
	}
}

/* What a card is not worth giving up for the last administrator, nobody does to the own card. */
static void verbs_that_give_a_card_up_are_for_others(void **state)
{
	size_t count = 0;

	(void)state;
	for (enum lifecycle_verb v = 0; v < LIFECYCLE_VERB_COUNT; v++) {
		const struct lifecycle_rule *rule = lifecycle_rule(v);
		if (!(rule->flags & LIFECYCLE_GIVES_UP))
			continue;
		assert_true(rule->flags & LIFECYCLE_FOR_OTHERS);
		count++;
	}
	assert_int_equal(count, 9);
	assert_null(lifecycle_rule(LIFECYCLE_VERB_COUNT));
}

static void reports_suspend_or_revoke_for_the_right_reason(void **state)
{
	static const struct {
		const char *kind;
		enum certificates_effect effect;
		const char *reason, *final_reason;
		enum pin_effect pin;
	} cases[] = {
		{"lost", CERTIFICATES_HELD, "certificateHold", "keyCompromise", PIN_EFFECT_NONE},
		{"stolen", CERTIFICATES_REVOKED, "keyCompromise", "keyCompromise",
			PIN_EFFECT_BLOCKED},
		{"damaged", CERTIFICATES_REVOKED, "cessationOfOperation", "cessationOfOperation",
			PIN_EFFECT_NONE},
		{"compromised", CERTIFICATES_REVOKED, "keyCompromise", "keyCompromise",
			PIN_EFFECT_BLOCKED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum lifecycle_verb verb = lifecycle_report_from_name(cases[i].kind);
		const struct lifecycle_rule *rule = lifecycle_rule(verb);
		assert_non_null(rule);
		assert_int_equal(rule->certificates, cases[i].effect);
		assert_string_equal(rule->reason, cases[i].reason);
		assert_int_equal(rule->pin, cases[i].pin);
		assert_string_equal(
			lifecycle_report_final_reason(cases[i].kind), cases[i].final_reason);
		assert_string_equal(lifecycle_report_name(verb), cases[i].kind);
	}
	assert_int_equal(lifecycle_report_from_name("Lost"), LIFECYCLE_VERB_COUNT);
	assert_int_equal(lifecycle_report_from_name(NULL), LIFECYCLE_VERB_COUNT);
	assert_null(lifecycle_report_final_reason("superseded"));
	assert_null(lifecycle_report_final_reason(NULL));
	assert_null(lifecycle_report_name(LIFECYCLE_REVOKE));
}

static void a_card_is_resumed_to_what_it_was(void **state)
{
	static const struct {
		enum lifecycle_state before;
		enum lifecycle_verb verb;
	} cases[] = {
		{LIFECYCLE_ISSUED, LIFECYCLE_REPORT_LOST},
		{LIFECYCLE_ACTIVE, LIFECYCLE_REPORT_LOST},
		{LIFECYCLE_ACTIVE, LIFECYCLE_SUSPEND},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct credential credential = {.state = cases[i].before};
		enum lifecycle_state next = NO;
		bool waits = cases[i].before == LIFECYCLE_ISSUED;
		assert_int_equal(credential_waits_for_pin(&credential), waits);
		/* Twice: what is inactive already stays what it was before. */
		for (int times = 0; times < 2; times++) {
			assert_true(credential_check(&credential,
				times ? LIFECYCLE_REPORT_LOST : cases[i].verb, &next, NULL));
			credential_set_state(&credential, next);
			assert_int_equal(credential.state, LIFECYCLE_INACTIVE);
			assert_int_equal(credential_waits_for_pin(&credential), waits);
		}
		assert_true(credential_check(&credential, LIFECYCLE_RESUME, &next, NULL));
		assert_int_equal(next, cases[i].before);
		assert_false(credential_check(&credential, LIFECYCLE_ACTIVATE, NULL, NULL));
	}
}

static void a_card_with_an_end_date_is_expired_from_then_on(void **state)
{
	static const struct {
		enum lifecycle_state state;
		int64_t expires_at;
		enum lifecycle_state at_1000;
	} cases[] = {
		{LIFECYCLE_ACTIVE, 0, LIFECYCLE_ACTIVE},
		{LIFECYCLE_ACTIVE, 1001, LIFECYCLE_ACTIVE},
		{LIFECYCLE_ACTIVE, 1000, LIFECYCLE_EXPIRED},
		{LIFECYCLE_ISSUED, 999, LIFECYCLE_EXPIRED},
		{LIFECYCLE_INACTIVE, 999, LIFECYCLE_EXPIRED},
		{LIFECYCLE_EXPIRED, 999, LIFECYCLE_EXPIRED},
		{LIFECYCLE_REVOKED, 999, LIFECYCLE_REVOKED},
		{LIFECYCLE_RETIRED, 999, LIFECYCLE_RETIRED},
		{LIFECYCLE_REGISTERED, 999, LIFECYCLE_REGISTERED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct credential credential = {
			.state = cases[i].state, .expires_at = cases[i].expires_at};
		credential_apply_expiry(&credential, 1000);
		assert_int_equal(credential.state, cases[i].at_1000);
	}
}

static void the_error_names_the_state_and_what_is_allowed(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(lifecycle_check(LIFECYCLE_INACTIVE, LIFECYCLE_USE, NULL, &error));
	assert_string_equal(error_message(&error),
		"the card is inactive, where \"use\" is not allowed; allowed: resume, revoke, "
		"report-lost, report-stolen, report-damaged, report-compromised, replace, "
		"retire, rotate");
}

static void next_may_be_null(void **state)
{
	(void)state;
	assert_true(lifecycle_check(LIFECYCLE_ACTIVE, LIFECYCLE_USE, NULL, NULL));
}

static void a_key_in_an_hsm_has_the_verbs_that_need_no_card(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	char type[] = "hsm-key";
	struct credential key = {.card_type = type, .state = LIFECYCLE_ACTIVE};
	enum lifecycle_state next;

	(void)state;
	assert_true(credential_check(&key, LIFECYCLE_RENEW, &next, &error));
	assert_int_equal(next, LIFECYCLE_ACTIVE);
	assert_true(credential_check(&key, LIFECYCLE_SUSPEND, &next, &error));
	assert_true(credential_check(&key, LIFECYCLE_RETIRE, &next, &error));
	assert_true(credential_check(&key, LIFECYCLE_REPORT_COMPROMISED, &next, &error));
	assert_false(credential_check(&key, LIFECYCLE_CHANGE_PIN, &next, &error));
	assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
	assert_false(credential_check(&key, LIFECYCLE_ENROLL, &next, &error));
	assert_int_equal(error.code, ERROR_WRONG_STATE);
	assert_non_null(strstr(error_message(&error), "the key is active"));
	assert_non_null(strstr(error_message(&error), "renew"));
	assert_null(strstr(error_message(&error), "change-pin"));
	key.state = LIFECYCLE_RETIRED;
	assert_true(credential_check(&key, LIFECYCLE_ENROLL, &next, &error));
	assert_int_equal(next, LIFECYCLE_ACTIVE);
}

static void numbers_outside_the_table_are_refused(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(lifecycle_check(LIFECYCLE_STATE_COUNT, LIFECYCLE_USE, NULL, &error));
	assert_false(lifecycle_check(LIFECYCLE_ACTIVE, LIFECYCLE_VERB_COUNT, NULL, &error));
	assert_false(lifecycle_check((enum lifecycle_state)99, LIFECYCLE_USE, NULL, &error));
}

static void names_lead_back(void **state)
{
	(void)state;
	for (enum lifecycle_state s = 0; s < LIFECYCLE_STATE_COUNT; s++)
		assert_int_equal(lifecycle_state_from_name(lifecycle_state_name(s)), s);
	assert_int_equal(lifecycle_state_from_name("Active"), LIFECYCLE_STATE_COUNT);
	assert_int_equal(lifecycle_state_from_name(NULL), LIFECYCLE_STATE_COUNT);
	assert_null(lifecycle_state_name(LIFECYCLE_STATE_COUNT));
	assert_string_equal(lifecycle_verb_name(LIFECYCLE_CHANGE_PIN), "change-pin");
	assert_null(lifecycle_verb_name(LIFECYCLE_VERB_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verb_in_every_state_does_what_the_table_says),
		cmocka_unit_test(verbs_that_give_a_card_up_are_for_others),
		cmocka_unit_test(reports_suspend_or_revoke_for_the_right_reason),
		cmocka_unit_test(a_card_is_resumed_to_what_it_was),
		cmocka_unit_test(a_card_with_an_end_date_is_expired_from_then_on),
		cmocka_unit_test(the_error_names_the_state_and_what_is_allowed),
		cmocka_unit_test(next_may_be_null),
		cmocka_unit_test(a_key_in_an_hsm_has_the_verbs_that_need_no_card),
		cmocka_unit_test(numbers_outside_the_table_are_refused),
		cmocka_unit_test(names_lead_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

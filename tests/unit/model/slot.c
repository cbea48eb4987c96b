/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may use which keys of a slot. */
#include "model/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SIGN	(1U << SLOT_SIGN)
#define DECRYPT (1U << SLOT_DECRYPT)
#define DERIVE	(1U << SLOT_DERIVE)

static struct slot_rule rules[] = {
	{(char *)"user:1000", (char *)"tls", SIGN},
	{(char *)"user:1000", (char *)"*", DERIVE},
	{(char *)"group:50", (char *)"mail", SIGN | DECRYPT},
	{(char *)"anyone", (char *)"open", SIGN},
};
static const gid_t groups[] = {7, 50};

static unsigned access_of(uid_t uid, size_t group_count, bool is_manager, const char *label)
{
	const struct slot_user user = {
		.uid = uid, .is_manager = is_manager, .groups = groups, .group_count = group_count};

	return slot_access(rules, 4, &user, label);
}

static void rules_add_up_for_user_group_and_anyone(void **state)
{
	(void)state;
	assert_int_equal(access_of(1000, 0, false, "tls"), SIGN | DERIVE);
	assert_int_equal(access_of(1000, 0, false, "mail"), DERIVE);
	assert_int_equal(access_of(1000, 2, false, "mail"), SIGN | DECRYPT | DERIVE);
	assert_int_equal(access_of(1001, 0, false, "open"), SIGN);
}

static void what_no_rule_gives_is_refused(void **state)
{
	(void)state;
	assert_int_equal(access_of(1001, 1, false, "tls"), 0);
	assert_int_equal(access_of(1001, 0, false, ""), 0);
	/* Neither a part of a label nor of a number, nor a user with a group's number. */
	assert_int_equal(access_of(1001, 0, false, "op"), 0);
	assert_int_equal(access_of(100, 0, false, "tls"), 0);
	assert_int_equal(access_of(50, 0, false, "mail"), 0);
}

static void managers_may_do_everything(void **state)
{
	(void)state;
	assert_int_equal(access_of(0, 0, true, "anything"), SLOT_OPERATIONS_ALL);
}

static void a_slot_shows_to_whom_a_rule_names(void **state)
{
	const struct slot_user stranger = {.uid = 4711};
	const struct slot_user member = {.uid = 4711, .groups = groups, .group_count = 2};
	const struct slot_user manager = {.uid = 4711, .is_manager = true};

	(void)state;
	assert_false(slot_is_open_to(rules, 3, &stranger));
	assert_true(slot_is_open_to(rules, 3, &member));
	assert_true(slot_is_open_to(rules, 4, &stranger));
	assert_false(slot_is_open_to(rules, 0, &member));
	assert_true(slot_is_open_to(rules, 0, &manager));
}

/* With the padding left to the caller, signing and decrypting are the same. */
static void a_bare_rsa_operation_needs_both_rights(void **state)
{
	(void)state;
	assert_int_equal(slot_use_needs(KEY_USE_SIGN, 3), SIGN | DECRYPT);
	assert_int_equal(slot_use_needs(KEY_USE_DECRYPT, 3), SIGN | DECRYPT);
	assert_int_equal(slot_use_needs(KEY_USE_SIGN, 1), SIGN);
	assert_int_equal(slot_use_needs(KEY_USE_DECRYPT, 1), DECRYPT);
	assert_int_equal(slot_use_needs(KEY_USE_DERIVE, 0x1050), DERIVE);
}

static void names_go_there_and_back(void **state)
{
	(void)state;
	for (enum slot_operation i = 0; i < SLOT_OPERATION_COUNT; i++)
		assert_int_equal(slot_operation_from_name(slot_operation_name(i)), i);
	for (enum slot_pin i = 0; i < SLOT_PIN_COUNT; i++)
		assert_int_equal(slot_pin_from_name(slot_pin_name(i)), i);
	for (enum slot_process i = 0; i < SLOT_PROCESS_COUNT; i++)
		assert_int_equal(slot_process_from_name(slot_process_name(i)), i);
	assert_int_equal(slot_process_from_name("none"), SLOT_PROCESS_COUNT);
	assert_int_equal(slot_operation_from_name("dance"), SLOT_OPERATION_COUNT);
	assert_int_equal(slot_pin_from_name("nowhere"), SLOT_PIN_COUNT);
}

static void records_are_checked(void **state)
{
	static const struct {
		const char *name, *module, *label, *pin_file;
		bool valid;
	} cases[] = {
		{"web", "/m.so", "web", "", true},
		{"web-1.a_b", "/m.so", "a label", "", true},
		{"", "/m.so", "web", "", false},
		{"../web", "/m.so", "web", "", false},
		{"we b", "/m.so", "web", "", false},
		{"web", "m.so", "web", "", false},
		{"web", "/m.so", "", "", false},
		{"web", "/m.so", "a label that has more than 32 bytes", "", false},
		{"web", "/m.so", "web", "/pin", true},
		{"web", "/m.so", "web", "credential:pin", true},
		{"web", "/m.so", "web", "pin", false},
		{"web", "/m.so", "web", "credential:", false},
		{"web", "/m.so", "web", "credential:../pin", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct slot_record record = {.name = (char *)(uintptr_t)cases[i].name,
			.module = (char *)(uintptr_t)cases[i].module,
			.token_label = (char *)(uintptr_t)cases[i].label,
			.pin_file = (char *)(uintptr_t)cases[i].pin_file,
			.pin = cases[i].pin_file[0] ? SLOT_PIN_FILE : SLOT_PIN_CALLER,
			.timeout = SLOT_TIMEOUT_DEFAULT};
		assert_int_equal(slot_record_check(&record, NULL), cases[i].valid);
	}
}

static void where_a_module_runs_is_checked(void **state)
{
	static const struct {
		enum slot_process process;
		unsigned timeout;
		const char *variable;
		bool valid;
	} cases[] = {
		{SLOT_PROCESS_DAEMON, 60, NULL, true},
		{SLOT_PROCESS_OWN, 1, NULL, true},
		{SLOT_PROCESS_OWN, 3600, "HSM_HOST=hsm.example.org:9000", true},
		{SLOT_PROCESS_OWN, 60, "_a1=", true},
		{SLOT_PROCESS_OWN, 60, "a=b=c d", true},
		{SLOT_PROCESS_COUNT, 60, NULL, false},
		{SLOT_PROCESS_DAEMON, 60, "a=b", false},
		{SLOT_PROCESS_OWN, 0, NULL, false},
		{SLOT_PROCESS_OWN, 3601, NULL, false},
		{SLOT_PROCESS_OWN, 60, "a", false},
		{SLOT_PROCESS_OWN, 60, "=b", false},
		{SLOT_PROCESS_OWN, 60, "1a=b", false},
		{SLOT_PROCESS_OWN, 60, "a-b=c", false},
		{SLOT_PROCESS_OWN, 60, "a=b\nc=d", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *variables[] = {(char *)(uintptr_t)cases[i].variable, NULL};
		const struct slot_record record = {.process = cases[i].process,
			.timeout = cases[i].timeout,
			.variables = variables};
		if (slot_process_check(&record, NULL) != cases[i].valid)
			fail_msg("case %zu", i);
	}
}

static void variables_become_text_and_back(void **state)
{
	char *variables[] = {(char *)(uintptr_t) "A=1", (char *)(uintptr_t) "B=x y", NULL};
	char *text = slot_variables_text(variables);
	char **back = slot_variables_from_text(text);

	(void)state;
	assert_string_equal(text, "A=1\nB=x y\n");
	assert_string_equal(back[0], "A=1");
	assert_string_equal(back[1], "B=x y");
	assert_null(back[2]);
	slot_variables_free(back);
	free(text);
	back = slot_variables_from_text("");
	assert_null(back[0]);
	slot_variables_free(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_add_up_for_user_group_and_anyone),
		cmocka_unit_test(what_no_rule_gives_is_refused),
		cmocka_unit_test(managers_may_do_everything),
		cmocka_unit_test(a_slot_shows_to_whom_a_rule_names),
		cmocka_unit_test(a_bare_rsa_operation_needs_both_rights),
		cmocka_unit_test(names_go_there_and_back),
		cmocka_unit_test(records_are_checked),
		cmocka_unit_test(where_a_module_runs_is_checked),
		cmocka_unit_test(variables_become_text_and_back),
	};

	return cmocka_run_group_tests_name("model/slot", tests, NULL, NULL);
}

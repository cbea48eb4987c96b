/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A token that gets another label, in the daemon's own process and in one that ends meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "lib/token-fixture.h"
#include "token/hsm-private.h"
#include "token/token-private.h"

#define TIMEOUT_MS 20000

struct fixture {
	struct token_fixture *own; /* its token is labelled "tessera" */
	struct hsm *hsm;
	struct secret so_pin;
	char *knob;
	char *variables[3];
	bool is_child;
};

/* One whose security officer has a PIN that we know. */
static void make_token(struct fixture *fixture)
{
	CK_FUNCTION_LIST *functions = fixture->own->token->module.functions;
	CK_UTF8CHAR label[32] = "web                             ";
	CK_SLOT_ID slots[8];
	CK_ULONG count = ARRAY_SIZE(slots);

	assert_int_equal(functions->C_GetSlotList(CK_FALSE, slots, &count), CKR_OK);
	assert_int_equal(functions->C_InitToken(slots[count - 1], fixture->so_pin.data,
				 (CK_ULONG)fixture->so_pin.length, label),
		CKR_OK);
}

static struct hsm *open_hsm(
	struct fixture *fixture, const char *label, const char *serial, struct error *error)
{
	const struct child_options process = {.program = TOKEN_PROGRAM,
		.name = "web",
		.variables = fixture->variables,
		.timeout_ms = TIMEOUT_MS};
	const struct hsm_options options = {
		.module = fixture->is_child ? VENDOR_MODULE : TOKEN_MODULE,
		.label = label,
		.serial = serial,
		.process = fixture->is_child ? &process : NULL};

	return hsm_open(&options, error);
}

static int set_up(void **state, bool is_child)
{
	struct fixture *fixture = xnew(struct fixture);

	fixture->own = token_fixture_new();
	fixture->is_child = is_child;
	secret_set(&fixture->so_pin, "57721566", 8);
	fixture->knob = xasprintf("%s/knob", fixture->own->folder);
	fixture->variables[0] = xasprintf("SOFTHSM2_CONF=%s", getenv("SOFTHSM2_CONF"));
	fixture->variables[1] = xasprintf("VENDOR_KNOB=%s", fixture->knob);
	make_token(fixture);
	fixture->hsm = open_hsm(fixture, "web", NULL, NULL);
	*state = fixture;
	return fixture->hsm ? 0 : -1;
}

static int set_up_here(void **state)
{
	return set_up(state, false);
}

static int set_up_child(void **state)
{
	return set_up(state, true);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	hsm_close(fixture->hsm);
	secret_clear(&fixture->so_pin);
	free(fixture->variables[0]);
	free(fixture->variables[1]);
	free(fixture->knob);
	token_fixture_free(fixture->own);
	free(fixture);
	return 0;
}

static bool begin_as(struct fixture *fixture, const char *label, struct error *error)
{
	struct hsm_reply reply = {0};
	const struct hsm_request request = {.operation = HSM_INIT_TOKEN,
		.pin = &fixture->so_pin,
		.input = {.data = (const uint8_t *)label, .length = strlen(label)}};

	return hsm_call(fixture->hsm, NULL, &request, &reply, error);
}

static void expect_label(struct fixture *fixture, const char *label)
{
	struct hsm_information information _cleanup_(hsm_information_clear) = {0};

	hsm_information(fixture->hsm, &information);
	assert_string_equal(information.label, label);
}

static void no_other_token_may_have_the_label(void **state)
{
	static const char *const refused[] = {"tessera", "a label that has more than 32 bytes"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		assert_false(begin_as(fixture, refused[i], &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
		assert_string_equal(error.field, "label");
		expect_label(fixture, "web");
	}
	assert_true(begin_as(fixture, "shop \xC3\xA9", NULL));
	expect_label(fixture, "shop \xC3\xA9");
	assert_true(begin_as(fixture, "", NULL));
	expect_label(fixture, "shop \xC3\xA9");
}

static void who_has_the_serial_number_is_found_without_the_label(void **state)
{
	struct fixture *fixture = *state;
	struct hsm_information information _cleanup_(hsm_information_clear) = {0};
	struct error error _cleanup_error_ = ERROR_INIT;

	assert_true(begin_as(fixture, "shop", NULL));
	hsm_information(fixture->hsm, &information);
	hsm_close(fixture->hsm);
	fixture->hsm = open_hsm(fixture, "web", NULL, &error);
	assert_null(fixture->hsm);
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	/* There is a token of that label, and it is another one. */
	fixture->hsm = open_hsm(fixture, "tessera", information.serial, NULL);
	assert_non_null(fixture->hsm);
	expect_label(fixture, "shop");
}

static void turn(const struct fixture *fixture, const char *word)
{
	FILE *file = fopen(fixture->knob, "w");

	assert_non_null(file);
	fputs(word, file);
	fclose(file);
}

static void a_process_that_ends_meanwhile_is_followed_by_one_that_finds_it(void **state)
{
	static const struct {
		const char *word, *label, *then;
	} ends[] = {{"crash-before-init", "shop", "web"}, {"crash-after-init", "shop", "shop"},
		{"nothing", "market", "market"}};
	struct fixture *fixture = *state;
	bool changed;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		turn(fixture, ends[i].word);
		assert_int_equal(begin_as(fixture, ends[i].label, NULL),
			strcmp(ends[i].word, "nothing") == 0);
		assert_true(hsm_refresh(fixture->hsm, &changed, NULL));
		expect_label(fixture, ends[i].then);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			no_other_token_may_have_the_label, set_up_here, tear_down),
		cmocka_unit_test_setup_teardown(
			no_other_token_may_have_the_label, set_up_child, tear_down),
		cmocka_unit_test_setup_teardown(
			who_has_the_serial_number_is_found_without_the_label, set_up_here,
			tear_down),
		cmocka_unit_test_setup_teardown(
			who_has_the_serial_number_is_found_without_the_label, set_up_child,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_process_that_ends_meanwhile_is_followed_by_one_that_finds_it,
			set_up_child, tear_down),
	};

	return cmocka_run_group_tests_name("token/hsm-label", tests, NULL, NULL);
}

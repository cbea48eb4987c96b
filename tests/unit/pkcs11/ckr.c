/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pkcs11/ckr.h"

static CK_RV refused(CK_RV rv, enum ckr_context context)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	error_set_refused(&error, rv, "the token does not want to");
	return ckr_of(&error, context);
}

static CK_RV failed(enum error_code code, enum ckr_context context)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	error_set(&error, code, "it did not work");
	return ckr_of(&error, context);
}

static void a_tokens_answer_is_passed_on_where_it_may_be(void **state)
{
	(void)state;
	assert_int_equal(refused(CKR_TEMPLATE_INCONSISTENT, CKR_CONTEXT_GENERATE),
		CKR_TEMPLATE_INCONSISTENT);
	assert_int_equal(refused(CKR_KEY_UNEXTRACTABLE, CKR_CONTEXT_WRAP), CKR_KEY_UNEXTRACTABLE);
	assert_int_equal(refused(CKR_DEVICE_MEMORY, CKR_CONTEXT_OBJECT), CKR_DEVICE_MEMORY);
	assert_int_equal(refused(CKR_MECHANISM_PARAM_INVALID, CKR_CONTEXT_DECRYPT),
		CKR_MECHANISM_PARAM_INVALID);
}

static void other_answers_of_a_token_are_device_errors(void **state)
{
	(void)state;
	assert_int_equal(refused(CKR_TEMPLATE_INCONSISTENT, CKR_CONTEXT_SIGN), CKR_DEVICE_ERROR);
	assert_int_equal(refused(CKR_SIGNATURE_INVALID, CKR_CONTEXT_SIGN), CKR_DEVICE_ERROR);
	assert_int_equal(refused(0x80000001UL, CKR_CONTEXT_OBJECT), CKR_DEVICE_ERROR);
}

static void a_tokens_answer_gets_the_functions_name(void **state)
{
	(void)state;
	assert_int_equal(refused(CKR_KEY_TYPE_INCONSISTENT, CKR_CONTEXT_UNWRAP),
		CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
	assert_int_equal(refused(CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_CONTEXT_UNWRAP),
		CKR_WRAPPED_KEY_LEN_RANGE);
	assert_int_equal(
		refused(CKR_DATA_INVALID, CKR_CONTEXT_DECRYPT), CKR_ENCRYPTED_DATA_INVALID);
}

static void rules_of_a_slot_are_told_as_each_function_can(void **state)
{
	(void)state;
	assert_int_equal(
		failed(ERROR_ACCESS_DENIED, CKR_CONTEXT_SIGN), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(failed(ERROR_ACCESS_DENIED, CKR_CONTEXT_OBJECT), CKR_ACTION_PROHIBITED);
	assert_int_equal(failed(ERROR_ACCESS_DENIED, CKR_CONTEXT_GENERATE), CKR_FUNCTION_FAILED);
	assert_int_equal(
		failed(ERROR_SIGNATURE_INVALID, CKR_CONTEXT_VERIFY), CKR_SIGNATURE_INVALID);
	assert_int_equal(failed(ERROR_NO_SERVICE, CKR_CONTEXT_OBJECT), CKR_DEVICE_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tokens_answer_is_passed_on_where_it_may_be),
		cmocka_unit_test(other_answers_of_a_token_are_device_errors),
		cmocka_unit_test(a_tokens_answer_gets_the_functions_name),
		cmocka_unit_test(rules_of_a_slot_are_told_as_each_function_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

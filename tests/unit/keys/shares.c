/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keys/shares.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/macros.h"

static const uint8_t set[SHARE_SET_LENGTH] = "set of the tests";

static void fill_key(struct secret *key)
{
	assert_true(secret_allocate(key, SHARE_KEY_LENGTH));
	for (size_t i = 0; i < key->length; i++)
		key->data[i] = (uint8_t)(i * 37 + 11);
}

/* Those of shares whose bit is set in `chosen`; the values stay those of shares. */
static size_t choose(
	const struct share *shares, size_t count, unsigned chosen, struct share *selection)
{
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		if (chosen & 1U << i)
			selection[length++] = shares[i];
	}
	return length;
}

static void check_choice(const struct secret *key, const struct share *shares, unsigned needed,
	unsigned count, unsigned chosen)
{
	struct secret combined _cleanup_secret_ = SECRET_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;
	struct share selection[8];
	size_t length = choose(shares, count, chosen, selection);

	if (shares_combine(selection, length, &combined, &error)) {
		assert_true(length >= needed);
		assert_true(secret_equal(key, &combined));
		return;
	}
	assert_true(length < needed);
	assert_int_equal(error.code, ERROR_DATA_INVALID);
}

static void any_so_many_shares_give_the_key_and_fewer_do_not(void **state)
{
	struct secret key _cleanup_secret_ = SECRET_INIT;

	(void)state;
	fill_key(&key);
	for (unsigned count = 1; count <= 6; count++) {
		for (unsigned needed = 1; needed <= count; needed++) {
			struct share *shares = NULL;
			assert_true(shares_split(&key, set, needed, count, &shares, NULL));
			for (unsigned chosen = 0; chosen < 1U << count; chosen++)
				check_choice(&key, shares, needed, count, chosen);
			shares_free(shares, count);
		}
	}
}

static void the_most_shares_are_split_and_combined(void **state)
{
	struct secret key _cleanup_secret_ = SECRET_INIT;
	struct secret combined _cleanup_secret_ = SECRET_INIT;
	struct share *shares = NULL;

	(void)state;
	fill_key(&key);
	assert_true(shares_split(&key, set, 255, SHARES_MAXIMUM, &shares, NULL));
	assert_true(shares_combine(shares, SHARES_MAXIMUM, &combined, NULL));
	assert_true(secret_equal(&key, &combined));
	shares_free(shares, SHARES_MAXIMUM);
}

/* Computed by hand: f(x) = 0x53 + 0xCA x in AES's field, where 0x53 * 0xCA = 1. */
static void the_field_is_that_of_the_documentation(void **state)
{
	/* 0xA6 is 2 * 0x53. */
	struct share shares[2] = {{.needed = 2, .number = 0x53}, {.needed = 2, .number = 0xA6}};
	struct secret combined _cleanup_secret_ = SECRET_INIT;

	(void)state;
	assert_true(secret_allocate(&shares[0].value, SHARE_KEY_LENGTH));
	assert_true(secret_allocate(&shares[1].value, SHARE_KEY_LENGTH));
	memset(shares[0].value.data, 0x53 ^ 0x01, SHARE_KEY_LENGTH);
	memset(shares[1].value.data, 0x53 ^ 0x02, SHARE_KEY_LENGTH);
	assert_true(shares_combine(shares, 2, &combined, NULL));
	for (size_t i = 0; i < SHARE_KEY_LENGTH; i++)
		assert_int_equal(combined.data[i], 0x53);
	share_clear(&shares[0]);
	share_clear(&shares[1]);
}

static void two_splits_of_a_key_are_different(void **state)
{
	struct secret key _cleanup_secret_ = SECRET_INIT;
	struct share *one = NULL, *other = NULL;

	(void)state;
	fill_key(&key);
	assert_true(shares_split(&key, set, 2, 3, &one, NULL));
	assert_true(shares_split(&key, set, 2, 3, &other, NULL));
	for (size_t i = 0; i < 3; i++) {
		assert_false(secret_equal(&one[i].value, &other[i].value));
		assert_false(secret_equal(&one[i].value, &key));
	}
	shares_free(one, 3);
	shares_free(other, 3);
}

static void refuse(const struct share *shares, size_t count, const char *text)
{
	struct secret key _cleanup_secret_ = SECRET_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;

	assert_false(shares_combine(shares, count, &key, &error));
	assert_int_equal(error.code, ERROR_DATA_INVALID);
	assert_non_null(strstr(error_message(&error), text));
	assert_false(secret_is_set(&key));
}

static void shares_that_do_not_belong_together_are_named(void **state)
{
	struct secret key _cleanup_secret_ = SECRET_INIT;
	struct share *shares = NULL;

	(void)state;
	fill_key(&key);
	assert_true(shares_split(&key, set, 2, 3, &shares, NULL));
	struct share pair[] = {shares[0], shares[2]};
	pair[1].set[3] ^= 1;
	refuse(pair, 2, "share 3 is of another backup than share 1");
	pair[1] = shares[2];
	pair[1].needed = 3;
	refuse(pair, 2, "share 3 is of another backup");
	pair[1] = shares[0];
	refuse(pair, 2, "share 1 is there twice");
	refuse(pair, 1, "2 shares are needed, 1 are there");
	refuse(NULL, 0, "0 are there");
	shares_free(shares, 3);
}

static void a_packed_share_comes_back_and_any_changed_byte_is_found(void **state)
{
	struct secret key _cleanup_secret_ = SECRET_INIT;
	struct secret packed _cleanup_secret_ = SECRET_INIT;
	struct share *shares = NULL;
	struct share read _cleanup_(share_clear) = {0};

	(void)state;
	fill_key(&key);
	assert_true(shares_split(&key, set, 2, 3, &shares, NULL));
	assert_true(share_pack(&shares[1], &packed, NULL));
	assert_int_equal(packed.length, SHARE_PACKED_LENGTH);
	assert_true(share_unpack(&packed, &read, NULL));
	assert_int_equal(read.number, 2);
	assert_int_equal(read.needed, 2);
	assert_memory_equal(read.set, set, sizeof(set));
	assert_true(secret_equal(&read.value, &shares[1].value));
	for (size_t i = 0; i < packed.length; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			packed.data[i] ^= (uint8_t)(1U << bit);
			assert_false(share_unpack(&packed, &read, NULL));
			packed.data[i] ^= (uint8_t)(1U << bit);
		}
	}
	secret_truncate(&packed, packed.length - 1);
	assert_false(share_unpack(&packed, &read, NULL));
	shares_free(shares, 3);
}

static void impossible_numbers_are_refused(void **state)
{
	static const unsigned wrong[][2] = {{0, 3}, {4, 3}, {0, 0}, {1, 0}, {1, 256}, {300, 300}};
	struct secret key _cleanup_secret_ = SECRET_INIT;
	struct share *shares = NULL;

	(void)state;
	fill_key(&key);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		assert_false(shares_split(&key, set, wrong[i][0], wrong[i][1], &shares, &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	}
	secret_truncate(&key, 31);
	assert_false(shares_split(&key, set, 1, 1, &shares, NULL));
	assert_null(shares);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_so_many_shares_give_the_key_and_fewer_do_not),
		cmocka_unit_test(the_most_shares_are_split_and_combined),
		cmocka_unit_test(the_field_is_that_of_the_documentation),
		cmocka_unit_test(two_splits_of_a_key_are_different),
		cmocka_unit_test(shares_that_do_not_belong_together_are_named),
		cmocka_unit_test(a_packed_share_comes_back_and_any_changed_byte_is_found),
		cmocka_unit_test(impossible_numbers_are_refused),
	};

	return cmocka_run_group_tests_name("keys/shares", tests, NULL, NULL);
}

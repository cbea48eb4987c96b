/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables made of what the reader looks at, at random, the same in each run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/buffer.h"
#include "common/macros.h"
#include "fuzz/fuzz.h"

#define ROUNDS	40000
#define PIECES	24
#define LONGEST 70000

static const char *const pieces[] = {"\"", "\"", "\"\"", ",", ",", "\n", "\r\n", "\r", "a", "name",
	"\xEF\xBB\xBF", "\xFF", " ", ";"};

/* xorshift: any generator that never ends in 0 does. */
static uint32_t next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void random_tables_are_survived(void **state)
{
	uint32_t seed = 20261126;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		_cleanup_buffer_ struct buffer input = BUFFER_INIT;
		for (uint32_t count = next(&seed) % PIECES; count > 0; count--)
			buffer_append_string(&input, pieces[next(&seed) % ARRAY_SIZE(pieces)]);
		if (round % 4 == 0)
			buffer_append_u8(&input, (uint8_t)next(&seed));
		assert_int_equal(LLVMFuzzerTestOneInput(input.data, input.length), 0);
	}
}

static void one_byte_without_end_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		_cleanup_buffer_ struct buffer input = BUFFER_INIT;
		buffer_fill(&input, (uint8_t)pieces[i][0], LONGEST);
		assert_int_equal(LLVMFuzzerTestOneInput(input.data, input.length), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_tables_are_survived),
		cmocka_unit_test(one_byte_without_end_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

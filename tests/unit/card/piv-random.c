/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PIV driver against answers that are honest ones spoilt at random, the same in each run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/buffer.h"
#include "fuzz/card-certificate.h"
#include "fuzz/fuzz.h"

#define ROUNDS	4000
#define ANSWERS 12

#define FORM_SUCCESS 0x01
#define FORM_LONG    0x04

/* Bits of an input's first byte (fuzz/card-answers.c) */
#define EXTENDED_AND_REMOTE 0x05U
#define TRANSPORT_T0	    0x02

#define POINT_P256                                                                                 \
	"046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"                       \
	"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"

static const char selected[] = "61084f06000010000100";
static const char *const honest[] = {
	"050403",
	"00bc614e",
	"010103050101",				 /* version, serial number, 9B */
	"01ff05010106020303",			 /* metadata of the PIN */
	"01011102020203010104438641" POINT_P256, /* metadata of a key */
	"7f49438641" POINT_P256,		 /* a new key */
	"7c0a82083006020101020102",		 /* a signature */
	"7c0a80080102030405060708",
	"7c0a82080102030405060708", /* 9B: witness, response */
	"533b3019d4e739da739ced39ce739d836858210842108421c84210c3eb"
	"3410aa0102030405060708090a0b0c0d0e0f350832303530313233313e00fe00", /* CHUID */
	"531970121f8b08000000000000030300000000000000710101fe00",	    /* certificate, gzip */
	"",
};

/* A YubiKey 5.7.2 far away that opens a channel, up to the receipt, which nobody can know here. */
static const char *const opening[] = {
	selected,
	"050702",
	"6f108408a000000151000000a5049f6501ff", /* the security domain */
	"e00ec0040101ff10c0041301b120c0021501", /* its keys */
	CARD_CERTIFICATE,
	selected,
	"5f4941" POINT_P256 "861000112233445566778899aabbccddeeff",
};

/* xorshift: any generator that never ends in 0 does. */
static uint32_t next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Half of the answers stay whole; the others get a wrong byte, end early, or go on. */
static void spoil(struct buffer *answer, uint32_t *seed)
{
	uint32_t how = next(seed) % 8;

	if (answer->length == 0 || how > 3)
		return;
	size_t at = next(seed) % answer->length;
	if (how <= 1)
		answer->data[at] ^= (uint8_t)(1 << next(seed) % 8);
	else if (how == 2)
		buffer_truncate(answer, at);
	else
		buffer_fill(answer, (uint8_t)next(seed), next(seed) % 3000);
}

static void append_answer(struct buffer *input, const char *hex, uint32_t *seed)
{
	_cleanup_buffer_ struct buffer answer = BUFFER_INIT;

	assert_true(hex_decode(hex, &answer));
	if (seed)
		spoil(&answer, seed);
	uint8_t form = seed && next(seed) % 8 == 0 ? (uint8_t)next(seed) : FORM_SUCCESS;
	buffer_append_u8(input, form | FORM_LONG);
	buffer_append_u16(input, (uint16_t)answer.length);
	buffer_append(input, answer.data, answer.length);
}

static void random_answers_are_survived(void **state)
{
	uint32_t seed = 20261126;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		_cleanup_buffer_ struct buffer input = BUFFER_INIT;
		buffer_append_u32(&input, next(&seed));
		append_answer(&input, selected, NULL);
		for (size_t i = 0; i < 3; i++)
			append_answer(&input, honest[i], round % 2 ? NULL : &seed);
		for (size_t i = 0; i < ANSWERS; i++)
			append_answer(&input, honest[next(&seed) % ARRAY_SIZE(honest)], &seed);
		assert_int_equal(LLVMFuzzerTestOneInput(input.data, input.length), 0);
	}
}

static void random_openings_are_survived(void **state)
{
	uint32_t seed = 20261127;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		_cleanup_buffer_ struct buffer input = BUFFER_INIT;
		buffer_append_u32(&input, next(&seed) | EXTENDED_AND_REMOTE << 24);
		input.data[0] &= (uint8_t)~TRANSPORT_T0;
		for (size_t i = 0; i < ARRAY_SIZE(opening); i++)
			append_answer(&input, opening[i], i < 2 || round % 2 ? NULL : &seed);
		for (size_t i = 0; i < ANSWERS; i++)
			append_answer(&input, honest[next(&seed) % ARRAY_SIZE(honest)], &seed);
		assert_int_equal(LLVMFuzzerTestOneInput(input.data, input.length), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_answers_are_survived),
		cmocka_unit_test(random_openings_are_survived)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

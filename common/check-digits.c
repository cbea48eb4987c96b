/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/check-digits.h"

#define MODULUS 97

static unsigned remainder_of(const uint8_t *digits, size_t length)
{
	unsigned rest = 0;

	for (size_t i = 0; i < length; i++)
		rest = (rest * 10 + digits[i] - '0') % MODULUS;
	return rest;
}

/* The number with both digits is to be 1 modulo 97. */
void check_digits_make(const uint8_t *digits, size_t length, uint8_t check[2])
{
	unsigned value = (MODULUS + 1 - remainder_of(digits, length) * 100 % MODULUS) % MODULUS;

	check[0] = (uint8_t)('0' + value / 10);
	check[1] = (uint8_t)('0' + value % 10);
}

bool check_digits_fit(const uint8_t *digits, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
	}
	return length > 2 && remainder_of(digits, length) == 1;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Check digits of ISO/IEC 7064, MOD 97-10 (pure system, section 9): as in an IBAN. */
#ifndef TESSERA_COMMON_CHECK_DIGITS_H
#define TESSERA_COMMON_CHECK_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes the two digits that belong behind `length` decimal digits. */
void check_digits_make(const uint8_t *digits, size_t length, uint8_t check[2]);
/* Whether the last two of the digits are those of the others; false for what is no digit. */
bool check_digits_fit(const uint8_t *digits, size_t length);

#endif

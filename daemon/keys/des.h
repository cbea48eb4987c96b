/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a 3DES key (SP 800-67r2, section 3.1) must look like. */
#ifndef TESSERA_KEYS_DES_H
#define TESSERA_KEYS_DES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DES3_KEY_LENGTH 24

/* Sets the lowest bit of each byte so that the byte has odd parity. */
void des_set_odd_parity(uint8_t *key, size_t length);
/*
 * Whether a three-key bundle is unfit: one of its keys is weak or semi-weak
 * (SP 800-67r2, 3.4.2), or two of them are equal. Parity must be set.
 */
bool des3_key_is_weak(const uint8_t key[DES3_KEY_LENGTH]);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESSERA_TESTS_FUZZ_H
#define TESSERA_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry (its name is libFuzzer's): aborts when what is tested breaks its promise. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A card whose answers are any bytes: for what a fuzzer or a random generator makes up. */
#ifndef TESSERA_TESTS_TRANSPORT_BYTES_H
#define TESSERA_TESTS_TRANSPORT_BYTES_H

#include "pcsc/transport.h"

/*
 * Answers come one after the other: a byte of form, a length (one byte, or two
 * if the form has 04), so many bytes, and as the form's bits 03 say no status
 * word, 9000, 6100 or 63Cx with x the form's high digit. Form F8 and above is a
 * reader's failure. After the last answer all is 6D00, and after a long while
 * the card is gone. The bytes are borrowed.
 */
struct transport *transport_bytes_new(const uint8_t *bytes, size_t length);

/* The next begin tells of a reset. */
void transport_bytes_reset(struct transport *transport);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The knobs by name, as options and control lines write them. */
#ifndef TESSERA_VCARD_KNOBS_H
#define TESSERA_VCARD_KNOBS_H

#include "vcard/vcard.h"

/* A decimal number, no larger than maximum. ERROR_INVALID_ARGUMENT. */
bool knobs_parse_number(const char *text, uint64_t maximum, uint64_t *number, struct error *error);

/*
 * Sets one knob: "vanish-at", "vanish-after", "wrong-answer-at", "latency-apdu-us",
 * "latency-byte-us" take a number, "fail-at" takes "N:SW" with SW in hex, "touch-deny" 0 or 1.
 * ERROR_NOT_FOUND for another name, ERROR_INVALID_ARGUMENT for another value.
 */
bool knobs_set(struct vcard_knobs *knobs, const char *name, const char *value, struct error *error);

#endif

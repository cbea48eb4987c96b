/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The list of PINs that are tried first by whoever finds a card. A file of one
 * PIN a line; empty lines and lines that begin with '#' are skipped. The case
 * of letters does not count.
 */
#ifndef TESSERA_MODEL_WEAK_PINS_H
#define TESSERA_MODEL_WEAK_PINS_H

#include <stdbool.h>

#include "common/error.h"
#include "common/macros.h"
#include "common/secret.h"

struct weak_pins;

/* NULL with ERROR_FAILED when the file cannot be read. */
struct weak_pins *weak_pins_read(const char *path, struct error *error);
/* NULL is allowed. */
void weak_pins_free(struct weak_pins *list);
DEFINE_CLEANUP(struct weak_pins *, weak_pins_free);
bool weak_pins_have(const struct weak_pins *list, const struct secret *pin);

#endif

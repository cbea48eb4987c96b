/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shipped credential types, read once from the source tree. */
#ifndef TESSERA_TESTS_TYPES_FIXTURE_H
#define TESSERA_TESTS_TYPES_FIXTURE_H

#include "card/card-type.h"

/* Stays until the program ends. */
struct card_types *types_fixture(void);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/types-fixture.h"

#include "operation/types.h"

static struct card_types *types;

__attribute__((destructor)) static void free_types(void)
{
	card_types_free(types);
}

struct card_types *types_fixture(void)
{
	if (!types) {
		types = card_types_new();
		types_load_shipped(types, SOURCE_FOLDER "/data/types");
	}
	return types;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables of the store, as a list of migrations. */
#ifndef TESSERA_STORE_SCHEMA_H
#define TESSERA_STORE_SCHEMA_H

#include "store/database.h"

/* The version that this program makes and understands. */
int64_t schema_version(void);

/*
 * Applies the migrations that the database lacks, all or none.
 * ERROR_STORE_FAILED for a file that is no store of ours or that a newer
 * program made, which is left unchanged.
 */
bool schema_update(struct database *database, struct error *error);

#endif

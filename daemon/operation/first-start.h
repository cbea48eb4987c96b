/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a new store is given: the connections and templates that Tessera ships. */
#ifndef TESSERA_OPERATION_FIRST_START_H
#define TESSERA_OPERATION_FIRST_START_H

#include "operation/services.h"

/*
 * Saves FOLDER/connections/ *.json and FOLDER/templates/ *.json, once in the life of a store; what
 * is removed later stays away. A document that cannot be saved is logged and tried again at the
 * next start. ERROR_STORE_*.
 */
bool first_start_install(struct services *services, const char *folder, struct error *error);

#endif

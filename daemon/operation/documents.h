/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections as an administrator gives them: checked as far as that can be
 * done, then saved. Templates are operation/templates.h's.
 */
#ifndef TESSERA_OPERATION_DOCUMENTS_H
#define TESSERA_OPERATION_DOCUMENTS_H

#include "operation/services.h"

/*
 * Saves a connection: a new one (name NULL), or the named one, whose name and kind must stay; and
 * makes what the authority needs before its first use. ERROR_INVALID_CONNECTION, ERROR_EXISTS,
 * ERROR_NOT_FOUND, ERROR_TOKEN_FAILED.
 */
bool connection_document_save(struct services *services, const char *name, const char *document,
	char **saved, struct error *error);

/* With its secrets and its list of profiles. ERROR_NOT_FOUND, ERROR_IN_USE. */
bool connection_remove(struct services *services, const char *name, struct error *error);

#endif

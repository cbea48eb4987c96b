/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Templates and connections as an administrator gives them: checked as far as
 * that can be done without a card, then saved.
 */
#ifndef TESSERA_OPERATION_DOCUMENTS_H
#define TESSERA_OPERATION_DOCUMENTS_H

#include "operation/services.h"

/*
 * Saves a template document: a new template (name NULL), or a new version of the named one, whose
 * name must stay. *saved (heap, may be NULL) is its name. ERROR_INVALID_TEMPLATE, ERROR_EXISTS,
 * ERROR_NOT_FOUND.
 */
bool template_document_save(struct services *services, const char *name, const char *document,
	char **saved, struct error *error);
/*
 * The same for a connection, whose kind must stay, too; and makes what the authority needs before
 * its first use. ERROR_INVALID_CONNECTION, ERROR_EXISTS, ERROR_NOT_FOUND, ERROR_TOKEN_FAILED.
 */
bool connection_document_save(struct services *services, const char *name, const char *document,
	char **saved, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Credential types: those that are shipped as files, and those that were added to the store. */
#ifndef TESSERA_OPERATION_TYPES_H
#define TESSERA_OPERATION_TYPES_H

#include "card/card-type.h"
#include "operation/services.h"

/*
 * Takes the documents of folder (*.json) into the table. One that is not valid is logged with its
 * file and the place in it, and left out.
 */
void types_load_shipped(struct card_types *types, const char *folder);
/* The same for those in the store. */
void types_load_added(struct services *services);

/*
 * Adds a type and looks again at the cards that are none of ours. name must be NULL; *saved (heap,
 * may be NULL) is the type's name. ERROR_INVALID_TYPE, ERROR_EXISTS.
 */
bool type_document_add(struct services *services, const char *name, const char *document,
	char **saved, struct error *error);
/* ERROR_NOT_FOUND; ERROR_NOT_SUPPORTED for a shipped one; ERROR_IN_USE. */
bool type_remove(struct services *services, const char *name, struct error *error);

/*
 * Whether a template's card type is there and can do what the template asks for; a driver's name
 * ("piv") stands for all cards of that driver. ERROR_INVALID_TEMPLATE.
 */
bool type_check_template(
	struct services *services, const struct template *template, struct error *error);
/* Whether cards of the type can have the template. ERROR_NOT_SUPPORTED, ERROR_INVALID_TEMPLATE. */
bool type_suits_template(struct services *services, const char *name,
	const struct template *template, struct error *error);

#endif

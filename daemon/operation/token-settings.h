/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the configuration file's words to the tokens that the vault opens. */
#ifndef TESSERA_OPERATION_TOKEN_SETTINGS_H
#define TESSERA_OPERATION_TOKEN_SETTINGS_H

#include "core/options.h"
#include "operation/vault.h"

struct token_settings {
	struct vault_options vault; /* borrows from the members below and from the options */
	char *embedded_folder;
	struct token_uri *uri, *older_uri;
};

/* ERROR_INVALID_ARGUMENT for a wrong URI, or options that do not go together. No file is read. */
bool token_settings_make(
	struct token_settings *settings, const struct options *options, struct error *error);
/*
 * Looks for the file that token-pin-file names, which need not exist unless it was asked for. Two
 * tokens without a file are ERROR_INVALID_ARGUMENT: cards keep one PIN.
 */
bool token_settings_find_pins(
	struct token_settings *settings, const struct options *options, struct error *error);
void token_settings_clear(struct token_settings *settings);

#endif

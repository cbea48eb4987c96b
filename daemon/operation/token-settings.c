/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/token-settings.h"

#include <string.h>

#include "common/alloc.h"
#include "core/state-folder.h"
#include "token/token-uri.h"

void token_settings_clear(struct token_settings *settings)
{
	free(settings->embedded_folder);
	token_uri_free(settings->uri);
	token_uri_free(settings->older_uri);
	*settings = (struct token_settings){0};
}

static struct vault_token from_uri(const struct token_uri *uri)
{
	return (struct vault_token){.module = token_uri_module(uri),
		.label = token_uri_label(uri),
		.uri = uri,
		.pin_file = token_uri_pin_file(uri)};
}

/* The embedded one, or that of token-module. */
static struct vault_token from_module(
	const struct token_settings *settings, const struct options *options)
{
	return (struct vault_token){
		.module = options->token_module ? options->token_module : TOKEN_MODULE,
		.label = options->token_label,
		.embedded_folder = options->token_module ? NULL : settings->embedded_folder};
}

static bool parse(const char *key, const char *text, struct token_uri **uri, struct error *error)
{
	*uri = token_uri_parse(text, error);
	return *uri || error_prefix(error, "%s", key);
}

static bool is_embedded(const char *text)
{
	return text && strcmp(text, TOKEN_EMBEDDED) == 0;
}

bool token_settings_make(
	struct token_settings *settings, const struct options *options, struct error *error)
{
	const char *older = options->token_uri_old;

	settings->embedded_folder = xasprintf("%s/token", options->state_dir);
	settings->vault.data_folder = options->data_dir;
	if (options->token_uri && options->token_module)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"token-uri and token-module do not go together");
	if (is_embedded(older) && !options->token_uri)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"token-uri-old = " TOKEN_EMBEDDED " goes with a token-uri");
	if (options->token_uri && !parse("token-uri", options->token_uri, &settings->uri, error))
		return false;
	if (older && !is_embedded(older) &&
		!parse("token-uri-old", older, &settings->older_uri, error))
		return false;
	settings->vault.token =
		settings->uri ? from_uri(settings->uri) : from_module(settings, options);
	if (settings->older_uri)
		settings->vault.older = from_uri(settings->older_uri);
	else if (older)
		settings->vault.older = from_module(settings, options);
	return true;
}

static bool find_pin_file(
	struct vault_token *token, const struct options *options, struct error *error)
{
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!token->module || token->uri)
		return true;
	if (pin_file_read(options->token_pin_file, &pin, &failure))
		token->pin_file = options->token_pin_file;
	else if (failure.code != ERROR_NOT_FOUND || options->token_pin_required)
		return error_move(error, &failure);
	return true;
}

bool token_settings_find_pins(
	struct token_settings *settings, const struct options *options, struct error *error)
{
	struct vault_options *vault = &settings->vault;

	if (!find_pin_file(&vault->token, options, error) ||
		!find_pin_file(&vault->older, options, error))
		return false;
	if (vault->older.module && !vault->older.pin_file && !vault->token.pin_file)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"with two tokens, token-uri or token-uri-old needs a pin-source: cards "
			"keep the PIN of one");
	return true;
}

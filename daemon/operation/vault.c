/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/vault.h"

#include <pthread.h>
#include <string.h>

#include <openssl/rand.h>

#include "common/alloc.h"
#include "common/log.h"
#include "core/state-folder.h"
#include "keys/seal.h"
#include "operation/certificates.h"
#include "operation/changeover.h"
#include "operation/contact.h"
#include "operation/first-start.h"
#include "operation/master-keys.h"
#include "operation/operators.h"
#include "token/token-uri.h"

#define RANDOM_PIN_LENGTH 32 /* hex digits */
/* The store's name of the token whose PIN is sealed to cards. */
#define VALUE_SEALED_TOKEN "sealed-token"

struct vault {
	struct services *services;
	struct vault_options options;
	pthread_mutex_t lock; /* guards opening, and the PIN; taken before the store's */
	struct secret pin;    /* set once the token is open; stays as it is from then on */
};

struct vault *vault_new(struct services *services, const struct vault_options *options)
{
	struct vault *vault = xnew(struct vault);

	vault->services = services;
	vault->options = *options;
	pthread_mutex_init(&vault->lock, NULL);
	return vault;
}

void vault_free(struct vault *vault)
{
	if (!vault)
		return;
	if (vault->services->master_key)
		master_key_close(vault->services->master_key);
	if (vault->services->token)
		token_close(vault->services->token);
	vault->services->master_key = NULL;
	vault->services->token = vault->services->connections.token = NULL;
	secret_clear(&vault->pin);
	pthread_mutex_destroy(&vault->lock);
	free(vault);
}

bool vault_check_open(const struct services *services, struct error *error)
{
	return services->token ||
	       error_set(error, ERROR_LOCKED,
		       "the master key is locked: a system owner or custodian must log in "
		       "(tessera login)");
}

/* From here on all threads see the token; the master key first, as users look for the token. */
static void publish(struct services *services, struct token *token, struct master_key *key)
{
	services->connections.token = token;
	services->master_key = key;
	services->token = token;
}

bool vault_has_token(const struct vault *vault)
{
	const char *folder = vault->options.token.embedded_folder;

	return !folder || token_files_exist(folder);
}

bool vault_is_unattended(const struct vault_options *options)
{
	return options->token.pin_file && (!options->older.module || options->older.pin_file);
}

/* --- opening --- */

/* given: what a card had sealed, or what an administrator said. */
static bool find_pin(const struct vault_token *token, const struct secret *given,
	struct secret *pin, struct error *error)
{
	if (secret_is_set(given) && !token->pin_file)
		return secret_copy(pin, given) || error_set(error, ERROR_FAILED, "out of memory");
	if (!token->pin_file)
		return error_set(
			error, ERROR_LOCKED, "the PIN of token \"%s\" is not known", token->label);
	return pin_file_read(token->pin_file, pin, error);
}

static struct token *open_one(const struct vault_token *which, bool must_exist,
	const struct secret *pin, struct error *error)
{
	const struct token_options options = {.module = which->module,
		.label = which->label,
		.embedded_folder = which->embedded_folder,
		.must_exist = must_exist,
		.uri = which->uri};

	return token_open(&options, pin, error);
}

/* *token stays NULL when there is none. */
static bool open_older(
	struct vault *vault, const struct secret *given, struct token **token, struct error *error)
{
	const struct vault_token *older = &vault->options.older;
	struct secret pin _cleanup_secret_ = SECRET_INIT;

	if (!older->module)
		return true;
	if (!find_pin(older, given, &pin, error))
		return error_prefix(error, "older token");
	*token = open_one(older, true, &pin, error);
	if (!*token)
		return error_prefix(error, "older token");
	if (!older->pin_file)
		secret_move(&vault->pin, &pin);
	return true;
}

/*
 * Once the store knows a master key, an embedded token that is gone is not made anew: it would
 * give all cards secrets that they do not have.
 */
static struct token *open_newest(
	struct vault *vault, const struct secret *given, struct error *error)
{
	const struct vault_token *which = &vault->options.token;
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	bool known = false;

	if (!find_pin(which, given, &pin, error) ||
		!master_keys_known(vault->services->store, &known, error))
		return NULL;
	struct token *token = open_one(which, known, &pin, error);
	if (token && !secret_is_set(&vault->pin))
		secret_move(&vault->pin, &pin);
	return token;
}

/* The older one first: an embedded one says where SoftHSM2 finds its tokens. */
static struct token *open_tokens(
	struct vault *vault, const struct secret *given, struct error *error)
{
	struct token *older = NULL;

	secret_clear(&vault->pin);
	if (!open_older(vault, given, &older, error))
		return NULL;
	struct token *token = open_newest(vault, given, error);
	if (token && older)
		token_add_older(token, older);
	else
		token_close(older);
	return token;
}

static bool open_locked(struct vault *vault, const struct secret *pin, struct error *error)
{
	struct services *services = vault->services;

	if (services->token)
		return true;
	struct token *token = open_tokens(vault, pin, error);
	if (!token)
		return false;
	struct master_key *key = master_keys_open(services->store, token, error);
	if (!key) {
		token_close(token);
		return false;
	}
	publish(services, token, key);
	log_notice("the master key is unlocked");
	return first_start_install(services, vault->options.data_folder, error);
}

/* What had to wait for the token: cards to recover, revocation lists. */
static void catch_up(struct services *services)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	if (!services->contacts || !services->jobs)
		return; /* at the start, when both come later */
	contacts_retry(services->contacts);
	changeover_all_present(services);
	if (!certificates_start_publishing(services, &error))
		log_warning("revocation lists are published later: %s", error_message(&error));
}

/* Which token's PIN is sealed to cards. */
static char *sealed_token_name(const struct vault *vault)
{
	const struct vault_options *options = &vault->options;
	const struct vault_token *which = options->older.module && !options->older.pin_file
						  ? &options->older
						  : &options->token;

	return which->uri || !which->embedded_folder
		       ? xasprintf("%s %s", which->module, which->label)
		       : xstrdup("embedded");
}

/* After a move to another token its PIN takes the place of the one before on all cards' records. */
static void seal_anew(struct vault *vault)
{
	struct store *store = vault->services->store;
	struct error error _cleanup_error_ = ERROR_INIT;
	struct buffer before _cleanup_buffer_ = BUFFER_INIT;
	_cleanup_free_ char *now = sealed_token_name(vault);

	bool known = store_value_get(store, VALUE_SEALED_TOKEN, &before, NULL);
	if (known && before.length == strlen(now) && memcmp(before.data, now, before.length) == 0)
		return;
	if ((known && !operators_seal_anew(vault->services, &error)) ||
		!store_value_set(
			store, VALUE_SEALED_TOKEN, (const uint8_t *)now, strlen(now), &error))
		log_error("the token's PIN was not sealed anew: %s", error_message(&error));
}

bool vault_open(struct vault *vault, const struct secret *pin, struct error *error)
{
	bool was_open = vault->services->token != NULL;

	pthread_mutex_lock(&vault->lock);
	bool opened = open_locked(vault, pin, error);
	pthread_mutex_unlock(&vault->lock);
	if (opened && !was_open) {
		seal_anew(vault);
		catch_up(vault->services);
	}
	return opened;
}

static bool random_pin(struct secret *pin, struct error *error)
{
	static const char digits[] = "0123456789abcdef";

	if (!secret_allocate(pin, RANDOM_PIN_LENGTH) ||
		RAND_priv_bytes(pin->data, (int)pin->length) != 1)
		return error_set(error, ERROR_FAILED, "no random numbers for the token's PIN");
	for (size_t i = 0; i < pin->length; i++)
		pin->data[i] = (uint8_t)digits[pin->data[i] & 15];
	return true;
}

bool vault_create(struct vault *vault, const struct secret *pin, struct error *error)
{
	struct secret random _cleanup_secret_ = SECRET_INIT;

	if (vault->services->token)
		return true;
	if (pin->length > 0)
		return vault_open(vault, pin, error);
	if (vault_is_unattended(&vault->options))
		return vault_open(vault, pin, error);
	if (!vault->options.token.embedded_folder)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "token-pin",
			"the PIN of the token is needed to initialise with an HSM");
	return random_pin(&random, error) &&
	       token_embedded_remove(vault->options.token.embedded_folder, error) &&
	       store_master_key_forget_all(vault->services->store, error) &&
	       vault_open(vault, &random, error);
}

bool vault_seal(struct vault *vault, X509 *certificate, struct buffer *sealed, struct error *error)
{
	/* No lock, as this may be called within a transaction: the PIN of an open token stays. */
	return vault_check_open(vault->services, error) &&
	       seal(&vault->pin, &certificate, 1, sealed, error);
}

/* --- backups --- */

bool vault_copy(
	struct vault *vault, struct token_files *files, struct secret *pin, struct error *error)
{
	return vault_check_open(vault->services, error) &&
	       token_files_read(vault->services->token, files, error) &&
	       find_pin(&vault->options.token, &vault->pin, pin, error);
}

bool vault_place(struct vault *vault, bool (*place)(void *context, struct error *error),
	void *context, struct error *error)
{
	pthread_mutex_lock(&vault->lock);
	bool done = vault->services->token ? error_set(error, ERROR_EXISTS,
						     "the master key is here and unlocked: there "
						     "is nothing to restore")
					   : place(context, error);
	pthread_mutex_unlock(&vault->lock);
	return done;
}

const struct vault_options *vault_settings(const struct vault *vault)
{
	return &vault->options;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/vault.h"

#include <pthread.h>

#include <openssl/rand.h>

#include "common/alloc.h"
#include "common/log.h"
#include "keys/seal.h"
#include "operation/certificates.h"
#include "operation/contact.h"
#include "operation/first-start.h"

#define RANDOM_PIN_LENGTH 32 /* hex digits */

struct vault {
	struct services *services;
	struct vault_options options;
	pthread_mutex_t lock; /* guards opening, and the PIN; taken before the store's */
	struct secret pin;    /* set once the token is open */
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
	vault->services->token = vault->services->authority.token = NULL;
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
	services->authority.token = token;
	services->master_key = key;
	services->token = token;
}

static struct token *open_token(
	const struct vault *vault, const struct secret *pin, struct error *error)
{
	const struct token_options options = {.module = vault->options.module,
		.label = vault->options.label,
		.embedded_folder = vault->options.embedded_folder};

	return token_open(&options, pin, error);
}

static bool open_locked(struct vault *vault, const struct secret *pin, struct error *error)
{
	struct services *services = vault->services;

	if (services->token)
		return true;
	if (!secret_copy(&vault->pin, pin))
		return error_set(error, ERROR_FAILED, "out of memory");
	struct token *token = open_token(vault, pin, error);
	if (!token)
		return false;
	struct master_key *key = master_key_open(token, error);
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
	if (!certificates_start_publishing(services, &error))
		log_warning("revocation lists are published later: %s", error_message(&error));
}

bool vault_open(struct vault *vault, const struct secret *pin, struct error *error)
{
	bool was_open = vault->services->token != NULL;

	pthread_mutex_lock(&vault->lock);
	bool opened = open_locked(vault, pin, error);
	pthread_mutex_unlock(&vault->lock);
	if (opened && !was_open)
		catch_up(vault->services);
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
	if (!vault->options.embedded_folder)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "token-pin",
			"the PIN of the token is needed to initialise with an HSM");
	return random_pin(&random, error) &&
	       token_embedded_remove(vault->options.embedded_folder, error) &&
	       vault_open(vault, &random, error);
}

bool vault_seal(struct vault *vault, X509 *certificate, struct buffer *sealed, struct error *error)
{
	if (!vault_check_open(vault->services, error))
		return false;
	pthread_mutex_lock(&vault->lock);
	bool done = seal(&vault->pin, &certificate, 1, sealed, error);
	pthread_mutex_unlock(&vault->lock);
	return done;
}

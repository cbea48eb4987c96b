/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The vault: the token underneath with the master key and the local CA's key,
 * and its PIN. It is locked after a start until a system owner or a custodian
 * has logged in, whose card opens the sealed PIN (design, decision 4); in
 * unattended mode the PIN comes from a file and it is open at once. Once open
 * it stays open while the daemon runs. May be used from any thread.
 */
#ifndef TESSERA_OPERATION_VAULT_H
#define TESSERA_OPERATION_VAULT_H

#include <openssl/x509.h>

#include "operation/services.h"
#include "token/token-files.h"

struct vault;

/*
 * A token and where its PIN is. Of two tokens, one at least has its PIN in a file; the other's is
 * what is sealed to cards.
 */
struct vault_token {
	const char *module;	     /* PKCS#11 module of the token */
	const char *label;	     /* of the token */
	const char *embedded_folder; /* of the embedded SoftHSM2; NULL for an HSM */
	const struct token_uri *uri; /* what else has to fit, or NULL */
	const char *pin_file;	     /* NULL: the PIN is sealed to cards */
};

/* Strings are kept, not copied. */
struct vault_options {
	struct vault_token token;
	struct vault_token older; /* that holds earlier master keys; module NULL: none */
	const char *data_folder;  /* of the documents that a new store is given */
};

struct vault *vault_new(struct services *services, const struct vault_options *options);
/* Closes the token. NULL is allowed. */
void vault_free(struct vault *vault);

/* ERROR_LOCKED, saying what to do, while the vault is closed. */
bool vault_check_open(const struct services *services, struct error *error);

/* Whether there is a token: always, as far as one can tell, with an HSM. */
bool vault_has_token(const struct vault *vault);

/* Whether the PINs of all tokens are in files. */
bool vault_is_unattended(const struct vault_options *options);

/*
 * Opens the token with its PIN (of two, the one whose PIN is in no file), which is kept for
 * sealing; an embedded token that is not there is made. A new store gets its shipped documents.
 * services->token and master_key are set. Opening what is open is success. A token whose master key
 * is not the store's is refused. ERROR_PIN_WRONG, ERROR_TOKEN_FAILED, ERROR_STORE_*. pin: unset
 * when it is unattended.
 */
bool vault_open(struct vault *vault, const struct secret *pin, struct error *error);
/*
 * The same for an installation that has no system owner yet: an embedded token gets a random PIN,
 * and what an initialisation that was cut off has left of it is removed. pin: for an HSM; else
 * unset. ERROR_INVALID_ARGUMENT for an HSM without a PIN.
 */
bool vault_create(struct vault *vault, const struct secret *pin, struct error *error);
/*
 * The files and the PIN of the embedded token, for a backup. ERROR_LOCKED, ERROR_NOT_SUPPORTED for
 * an HSM.
 */
bool vault_copy(
	struct vault *vault, struct token_files *files, struct secret *pin, struct error *error);
/*
 * Calls place(context, ...), which puts a token where there is none, while nobody can open it.
 * ERROR_EXISTS when it is open.
 */
bool vault_place(struct vault *vault, bool (*place)(void *context, struct error *error),
	void *context, struct error *error);
const struct vault_options *vault_settings(const struct vault *vault);

/* Seals the PIN to a card's key-management certificate. ERROR_LOCKED. */
bool vault_seal(struct vault *vault, X509 *certificate, struct buffer *sealed, struct error *error);

#endif

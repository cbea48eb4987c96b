/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A PKCS#11 token underneath (SoftHSM2 by default, an HSM by configuration):
 * it holds the master key and the local CA's key; neither ever leaves it. All
 * functions may be called from any thread. Errors: ERROR_TOKEN_FAILED with the
 * CKR_ name in the message; ERROR_NOT_FOUND; ERROR_EXISTS.
 */
#ifndef TESSERA_TOKEN_TOKEN_H
#define TESSERA_TOKEN_TOKEN_H

#include <openssl/evp.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/secret.h"
#include "model/key.h"

struct token;
struct token_uri;

struct token_options {
	const char *module; /* path of the PKCS#11 module */
	const char *label;  /* of the token: "tessera" */
	/*
	 * For the embedded SoftHSM2: folder of its objects, made if missing with its
	 * configuration file, and a token initialised in it when there is none (SO PIN random and
	 * forgotten). NULL for a real HSM.
	 */
	const char *embedded_folder;
	bool must_exist;	     /* an embedded token is not made */
	const struct token_uri *uri; /* or NULL: what else has to fit (token/token-uri.h) */
};

/* Removes what lies in the folder of an embedded token that is not open; nothing there is no error.
 */
bool token_embedded_remove(const char *folder, struct error *error);

/*
 * Makes the folder of an embedded token with its configuration file, and points SoftHSM2 there: for
 * who uses other tokens of it before token_open().
 */
bool token_embedded_prepare(const char *folder, struct error *error);

/* Loads the module, finds (or, embedded, makes) the token and logs in. ERROR_PIN_WRONG for a wrong
 * PIN. */
struct token *token_open(
	const struct token_options *options, const struct secret *pin, struct error *error);
/* The token gets another PIN. ERROR_PIN_WRONG, ERROR_TOKEN_FAILED. */
bool token_set_pin(struct token *token, const struct secret *old, const struct secret *pin,
	struct error *error);
/* NULL is allowed. */
void token_close(struct token *token);

/*
 * Behind `token` stands `older` from now on, which token_close() closes too: keys that `token` does
 * not hold are looked for there. New ones are made in `token` alone. Before any other thread uses
 * it; once.
 */
void token_add_older(struct token *token, struct token *older);
/* Its label and serial number, "tessera 0123456789abcdef"; heap. */
char *token_name(struct token *token, struct error *error);
/* The name of the token, this one or the older one, that holds the key. ERROR_NOT_FOUND. Heap. */
char *token_name_of_holder(struct token *token, const char *label, struct error *error);

/* Makes an AES-256 key: sensitive, not extractable, for CMAC (CKA_SIGN). ERROR_EXISTS. */
bool token_generate_aes(struct token *token, const char *label, struct error *error);
/* AES-CMAC (SP 800-38B) of data under a named key: 16 bytes to mac. */
bool token_cmac(struct token *token, const char *label, const uint8_t *data, size_t length,
	uint8_t mac[16], struct error *error);
/* AES-ECB of one zero block under the named key: the first three bytes are its key check value. */
bool token_key_check_value(
	struct token *token, const char *label, uint8_t value[3], struct error *error);
bool token_has_key(struct token *token, const char *label, bool *found, struct error *error);
/* The same of this token alone, without the older one. */
bool token_has_own_key(struct token *token, const char *label, bool *found, struct error *error);

/* Makes a key pair for signing. Sensitive, not extractable. ERROR_EXISTS. */
bool token_generate_pair(
	struct token *token, const char *label, enum key_algorithm algorithm, struct error *error);
/*
 * An EVP_PKEY that signs in the token (core/signing-key.h); the token must outlive it.
 * ERROR_NOT_FOUND.
 */
EVP_PKEY *token_signing_key(struct token *token, const char *label, struct error *error);
/* Removes all keys of that label; none is no error. */
bool token_destroy(struct token *token, const char *label, struct error *error);

#endif

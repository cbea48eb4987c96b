/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A key pair in an HSM with its certificate: the objects that have the same CKA_ID. The token is
 * logged in. Errors of all: those of hsm_call().
 */
#ifndef TESSERA_TOKEN_HSM_PAIR_H
#define TESSERA_TOKEN_HSM_PAIR_H

#include <openssl/evp.h>

#include "token/hsm.h"

/* Makes one that signs (an RSA key also decrypts) and whose private part never leaves the token. */
bool hsm_pair_make(struct hsm *hsm, const struct buffer *id, const char *label,
	enum key_algorithm algorithm, struct error *error);
/* Its public key. ERROR_NOT_FOUND when the token shows no such private key. */
EVP_PKEY *hsm_pair_public_key(struct hsm *hsm, const struct buffer *id, struct error *error);
/*
 * The CKA_ID of the private key of a label. ERROR_NOT_FOUND, ERROR_EXISTS for several keys of that
 * label, ERROR_NOT_SUPPORTED for one without CKA_ID.
 */
bool hsm_pair_find(struct hsm *hsm, const char *label, struct buffer *id, struct error *error);
/* Whether a key or a certificate has that label. */
bool hsm_pair_label_is_taken(struct hsm *hsm, const char *label);

/* A signing_function (core/signing-key.h): context is a struct hsm_pair_signer. */
struct hsm_pair_signer {
	struct hsm *hsm;
	const struct buffer *id;
};
bool hsm_pair_sign(void *context, const uint8_t *input, size_t length, struct buffer *output,
	struct error *error);

/* Puts the certificate (DER) beside the key, unless it is there. ERROR_TOKEN_FAILED. */
bool hsm_pair_write_certificate(struct hsm *hsm, const struct buffer *id, const char *label,
	const struct buffer *der, struct error *error);
/* Takes all certificates beside the key away but `kept` (DER; NULL: all). */
bool hsm_pair_remove_certificates(
	struct hsm *hsm, const struct buffer *id, const struct buffer *kept, struct error *error);
/* Takes this one away, if it is there. */
bool hsm_pair_remove_certificate(
	struct hsm *hsm, const struct buffer *id, const struct buffer *der, struct error *error);
/* Gives key pair and certificates another label. */
bool hsm_pair_set_label(
	struct hsm *hsm, const struct buffer *id, const char *label, struct error *error);
/* Destroys all of them; what is not there is no error. */
bool hsm_pair_destroy(struct hsm *hsm, const struct buffer *id, struct error *error);

/* CKA_ID of an object; false for one that has none. */
bool hsm_object_id(const struct hsm_object *object, struct reader *id);
/* Of an RSA or EC public key, or a private key that shows its public part (public-key.c). NULL with
 * ERROR_NOT_SUPPORTED or ERROR_TOKEN_FAILED. */
EVP_PKEY *hsm_object_public_key(const struct hsm_object *object, struct error *error);

#endif

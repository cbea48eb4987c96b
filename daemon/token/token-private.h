/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of token/ share. */
#ifndef TESSERA_TOKEN_TOKEN_PRIVATE_H
#define TESSERA_TOKEN_TOKEN_PRIVATE_H

#include <pthread.h>

#include "token/module.h"
#include "token/session.h"
#include "token/token.h"

/* A key pair that signs: the context of the EVP_PKEYs made from it. Lives as long as the token. */
struct token_signer {
	struct token *token;
	char *label;
	CK_MECHANISM_TYPE mechanism; /* CKM_ECDSA, CKM_RSA_X_509 or CKM_RSA_PKCS */
	struct token_signer *next;
};

struct token {
	struct module module;
	char *embedded_folder; /* NULL: no embedded one */
	struct token *older;   /* owned, or NULL */
	CK_SLOT_ID slot;
	struct session_pool *sessions;
	pthread_mutex_t making; /* held while keys are made or removed: labels stay unique */
	pthread_mutex_t signers_lock;
	struct token_signer *signers; /* guarded by signers_lock */
};

/* In the embedded token's folder: what SoftHSM2 keeps. */
#define TOKEN_OBJECTS_FOLDER "tokens"

/* Every handle that find_objects() looks for fits; more are an error of the token's owner. */
#define TOKEN_OBJECTS_MAX 16

/* Objects of a class and label: at most TOKEN_OBJECTS_MAX handles and their count. */
bool token_find_objects(struct session *session, CK_OBJECT_CLASS object_class, const char *label,
	CK_OBJECT_HANDLE handles[TOKEN_OBJECTS_MAX], size_t *count, struct error *error);
/* The first one. ERROR_NOT_FOUND. */
bool token_find_object(struct session *session, CK_OBJECT_CLASS object_class, const char *label,
	CK_OBJECT_HANDLE *handle, struct error *error);
/* ERROR_EXISTS when a secret or private key has that label. */
bool token_label_is_free(struct session *session, const char *label, struct error *error);

/* ERROR_EXISTS when a token behind this one has a key of that label. No session may be held. */
bool token_older_lacks(struct token *token, const char *label, struct error *error);
/* Points *token at the one of the chain that holds a key of that label; the first when none does.
 */
bool token_find_holder(struct token **token, const char *label, struct error *error);

/*
 * For tokens that do CKM_RSA_PKCS alone: takes the PKCS #1 v1.5 padding (RFC 8017, 9.2: 00 01 FF
 * ... FF 00) off a block, since that mechanism puts it on again. ERROR_NOT_SUPPORTED for another
 * padding.
 */
bool token_padding_remove(const uint8_t **input, size_t *length, struct error *error);

/*
 * Finds the initialised token of that label: *found says whether there is one
 * whose user PIN is set. ERROR_TOKEN_FAILED when there are several.
 */
bool token_find_slot(const struct module *module, const struct token_options *options,
	CK_SLOT_ID *slot, bool *found, struct error *error);

/* Initialises a new token with that user PIN in a free slot; the SO PIN is random and forgotten. */
bool token_embedded_initialize(const struct module *module, const char *label,
	const struct secret *pin, struct error *error);

#endif

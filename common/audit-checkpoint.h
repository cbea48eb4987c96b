/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A checkpoint of the audit trail: a signature, made by a key that never leaves
 * the daemon's token, over what the trail was at a moment. Whoever has the
 * public key can tell that all records up to there are the ones that were written.
 */
#ifndef TESSERA_COMMON_AUDIT_CHECKPOINT_H
#define TESSERA_COMMON_AUDIT_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "common/audit-record.h"
#include "common/error.h"

struct audit_checkpoint {
	int64_t id;			/* 1, 2, 3, ... without gaps */
	int64_t record_id;		/* the last record that it covers */
	uint8_t hash[AUDIT_HASH_BYTES]; /* of that record */
	int64_t time_us;		/* when it was signed */
	struct buffer public_key;	/* SubjectPublicKeyInfo, DER (RFC 5280, 4.1) */
	struct buffer signature;	/* ECDSA with SHA-256, DER (RFC 5480) */
};
#define AUDIT_CHECKPOINT_INIT                                                                      \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_audit_checkpoint_ _cleanup_(audit_checkpoint_clear)
void audit_checkpoint_clear(struct audit_checkpoint *checkpoint);
/* Frees a heap array of checkpoints. */
void audit_checkpoints_free(struct audit_checkpoint *checkpoints, size_t count);

/*
 * Signs: sets public_key and signature from the rest. store_id: of the store
 * that the trail lies in (Manager.StoreId). ERROR_TOKEN_FAILED.
 */
bool audit_checkpoint_sign(struct audit_checkpoint *checkpoint, const char *store_id, EVP_PKEY *key,
	struct error *error);

/* Whether the signature is that of its public_key over the rest. */
bool audit_checkpoint_is_genuine(const struct audit_checkpoint *checkpoint, const char *store_id);

/*
 * Appends the SubjectPublicKeyInfo of an EVP_PKEY. ERROR_FAILED.
 */
bool audit_key_to_der(EVP_PKEY *key, struct buffer *der, struct error *error);

/* SHA-256 of a SubjectPublicKeyInfo, hex: by which people compare keys. Heap. */
char *audit_key_fingerprint(const struct buffer *der);

/*
 * Reads the public keys of a PEM text, one or several, into a heap array of their
 * SubjectPublicKeyInfo. ERROR_INVALID_ARGUMENT when there is none.
 */
bool audit_keys_from_pem(const char *pem, struct buffer **keys, size_t *count, struct error *error);
void audit_keys_free(struct buffer *keys, size_t count);

#endif

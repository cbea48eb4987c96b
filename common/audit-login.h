/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An operator's login as the audit trail keeps it: the operator's card signs a challenge that names
 * the public key of the session which begins by it. What the operator then does is signed with that
 * key (common/audit-signature.h), so the card itself has to be asked only once.
 */
#ifndef TESSERA_COMMON_AUDIT_LOGIN_H
#define TESSERA_COMMON_AUDIT_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "common/buffer.h"
#include "common/macros.h"

#define AUDIT_NONCE_BYTES	32
#define AUDIT_SESSION_KEY_BYTES 32 /* Ed25519 public key (RFC 8032, 5.1.5) */
/* The operation of the record that has the proof. */
#define AUDIT_LOGIN_OPERATION "operator-login"
/* Before the name of what a user does to the own card without a login: "self-issue". */
#define AUDIT_SELF_PREFIX "self-"

/* What the card signs. */
struct audit_challenge {
	char *store_id;
	char *card; /* its serial */
	int64_t time_us;
	int64_t until_us; /* from then on the session's key counts no more */
	uint8_t nonce[AUDIT_NONCE_BYTES];
	uint8_t key[AUDIT_SESSION_KEY_BYTES];
};
#define _cleanup_audit_challenge_ _cleanup_(audit_challenge_clear)
void audit_challenge_clear(struct audit_challenge *challenge);

/*
 * Appends the bytes: the text "tessera-operator-login-1", store, card, time, until, nonce and key,
 * each with its length in front as in a record's hash (common/audit-record.h).
 */
void audit_challenge_encode(const struct audit_challenge *challenge, struct buffer *bytes);
/* False for anything else than exactly such bytes. */
bool audit_challenge_decode(const struct buffer *bytes, struct audit_challenge *challenge);

/* What the record of a login carries in place of a signature. */
struct audit_proof {
	struct buffer challenge;
	struct buffer signature;   /* the card's, over the challenge */
	struct buffer certificate; /* of the card's authentication key; DER */
};
#define _cleanup_audit_proof_ _cleanup_(audit_proof_clear)
void audit_proof_clear(struct audit_proof *proof);
/* The three, each with its length in four bytes in front. */
void audit_proof_encode(const struct audit_proof *proof, struct buffer *bytes);
bool audit_proof_decode(const struct buffer *bytes, struct audit_proof *proof);

/* The digest that the key's kind signs challenges with: SHA-256; on curves above P-256 SHA-384. */
const EVP_MD *audit_login_digest(const EVP_PKEY *key);
/*
 * Whether the key of the certificate signed the challenge (RSA: PKCS #1 v1.5, RFC 8017, 8.2;
 * EC: ECDSA, DER).
 */
bool audit_login_is_signed(
	X509 *certificate, const struct buffer *challenge, const uint8_t *signature, size_t length);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public data of one key, taken apart once so that attributes are mere views. */
#ifndef TESSERA_PKCS11_KEY_H
#define TESSERA_PKCS11_KEY_H

#include "pkcs11/cryptoki.h"

#include "common/buffer.h"
#include "pkcs11/remote.h"

/* Bytes inside a key's buffers. */
struct view {
	const uint8_t *data;
	size_t length;
};

/* References are counted under the module lock. */
struct key {
	unsigned references;
	uint32_t reference; /* PIV key reference; 0 for a key that the program brought */
	uint32_t flags;	    /* REMOTE_KEY_* */
	CK_KEY_TYPE type;   /* CKK_RSA, CKK_EC, CKK_EC_EDWARDS or CKK_EC_MONTGOMERY */
	struct buffer certificate, public_key;

	/* Views into public_key; the last two of them own a little memory. */
	struct view modulus, exponent; /* RSA, without leading zeros */
	struct view parameters;	       /* EC: the OBJECT IDENTIFIER, DER */
	struct view point;	       /* EC: 04 x y; of the other curves their public bytes */
	struct buffer wrapped_point;   /* EC: the point in an OCTET STRING, DER */
	CK_ULONG bits;		       /* of the modulus or the field */
	size_t field;		       /* EC: bytes of half a signature, or of a shared secret */

	/* Views into certificate, each DER; empty without one. */
	struct view subject, issuer, serial;
};

/*
 * Takes the buffers out of remote. NULL (with *rv CKR_HOST_MEMORY or CKR_DEVICE_ERROR) for
 * data that is no RSA or EC key.
 */
struct key *key_new(struct remote_key *remote, CK_RV *rv);
/*
 * Of a private key that tells no point, and nobody tells it for it: enough to sign with, and not
 * to verify. The same errors.
 */
struct key *key_new_of_curve(struct view parameters, CK_RV *rv);
struct key *key_ref(struct key *key);
void key_unref(struct key *key);

/* SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) of the numbers that PKCS#11 attributes carry. */
void key_build_rsa(struct buffer *public_key, struct view modulus, struct view exponent);
/* parameters: DER; point: in an OCTET STRING or bare. */
void key_build_ec(struct buffer *public_key, struct view parameters, struct view point);
/*
 * The same for the curves of RFC 8410; parameters: their OBJECT IDENTIFIER, or their name in a
 * PrintableString (PKCS#11 3.0 mechanisms, 2.3.5). Leaves the buffer empty for an unknown one.
 */
void key_build_edwards(struct buffer *public_key, struct view parameters, struct view point);
/* The bare point of one that may be in an OCTET STRING. */
struct view key_unwrap_point(struct view point);

/* SubjectPublicKeyInfo inside a certificate; empty where there is none. */
struct view key_of_certificate(struct view certificate);

/* Bytes of a signature, a ciphertext block or an RSA plain block. */
size_t key_modulus_size(const struct key *key);
/* EC: bytes of one coordinate, which is half a signature. */
size_t key_field_size(const struct key *key);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cryptography of the card: its key algorithms (SP 800-78-4, table 6-2; YubiKey 5.7). */
#ifndef TESSERA_VCARD_KEYS_H
#define TESSERA_VCARD_KEYS_H

#include <openssl/evp.h>

#include "vcard/vcard.h"

enum {
	ALGORITHM_3DES = 0x03,
	ALGORITHM_RSA3072 = 0x05,
	ALGORITHM_RSA1024 = 0x06,
	ALGORITHM_RSA2048 = 0x07,
	ALGORITHM_AES128 = 0x08,
	ALGORITHM_AES192 = 0x0A,
	ALGORITHM_AES256 = 0x0C,
	ALGORITHM_P256 = 0x11,
	ALGORITHM_P384 = 0x14,
	ALGORITHM_RSA4096 = 0x16,
	ALGORITHM_ED25519 = 0xE0,
	ALGORITHM_X25519 = 0xE1,
};

enum key_family { FAMILY_RSA, FAMILY_EC, FAMILY_ED25519, FAMILY_X25519 };

struct key_algorithm {
	uint8_t id;
	enum key_family family;
	size_t length;	   /* bytes of the modulus, coordinate or key */
	int curve;	   /* OpenSSL's number of it, for FAMILY_EC */
	const char *group; /* its name */
	uint32_t since;	   /* YubiKey firmware */
	bool nist;	   /* in the NIST profile */
};

/* An algorithm that the card has, or NULL. */
const struct key_algorithm *key_algorithm_find(
	uint8_t id, enum vcard_profile profile, uint32_t firmware);

/* Caller frees; NULL on failure. */
EVP_PKEY *key_generate(const struct key_algorithm *algorithm);
/* From the elements 01 to 08 of IMPORT ASYMMETRIC KEY. NULL if they are no such key. */
EVP_PKEY *key_import(const struct key_algorithm *algorithm, struct reader elements);
/* Appends the elements of a public key template 7F49: 81 and 82, or 86. */
bool key_append_public(const struct key_algorithm *algorithm, EVP_PKEY *pkey, struct buffer *out);
/* Raw RSA, ECDSA on a hash, or Ed25519. False if the key refuses the input. */
bool key_sign(const struct key_algorithm *algorithm, EVP_PKEY *pkey, struct reader input,
	struct buffer *out);
/* ECDH: appends the shared secret for the other side's point. False if it is no point. */
bool key_derive(const struct key_algorithm *algorithm, EVP_PKEY *pkey, struct reader point,
	struct buffer *out);

/* A management key algorithm: its key and block length; NULL if there is no such algorithm. */
struct block_cipher {
	uint8_t id;
	uint8_t key_length;
	uint8_t block_length;
	const char *name;
};
const struct block_cipher *block_cipher_find(uint8_t id);
/* One block with ECB; in and out may be the same. */
bool block_encrypt(
	const struct block_cipher *cipher, const uint8_t *key, const uint8_t *in, uint8_t *out);

#endif

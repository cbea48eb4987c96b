/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Somebody with a card that is a key in this program. */
#ifndef TESSERA_TESTS_LIB_PERSON_H
#define TESSERA_TESTS_LIB_PERSON_H

#include <openssl/x509.h>

#include "common/buffer.h"

struct person {
	const char *name, *card;
	EVP_PKEY *key;
	X509 *certificate;
};

/* A certificate for a day before and behind now; issuer NULL: signed by itself, and an authority's.
 */
X509 *person_certify(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key);
/* Makes key (curve: "P-256", "P-384") and certificate. */
void person_equip(struct person *person, const char *curve, X509 *issuer, EVP_PKEY *issuer_key);
void person_forget(struct person *person);
/* What the card answers to a challenge; appended. */
void person_sign(
	const struct person *person, const struct buffer *challenge, struct buffer *signature);
void person_append_certificate(const struct person *person, struct buffer *der);

#endif

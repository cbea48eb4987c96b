/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the revocation check share. */
#ifndef TESSERA_AUTHORITY_REVOCATION_PRIVATE_H
#define TESSERA_AUTHORITY_REVOCATION_PRIVATE_H

#include <openssl/x509v3.h>

#include "authority/revocation-check.h"

DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(X509_CRL *, X509_CRL_free);
DEFINE_CLEANUP(X509_STORE *, X509_STORE_free);

/* Clocks may differ by so much. */
#define CLOCK_SECONDS (5 * 60)

/* --- revocation-places.c --- */
struct revocation_places {
	char **crls;
	size_t crl_count;
	char **responders;
	size_t responder_count;
	char **issuers; /* where its issuer's certificate is */
	size_t issuer_count;
};
/* The http and https addresses of a certificate, at most a few of each. */
void revocation_places_of(X509 *certificate, struct revocation_places *places);
void revocation_places_clear(struct revocation_places *places);

/* --- revocation-list.c --- */
/* DER or PEM. NULL with ERROR_AUTHORITY_FAILED. */
X509_CRL *revocation_list_parse(const struct buffer *text, struct error *error);
/* What a list says of a certificate of this issuer. ERROR_AUTHORITY_FAILED. */
bool revocation_list_look(X509_CRL *crl, X509 *issuer, X509 *certificate,
	struct revocation_view *view, struct error *error);

/* --- revocation-ocsp.c --- */
/* A question and its answer, both encoded. */
struct revocation_question;
void revocation_question_free(struct revocation_question *question);
DEFINE_CLEANUP(struct revocation_question *, revocation_question_free);
struct revocation_question *revocation_question_new(
	X509 *issuer, X509 *certificate, struct buffer *der, struct error *error);
bool revocation_question_look(const struct revocation_question *question,
	const struct buffer *answer, X509 *issuer, struct revocation_view *view,
	struct error *error);

/* A store that trusts the issuer and nobody else. */
X509_STORE *revocation_trust(X509 *issuer);
/* Seconds since 1970; 0 for none. */
int64_t revocation_time(const ASN1_TIME *time);

#endif

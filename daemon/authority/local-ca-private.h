/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the local CA share. */
#ifndef TESSERA_AUTHORITY_LOCAL_CA_PRIVATE_H
#define TESSERA_AUTHORITY_LOCAL_CA_PRIVATE_H

#include <openssl/x509.h>

#include "authority/authority.h"
#include "core/signing-key.h"

DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(X509_CRL *, X509_CRL_free);
DEFINE_CLEANUP(X509_NAME *, X509_NAME_free);

struct local_ca_profile {
	char *name;
	int64_t validity_days;
	unsigned key_usage;	     /* KU_ bits of <openssl/x509v3.h> */
	unsigned extended_key_usage; /* bit N: entry N of the table of purposes */
};

struct local_ca_settings {
	enum key_algorithm key_algorithm;
	struct name_rule *subject; /* the pattern is plain text here */
	size_t subject_count;
	int64_t validity_days;
	int64_t crl_days;
	char *crl_url; /* or NULL */
	struct local_ca_profile *profiles;
	size_t profile_count;
};

struct local_ca {
	struct local_ca_settings settings;
	EVP_PKEY *key;	   /* signs in the token; NULL until local_ca_load() */
	X509 *certificate; /* NULL until local_ca_load() */
};

/* --- local-ca-settings.c --- */
/* Reads and checks a document. On failure the caller clears, too. */
bool local_ca_settings_parse(
	struct local_ca_settings *settings, const char *document, struct error *error);
void local_ca_settings_clear(struct local_ca_settings *settings);
/* NULL if there is none of that name. */
const struct local_ca_profile *local_ca_profile_find(
	const struct local_ca_settings *settings, const char *name);
/* The object identifier of an extended key usage by its number, or NULL past the end. */
const char *local_ca_purpose_oid(size_t index);

/* --- local-ca-extensions.c --- */
/* What the extensions of a card's certificate are made from. */
struct local_ca_extensions {
	unsigned key_usage;
	unsigned extended_key_usage;
	const struct name_rule *san;
	size_t san_count;
	bool subject_is_empty;
	const char *crl_url; /* or NULL */
};
/* ERROR_AUTHORITY_REJECTED with the SAN's type as field. */
bool local_ca_add_extensions(X509 *certificate, X509 *issuer,
	const struct local_ca_extensions *extensions, struct error *error);
/* basicConstraints, keyUsage and subjectKeyIdentifier of the CA itself. */
bool local_ca_add_own_extensions(X509 *certificate, struct error *error);

/* --- local-ca-certificate.c --- */
/* The hash that fits the key: SHA-256, or SHA-384 for P-384. */
const EVP_MD *local_ca_digest(const EVP_PKEY *key);
/* The CA's own certificate, signed with ca->key. NULL on failure. */
X509 *local_ca_make_own(struct local_ca *ca, struct error *error);
/* A card's certificate. NULL with ERROR_AUTHORITY_REJECTED or ERROR_AUTHORITY_FAILED. */
X509 *local_ca_make_certificate(
	struct local_ca *ca, const struct authority_request *request, struct error *error);

/* --- local-ca-crl.c --- */
/* Makes a new CRL from the store, keeps it there and publishes it. */
bool local_ca_renew_crl(struct authority *authority, struct error *error);
/* DER of the present CRL; a new one is made when half of its time is over. */
bool local_ca_present_crl(struct authority *authority, struct buffer *der, struct error *error);

/* --- local-ca-publish.c --- */
/*
 * Writes FOLDER/NAME.SUFFIX (DER) and FOLDER/NAME.SUFFIX.pem, each replaced as a
 * whole. pem_type: "CERTIFICATE", "X509 CRL". Does nothing when folder is NULL.
 */
bool local_ca_publish(const char *folder, const char *name, const char *suffix,
	const char *pem_type, const struct buffer *der, struct error *error);

#endif

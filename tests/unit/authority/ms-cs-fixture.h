/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates for the tests of what Microsoft CS wants and gives. */
#ifndef TESSERA_TESTS_UNIT_AUTHORITY_MS_CS_FIXTURE_H
#define TESSERA_TESTS_UNIT_AUTHORITY_MS_CS_FIXTURE_H

#include <openssl/x509.h>

/* What one is made of; NULL and 0 leave out. */
struct ms_cs_sample {
	const char *purposes;  /* "clientAuth,1.3.6.1.4.1.311.20.2.2" */
	const char *names;     /* subjectAltName in OpenSSL's text form */
	const char *uri;       /* another alternative name; needs names */
	const char *sid;       /* of the security extension */
	const char *key_usage; /* "digitalSignature" */
	long begins, ends;     /* seconds from now; both 0: from an hour ago for an hour */
};

/* Self-signed with the key; the caller frees. */
X509 *ms_cs_sample_new(const struct ms_cs_sample *sample, EVP_PKEY *key);

/* Adds an extension of a type that OpenSSL does not know, with this value. */
void ms_cs_sample_add(X509 *certificate, const char *oid, const unsigned char *der, int length);
/* The security extension with this SID, as authorities write it. */
void ms_cs_sample_add_sid(X509 *certificate, const char *sid);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A prepared local CA "local" with a store and a token of its own. */
#ifndef TESSERA_TESTS_UNIT_AUTHORITY_FIXTURE_H
#define TESSERA_TESTS_UNIT_AUTHORITY_FIXTURE_H

#include "authority/authority.h"
#include "lib/token-fixture.h"

struct authority_fixture {
	struct token_fixture *token;
	struct connection_services services;
	char *publish_folder;
	struct authority *authority; /* opened; NULL until fixture_prepare() */
};

/* document with %s in place of the CA's "key-algorithm" value */
extern const char fixture_document[];

/* A store that holds the connection, and nothing prepared. */
struct authority_fixture *fixture_new(const char *key_algorithm);
/* Prepares the CA and opens it. */
void fixture_prepare(struct authority_fixture *fixture);
void fixture_free(struct authority_fixture *fixture);
/* Closes the authority and opens it again. */
void fixture_reopen(struct authority_fixture *fixture);

/* The certificate of the CA; the caller frees. */
X509 *fixture_ca(struct authority_fixture *fixture);
/* A signed request of a new key: "P-256", "P-384", "RSA-2048", ... */
X509_REQ *fixture_request(const char *key);
/* Enrolls by a profile with CN "Ada"; the caller clears. */
void fixture_enroll(
	struct authority_fixture *fixture, const char *profile, struct certificate *certificate);
X509 *fixture_x509(const struct certificate *certificate);

#endif

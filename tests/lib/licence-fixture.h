/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A licence for a store of a test that manages more cards than evaluation mode allows. */
#ifndef TESSERA_TESTS_LIB_LICENCE_FIXTURE_H
#define TESSERA_TESTS_LIB_LICENCE_FIXTURE_H

#include <openssl/evp.h>

#include "operation/services.h"

/* A signed licence as a JSON document, heap. Aborts on failure. */
char *licence_fixture_sign(const void *payload, size_t length, EVP_PKEY *key);

/*
 * Makes a key, leaves its public half in FOLDER/licence.pub, where services->licensing then
 * points (the path must live as long: it is static), and installs a licence for a million
 * credentials. Aborts on failure.
 */
void licence_fixture_install(struct services *services, const char *folder);

#endif

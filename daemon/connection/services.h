/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a connection to a service elsewhere may use of the daemon. */
#ifndef TESSERA_CONNECTION_SERVICES_H
#define TESSERA_CONNECTION_SERVICES_H

#include <openssl/evp.h>
#include <stdatomic.h>

#include "common/secret.h"
#include "core/http.h"
#include "store/store.h"
#include "token/token.h"

struct connection_services {
	struct store *store;
	_Atomic(struct token *) token; /* NULL while it is locked */
	/*
	 * Where a local CA writes NAME.crt and NAME.crl (DER), NAME.crt.pem and NAME.crl.pem; NULL:
	 * nowhere.
	 */
	const char *publish_folder;
	const char *command_folder; /* of struct command (core/command.h); or NULL */
	struct http_pool *http;	    /* or NULL: connections are not kept */
	struct ldap_pool *ldap;	    /* the same of directories */
	/*
	 * A secret of a connection (connection/secret.h). ERROR_NOT_FOUND when it was not set,
	 * ERROR_LOCKED.
	 */
	bool (*open_secret)(void *context, const char *connection, const char *name,
		struct secret *, struct error *);
	/*
	 * The private key that a pkcs11: URI names, to be proved by; *handle is for close_key,
	 * which frees *key too.
	 */
	bool (*open_key)(void *context, const char *uri, EVP_PKEY *public_key, EVP_PKEY **key,
		void **handle, struct error *);
	void (*close_key)(void *handle);
	void *secret_context; /* of all of them */
};

#endif

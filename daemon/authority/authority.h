/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Certification authorities behind one vtable (design, decision 9). An
 * authority is made from a connection document; the closed set of answers is
 * issued, pending, rejected (ERROR_AUTHORITY_REJECTED), unreachable or
 * misconfigured (ERROR_AUTHORITY_FAILED), unsupported (ERROR_NOT_SUPPORTED).
 */
#ifndef TESSERA_AUTHORITY_AUTHORITY_H
#define TESSERA_AUTHORITY_AUTHORITY_H

#include <openssl/x509.h>

#include "model/credential.h"
#include "model/template.h"
#include "store/store.h"
#include "token/token.h"

struct authority;

struct authority_request {
	const char *profile;
	X509_REQ *request;		 /* signed by the card's key */
	const struct name_rule *subject; /* already expanded values in pattern */
	size_t subject_count;
	const struct name_rule *san;
	size_t san_count;
	int64_t not_after; /* valid no longer, seconds since 1970; 0: as the profile says */
};

enum enroll_outcome { ENROLL_ISSUED, ENROLL_PENDING };

struct authority_driver {
	const char *kind; /* "local-ca" */
	/*
	 * `revoke` and `resume` publish all that the store says: one call tells of any number of
	 * certificates.
	 */
	bool tells_all;
	/* Checks a connection document: ERROR_INVALID_CONNECTION with its path. Touches nothing. */
	bool (*check)(const char *document, struct error *);
	/* Reads the connection document into authority->data; errors as check. */
	bool (*open)(struct authority *, const char *document, struct error *);
	/* Makes what is needed before the first use; does nothing when it is there. */
	bool (*prepare)(struct authority *, struct error *);
	/* Tries the connection; *message (heap) says what answered. */
	bool (*test)(struct authority *, char **message, struct error *);
	/* Names of the profiles; heap array of heap strings. */
	bool (*profiles)(struct authority *, char ***names, size_t *count, struct error *);
	/*
	 * Asks for a certificate: fills serial_hex, subject, validity, status and der of
	 * *certificate (for pending: only status and what `collect` needs).
	 */
	bool (*enroll)(struct authority *, const struct authority_request *, struct certificate *,
		enum enroll_outcome *, struct error *);
	bool (*collect)(
		struct authority *, struct certificate *, enum enroll_outcome *, struct error *);
	/* Revokes, or puts on hold for reason certificateHold; the caller has saved the status in
	 * the store already. */
	bool (*revoke)(struct authority *, const struct certificate *,
		const struct revocation_reason *, struct error *);
	/* Takes a certificate off hold; the caller has saved the status already. */
	bool (*resume)(struct authority *, const struct certificate *, struct error *);
	/* DER of the authority's certificate and of its present CRL; NULL where it has none to
	 * give. */
	bool (*ca_certificate)(struct authority *, struct buffer *, struct error *);
	bool (*crl)(struct authority *, struct buffer *, struct error *);
	/*
	 * Publishes anew what follows from the store (a local CA: its CRL), and completes a
	 * `prepare` that was cut off; NULL where the authority does so itself.
	 */
	bool (*publish)(struct authority *, struct error *);
	void (*close)(struct authority *);
};

/* What an authority may use of the daemon. */
struct authority_services {
	struct store *store;
	_Atomic(struct token *) token; /* NULL while it is locked */
	/*
	 * Where a local CA writes NAME.crt and NAME.crl (DER), NAME.crt.pem and NAME.crl.pem; NULL:
	 * nowhere.
	 */
	const char *publish_folder;
};

struct authority {
	const struct authority_driver *driver;
	const struct authority_services *services;
	char *name;
	void *data; /* the driver's */
};

/* Opens the authority of a stored connection. NULL with ERROR_NOT_FOUND, ERROR_INVALID_CONNECTION,
 * ERROR_AUTHORITY_FAILED. */
struct authority *authority_open(
	const struct authority_services *services, const char *name, struct error *error);
void authority_close(struct authority *authority);
DEFINE_CLEANUP(struct authority *, authority_close);
#define _cleanup_authority_ _cleanup_(authority_closep)

/*
 * Checks a connection document without saving it and fills name, kind and
 * document. ERROR_INVALID_CONNECTION with the path.
 */
bool authority_check_document(
	const char *document, struct connection *connection, struct error *error);
/* Makes what a saved connection needs before its first use (a local CA: key pair and certificate).
 */
bool authority_prepare(
	const struct authority_services *services, const char *name, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Certification authorities behind one vtable (design, decision 9). An
 * authority is made from a connection document; the closed set of answers is
 * issued, pending, rejected (ERROR_AUTHORITY_REJECTED), unreachable
 * (ERROR_NETWORK_FAILED, ERROR_TIMEOUT), misconfigured (ERROR_AUTHORITY_FAILED),
 * unsupported (ERROR_NOT_SUPPORTED).
 */
#ifndef TESSERA_AUTHORITY_AUTHORITY_H
#define TESSERA_AUTHORITY_AUTHORITY_H

#include <openssl/x509.h>

#include "authority/profile.h"
#include "common/secret.h"
#include "connection/family.h"
#include "model/credential.h"
#include "model/template.h"

struct authority;

struct authority_request {
	const char *profile;
	X509_REQ *request;		 /* signed by the card's key */
	const struct name_rule *subject; /* already expanded values in pattern */
	size_t subject_count;
	const struct name_rule *san;
	size_t san_count;
	/* The profile's fields (authority_profile) that have a value: name and value. */
	const struct name_rule *fields;
	size_t field_count;
	int64_t not_after; /* valid no longer, seconds since 1970; 0: as the profile says */
	/*
	 * What `collect` would need is saved by this before the authority is asked, with the
	 * certificate as it is then, and again when the authority has said more: an answer that
	 * never arrives is settled later. NULL: nobody keeps it.
	 */
	bool (*note)(void *context, struct certificate *, struct error *);
	void *note_context;
};

/*
 * ENROLL_NOTHING is for `collect`: the authority has no certificate for what was asked, and will
 * have none. After `enroll` has failed, the certificate's `request` says whether it is over: NULL
 * when the authority has refused or never heard of it, else there may be a certificate and
 * `collect` will tell.
 */
enum enroll_outcome { ENROLL_ISSUED, ENROLL_PENDING, ENROLL_NOTHING };

struct authority_driver {
	const char *kind; /* "local-ca" */
	/*
	 * `revoke` and `resume` publish all that the store says: one call tells of any number of
	 * certificates, and publishing tells again what was not told.
	 */
	bool tells_all;
	/* Checks a connection document: ERROR_INVALID_CONNECTION with its path. Touches nothing. */
	bool (*check)(const char *document, struct error *);
	/* Name of the index-th secret that a connection may have ("api-key"), NULL past the end;
	 * NULL: none. */
	const char *(*secret_at)(size_t index);
	/* Whether a secret is well-formed: ERROR_INVALID_ARGUMENT. May be NULL. */
	bool (*check_secret)(
		struct authority *, const char *name, const struct secret *, struct error *);
	/* Reads the connection document into authority->data; errors as check. */
	bool (*open)(struct authority *, const char *document, struct error *);
	/* Makes what is needed before the first use; does nothing when it is there. NULL: nothing
	 * is. */
	bool (*prepare)(struct authority *, struct error *);
	/* Tries the connection step by step, up to the first that fails: false then. */
	bool (*test)(struct authority *, struct connection_steps *);
	/*
	 * The profiles as they are known now, with what the connection fills their fields with; for
	 * authorities with `update` those that were fetched last.
	 */
	bool (*profiles)(struct authority *, struct authority_profiles *, struct error *);
	/* Asks the authority for its profiles. NULL: `profiles` is always right. */
	bool (*update)(struct authority *, struct authority_profiles *, struct error *);
	/*
	 * Adds the extensions that a PKCS#10 request for that profile has to have, before the key
	 * signs it; `request` is NULL still. NULL: none.
	 */
	bool (*request_extensions)(struct authority *, const struct authority_request *,
		STACK_OF(X509_EXTENSION) *, struct error *);
	/*
	 * Asks for a certificate: fills serial_hex, subject, validity, status and der of
	 * *certificate (for pending: status and request). What it gives is no answer to another
	 * key: authority_check_key().
	 */
	bool (*enroll)(struct authority *, const struct authority_request *, struct certificate *,
		enum enroll_outcome *, struct error *);
	/* Asks what became of a certificate whose `request` is set; fills it like enroll. */
	bool (*collect)(
		struct authority *, struct certificate *, enum enroll_outcome *, struct error *);
	/*
	 * Whether a certificate that came, be it at once or later, is the holder's and good for its
	 * profile: ERROR_AUTHORITY_FAILED when it must not be used, and is to be revoked. *warning
	 * (heap) is what the operator should know of one that can be used, or NULL. NULL: each is.
	 */
	bool (*check_issued)(struct authority *, const struct certificate *,
		const struct fields *holder, char **warning, struct error *);
	/*
	 * A new certificate that takes the place of `old`, for a new key or the same; *certificate
	 * and the rest as for enroll. ERROR_NOT_SUPPORTED when the authority does not renew it now:
	 * then it is enrolled. NULL: never renews.
	 */
	bool (*renew)(struct authority *, const struct certificate *old,
		const struct authority_request *, struct certificate *, enum enroll_outcome *,
		struct error *);
	/* Revokes for good; the caller has saved the status in the store already. It is no error
	 * when that is done already, here and below. */
	bool (*revoke)(struct authority *, const struct certificate *,
		const struct revocation_reason *, struct error *);
	/* Puts on hold. */
	bool (*suspend)(struct authority *, const struct certificate *, struct error *);
	/* Takes a certificate off hold. */
	bool (*resume)(struct authority *, const struct certificate *, struct error *);
	/* What the authority itself says that a certificate is. NULL: what the store says. */
	bool (*status)(struct authority *, const struct certificate *, enum certificate_status *,
		struct error *);
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

/* Where the status of its certificates is seen (authority/revocation-check.h), beyond what the
 * certificates say themselves. */
struct revocation_settings {
	bool is_off;
	char *crl, *ocsp;  /* URLs, in place of the certificates' own; or NULL */
	char *issuer_file; /* PEM, or NULL */
};

struct authority {
	const struct authority_driver *driver;
	const struct connection_services *services;
	char *name;
	struct revocation_settings revocation; /* filled by the driver's open */
	void *data;			       /* the driver's */
};

/* Its kinds of connections. */
extern const struct connection_family authority_family;

/* Opens the authority of a stored connection. NULL with ERROR_NOT_FOUND, ERROR_INVALID_CONNECTION,
 * ERROR_AUTHORITY_FAILED. */
struct authority *authority_open(
	const struct connection_services *services, const char *name, struct error *error);
void authority_close(struct authority *authority);
DEFINE_CLEANUP(struct authority *, authority_close);
#define _cleanup_authority_ _cleanup_(authority_closep)

/* tells_all of a kind; true for an unknown one. */
bool authority_tells_all(const char *kind);

/* Asks for the profiles where that is possible, and keeps the list. */
bool authority_update_profiles(
	struct authority *authority, struct authority_profiles *profiles, struct error *error);
/* The kept list; empty when none was fetched. */
bool authority_kept_profiles(
	struct authority *authority, struct authority_profiles *profiles, struct error *error);
/*
 * Whether a certificate is for the key of the request: ERROR_AUTHORITY_FAILED if it is not.
 */
bool authority_check_key(
	const struct certificate *certificate, X509_REQ *request, struct error *error);

#endif

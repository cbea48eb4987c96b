/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What those who rely on a certificate see of its status: its authority's OCSP responder, or its
 * revocation list (RFC 6960; RFC 5280, 5 and 6.3). A change that an authority was told of is done
 * only when it is seen here.
 *
 * Where to look stands in the certificate (CRL distribution points, authority information access)
 * or in the connection's document (member "revocation-check"). Addresses are http or https: what
 * counts is the signature of the answer. A certificate's addresses are its authority's words, and
 * an authority that lies could have us ask a service of the local network; so such a request is a
 * GET or an OCSP request with nothing secret in it, redirects are not followed, size and time are
 * limited, and of an answer that is not well signed nothing is told to anybody.
 */
#ifndef TESSERA_AUTHORITY_REVOCATION_CHECK_H
#define TESSERA_AUTHORITY_REVOCATION_CHECK_H

#include "authority/authority.h"
#include "model/document.h"

/* --- the connection's settings, of every kind of connection that is on the network --- */

/*
 * Reads {"enabled": false}, {"crl": URL, "ocsp": URL, "issuer-file": PATH}, below
 * "revocation-check" in a connection's document; all may be missing.
 */
bool revocation_settings_read(const struct document_node *root,
	struct revocation_settings *settings, struct error *error);
void revocation_settings_clear(struct revocation_settings *settings);

/* --- lists that were fetched, or could not be, for a few checks after each other --- */
struct revocation_cache {
	struct revocation_fetched {
		char *url;
		struct buffer der;
		struct error failure; /* ERROR_NONE: der is there */
	} * items;
	size_t count;
};
#define REVOCATION_CACHE_INIT                                                                      \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_revocation_cache_ _cleanup_(revocation_cache_clear)
void revocation_cache_clear(struct revocation_cache *cache);

/* --- one certificate --- */
struct revocation_view {
	/* False: nobody says where its status would be seen (or the connection, not to look). */
	bool is_published;
	enum certificate_status status; /* CERTIFICATE_VALID, _ON_HOLD or _REVOKED */
	int64_t next;			/* when the answer is replaced at the latest; 0: unknown */
	const char *source;		/* "OCSP" or "CRL"; NULL while it is not published */
};

/* Whether anybody says where the status would be seen. Asks nobody. */
bool revocation_is_published(struct authority *authority, const struct certificate *certificate);
/*
 * Asks OCSP where there is a responder, else or when that fails the revocation list. cache: as it
 * is kept for a run of several checks, or NULL. ERROR_NETWORK_FAILED, ERROR_TIMEOUT,
 * ERROR_AUTHORITY_FAILED when the answer is not signed by the certificate's issuer, is out of date
 * or does not speak of it.
 */
bool revocation_check(struct authority *authority, const struct certificate *certificate,
	struct revocation_cache *cache, struct revocation_view *view, struct error *error);

/*
 * The same of an authority whose list is at hand (driver->crl): whether it shows all of the
 * certificates as they stand in the store. ERROR_AUTHORITY_FAILED names the first that it does not.
 */
bool revocation_check_own(
	struct authority *authority, const struct certificates *certificates, struct error *error);

#endif

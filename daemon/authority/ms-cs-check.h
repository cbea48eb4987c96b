/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a certificate that Microsoft CS issued is the holder's, and good for what it was asked
 * for. The authority takes names from the directory, not from the request: what it has put in is
 * looked at before the certificate is used.
 */
#ifndef TESSERA_AUTHORITY_MS_CS_CHECK_H
#define TESSERA_AUTHORITY_MS_CS_CHECK_H

#include <openssl/x509.h>

#include "common/error.h"
#include "common/fields.h"

/* Extended key usages, RFC 5280 4.2.1.12 and Microsoft's. */
#define MS_CS_PURPOSE_AGENT	       "1.3.6.1.4.1.311.20.2.1"
#define MS_CS_PURPOSE_SMART_CARD_LOGON "1.3.6.1.4.1.311.20.2.2"
#define MS_CS_PURPOSE_CLIENT_AUTH      "1.3.6.1.5.5.7.3.2"

/* Whether the extended key usage names this purpose; having none, or any, is not enough. */
bool ms_cs_has_purpose(X509 *certificate, const char *oid);

/*
 * The SID in the certificate's security extension (1.3.6.1.4.1.311.25.2, MS-WCCE 2.2.2.7.7.4),
 * heap; NULL without error when it has no such extension. ERROR_AUTHORITY_FAILED when it cannot be
 * read.
 */
char *ms_cs_sid_of(X509 *certificate, struct error *error);

struct ms_cs_expected {
	const char *upn; /* NULL: nobody knows it here */
	const char *sid; /* "S-1-5-21-...", NULL: nobody knows it here */
	/* OIDs that have to be in the extended key usage. */
	const char *const *purposes;
	size_t purpose_count;
};

/* What is known of the holder: the fields "upn" and "sid". Borrows them. */
struct ms_cs_expected ms_cs_expected_of(const struct fields *holder);

/*
 * Checks a certificate. ERROR_AUTHORITY_FAILED: it is another person's, or lacks a purpose; it must
 * not be used, and is to be revoked. *warning (heap, or NULL): it can be used, but a domain
 * controller may refuse it, and why.
 */
bool ms_cs_check_issued(X509 *certificate, const struct ms_cs_expected *expected, char **warning,
	struct error *error);

#endif

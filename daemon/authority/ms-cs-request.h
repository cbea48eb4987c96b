/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a PKCS#10 request tells Microsoft CS: the certificate template that it is for. */
#ifndef TESSERA_AUTHORITY_MS_CS_REQUEST_H
#define TESSERA_AUTHORITY_MS_CS_REQUEST_H

#include <openssl/x509.h>

#include "common/error.h"

/* A template, by one of its two identifiers: an authority refuses a request whose two disagree. */
struct ms_cs_template {
	const char *name; /* its cn, not what the consoles show; or NULL */
	const char *oid;  /* "1.3.6.1.4.1.311.21.8. ..."; taken before the name; or NULL */
	/* Of the template, to be sent with the OID. A version that is newer than the authority's is
	 * refused, so that none is sent unless it is known. 0: not known. */
	long major_version, minor_version;
};

/* Whether a text is an OID in dotted numbers. */
bool ms_cs_is_oid(const char *text);

/*
 * Adds the extension that names the template: 1.3.6.1.4.1.311.21.7 for an OID
 * (MS-WCCE 2.2.2.7.7.2), else 1.3.6.1.4.1.311.20.2 with the name as a BMPString (2.2.2.7.7.1, and
 * as its example has it). ERROR_INVALID_ARGUMENT when there is neither, or it cannot be encoded.
 */
bool ms_cs_request_add_template(STACK_OF(X509_EXTENSION) * extensions,
	const struct ms_cs_template *template, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files negotiate* and kerberos* share. */
#ifndef TESSERA_CORE_NEGOTIATE_PRIVATE_H
#define TESSERA_CORE_NEGOTIATE_PRIVATE_H

/* Kerberos' own library of errors has a function of the same name as ours. */
#define error_message com_err_message
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>
#undef error_message

#include "core/negotiate.h"

/* Tickets of one account for one service. */
struct kerberos {
	krb5_context context;
	krb5_ccache cache;
	bool is_own;	  /* the cache is in memory, and nobody else's */
	char *cache_name; /* "MEMORY:...", as GSS-API takes it */
	char *account;	  /* "svc@EXAMPLE.ORG" */
	char *service; /* "HTTP/ces.example.org@"; nothing behind the @: a realm that the KDC knows
			*/
};

/*
 * Gets the ticket of the account and that of the service; asks KDCs for as long as the Kerberos
 * library likes to. ERROR_NETWORK_FAILED, in words. The struct may be closed after either outcome.
 */
bool kerberos_open(struct kerberos *kerberos, const struct http_negotiate *settings,
	const char *host, struct error *error);
void kerberos_close(struct kerberos *kerberos);
/* ERROR_NETWORK_FAILED, "what of: the library's words; what to do". Returns false. */
bool kerberos_fail(krb5_context context, krb5_error_code code, const char *what, const char *of,
	struct error *error);

#endif

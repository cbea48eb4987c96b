/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Proves an account of Kerberos to a service over HTTPS, and the service to it: SPNEGO (RFC 4178)
 * in HTTP headers (RFC 4559), bound to the TLS connection by the certificate that its server showed
 * (tls-server-end-point, RFC 5929 section 4). MIT Kerberos is known to the files negotiate* alone.
 */
#ifndef TESSERA_CORE_NEGOTIATE_H
#define TESSERA_CORE_NEGOTIATE_H

#include <openssl/x509.h>

#include "common/buffer.h"
#include "common/error.h"
#include "core/http.h"

/* One request's authentication. */
struct negotiate;

/* host: of the service's URL, without port. The settings are copied. */
struct negotiate *negotiate_new(const struct http_negotiate *settings, const char *host);
/* Also while Kerberos is still at work after a time-out: it ends by itself. */
void negotiate_free(struct negotiate *negotiate);
DEFINE_CLEANUP(struct negotiate *, negotiate_free);

/*
 * The value for the header Authorization of a request over a connection whose server showed this
 * certificate ("Negotiate YII...", heap). Tickets are got from the KDC at the first call; each call
 * begins anew, for a request that has to go over another connection. timeout_ms: for it all.
 * ERROR_TIMEOUT; ERROR_NETWORK_FAILED says in words which ticket there is none of, and why. After a
 * time-out nothing else may be called but negotiate_free.
 */
bool negotiate_start(struct negotiate *negotiate, X509 *certificate, unsigned timeout_ms,
	char **value, struct error *error);
/* Whether the token of an answer proves that it is the service's. ERROR_NETWORK_FAILED: it does
 * not, or it says why the service refuses. */
bool negotiate_finish(struct negotiate *negotiate, const struct buffer *token, struct error *error);

enum negotiate_challenge { CHALLENGE_OTHER, CHALLENGE_BARE, CHALLENGE_TOKEN, CHALLENGE_MALFORMED };
/*
 * What a header WWW-Authenticate, which may hold several challenges (RFC 9110, 11.6.1), says of
 * Negotiate: nothing, that the service takes it, or a token, which is appended. value: any text.
 */
enum negotiate_challenge negotiate_read_challenge(const char *value, struct buffer *token);

/*
 * What a channel of TLS is bound by, as GSS-API takes it: "tls-server-end-point:" and the digest of
 * the certificate with the hash of its signature, or SHA-256 where that is MD5, SHA-1 or none.
 */
bool negotiate_binding(const X509 *certificate, struct buffer *binding, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a stream's TLS is set up with, and what is said when it fails. */
#ifndef TESSERA_CORE_STREAM_TLS_H
#define TESSERA_CORE_STREAM_TLS_H

#include <openssl/ssl.h>

#include "core/stream.h"

/* A client's TLS, which accepts a certificate for that host name or IP address alone. NULL with
 * ERROR_NETWORK_FAILED. */
SSL *stream_tls_new(const struct stream_tls *tls, const char *host, struct error *error);
/* ERROR_NETWORK_FAILED with why the handshake failed, and what is to be done. Returns false. */
bool stream_tls_explain(
	SSL *ssl, const struct stream_tls *tls, const char *host, struct error *error);

#endif

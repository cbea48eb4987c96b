/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection to a server, over TCP or a local socket, that may be secured by TLS (1.2 or newer,
 * RFC 5246, RFC 8446) at once or later. The server has to prove its name by a certificate. No call
 * waits longer than it is told, whatever the server does. One thread at a time uses a stream.
 */
#ifndef TESSERA_CORE_STREAM_H
#define TESSERA_CORE_STREAM_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"
#include "common/secret.h"

struct stream;

/* What proves both sides of TLS. */
struct stream_tls {
	const char *ca_file; /* PEM certificates to trust instead of the system's, or NULL */
	/* PEM of the certificate, and of the key that proves who asks, or NULL. */
	const struct secret *client_certificate;
	EVP_PKEY *client_key; /* the key where it is not in there; or NULL */
};

/*
 * Connects to a host's port, each of its addresses in turn, or, where host begins with '/', to that
 * local socket. timeout_ms counts for each call below too that is not given another one. NULL with
 * ERROR_NETWORK_FAILED or ERROR_TIMEOUT. The name's look-up takes as long as the resolver's own
 * configuration lets it.
 */
struct stream *stream_open(
	const char *host, unsigned port, unsigned timeout_ms, struct error *error);
/* NULL is allowed. */
void stream_close(struct stream *stream);
DEFINE_CLEANUP(struct stream *, stream_close);
#define _cleanup_stream_ _cleanup_(stream_closep)

/*
 * Begins TLS; the host of stream_open() is what the certificate has to be for. ERROR_TIMEOUT;
 * ERROR_NETWORK_FAILED says what is wrong with the server's certificate. After a failure the stream
 * can only be closed.
 */
bool stream_secure(struct stream *stream, const struct stream_tls *tls, struct error *error);
bool stream_is_secure(const struct stream *stream);

/* As recv(), without waiting: -1 with errno EAGAIN when nothing has come. */
ssize_t stream_read(struct stream *stream, void *data, size_t length);
/* Writes all of it, or fails: -1 with errno, ETIMEDOUT among them. */
ssize_t stream_write(struct stream *stream, const void *data, size_t length);
/* Whether stream_read() has something that poll() does not see. */
bool stream_has_data(const struct stream *stream);
/* For poll(). */
int stream_descriptor(const struct stream *stream);

#endif

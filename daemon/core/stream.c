/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "common/alloc.h"
#include "core/stream-tls.h"

struct stream {
	int fd;
	SSL *ssl; /* NULL before stream_secure() */
	char *host;
	unsigned timeout_ms;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until the descriptor is ready; false with errno ETIMEDOUT or poll()'s. */
static bool wait_for(int fd, short events, int64_t end)
{
	struct pollfd each = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = end - now_ms();
		int ready = left > 0 ? poll(&each, 1, (int)left) : 0;
		if (ready > 0)
			return true;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready == 0)
			errno = ETIMEDOUT;
		return false;
	}
}

/* --- connecting --- */

/* -1 with errno. */
static int connect_to(const struct sockaddr *address, socklen_t length, int64_t end)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	int failure = 0;
	socklen_t size = sizeof(failure);

	if (fd < 0)
		return -1;
	if (address->sa_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, address, length) == 0)
		return fd;
	failure = errno;
	if (failure == EINPROGRESS) {
		if (!wait_for(fd, POLLOUT, end))
			failure = errno;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0)
			failure = errno;
	}
	if (failure == 0)
		return fd;
	close(fd);
	errno = failure;
	return -1;
}

static bool say_no_connection(
	const char *host, unsigned port, int failure, unsigned timeout_ms, struct error *error)
{
	if (failure == ETIMEDOUT)
		return error_set(error, ERROR_TIMEOUT, "%s does not answer on port %u within %u ms",
			host, port, timeout_ms);
	return error_set(error, ERROR_NETWORK_FAILED, "%s cannot be reached on port %u: %s", host,
		port, strerror(failure));
}

static int connect_host(const char *host, unsigned port, unsigned timeout_ms, struct error *error)
{
	const struct addrinfo wanted = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *addresses = NULL;
	char service[16];
	int fd = -1, failure = 0;

	(void)snprintf(service, sizeof(service), "%u", port);
	int unknown = getaddrinfo(host, service, &wanted, &addresses);
	if (unknown != 0) {
		error_set(error, ERROR_NETWORK_FAILED, "the name %s is not found: %s", host,
			gai_strerror(unknown));
		return -1;
	}
	int64_t end = now_ms() + timeout_ms;
	for (struct addrinfo *each = addresses; each && fd < 0; each = each->ai_next) {
		fd = connect_to(each->ai_addr, each->ai_addrlen, end);
		failure = errno;
	}
	freeaddrinfo(addresses);
	if (fd < 0)
		say_no_connection(host, port, failure, timeout_ms, error);
	return fd;
}

static int connect_local(const char *path, unsigned timeout_ms, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path)) {
		error_set(
			error, ERROR_NETWORK_FAILED, "the path %s is too long for a socket", path);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	int fd = connect_to(
		(const struct sockaddr *)&address, sizeof(address), now_ms() + timeout_ms);
	if (fd < 0)
		error_set(error, ERROR_NETWORK_FAILED, "%s cannot be reached: %s", path,
			strerror(errno));
	return fd;
}

struct stream *stream_open(
	const char *host, unsigned port, unsigned timeout_ms, struct error *error)
{
	int fd = host[0] == '/' ? connect_local(host, timeout_ms, error)
				: connect_host(host, port, timeout_ms, error);

	if (fd < 0)
		return NULL;
	struct stream *stream = xnew(struct stream);
	stream->fd = fd;
	stream->host = xstrdup(host);
	stream->timeout_ms = timeout_ms;
	return stream;
}

void stream_close(struct stream *stream)
{
	if (!stream)
		return;
	if (stream->ssl && SSL_is_init_finished(stream->ssl))
		(void)SSL_shutdown(stream->ssl);
	SSL_free(stream->ssl);
	close(stream->fd);
	free(stream->host);
	free(stream);
}

/* --- TLS --- */

/* Waits for what OpenSSL wants; 1 to go on, 0 at the end of the stream, -1 with errno. */
static int after(struct stream *stream, int result, int64_t end)
{
	switch (SSL_get_error(stream->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return wait_for(stream->fd, POLLIN, end) ? 1 : -1;
	case SSL_ERROR_WANT_WRITE:
		return wait_for(stream->fd, POLLOUT, end) ? 1 : -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		errno = EPROTO;
		return -1;
	}
}

bool stream_secure(struct stream *stream, const struct stream_tls *tls, struct error *error)
{
	int64_t end = now_ms() + stream->timeout_ms;
	int result, next = 1;

	stream->ssl = stream_tls_new(tls, stream->host, error);
	if (!stream->ssl)
		return false;
	SSL_set_fd(stream->ssl, stream->fd);
	while (next > 0) {
		result = SSL_connect(stream->ssl);
		if (result == 1)
			return true;
		next = after(stream, result, end);
	}
	if (next < 0 && errno == ETIMEDOUT)
		return error_set(error, ERROR_TIMEOUT, "%s does not go on with TLS within %u ms",
			stream->host, stream->timeout_ms);
	return stream_tls_explain(stream->ssl, tls, stream->host, error);
}

bool stream_is_secure(const struct stream *stream)
{
	return stream->ssl != NULL;
}

/* --- bytes --- */

ssize_t stream_read(struct stream *stream, void *data, size_t length)
{
	if (!stream->ssl)
		return recv(stream->fd, data, length, 0);
	int got = SSL_read(stream->ssl, data, length < INT32_MAX ? (int)length : INT32_MAX);
	if (got > 0)
		return got;
	switch (SSL_get_error(stream->ssl, got)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		errno = ECONNRESET;
		return -1;
	}
}

/* One part of it: as stream_write() for that many bytes. */
static ssize_t write_some(struct stream *stream, const uint8_t *data, size_t length, int64_t end)
{
	for (;;) {
		if (stream->ssl) {
			int sent = SSL_write(stream->ssl, data, (int)length);
			if (sent > 0)
				return sent;
			if (after(stream, sent, end) <= 0)
				return -1;
			continue;
		}
		ssize_t sent = send(stream->fd, data, length, MSG_NOSIGNAL);
		if (sent >= 0)
			return sent;
		if ((errno != EAGAIN && errno != EINTR) || !wait_for(stream->fd, POLLOUT, end))
			return -1;
	}
}

ssize_t stream_write(struct stream *stream, const void *data, size_t length)
{
	int64_t end = now_ms() + stream->timeout_ms;
	size_t sent = 0;

	if (length > INT32_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	while (sent < length) {
		ssize_t part = write_some(stream, (const uint8_t *)data + sent, length - sent, end);
		if (part <= 0)
			return -1;
		sent += (size_t)part;
	}
	return (ssize_t)length;
}

bool stream_has_data(const struct stream *stream)
{
	return stream->ssl && SSL_pending(stream->ssl) > 0;
}

int stream_descriptor(const struct stream *stream)
{
	return stream->fd;
}

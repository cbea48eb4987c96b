/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard/vpcd.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONTROL_POWER_OFF = 0,
	CONTROL_POWER_ON = 1,
	CONTROL_RESET = 2,
	CONTROL_ATR = 4,
};

#define MESSAGE_MAXIMUM 65535

static int connect_address(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -1;
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		return fd;
	}
	int number = errno;
	close(fd);
	errno = number;
	return -1;
}

int vpcd_connect(const char *host, const char *port, struct error *error)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	int failure = getaddrinfo(host, port, &hints, &list);
	int fd = -1;

	if (failure) {
		error_set(error, ERROR_INVALID_ARGUMENT, "%s port %s: %s", host, port,
			gai_strerror(failure));
		return -1;
	}
	for (const struct addrinfo *next = list; next && fd < 0; next = next->ai_next)
		fd = connect_address(next);
	if (fd < 0)
		error_set(error, ERROR_NO_READER_SERVICE, "no virtual reader at %s port %s: %s",
			host, port, strerror(errno));
	freeaddrinfo(list);
	return fd;
}

/*
 * The reader sends length and body apart, with Nagle's algorithm: without an
 * acknowledgement at once each message takes 40 ms. The kernel forgets the
 * option, so it is set before every read.
 */
static bool receive(int fd, uint8_t *bytes, size_t length)
{
	int on = 1;

	while (length > 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
		ssize_t count = recv(fd, bytes, length, 0);
		if (count == 0 || (count < 0 && errno != EINTR))
			return false;
		if (count > 0) {
			bytes += count;
			length -= (size_t)count;
		}
	}
	return true;
}

static bool send_message(int fd, const struct buffer *data)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT_WIPE;

	if (data->length > MESSAGE_MAXIMUM)
		return false;
	buffer_append_u16(&message, (uint16_t)data->length);
	buffer_append(&message, data->data, data->length);
	for (size_t done = 0; done < message.length;) {
		ssize_t count = send(fd, message.data + done, message.length - done, MSG_NOSIGNAL);
		if (count < 0 && errno != EINTR)
			return false;
		if (count > 0)
			done += (size_t)count;
	}
	return !message.failed;
}

static bool serve_control(int fd, struct vcard *card, uint8_t code)
{
	switch (code) {
	case CONTROL_POWER_OFF:
	case CONTROL_POWER_ON:
	case CONTROL_RESET:
		vcard_reset(card);
		return true;
	case CONTROL_ATR:
		return send_message(fd, vcard_atr(card));
	default:
		return true;
	}
}

bool vpcd_serve(int fd, struct vcard *card)
{
	_cleanup_buffer_ struct buffer command = BUFFER_INIT_WIPE;
	_cleanup_buffer_ struct buffer response = BUFFER_INIT_WIPE;
	uint8_t header[2];

	if (!receive(fd, header, sizeof(header)))
		return false;
	size_t length = (size_t)header[0] << 8 | header[1];
	uint8_t *room = buffer_extend(&command, length);
	if (!room || !receive(fd, room, length))
		return false;
	if (length == 0)
		return true;
	if (length == 1)
		return serve_control(fd, card, room[0]);
	return vcard_transmit(card, command.data, command.length, &response) &&
	       send_message(fd, &response);
}

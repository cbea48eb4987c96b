/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

int64_t frame_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool frame_pair(int sockets[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0;
}

bool frame_limit_waiting(int socket, unsigned timeout_ms)
{
	const struct timeval limit = {timeout_ms / 1000, (suseconds_t)(timeout_ms % 1000) * 1000};

	return setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
	       setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0;
}

/* Whether a call that failed is made again; else *result says why not. */
static bool goes_on(int64_t deadline_ms, enum frame_result *result)
{
	bool is_late = errno == EAGAIN || errno == EWOULDBLOCK;

	*result = is_late ? FRAME_TIMEOUT : FRAME_CLOSED;
	return errno == EINTR || (is_late && frame_now_ms() < deadline_ms);
}

static enum frame_result send_packet(
	int socket, uint8_t more, const uint8_t *data, size_t length, int64_t deadline_ms)
{
	struct iovec parts[] = {{&more, 1}, {(void *)(uintptr_t)data, length}};
	const struct msghdr packet = {.msg_iov = parts, .msg_iovlen = length > 0 ? 2 : 1};
	enum frame_result result;

	do {
		if (sendmsg(socket, &packet, MSG_NOSIGNAL) >= 0)
			return FRAME_DONE;
	} while (goes_on(deadline_ms, &result));
	return result;
}

enum frame_result frame_send(int socket, const struct buffer *message, int64_t deadline_ms)
{
	enum frame_result result = FRAME_INVALID;
	struct reader rest = reader_of(message);
	bool more = !message->failed && message->length <= FRAME_MAX;

	while (more) {
		size_t left = reader_left(&rest);
		size_t length = left > FRAME_PACKET ? FRAME_PACKET : left;
		more = left > length;
		result =
			send_packet(socket, more, reader_bytes(&rest, length), length, deadline_ms);
		more = more && result == FRAME_DONE;
	}
	return result;
}

/* *more: whether the message goes on. */
static enum frame_result receive_packet(
	int socket, struct buffer *message, bool *more, int64_t deadline_ms)
{
	uint8_t goes_further = 0;
	size_t before = message->length;
	uint8_t *room = buffer_extend(message, FRAME_PACKET);
	struct iovec parts[] = {{&goes_further, 1}, {room, FRAME_PACKET}};
	struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
	enum frame_result result;
	ssize_t length;

	if (!room)
		return FRAME_INVALID;
	do {
		length = recvmsg(socket, &packet, MSG_CMSG_CLOEXEC);
	} while (length < 0 && goes_on(deadline_ms, &result));
	buffer_truncate(message, before + (length > 0 ? (size_t)length - 1 : 0));
	if (length < 0)
		return result;
	if (length == 0)
		return FRAME_CLOSED;
	*more = goes_further == 1;
	return goes_further > 1 || packet.msg_flags & MSG_TRUNC ? FRAME_INVALID : FRAME_DONE;
}

enum frame_result frame_receive(int socket, struct buffer *message, int64_t deadline_ms)
{
	enum frame_result result;
	bool more = false;

	buffer_truncate(message, 0);
	do {
		result = receive_packet(socket, message, &more, deadline_ms);
		if (result == FRAME_DONE && message->length > FRAME_MAX)
			result = FRAME_INVALID;
		else if (result == FRAME_DONE && more && frame_now_ms() > deadline_ms)
			result = FRAME_TIMEOUT;
	} while (result == FRAME_DONE && more);
	return result;
}

/* --- passing sockets on --- */

union control {
	struct cmsghdr header;
	uint8_t room[CMSG_SPACE(sizeof(int))];
};

bool frame_pass_socket(int over, int socket)
{
	uint8_t byte = 0;
	struct iovec part = {&byte, 1};
	union control control = {.room = {0}};
	const struct msghdr packet = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.room)};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &socket, sizeof(socket));
	return sendmsg(over, &packet, MSG_NOSIGNAL) == 1;
}

int frame_take_socket(int from)
{
	uint8_t byte;
	struct iovec part = {&byte, 1};
	union control control = {.room = {0}};
	struct msghdr packet = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.room)};
	int socket = -1;
	ssize_t length;

	do {
		length = recvmsg(from, &packet, MSG_CMSG_CLOEXEC);
	} while (length < 0 && errno == EINTR);
	const struct cmsghdr *header = length > 0 ? CMSG_FIRSTHDR(&packet) : NULL;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
		header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&socket, CMSG_DATA(header), sizeof(socket));
	return socket;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages between the daemon and the process of a slot's module (token/child.h), over a socket of
 * type SOCK_SEQPACKET: one or more packets, in each a byte that says whether another one belongs to
 * the message, and up to FRAME_PACKET bytes of it. Whoever receives takes the other side for
 * hostile: no length is announced, and none believed.
 */
#ifndef TESSERA_TOKEN_FRAME_H
#define TESSERA_TOKEN_FRAME_H

#include <stdint.h>

#include "common/buffer.h"

#define FRAME_PACKET (16 * 1024)
/* Bytes of a message: room for the largest object. A longer one is refused. */
#define FRAME_MAX (8 * 1024 * 1024)

enum frame_result {
	FRAME_DONE,
	FRAME_CLOSED,  /* the other side has gone */
	FRAME_TIMEOUT, /* not in time */
	FRAME_INVALID, /* it is longer than FRAME_MAX, or no message at all */
};

#define FRAME_NO_DEADLINE INT64_MAX
/* What a deadline is compared with; of the monotonic clock. */
int64_t frame_now_ms(void);

/* Two sockets that are joined; both are closed on exec. False with errno. */
bool frame_pair(int sockets[2]);
/*
 * Makes reads and writes give up after that time, when deadlines are looked at: a message takes no
 * longer than its deadline and this time once more. False with errno.
 */
bool frame_limit_waiting(int socket, unsigned timeout_ms);

enum frame_result frame_send(int socket, const struct buffer *message, int64_t deadline_ms);
/* message is emptied first. */
enum frame_result frame_receive(int socket, struct buffer *message, int64_t deadline_ms);

/* Passes a socket on, and takes one; -1 when the other side has gone or sent none. */
bool frame_pass_socket(int over, int socket);
int frame_take_socket(int from);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The messages of a channel (Provider.OpenChannel), both ways: UseKey, ContinueUse and EndUse
 * without what D-Bus adds to them. A channel is a SOCK_SEQPACKET socket; each question is answered
 *before the next one is asked.
 *
 * question: slot, key, mechanism: 32 bits each; lengths of parameter, PIN and input: 32 bits each;
 *	length of the operation's name: 8 bits; then name, parameter, PIN and input, and no more.
 *	The operations "continue" and "end" are of a use that was begun over the connection: key is
 *	its number, input the next part, parameter the signature that is to be verified.
 * answer: 0 and the output; 2 and the output where "end" has more of it; or 1, the refusal of the
 *token or 0: 32 bits, the length of the error's D-Bus name: 8 bits, the name and the message. All
 *numbers have their most significant byte first.
 */
#ifndef TESSERA_DBUS_CHANNEL_H
#define TESSERA_DBUS_CHANNEL_H

#include <sys/types.h>

#include "common/buffer.h"
#include "common/error.h"

/* What is longer goes over D-Bus. */
#define CHANNEL_QUESTION_MAX 16384
#define CHANNEL_ANSWER_MAX   (CHANNEL_QUESTION_MAX + 4096)

/* The arguments of UseKey; in a question that was read, views of its bytes. */
struct channel_question {
	uint32_t slot, key, mechanism;
	struct reader operation, parameter, pin, input;
};

/* buffer: wiped by its owner; `failed` when out of memory. */
void channel_write_question(struct buffer *buffer, const struct channel_question *question);
/* False for anything but one whole question. */
bool channel_read_question(struct reader *reader, struct channel_question *question);

/* has_more: of "end", which is to be asked again. */
void channel_write_output(struct buffer *buffer, const struct buffer *output, bool has_more);
/* refusal: the CKR_ value of a token that refused, or 0. */
void channel_write_error(
	struct buffer *buffer, const char *name, const char *text, unsigned long refusal);
/*
 * Appends the output, or fills error with what the answer says and returns false; ERROR_FAILED for
 * anything but an answer. *has_more: as above; NULL for a question that has all of it.
 */
bool channel_read_answer(
	struct reader *reader, struct buffer *output, bool *has_more, struct error *error);

/* How it paid lately to look for a message for a moment; zero at first. */
struct channel_looks {
	unsigned left_out, to_leave_out;
};
/*
 * Receives a message that is there, or comes within a moment: waking up takes longer than some keys
 * do. Where looking was in vain it is left for a while, twice as long each time. As recv(2): -1
 * with EAGAIN when nothing came. A message longer than size answers its length.
 */
ssize_t channel_look(int descriptor, void *data, size_t size, struct channel_looks *looks);

#endif

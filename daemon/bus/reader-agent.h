/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * org.tessera1.ReaderAgent: a program at the private socket that offers the readers of its machine
 * (tessera agent). Commands go to it as calls of ours over its own connection, from the threads
 * that use cards; its connection's thread takes the answers, and waits for none of them.
 */
#ifndef TESSERA_BUS_READER_AGENT_H
#define TESSERA_BUS_READER_AGENT_H

#include "bus/bus-private.h"

struct reader_agent;

struct reader_agent *reader_agent_new(
	struct bus *bus, struct private_connection *connection, uid_t user);
/* Its readers have gone. NULL is allowed. */
void reader_agent_free(struct reader_agent *agent);

/* All by the connection's thread. */
/* Whether the message is an answer to a call of ours; it is wiped then. */
bool reader_agent_take_answer(struct reader_agent *agent, DBusMessage *message);
/* Takes out the cards that it did not answer for in time. */
void reader_agent_tend(struct reader_agent *agent);

#endif

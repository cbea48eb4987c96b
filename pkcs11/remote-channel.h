/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Channels to the daemon (dbus/channel.h), beside the connection that they belong to: a program
 * that uses keys again and again, or in several threads, has one for each thread that is at it,
 * up to a few.
 */
#ifndef TESSERA_PKCS11_REMOTE_CHANNEL_H
#define TESSERA_PKCS11_REMOTE_CHANNEL_H

#include <pthread.h>

#include "dbus/channel.h"
#include "pkcs11/remote.h"

#define REMOTE_CHANNELS 8

struct remote_channel {
	int descriptor; /* -1: none. Changed under the bus lock, too, for a fork's sake */
	bool is_busy;	/* a thread uses it, or opens it */
	struct channel_looks looks;
};

struct remote_channels {
	pthread_mutex_t lock; /* guards all; the bus lock is taken under it */
	pthread_cond_t idle;
	struct remote_channel items[REMOTE_CHANNELS];
	uint64_t connection;   /* the number of the one that they belong to */
	unsigned uses;	       /* of keys over that connection itself */
	int64_t refused_until; /* ms */
};

void remote_channels_init(struct remote_channels *channels);
/* No thread uses them any more. */
void remote_channels_clear(struct remote_channels *channels);
/* Whoever waits for one looks again whether the connection is stopped. */
void remote_channels_wake(struct remote_channels *channels);
/* In a child process: closes the descriptors. */
void remote_channels_forget(struct remote_channels *channels);

/*
 * Uses a key, or goes on with a use in parts (dbus/channel.h; then has_more may be set), over a
 * channel. False, and nothing was done, when it has to go over the connection: the first use of all
 * does, a long one, and any while there are no channels. *done and error tell the outcome
 * otherwise.
 */
bool remote_channel_use(struct remote *remote, const struct remote_use *use, struct buffer *output,
	bool *has_more, bool *done, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Channels of a private connection (Provider.OpenChannel): sockets over which its program uses keys
 * without D-Bus (dbus/channel.h), each with a thread of its own, so that the program's threads need
 * not wait for each other. The descriptor is the proof: only who has the connection is given one.
 */
#ifndef TESSERA_BUS_CHANNEL_H
#define TESSERA_BUS_CHANNEL_H

#include "operation/provider.h"

struct channels;

/* client must outlive them. */
struct channels *channels_new(struct provider_client *client);
/* Ends all and waits for their threads. NULL is allowed. */
void channels_free(struct channels *channels);
/* 0 for NULL. */
unsigned channels_count(const struct channels *channels);
/* Answers the program's end, or -1. ERROR_BUSY when the connection has enough; ERROR_FAILED. */
int channels_open(struct channels *channels, struct error *error);

#endif

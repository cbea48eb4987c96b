/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Desktop notifications about the cards in readers: what a person has to do something about is
 * shown once, also after a restart, and taken away when it no longer holds. Where there is no
 * desktop it is kept for one. Notifications are read by whoever sees the screen: they name no
 * holder.
 */
#ifndef TESSERA_CLI_AGENT_NOTIFY_H
#define TESSERA_CLI_AGENT_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/macros.h"

struct agent_notify;

/* Reads what was shown before from tessera/notifications in $XDG_STATE_HOME (~/.local/state). */
struct agent_notify *agent_notify_new(void);
void agent_notify_free(struct agent_notify *notify);
DEFINE_CLEANUP(struct agent_notify *, agent_notify_free);

/*
 * Shows what is new. readers: the records (cli/object.h) of those readers that are the person's; to
 * be called when one of them has changed, and at least once an hour. now: seconds since 1970. Also
 * prints what it shows, a line each, on standard output. False when there is no desktop yet for
 * something: to be called again soon.
 */
bool agent_notify_look(struct agent_notify *notify, const json_t *readers, int64_t now);

#endif

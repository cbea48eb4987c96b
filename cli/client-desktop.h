/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The desktop's notifications (Desktop Notifications Specification 1.2), over the session bus. */
#ifndef TESSERA_CLI_CLIENT_DESKTOP_H
#define TESSERA_CLI_CLIENT_DESKTOP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/macros.h"

struct client_desktop;

/* What is shown; plain words without "<", ">" and "&", as some servers take markup. */
struct client_notification {
	const char *summary, *body;
	bool is_critical; /* stays until the person has seen it */
};

/* One that is, or was, shown: zero for none. */
struct client_shown {
	uint32_t id;
	unsigned server; /* which of the servers that there were gave the number */
};

/* Connects when there is something to show, and again when the session bus has gone meanwhile. */
struct client_desktop *client_desktop_new(void);
void client_desktop_free(struct client_desktop *desktop);
DEFINE_CLEANUP(struct client_desktop *, client_desktop_free);

/* Shows it, in place of *shown, which becomes it. False when there is nobody to show it. */
bool client_desktop_show(struct client_desktop *desktop,
	const struct client_notification *notification, struct client_shown *shown);
/* *shown is none after it. */
void client_desktop_close(struct client_desktop *desktop, struct client_shown *shown);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service manager's notification protocol, sd_notify(3). */
#ifndef TESSERA_CORE_NOTIFY_H
#define TESSERA_CORE_NOTIFY_H

#include <stdint.h>

/* Sends "READY=1" and the like to $NOTIFY_SOCKET; does nothing where there is none. */
void notify_send(const char *state);
/* Milliseconds between two "WATCHDOG=1" that the service manager wants; 0: none. */
uint64_t notify_watchdog_ms(void);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* polkit decides whether a user who is no manager may do something. */
#ifndef TESSERA_BUS_POLKIT_H
#define TESSERA_BUS_POLKIT_H

#include "dbus/interface.h"

/* data/org.tessera1.policy */
#define POLKIT_ACTION_INITIALIZE "org.tessera1.initialize"

/*
 * Asks polkit on the system bus whether the caller may, and waits: for minutes where the call
 * allows that a person is asked for a password. ERROR_ACCESS_DENIED, also when polkit does not
 * answer.
 */
bool polkit_check(const struct bus_call *call, const char *action, struct error *error);

#endif

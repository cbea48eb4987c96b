/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* polkit decides whether a user who is no manager may do something. */
#ifndef TESSERA_BUS_POLKIT_H
#define TESSERA_BUS_POLKIT_H

#include "dbus/interface.h"

/* An action of data/org.tessera1.policy, and the words for those who are refused. */
struct polkit_action {
	const char *name;
	const char *who;     /* has to authenticate */
	const char *instead; /* what can be done without */
};
extern const struct polkit_action polkit_initialize, polkit_self;

/*
 * Asks polkit on the system bus whether the caller may, and waits: for minutes where the call
 * allows that a person is asked for a password. ERROR_ACCESS_DENIED, also when polkit does not
 * answer.
 */
bool polkit_check(
	const struct bus_call *call, const struct polkit_action *action, struct error *error);

#endif

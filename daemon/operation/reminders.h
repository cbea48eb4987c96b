/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Before certificates end: by the template that the card has, their holders get mail, operators a
 * summary of it, and their renewal becomes a task.
 */
#ifndef TESSERA_OPERATION_REMINDERS_H
#define TESSERA_OPERATION_REMINDERS_H

#include "operation/services.h"

/* Starts a job that looks through the certificates that end within a year. ERROR_BUSY. */
bool reminders_start(struct services *services, struct error *error);

#endif

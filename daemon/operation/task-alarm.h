/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tasks that are overdue are said to be so: by the signal TaskOverdue, in the journal and in the
 * audit trail at once, and in one mail to the operators, at most each hour, for all of them. A task
 * is overdue after services->task_overdue seconds (one whose status is only to be seen not before
 * the list that has to show it was renewed; one that needs an operator at once), is said to be so
 * then, and again after three and after seven times as long, and each seven times as long from then
 * on.
 */
#ifndef TESSERA_OPERATION_TASK_ALARM_H
#define TESSERA_OPERATION_TASK_ALARM_H

#include "operation/services.h"

/* When a task that is made now is overdue. */
int64_t task_alarm_first(const struct services *services);
/* Starts a job that says so of those that are overdue, if there are any. ERROR_BUSY, the store's.
 */
bool task_alarms_start(struct services *services, struct error *error);

#endif

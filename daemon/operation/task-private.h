/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the tasks share. */
#ifndef TESSERA_OPERATION_TASK_PRIVATE_H
#define TESSERA_OPERATION_TASK_PRIVATE_H

#include "authority/revocation-check.h"
#include "operation/tasks.h"

/* One task under way. */
struct task_work {
	struct services *services;
	struct revocation_cache *cache; /* of a run of several, or NULL */
	struct task task;
	struct authority *authority;
	struct certificate certificate;
	char *serial;	      /* of the card */
	struct fields holder; /* of the card or key */
	char *warning;	      /* about the certificate that was collected, or NULL */
	bool is_key;	      /* it is none, but a key in an HSM slot */
	const char *what;     /* operation of the audit record */
	int64_t next;	      /* after a failure: not before; 0: after the usual pause */
	int64_t alarm_at;     /* after a failure: not overdue before; 0: as before */
};
void task_work_clear(struct task_work *work);
/* ERROR_NOT_FOUND when there is no such task, or no certificate for it, any more. */
bool task_work_open(struct task_work *work, int64_t certificate_id, struct error *error);

/*
 * Does what is to be done. *goes_on: its authority is told, and it remains to be seen (TASK_SEE).
 * ERROR_BUSY when it is only not there yet.
 */
bool task_work_run(struct task_work *work, bool *goes_on, struct error *error);

/* Whether the authority has, and will have, no certificate for a request. */
bool task_work_is_refused(struct task_work *work, bool *refused, struct error *error);

#endif

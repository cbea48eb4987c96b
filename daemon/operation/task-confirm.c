/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An operator says that an authority knows: it was told by hand, or by another way. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "operation/contact.h"
#include "operation/task-alarm.h"
#include "operation/task-private.h"

/* Heap, for the audit trail. */
static char *describe(const struct task_work *work, int64_t id)
{
	const struct certificate *certificate = &work->certificate;

	return xasprintf("task %" PRId64 ": %s, %s key, certificate %s is %s", id,
		certificate->authority, key_slot_name(certificate->slot),
		certificate->serial_hex ? certificate->serial_hex : "not there yet",
		certificate_status_name(certificate->status));
}

/* Where somebody shows what a certificate is, an operator's word begins the looking, and does not
 * end it; one who confirms what is being looked for knows better. */
static bool is_to_be_seen(struct task_work *work)
{
	if (strcmp(work->task.kind, TASK_TELL) != 0)
		return false;
	work->authority =
		authority_open(&work->services->connections, work->certificate.authority, NULL);
	return work->authority && revocation_is_published(work->authority, &work->certificate);
}

static bool confirm(struct task_work *work, bool *is_done, struct error *error)
{
	struct store *store = work->services->store;
	int64_t id = work->certificate.id;

	if (strcmp(work->task.kind, TASK_RENEW) == 0)
		return error_set(error, ERROR_WRONG_STATE,
			"this is a renewal, and no authority has been told anything: tessera task "
			"remove takes it off the list");
	if (work->certificate.request)
		return error_set(error, ERROR_WRONG_STATE,
			"this certificate is asked for still, and only its authority knows whether "
			"it comes");
	*is_done = !is_to_be_seen(work);
	return *is_done ? store_task_remove(store, id, error)
			: store_task_turn(store, id, TASK_SEE, time(NULL),
				  task_alarm_first(work->services),
				  "an operator says that it is told; nobody has looked yet whether "
				  "it is seen",
				  error);
}

static bool confirm_claimed(struct services *services, int64_t certificate_id, int64_t id,
	bool *is_done, char **what, struct error *error)
{
	struct task_work work _cleanup_(task_work_clear) = {.services = services};

	if (!task_work_open(&work, certificate_id, error))
		return false;
	*what = describe(&work, id);
	return confirm(&work, is_done, error);
}

bool task_confirm_by_id(
	struct services *services, int64_t id, bool *is_done, char **what, struct error *error)
{
	_cleanup_task_ struct task task = TASK_INIT;
	_cleanup_error_ struct error missing = ERROR_INIT;

	*what = NULL;
	if (!store_task_find(services->store, id, &task, &missing))
		return missing.code == ERROR_NOT_FOUND
			       ? error_set(error, ERROR_NOT_FOUND, "there is no task %" PRId64, id)
			       : error_move(error, &missing);
	_cleanup_free_ char *claim = xasprintf("certificate %" PRId64, task.certificate_id);
	if (!contacts_claim(services->contacts, claim, error))
		return false;
	bool done = confirm_claimed(services, task.certificate_id, id, is_done, what, error);
	contacts_release(services->contacts, claim);
	return done;
}

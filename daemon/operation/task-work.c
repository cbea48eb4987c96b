/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One task: a certificate is collected, its authority is told of its status, and that is seen. */
#include "operation/task-private.h"

#include <string.h>
#include <time.h>

#include "common/alloc.h"

/* It is looked again when the list or answer that does not show it is replaced, in such bounds. */
#define SEE_MIN 60
#define SEE_MAX (60 * 60)

void task_work_clear(struct task_work *work)
{
	task_clear(&work->task);
	authority_close(work->authority);
	certificate_clear(&work->certificate);
	free(work->serial);
}

bool task_work_open(struct task_work *work, int64_t certificate_id, struct error *error)
{
	struct services *services = work->services;

	if (!store_task_get(services->store, certificate_id, &work->task, error) ||
		!store_certificate_get(services->store, certificate_id, &work->certificate, error))
		return false;
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(services->store, work->certificate.credential_id, NULL);
	work->serial = credential ? xstrdup(credential->serial) : NULL;
	work->is_key = credential && credential_is_key(credential);
	return true;
}

/* --- collecting --- */

/* What the certificate has become in the store while the authority was asked. */
static bool take_wanted(struct task_work *work, struct store *transaction, struct error *error)
{
	struct certificate *certificate = &work->certificate;
	_cleanup_certificate_ struct certificate present = CERTIFICATE_INIT;

	if (!store_certificate_get(transaction, certificate->id, &present, error))
		return false;
	certificate->status = present.status;
	certificate->status_before_hold = present.status_before_hold;
	certificate->revoked_at = present.revoked_at;
	free(certificate->reason);
	certificate->reason = steal_pointer(&present.reason);
	return true;
}

/* The certificate is there: saved as what it has become meanwhile, and on its way to the card. */
static bool keep_collected(struct task_work *work, struct error *error)
{
	struct services *services = work->services;
	struct certificate *certificate = &work->certificate;
	struct intent intent _cleanup_intent_ = {.serial = xstrdup(work->serial),
		.operation = xstrdup("issue"),
		.step = xstrdup(INTENT_CERTIFICATE)};

	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	if (!take_wanted(work, transaction, error))
		return false;
	if (certificate->status == CERTIFICATE_PENDING)
		certificate->status = CERTIFICATE_VALID;
	else if (certificate->status == CERTIFICATE_ON_HOLD)
		certificate->status_before_hold = CERTIFICATE_VALID;
	return store_certificate_save(transaction, certificate, error) &&
	       (certificate->status == CERTIFICATE_REVOKED || !work->serial || work->is_key ||
		       store_intent_add(transaction, &intent, error)) &&
	       store_commit(transaction, error);
}

/* *done: nothing is left to do. */
static bool collect(struct task_work *work, bool *done, struct error *error)
{
	struct certificate *certificate = &work->certificate;
	enum certificate_status wanted = certificate->status;
	enum enroll_outcome outcome = ENROLL_NOTHING;
	_cleanup_error_ struct error failure = ERROR_INIT;

	*done = false;
	bool asked =
		work->authority->driver->collect(work->authority, certificate, &outcome, &failure);
	certificate->status = wanted;
	if (!asked && failure.code != ERROR_AUTHORITY_REJECTED)
		return error_move(error, &failure);
	if (asked && outcome == ENROLL_ISSUED) {
		if (!keep_collected(work, error))
			return false;
		*done = certificate->status == CERTIFICATE_VALID;
		return true;
	}
	if (asked && outcome == ENROLL_PENDING)
		return error_set(error, ERROR_BUSY, "the authority has not issued it yet");
	*done = wanted == CERTIFICATE_REVOKED;
	if (*done)
		return store_certificate_remove(work->services->store, certificate->id, error);
	return asked ? error_set(error, ERROR_AUTHORITY_REJECTED,
			       "the authority has no certificate for this key: reissue the card")
		     : error_move(error, &failure);
}

/* --- telling --- */

static bool tell(struct task_work *work, struct error *error)
{
	const struct authority_driver *driver = work->authority->driver;
	const struct certificate *certificate = &work->certificate;

	switch (certificate->status) {
	case CERTIFICATE_REVOKED:
		return driver->revoke(work->authority, certificate,
			revocation_reason_find(certificate->reason), error);
	case CERTIFICATE_ON_HOLD:
		return driver->suspend(work->authority, certificate, error);
	default:
		return driver->resume(work->authority, certificate, error);
	}
}

/* What was told has to be seen at the authority, too. */
static bool tell_and_ask(struct task_work *work, struct error *error)
{
	const struct authority_driver *driver = work->authority->driver;
	enum certificate_status seen;

	if (!tell(work, error))
		return false;
	if (!driver->status)
		return true;
	if (!driver->status(work->authority, &work->certificate, &seen, error))
		return false;
	return seen == work->certificate.status ||
	       error_set(error, ERROR_AUTHORITY_FAILED,
		       "it took the change, and shows the certificate as %s still",
		       certificate_status_name(seen));
}

/* --- seeing --- */

static bool not_seen(
	struct task_work *work, const struct revocation_view *view, struct error *error)
{
	int64_t now = time(NULL), wait = view->next > now ? view->next - now + 1 : SEE_MIN;
	char until[32] = "an unknown time";
	struct tm tm;
	time_t next = (time_t)view->next;

	work->next = now + (wait < SEE_MIN ? SEE_MIN : wait > SEE_MAX ? SEE_MAX : wait);
	if (next > 0)
		strftime(until, sizeof(until), "%Y-%m-%d %H:%M UTC", gmtime_r(&next, &tm));
	return error_set(error, ERROR_BUSY,
		"it is told; the authority's %s shows the certificate as %s still, until %s",
		view->source, certificate_status_name(view->status), until);
}

static bool see(struct task_work *work, struct error *error)
{
	const struct certificate *certificate = &work->certificate;
	struct revocation_view view;

	/* Lists do not name certificates that are over (RFC 5280, 3.3). */
	if (certificate->not_after < (int64_t)time(NULL))
		return true;
	if (!revocation_check(work->authority, certificate, work->cache, &view, error))
		return error_prefix(error, "it is told, and not seen yet");
	return !view.is_published || view.status == certificate->status ||
	       not_seen(work, &view, error);
}

bool task_work_run(struct task_work *work, bool *goes_on, struct error *error)
{
	bool done = false;

	*goes_on = false;
	if (strcmp(work->task.kind, TASK_SEE) == 0) {
		work->what = "see-certificate";
		return see(work, error);
	}
	work->what = work->certificate.request ? "collect-certificate" : "tell-authority";
	if (work->certificate.request && !collect(work, &done, error))
		return false;
	if (!done && !tell_and_ask(work, error))
		return false;
	/* Whoever changed the status does not wait for that: a list may come out once a week. */
	*goes_on = !done && revocation_is_published(work->authority, &work->certificate);
	return true;
}

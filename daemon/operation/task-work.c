/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One task: a certificate is collected, its authority is told of its status, and that is seen. */
#include "operation/task-private.h"

#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "operation/certificates.h"
#include "operation/slot-keys.h"
#include "operation/template-rules.h"

/* It is looked again when the list or answer that does not show it is replaced, in such bounds. */
#define SEE_MIN 60
#define SEE_MAX (60 * 60)

void task_work_clear(struct task_work *work)
{
	task_clear(&work->task);
	authority_close(work->authority);
	certificate_clear(&work->certificate);
	fields_clear(&work->holder);
	free(work->serial);
	free(work->warning);
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
	if (credential)
		fields_copy(&work->holder, &credential->holder);
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

/*
 * The certificate is there: saved as what it has become meanwhile, and on its way to the card
 * unless it is not good.
 */
static bool keep_collected(struct task_work *work, bool is_good, struct error *error)
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
	if (!is_good)
		certificate_refuse(certificate);
	return store_certificate_save(transaction, certificate, error) &&
	       (is_good || task_note_status(services, certificate, error)) &&
	       (certificate->status == CERTIFICATE_REVOKED || !work->serial || work->is_key ||
		       store_intent_add(transaction, &intent, error)) &&
	       store_commit(transaction, error);
}

static bool check_issued(struct task_work *work, struct error *error)
{
	const struct authority_driver *driver = work->authority->driver;

	return work->certificate.status == CERTIFICATE_REVOKED || !driver->check_issued ||
	       driver->check_issued(
		       work->authority, &work->certificate, &work->holder, &work->warning, error);
}

/* *done: nothing is left to do. */
static bool take_collected(struct task_work *work, bool *done, struct error *error)
{
	_cleanup_error_ struct error refusal = ERROR_INIT;
	bool is_good = check_issued(work, &refusal);

	if (!is_good && refusal.code != ERROR_AUTHORITY_FAILED)
		return error_move(error, &refusal);
	if (!keep_collected(work, is_good, error))
		return false;
	*done = work->certificate.status == CERTIFICATE_VALID;
	return is_good || error_move(error, &refusal);
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
	if (asked && outcome == ENROLL_ISSUED)
		return take_collected(work, done, error);
	if (asked && outcome == ENROLL_PENDING)
		return error_set(error, ERROR_BUSY, "the authority has not issued it yet");
	*done = wanted == CERTIFICATE_REVOKED;
	if (*done)
		return store_certificate_remove(work->services->store, certificate->id, error);
	return asked ? error_set(error, ERROR_AUTHORITY_REJECTED,
			       "the authority has no certificate for this key: reissue the card")
		     : error_move(error, &failure);
}

bool task_work_is_refused(struct task_work *work, bool *refused, struct error *error)
{
	struct certificate *certificate = &work->certificate;
	enum enroll_outcome outcome = ENROLL_NOTHING;
	_cleanup_error_ struct error failure = ERROR_INIT;

	work->authority =
		authority_open(&work->services->connections, certificate->authority, error);
	if (!work->authority)
		return false;
	bool asked =
		work->authority->driver->collect(work->authority, certificate, &outcome, &failure);
	if (!asked && failure.code != ERROR_AUTHORITY_REJECTED)
		return error_move(error, &failure);
	*refused = !asked || outcome == ENROLL_NOTHING;
	return true;
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
	/* It is as it has to be until the next list is out. */
	work->alarm_at = view->next + SEE_MAX;
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

/* --- renewing --- */

static bool renew_key(struct task_work *work, struct error *error)
{
	_cleanup_hsm_key_ struct hsm_key key = HSM_KEY_INIT;
	struct operation operation = {.services = work->services, .actor = &audit_daemon};

	if (!store_hsm_key_get(work->services->store, work->certificate.credential_id, &key, error))
		return false;
	const struct slot_renewal request = {.slot = key.slot, .label = key.label};
	return operation_slot_renew(&operation, &request, error);
}

/* By itself only what the template says so of; a card has to be there, and its PIN. */
static bool renew(struct task_work *work, struct error *error)
{
	struct services *services = work->services;
	const struct certificate *certificate = &work->certificate;

	if (certificate->status != CERTIFICATE_VALID ||
		certificate->not_after < (int64_t)time(NULL))
		return true;
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(services->store, certificate->credential_id, error);
	_cleanup_template_ struct template *template =
		credential ? card_template(services, credential, error) : NULL;
	if (template && work->is_key && template->renewal.automatic)
		return renew_key(work, error);
	work->next = TASK_NEVER;
	return error_set(error, ERROR_BUSY,
		work->is_key ? "to be renewed: tessera slot renew"
			     : "to be renewed with the card in a reader: tessera card renew");
}

bool task_work_run(struct task_work *work, bool *goes_on, struct error *error)
{
	bool done = false;

	*goes_on = false;
	if (strcmp(work->task.kind, TASK_SEE) == 0) {
		work->what = "see-certificate";
		return see(work, error);
	}
	if (strcmp(work->task.kind, TASK_RENEW) == 0) {
		work->what = "renew-certificate";
		return renew(work, error);
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

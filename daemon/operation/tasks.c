/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/tasks.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/contact.h"
#include "operation/ownership.h"

/* An enrollment under way is over by then, however slow the authority is. */
#define REQUEST_SECONDS (15 * 60)
/* Whoever changed a status tells it at once; this is for when it was cut off. */
#define TELL_SECONDS (2 * 60)
#define PAUSE_FIRST  30
#define PAUSE_MAX    (60 * 60)
#define TASKS_MAX    100 /* at a time; the next ones follow at the next look */

/* --- putting tasks --- */

bool task_note_status(
	struct services *services, const struct certificate *certificate, struct error *error)
{
	_cleanup_connection_ struct connection connection = CONNECTION_INIT;

	if (!store_connection_get(services->store, certificate->authority, &connection, NULL) ||
		authority_tells_all(connection.kind))
		return true;
	return store_task_put(services->store, certificate->id,
		certificate->request && certificate->status == CERTIFICATE_PENDING ? TASK_COLLECT
										   : TASK_TELL,
		time(NULL) + TELL_SECONDS, error);
}

bool task_note_request(
	struct services *services, const struct certificate *certificate, struct error *error)
{
	return store_task_put(services->store, certificate->id, TASK_COLLECT,
		time(NULL) + REQUEST_SECONDS, error);
}

/* --- one task --- */

struct work {
	struct services *services;
	struct authority *authority;
	struct certificate certificate;
	char *serial; /* of the card */
};

static void work_clear(struct work *work)
{
	authority_close(work->authority);
	certificate_clear(&work->certificate);
	free(work->serial);
}

static bool open_work(struct work *work, int64_t certificate_id, struct error *error)
{
	struct services *services = work->services;

	if (!store_certificate_get(services->store, certificate_id, &work->certificate, error))
		return false;
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(services->store, work->certificate.credential_id, NULL);
	work->serial = credential ? xstrdup(credential->serial) : NULL;
	work->authority = authority_open(&services->authority, work->certificate.authority, error);
	return work->authority != NULL;
}

static bool tell(struct work *work, struct error *error)
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
static bool tell_and_see(struct work *work, struct error *error)
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

/* The certificate is there: saved as what it has become meanwhile, and on its way to the card. */
static bool keep_collected(struct work *work, enum certificate_status wanted, struct error *error)
{
	struct services *services = work->services;
	struct certificate *certificate = &work->certificate;
	struct intent intent _cleanup_intent_ = {.serial = xstrdup(work->serial),
		.operation = xstrdup("issue"),
		.step = xstrdup(INTENT_CERTIFICATE)};

	certificate->status = wanted == CERTIFICATE_PENDING ? CERTIFICATE_VALID : wanted;
	if (wanted == CERTIFICATE_ON_HOLD)
		certificate->status_before_hold = CERTIFICATE_VALID;
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return store_certificate_save(transaction, certificate, error) &&
	       (wanted == CERTIFICATE_REVOKED || !work->serial ||
		       store_intent_add(transaction, &intent, error)) &&
	       store_commit(transaction, error);
}

/* *done: nothing is left to do. */
static bool collect(struct work *work, bool *done, struct error *error)
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
		*done = wanted == CERTIFICATE_PENDING;
		return keep_collected(work, wanted, error);
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

static bool run(struct work *work, struct error *error)
{
	bool done = false;

	if (work->certificate.request && !collect(work, &done, error))
		return false;
	return done || tell_and_see(work, error);
}

/* --- attempts --- */

static int64_t pause_after(int64_t attempts)
{
	int64_t pause = PAUSE_FIRST;

	while (attempts-- > 0 && pause < PAUSE_MAX)
		pause *= 2;
	return pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

static int64_t attempts_of(struct services *services, int64_t certificate_id)
{
	struct task *tasks = NULL;
	size_t count = 0;
	int64_t attempts = 0;

	if (!store_task_list(services->store, TASK_NEVER, UINT_MAX, &tasks, &count, NULL))
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (tasks[i].certificate_id == certificate_id)
			attempts = tasks[i].attempts;
	}
	tasks_free(tasks, count);
	return attempts;
}

/* A refusal is final until an operator does something; all else is tried again. */
static void postpone(struct services *services, int64_t certificate_id, const struct error *failure)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	int64_t next = failure->code == ERROR_AUTHORITY_REJECTED
			       ? TASK_NEVER
			       : time(NULL) + pause_after(attempts_of(services, certificate_id));

	if (!store_task_postpone(
		    services->store, certificate_id, next, error_message(failure), &error))
		log_error("a task is not postponed: %s", error_message(&error));
}

static void write_record(const struct work *work, const char *what, const struct error *failure)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *detail = xasprintf("%s, %s key, certificate %s",
		work->certificate.authority, key_slot_name(work->certificate.slot),
		work->certificate.serial_hex ? work->certificate.serial_hex : "not there yet");

	if (!audit_write(work->services->store, &audit_daemon, what, work->serial, 0, failure,
		    detail, &error))
		log_error("audit record not written: %s", error_message(&error));
}

static bool run_claimed(struct services *services, int64_t certificate_id, struct error *error)
{
	struct work work _cleanup_(work_clear) = {.services = services};
	_cleanup_error_ struct error failure = ERROR_INIT;

	if (!open_work(&work, certificate_id, &failure)) {
		if (failure.code == ERROR_NOT_FOUND)
			return store_task_remove(services->store, certificate_id, error);
		postpone(services, certificate_id, &failure);
		return error_move(error, &failure);
	}
	const char *what = work.certificate.request ? "collect-certificate" : "tell-authority";
	bool done = run(&work, &failure);
	/* What is only not there yet is no news. */
	if (done || failure.code != ERROR_BUSY)
		write_record(&work, what, done ? NULL : &failure);
	if (done)
		return store_task_remove(services->store, certificate_id, error);
	postpone(services, certificate_id, &failure);
	return error_move(error, &failure);
}

bool task_run(struct services *services, int64_t certificate_id, struct error *error)
{
	_cleanup_free_ char *claim = xasprintf("certificate %" PRId64, certificate_id);

	if (!contacts_claim(services->contacts, claim, error))
		return false;
	bool done = run_claimed(services, certificate_id, error);
	contacts_release(services->contacts, claim);
	return done;
}

bool task_run_by_id(struct services *services, int64_t id, struct error *error)
{
	struct task *tasks = NULL;
	size_t count = 0;
	int64_t certificate_id = 0;

	if (!store_task_list(services->store, TASK_NEVER, UINT_MAX, &tasks, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (tasks[i].id == id)
			certificate_id = tasks[i].certificate_id;
	}
	tasks_free(tasks, count);
	if (certificate_id == 0)
		return error_set(error, ERROR_NOT_FOUND, "there is no task %" PRId64, id);
	return task_run(services, certificate_id, error);
}

/* --- those that are due --- */

static bool run_due(struct job *job, void *context, struct error *error)
{
	struct services *services = context;
	struct task *tasks = NULL;
	size_t count = 0;
	bool going_on = true;

	if (!store_task_list(services->store, time(NULL), TASKS_MAX, &tasks, &count, error))
		return false;
	for (size_t i = 0; going_on && i < count; i++) {
		_cleanup_error_ struct error failure = ERROR_INIT;
		job_progress(job, (unsigned)(100 * i / count), "asking authorities");
		going_on = job_continue(job, error);
		if (going_on && !task_run(services, tasks[i].certificate_id, &failure))
			log_warning("a task is tried again later: %s task=%" PRId64,
				error_message(&failure), tasks[i].id);
	}
	tasks_free(tasks, count);
	return going_on;
}

bool tasks_start(struct services *services, struct error *error)
{
	struct task *tasks = NULL;
	size_t count = 0;

	/* Secrets of connections are sealed by the token. */
	if (!services->token)
		return true;
	if (!store_task_list(services->store, time(NULL), 1, &tasks, &count, error))
		return false;
	tasks_free(tasks, count);
	return count == 0 ||
	       jobs_start(services->jobs, 0, "tasks", NULL, run_due, services, NULL, error) != 0;
}

/* --- collected certificates and their cards --- */

/* Whether the card has the key of the certificate, and not the certificate itself. */
static bool is_wanted(
	struct card *card, const struct certificate *certificate, bool *wanted, struct error *error)
{
	struct card_key key _cleanup_(card_key_clear) = {0};
	const unsigned char *position = certificate->der.data;
	X509 *x509 = d2i_X509(NULL, &position, (long)certificate->der.length);

	*wanted = false;
	if (!x509 || !card->driver->read_key(card, certificate->slot, &key, error)) {
		X509_free(x509);
		return !x509;
	}
	bool same_key = !key.public_key || EVP_PKEY_eq(key.public_key, X509_get0_pubkey(x509)) == 1;
	bool is_there =
		key.certificate.length == certificate->der.length &&
		memcmp(key.certificate.data, certificate->der.data, certificate->der.length) == 0;
	X509_free(x509);
	*wanted = same_key && !is_there;
	return true;
}

static bool write_one(struct services *services, struct card *card,
	const struct credential *credential, const struct certificate *certificate,
	struct error *error)
{
	bool wanted = false;

	if (certificate->der.length == 0 || (certificate->status != CERTIFICATE_VALID &&
						    certificate->status != CERTIFICATE_ON_HOLD))
		return true;
	if (!is_wanted(card, certificate, &wanted, error))
		return false;
	return !wanted ||
	       (ownership_authenticate(services, card, credential->key_version, error) &&
		       card->driver->write(card, CARD_OBJECT_CERTIFICATE, certificate->slot,
			       certificate->der.data, certificate->der.length, error));
}

bool task_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error)
{
	_cleanup_certificates_ struct certificates all = CERTIFICATES_INIT;

	if (!store_certificate_list(services->store, credential->id, &all, error))
		return false;
	for (size_t i = 0; i < all.count; i++) {
		if (!write_one(services, card, credential, &all.items[i], error))
			return error_prefix(error, "writing the collected certificate");
	}
	return store_intent_remove(services->store, intent->id, error);
}

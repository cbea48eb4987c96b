/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/certificates.h"

#include <string.h>
#include <time.h>

#include "authority/revocation-check.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/tasks.h"

/* What one change does to one certificate: false when it leaves it alone. */
typedef bool (*certificate_change)(
	struct certificate *certificate, const struct revocation_reason *reason);

static bool change_revoke(struct certificate *certificate, const struct revocation_reason *reason)
{
	if (certificate->status == CERTIFICATE_REVOKED)
		return false;
	certificate->status = CERTIFICATE_REVOKED;
	free(certificate->reason);
	certificate->reason = xstrdup(reason->name);
	certificate->revoked_at = time(NULL);
	return true;
}

void certificate_refuse(struct certificate *certificate)
{
	change_revoke(certificate, revocation_reason_find("superseded"));
}

static bool change_hold(struct certificate *certificate, const struct revocation_reason *reason)
{
	enum certificate_status before = certificate->status;

	if (before != CERTIFICATE_VALID && before != CERTIFICATE_PENDING)
		return false;
	change_revoke(certificate, reason);
	certificate->status = CERTIFICATE_ON_HOLD;
	certificate->status_before_hold = before;
	return true;
}

static bool change_resume(struct certificate *certificate, const struct revocation_reason *reason)
{
	(void)reason;
	if (certificate->status != CERTIFICATE_ON_HOLD)
		return false;
	certificate->status = certificate->status_before_hold;
	free(certificate->reason);
	certificate->reason = NULL;
	certificate->revoked_at = 0;
	return true;
}

/* Which certificates of a credential. */
struct range {
	int64_t after, last; /* ids: greater than the one, up to the other */
	key_slot slot;	     /* KEY_SLOT_NONE: of all */
};

static bool is_in(const struct range *range, const struct certificate *certificate)
{
	return certificate->id > range->after && certificate->id <= range->last &&
	       (range->slot == KEY_SLOT_NONE || range->slot == certificate->slot);
}

static bool change_range(struct services *services, int64_t credential_id,
	const struct range *range, certificate_change change,
	const struct revocation_reason *reason, struct certificates *changed, struct error *error)
{
	struct certificates all _cleanup_certificates_ = CERTIFICATES_INIT;

	if (!store_certificate_list(services->store, credential_id, &all, error))
		return false;
	for (size_t i = 0; i < all.count; i++) {
		struct certificate *certificate = &all.items[i];
		if (!is_in(range, certificate) || !change(certificate, reason))
			continue;
		if (!store_certificate_save(services->store, certificate, error) ||
			!task_note_status(services, certificate, error))
			return error_prefix(error, "certificate %s", certificate->serial_hex);
		certificates_take(changed, certificate);
	}
	return true;
}

static bool change_all(struct services *services, int64_t credential_id, int64_t last,
	certificate_change change, const struct revocation_reason *reason,
	struct certificates *changed, struct error *error)
{
	const struct range range = {.last = last, .slot = KEY_SLOT_NONE};

	return change_range(services, credential_id, &range, change, reason, changed, error);
}

bool certificates_supersede(struct services *services, int64_t credential_id, key_slot slot,
	int64_t last, struct certificates *changed, struct error *error)
{
	const struct range range = {.last = last, .slot = slot};

	return change_range(services, credential_id, &range, change_revoke,
		revocation_reason_find("superseded"), changed, error);
}

bool certificates_discard(struct services *services, const struct certificate *certificate,
	struct certificates *changed, struct error *error)
{
	const struct range range = {
		.after = certificate->id - 1, .last = certificate->id, .slot = KEY_SLOT_NONE};

	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return change_range(services, certificate->credential_id, &range, change_revoke,
		       revocation_reason_find("superseded"), changed, error) &&
	       store_commit(transaction, error);
}

bool certificates_revoke(struct services *services, int64_t credential_id, int64_t last,
	const struct revocation_reason *reason, struct certificates *changed, struct error *error)
{
	return change_all(services, credential_id, last, change_revoke, reason, changed, error);
}

bool certificates_hold(struct services *services, int64_t credential_id,
	struct certificates *changed, struct error *error)
{
	return change_all(services, credential_id, INT64_MAX, change_hold,
		revocation_reason_find("certificateHold"), changed, error);
}

bool certificates_resume(struct services *services, int64_t credential_id,
	struct certificates *changed, struct error *error)
{
	return change_all(services, credential_id, INT64_MAX, change_resume, NULL, changed, error);
}

static bool tell_by_driver(
	struct authority *authority, const struct certificate *certificate, struct error *error)
{
	const struct authority_driver *driver = authority->driver;

	switch (certificate->status) {
	case CERTIFICATE_VALID:
	case CERTIFICATE_PENDING:
		return driver->resume(authority, certificate, error);
	case CERTIFICATE_ON_HOLD:
		return driver->suspend(authority, certificate, error);
	default:
		return driver->revoke(
			authority, certificate, revocation_reason_find(certificate->reason), error);
	}
}

/* *all: whether the authority knows of its other certificates, too; what its list shows of them is
 * seen at once. */
static bool tell(struct services *services, const struct certificates *changed,
	const struct certificate *certificate, bool *all, struct error *error)
{
	struct authority *authority _cleanup_authority_ =
		authority_open(&services->connections, certificate->authority, error);

	if (!authority)
		return false;
	*all = authority->driver->tells_all;
	if (!*all)
		return task_run(services, certificate->id, error);
	return tell_by_driver(authority, certificate, error) &&
	       (!authority->driver->crl || revocation_check_own(authority, changed, error));
}

/* Tells the authority of the certificate at `index`, and of all others where that takes a call. */
static void tell_authority(struct services *services, const struct certificates *changed,
	size_t index, bool *told, struct error *first)
{
	const char *name = changed->items[index].authority;
	bool all = false;

	for (size_t i = index; i < changed->count; i++) {
		struct error failure _cleanup_error_ = ERROR_INIT;
		if (told[i] || strcmp(changed->items[i].authority, name) != 0)
			continue;
		told[i] = true;
		if (!all && !tell(services, changed, &changed->items[i], &all, &failure) &&
			first->code == ERROR_NONE)
			error_move(first, &failure);
	}
}

bool certificates_tell(
	struct services *services, const struct certificates *changed, struct error *error)
{
	struct error first _cleanup_error_ = ERROR_INIT;
	_cleanup_free_ bool *told = xcalloc(changed->count + 1, sizeof(*told));

	for (size_t i = 0; i < changed->count; i++) {
		if (!told[i])
			tell_authority(services, changed, i, told, &first);
	}
	if (first.code == ERROR_NONE)
		return true;
	error_prefix(&first, "the change is made, but its authority could not be told and will be "
			     "told again");
	return error_move(error, &first);
}

static bool publish(struct services *services, const char *name, struct error *error)
{
	struct authority *authority _cleanup_authority_ =
		authority_open(&services->connections, name, error);

	return authority &&
	       (!authority->driver->publish || authority->driver->publish(authority, error));
}

void certificates_publish(struct services *services)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	char **names = NULL;
	size_t count = 0;

	if (!services->token) {
		log_notice("revocation lists are published once the master key is unlocked");
		return;
	}
	if (!store_connection_list(services->store, &names, &count, &error))
		log_error("connections cannot be listed: %s", error_message(&error));
	for (size_t i = 0; i < count; i++) {
		if (!publish(services, names[i], &error))
			log_error("revocation list not published: %s connection=%s",
				error_message(&error), names[i]);
	}
	store_names_free(names, count);
}

static bool run_publishing(struct job *job, void *context, struct error *error)
{
	(void)error;
	job_progress(job, 0, "publishing revocation lists");
	certificates_publish(context);
	return true;
}

bool certificates_start_publishing(struct services *services, struct error *error)
{
	return jobs_start(services->jobs, 0, "publish", NULL, run_publishing, services, NULL,
		       error) != 0;
}

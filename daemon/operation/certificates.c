/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/certificates.h"

#include <time.h>

#include "common/alloc.h"

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

static bool tell_authority(struct services *services, const struct certificate *certificate,
	const struct revocation_reason *reason, struct error *error)
{
	struct authority *authority _cleanup_authority_ =
		authority_open(&services->authority, certificate->authority, error);

	if (!authority)
		return false;
	return reason ? authority->driver->revoke(authority, certificate, reason, error)
		      : authority->driver->resume(authority, certificate, error);
}

static bool change_all(struct services *services, int64_t credential_id, int64_t last,
	certificate_change change, const struct revocation_reason *reason, struct error *error)
{
	struct certificates all _cleanup_certificates_ = CERTIFICATES_INIT;

	if (!store_certificate_list(services->store, credential_id, &all, error))
		return false;
	for (size_t i = 0; i < all.count; i++) {
		struct certificate *certificate = &all.items[i];
		if (certificate->id > last || !change(certificate, reason))
			continue;
		if (!store_certificate_save(services->store, certificate, error) ||
			!tell_authority(services, certificate, reason, error))
			return error_prefix(error, "certificate %s", certificate->serial_hex);
	}
	return true;
}

bool certificates_revoke(struct services *services, int64_t credential_id, int64_t last,
	const struct revocation_reason *reason, struct error *error)
{
	return change_all(services, credential_id, last, change_revoke, reason, error);
}

bool certificates_hold(struct services *services, int64_t credential_id, struct error *error)
{
	return change_all(services, credential_id, INT64_MAX, change_hold,
		revocation_reason_find("certificateHold"), error);
}

bool certificates_resume(struct services *services, int64_t credential_id, struct error *error)
{
	return change_all(services, credential_id, INT64_MAX, change_resume, NULL, error);
}

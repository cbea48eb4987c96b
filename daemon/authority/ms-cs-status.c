/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a certificate that was issued: it is looked at, revoked, held and released. */
#include <string.h>

#include "authority/issued.h"
#include "authority/ms-cs-check.h"
#include "authority/ms-cs-private.h"
#include "authority/revocation-check.h"
#include "common/alloc.h"

DEFINE_CLEANUP(X509 *, X509_free);

/* --- looking at it --- */

/* What the template gives, as far as anybody says it. Borrowed from the profile; heap array. */
static const char **purposes_of(const struct authority_profile *profile, size_t *count)
{
	const json_t *purposes = profile ? json_object_get(profile->settings, "purposes") : NULL;
	const char **oids = xcalloc(json_array_size(purposes) + 1, sizeof(*oids));

	*count = json_array_size(purposes);
	for (size_t i = 0; i < *count; i++)
		oids[i] = json_string_value(json_array_get(purposes, i));
	return oids;
}

bool ms_cs_check_certificate(struct authority *authority, const struct certificate *certificate,
	const struct fields *holder, char **warning, struct error *error)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	struct ms_cs_expected expected = ms_cs_expected_of(holder);
	X509 *x509 _cleanup_(X509_freep) = issued_parse(&certificate->der);

	*warning = NULL;
	if (!x509)
		return error_set(error, ERROR_AUTHORITY_FAILED, "the certificate cannot be read");
	if (!ms_cs_profiles(authority, &profiles, error))
		return false;
	const struct authority_profile *profile =
		certificate->profile
			? authority_profiles_find(&profiles, certificate->profile, NULL)
			: NULL;
	/* Where the request itself has the names, they are what the template's key says. */
	if (profile && ms_cs_takes_subject(profile))
		expected.upn = NULL;
	_cleanup_free_ const char **purposes = purposes_of(profile, &expected.purpose_count);
	expected.purposes = purposes;
	return ms_cs_check_issued(x509, &expected, warning, error);
}

/* --- revoking, which no web service of Microsoft CS does --- */

static bool run(struct authority *authority, const struct certificate *certificate, int reason,
	struct error *error)
{
	const struct ms_cs *cs = authority->data;

	return ms_cs_revoke_run(&cs->settings.revocation, authority->services->command_folder,
		certificate, reason, error);
}

/* That a certificate stands in the list is proof that it was told, by whomever. */
static bool is_seen(struct authority *authority, const struct certificate *certificate,
	enum certificate_status wanted)
{
	struct revocation_view view;

	return revocation_check(authority, certificate, NULL, &view, NULL) && view.is_published &&
	       view.status == wanted;
}

static bool run_or_see(struct authority *authority, const struct certificate *certificate,
	int reason, enum certificate_status wanted, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;

	return run(authority, certificate, reason, &failure) ||
	       is_seen(authority, certificate, wanted) || error_move(error, &failure);
}

bool ms_cs_revoke(struct authority *authority, const struct certificate *certificate,
	const struct revocation_reason *reason, struct error *error)
{
	return run_or_see(authority, certificate, ms_cs_reason(reason), CERTIFICATE_REVOKED, error);
}

bool ms_cs_suspend(
	struct authority *authority, const struct certificate *certificate, struct error *error)
{
	return run_or_see(authority, certificate, MS_CS_REASON_HOLD, CERTIFICATE_ON_HOLD, error);
}

/* That a list does not name it is no proof: it may be older than the hold. */
bool ms_cs_resume(
	struct authority *authority, const struct certificate *certificate, struct error *error)
{
	return run(authority, certificate, MS_CS_REASON_RELEASE, error);
}

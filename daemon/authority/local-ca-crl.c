/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The local CA's certificate revocation list (RFC 5280, section 5). */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "authority/local-ca-private.h"
#include "common/alloc.h"

#define PAGE	    500 /* certificates read at once */
#define DAY_SECONDS INT64_C(86400)

DEFINE_CLEANUP(X509_REVOKED *, X509_REVOKED_free);
DEFINE_CLEANUP(ASN1_TIME *, ASN1_TIME_free);
DEFINE_CLEANUP(ASN1_INTEGER *, ASN1_INTEGER_free);
DEFINE_CLEANUP(ASN1_ENUMERATED *, ASN1_ENUMERATED_free);
DEFINE_CLEANUP(X509_EXTENSION *, X509_EXTENSION_free);
DEFINE_CLEANUP(BIGNUM *, BN_free);

/*
 * Held from taking a CRL's number until it is published, so that a CRL with a
 * lower number never replaces a later one. Taken before the store's lock.
 */
static pthread_mutex_t renewing = PTHREAD_MUTEX_INITIALIZER;

static bool failed(struct error *error)
{
	ERR_clear_error();
	return error_set(error, ERROR_AUTHORITY_FAILED, "cannot make the revocation list");
}

static ASN1_INTEGER *serial_of(const struct certificate *certificate)
{
	BIGNUM *number _cleanup_(BN_freep) = NULL;

	if (!certificate->serial_hex || BN_hex2bn(&number, certificate->serial_hex) == 0)
		return NULL;
	return BN_to_ASN1_INTEGER(number, NULL);
}

/* CRLReason; "unspecified" is shown by leaving it out (RFC 5280, 5.3.1). */
static int reason_of(const struct certificate *certificate)
{
	if (certificate->status == CERTIFICATE_ON_HOLD)
		return CRL_REASON_CERTIFICATE_HOLD;
	const struct revocation_reason *reason = revocation_reason_find(certificate->reason);
	return reason ? reason->code : CRL_REASON_UNSPECIFIED;
}

static bool add_reason(X509_REVOKED *entry, int reason)
{
	ASN1_ENUMERATED *code _cleanup_(ASN1_ENUMERATED_freep) = ASN1_ENUMERATED_new();

	return reason == CRL_REASON_UNSPECIFIED ||
	       (code && ASN1_ENUMERATED_set(code, reason) &&
		       X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, code, 0, 0) == 1);
}

static bool add_entry(X509_CRL *crl, const struct certificate *certificate, struct error *error)
{
	X509_REVOKED *entry _cleanup_(X509_REVOKED_freep) = X509_REVOKED_new();
	ASN1_INTEGER *serial _cleanup_(ASN1_INTEGER_freep) = serial_of(certificate);
	ASN1_TIME *date _cleanup_(ASN1_TIME_freep) =
		ASN1_TIME_set(NULL, (time_t)certificate->revoked_at);

	if (!entry || !serial || !date || X509_REVOKED_set_serialNumber(entry, serial) != 1 ||
		X509_REVOKED_set_revocationDate(entry, date) != 1 ||
		!add_reason(entry, reason_of(certificate)) ||
		X509_CRL_add0_revoked(crl, entry) != 1)
		return failed(error);
	steal_pointer(&entry);
	return true;
}

/* RFC 5280, 3.3: an entry stays until a CRL was made after the certificate had expired. */
static bool is_long_expired(const struct certificate *certificate, int64_t crl_days)
{
	return certificate->not_after + 2 * crl_days * DAY_SECONDS < (int64_t)time(NULL);
}

/* The entries behind *after, which moves on; 0 at the end. */
static bool add_page(
	X509_CRL *crl, struct authority *authority, int64_t *after, struct error *error)
{
	_cleanup_certificates_ struct certificates revoked = CERTIFICATES_INIT;
	struct local_ca *ca = authority->data;

	if (!store_certificate_list_revoked(
		    authority->services->store, authority->name, *after, PAGE, &revoked, error))
		return false;
	for (size_t i = 0; i < revoked.count; i++)
		if (!is_long_expired(&revoked.items[i], ca->settings.crl_days) &&
			!add_entry(crl, &revoked.items[i], error))
			return false;
	*after = revoked.count == PAGE ? revoked.items[PAGE - 1].id : 0;
	return true;
}

static bool add_entries(X509_CRL *crl, struct authority *authority, struct error *error)
{
	int64_t after = 0;

	do {
		if (!add_page(crl, authority, &after, error))
			return false;
	} while (after != 0);
	return true;
}

static bool set_times(X509_CRL *crl, int64_t days, struct error *error)
{
	int64_t now = time(NULL);
	ASN1_TIME *from _cleanup_(ASN1_TIME_freep) = ASN1_TIME_set(NULL, (time_t)now);
	ASN1_TIME *until _cleanup_(ASN1_TIME_freep) =
		ASN1_TIME_set(NULL, (time_t)(now + days * DAY_SECONDS));

	return (from && until && X509_CRL_set1_lastUpdate(crl, from) == 1 &&
		       X509_CRL_set1_nextUpdate(crl, until) == 1) ||
	       failed(error);
}

/* CRL number and authority key identifier (RFC 5280, 5.2.1 and 5.2.3). */
static bool add_extensions(X509_CRL *crl, X509 *issuer, int64_t number, struct error *error)
{
	ASN1_INTEGER *value _cleanup_(ASN1_INTEGER_freep) = ASN1_INTEGER_new();
	X509V3_CTX context;

	if (!value || !ASN1_INTEGER_set_int64(value, number) ||
		X509_CRL_add1_ext_i2d(crl, NID_crl_number, value, 0, 0) != 1)
		return failed(error);
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
	X509_EXTENSION *extension _cleanup_(X509_EXTENSION_freep) =
		X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
	return (extension && X509_CRL_add_ext(crl, extension, -1) == 1) || failed(error);
}

static X509_CRL *make_crl(struct authority *authority, struct error *error)
{
	struct local_ca *ca = authority->data;
	X509_CRL *crl _cleanup_(X509_CRL_freep) = X509_CRL_new();
	_cleanup_free_ char *counter = xasprintf("crl/%s", authority->name);
	int64_t number = 0;

	if (!store_counter_next(authority->services->store, counter, &number, error))
		return NULL;
	if (!crl || X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
		X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->certificate)) != 1) {
		failed(error);
		return NULL;
	}
	if (!set_times(crl, ca->settings.crl_days, error) || !add_entries(crl, authority, error) ||
		!add_extensions(crl, ca->certificate, number, error))
		return NULL;
	X509_CRL_sort(crl);
	if (X509_CRL_sign(crl, ca->key, local_ca_digest(ca->key)) <= 0) {
		signing_key_error(ERROR_AUTHORITY_FAILED, "signing the revocation list", error);
		return NULL;
	}
	return steal_pointer(&crl);
}

static char *value_name(const struct authority *authority)
{
	return xasprintf("ca-crl/%s", authority->name);
}

static bool renew(struct authority *authority, struct error *error)
{
	X509_CRL *crl _cleanup_(X509_CRL_freep) = make_crl(authority, error);
	_cleanup_free_ char *name = value_name(authority);
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	if (!crl)
		return false;
	int length = i2d_X509_CRL(crl, NULL);
	unsigned char *room = length > 0 ? buffer_extend(&der, (size_t)length) : NULL;
	if (!room || i2d_X509_CRL(crl, &room) != length)
		return failed(error);
	return store_value_set(authority->services->store, name, der.data, der.length, error) &&
	       local_ca_publish(authority->services->publish_folder, authority->name, "crl",
		       "X509 CRL", &der, error);
}

bool local_ca_renew_crl(struct authority *authority, struct error *error)
{
	pthread_mutex_lock(&renewing);
	bool done = renew(authority, error);
	pthread_mutex_unlock(&renewing);
	return done || error_prefix(error, "revocation list of %s", authority->name);
}

/* Whether more than half of the time until the next update is left. */
static bool is_fresh(const struct buffer *der, int64_t crl_days)
{
	const unsigned char *position = der->data;
	X509_CRL *crl _cleanup_(X509_CRL_freep) = d2i_X509_CRL(NULL, &position, (long)der->length);
	time_t half = time(NULL) + (time_t)(crl_days * DAY_SECONDS / 2);

	ERR_clear_error();
	return crl && X509_cmp_time(X509_CRL_get0_nextUpdate(crl), &half) > 0;
}

bool local_ca_present_crl(struct authority *authority, struct buffer *der, struct error *error)
{
	struct local_ca *ca = authority->data;
	_cleanup_free_ char *name = value_name(authority);
	_cleanup_error_ struct error missing = ERROR_INIT;
	_cleanup_buffer_ struct buffer present = BUFFER_INIT;
	struct store *store = authority->services->store;

	if (!store_value_get(store, name, &present, &missing) && missing.code != ERROR_NOT_FOUND)
		return error_move(error, &missing);
	if (present.length == 0 || !is_fresh(&present, ca->settings.crl_days)) {
		buffer_clear(&present);
		if (!local_ca_renew_crl(authority, error) ||
			!store_value_get(store, name, &present, error))
			return false;
	}
	buffer_move(der, &present);
	return true;
}

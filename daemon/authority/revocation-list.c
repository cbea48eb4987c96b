/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a revocation list says of a certificate (RFC 5280, 5 and 6.3). */
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "authority/revocation-private.h"

DEFINE_CLEANUP(X509_STORE_CTX *, X509_STORE_CTX_free);

int64_t revocation_time(const ASN1_TIME *time)
{
	struct tm tm = {0};

	return time && ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

X509_STORE *revocation_trust(X509 *issuer)
{
	X509_STORE *store = X509_STORE_new();

	if (!store || X509_STORE_add_cert(store, issuer) != 1 ||
		X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) != 1)
		abort();
	return store;
}

X509_CRL *revocation_list_parse(const struct buffer *text, struct error *error)
{
	const unsigned char *position = text->data;
	X509_CRL *crl = d2i_X509_CRL(NULL, &position, (long)text->length);

	if (!crl) {
		BIO *bio = BIO_new_mem_buf(text->data, (int)text->length);
		crl = bio ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;
		BIO_free(bio);
	}
	ERR_clear_error();
	if (!crl)
		error_set(error, ERROR_AUTHORITY_FAILED, "what is there is no revocation list");
	return crl;
}

static bool check_times(const X509_CRL *crl, struct revocation_view *view, struct error *error)
{
	int64_t now = time(NULL);

	if (revocation_time(X509_CRL_get0_lastUpdate(crl)) > now + CLOCK_SECONDS)
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the revocation list is of the future: compare the clocks");
	view->next = revocation_time(X509_CRL_get0_nextUpdate(crl));
	return view->next == 0 || view->next > now - CLOCK_SECONDS ||
	       error_set(error, ERROR_AUTHORITY_FAILED,
		       "the revocation list is out of date: its authority has not renewed it");
}

/*
 * OpenSSL checks the signature, the issuer, and that the list is about such certificates; times are
 * checked apart, as the certificate itself may be over.
 */
static bool verify(X509_CRL *crl, X509 *issuer, X509 *certificate, struct error *error)
{
	X509_STORE *store _cleanup_(X509_STORE_freep) = revocation_trust(issuer);
	X509_STORE_CTX *context _cleanup_(X509_STORE_CTX_freep) = X509_STORE_CTX_new();

	if (!context || X509_STORE_add_crl(store, crl) != 1 ||
		X509_STORE_CTX_init(context, store, certificate, NULL) != 1)
		abort();
	X509_STORE_CTX_set_flags(context, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_NO_CHECK_TIME);
	X509_verify_cert(context);
	int result = X509_STORE_CTX_get_error(context);
	ERR_clear_error();
	return result == X509_V_OK || result == X509_V_ERR_CERT_REVOKED ||
	       error_set(error, ERROR_AUTHORITY_FAILED, "the revocation list cannot be used: %s",
		       X509_verify_cert_error_string(result));
}

static enum certificate_status status_of(X509_CRL *crl, X509 *certificate)
{
	X509_REVOKED *entry = NULL;

	/* 2: an entry that takes another one back (RFC 5280, 5.3.1, removeFromCRL). */
	if (X509_CRL_get0_by_cert(crl, &entry, certificate) != 1)
		return CERTIFICATE_VALID;
	ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
	bool is_hold = reason && ASN1_ENUMERATED_get(reason) == CRL_REASON_CERTIFICATE_HOLD;
	ASN1_ENUMERATED_free(reason);
	return is_hold ? CERTIFICATE_ON_HOLD : CERTIFICATE_REVOKED;
}

bool revocation_list_look(X509_CRL *crl, X509 *issuer, X509 *certificate,
	struct revocation_view *view, struct error *error)
{
	if (!verify(crl, issuer, certificate, error) || !check_times(crl, view, error))
		return false;
	view->status = status_of(crl, certificate);
	view->source = "CRL";
	view->is_published = true;
	return true;
}

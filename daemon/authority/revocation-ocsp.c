/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an OCSP responder says of a certificate (RFC 6960). */
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "authority/revocation-private.h"
#include "common/alloc.h"

DEFINE_CLEANUP(OCSP_RESPONSE *, OCSP_RESPONSE_free);
DEFINE_CLEANUP(OCSP_BASICRESP *, OCSP_BASICRESP_free);

struct revocation_question {
	OCSP_REQUEST *request;
	OCSP_CERTID *id; /* borrowed from the request */
};

void revocation_question_free(struct revocation_question *question)
{
	if (!question)
		return;
	OCSP_REQUEST_free(question->request);
	free(question);
}

static bool encode(const OCSP_REQUEST *request, struct buffer *der)
{
	int length = i2d_OCSP_REQUEST(request, NULL);
	unsigned char *room = length > 0 ? buffer_extend(der, (size_t)length) : NULL;

	return room && i2d_OCSP_REQUEST(request, &room) == length;
}

struct revocation_question *revocation_question_new(
	X509 *issuer, X509 *certificate, struct buffer *der, struct error *error)
{
	struct revocation_question *question _cleanup_(revocation_question_freep) =
		xnew(struct revocation_question);
	/* SHA-1 names the certificate here and secures nothing; responders know no other often
	 * (RFC 5019, 2.1.1). */
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), certificate, issuer);

	question->request = OCSP_REQUEST_new();
	if (!id || !question->request || !OCSP_request_add0_id(question->request, id)) {
		OCSP_CERTID_free(id);
		ERR_clear_error();
		error_set(error, ERROR_AUTHORITY_FAILED, "cannot make an OCSP request");
		return NULL;
	}
	question->id = id;
	if (OCSP_request_add1_nonce(question->request, NULL, -1) == 1 &&
		encode(question->request, der))
		return steal_pointer(&question);
	ERR_clear_error();
	error_set(error, ERROR_AUTHORITY_FAILED, "cannot make an OCSP request");
	return NULL;
}

static OCSP_BASICRESP *parse(const struct buffer *answer, struct error *error)
{
	const unsigned char *position = answer->data;
	OCSP_RESPONSE *response _cleanup_(OCSP_RESPONSE_freep) =
		d2i_OCSP_RESPONSE(NULL, &position, (long)answer->length);
	int status = response ? OCSP_response_status(response) : -1;
	OCSP_BASICRESP *basic = status == OCSP_RESPONSE_STATUS_SUCCESSFUL
					? OCSP_response_get1_basic(response)
					: NULL;

	ERR_clear_error();
	if (!basic && response && status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		error_set(error, ERROR_AUTHORITY_FAILED, "the OCSP responder says \"%s\"",
			OCSP_response_status_str(status));
	else if (!basic)
		error_set(error, ERROR_AUTHORITY_FAILED, "what answered is no OCSP responder");
	return basic;
}

/* Signed by the issuer, or by somebody whom it has named for that (RFC 6960, 4.2.2.2), and an
 * answer to this question where the responder knows nonces. */
static bool verify(const struct revocation_question *question, OCSP_BASICRESP *basic, X509 *issuer,
	struct error *error)
{
	X509_STORE *store _cleanup_(X509_STORE_freep) = revocation_trust(issuer);
	STACK_OF(X509) *issuers = sk_X509_new_null();

	if (!issuers || !sk_X509_push(issuers, issuer))
		abort();
	bool is_signed = OCSP_basic_verify(basic, issuers, store, 0) == 1;
	sk_X509_free(issuers);
	ERR_clear_error();
	if (!is_signed)
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the OCSP answer is not signed by the certificate's issuer");
	return OCSP_check_nonce(question->request, basic) != 0 ||
	       error_set(error, ERROR_AUTHORITY_FAILED, "the OCSP answer is to another question");
}

static bool take_status(int status, int reason, struct revocation_view *view, struct error *error)
{
	switch (status) {
	case V_OCSP_CERTSTATUS_GOOD:
		view->status = CERTIFICATE_VALID;
		return true;
	case V_OCSP_CERTSTATUS_REVOKED:
		view->status = reason == OCSP_REVOKED_STATUS_CERTIFICATEHOLD ? CERTIFICATE_ON_HOLD
									     : CERTIFICATE_REVOKED;
		return true;
	default:
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the OCSP responder does not know the certificate");
	}
}

bool revocation_question_look(const struct revocation_question *question,
	const struct buffer *answer, X509 *issuer, struct revocation_view *view,
	struct error *error)
{
	OCSP_BASICRESP *basic _cleanup_(OCSP_BASICRESP_freep) = parse(answer, error);
	ASN1_GENERALIZEDTIME *this_update, *next_update;
	int status, reason;

	if (!basic || !verify(question, basic, issuer, error))
		return false;
	bool found = OCSP_resp_find_status(basic, question->id, &status, &reason, NULL,
			     &this_update, &next_update) == 1;
	bool is_timely =
		found && OCSP_check_validity(this_update, next_update, CLOCK_SECONDS, -1) == 1;
	ERR_clear_error();
	if (!found)
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the OCSP answer is about another certificate");
	if (!is_timely)
		return error_set(error, ERROR_AUTHORITY_FAILED, "the OCSP answer is out of date");
	if (!take_status(status, reason, view, error))
		return false;
	view->next = revocation_time(next_update);
	view->source = "OCSP";
	view->is_published = true;
	return true;
}

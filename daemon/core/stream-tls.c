/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/stream-tls.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/alloc.h"

DEFINE_CLEANUP(SSL_CTX *, SSL_CTX_free);
DEFINE_CLEANUP(SSL *, SSL_free);
DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);

/* --- setting up --- */

static int no_password(char *buffer, int size, int writing, void *context)
{
	(void)buffer, (void)size, (void)writing, (void)context;
	return -1;
}

static bool set_certificate(SSL_CTX *context, const struct secret *pem)
{
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new_mem_buf(pem->data, (int)pem->length);
	X509 *x509 _cleanup_(X509_freep) = PEM_read_bio_X509(bio, NULL, no_password, NULL);
	X509 *further;

	if (!x509 || SSL_CTX_use_certificate(context, x509) != 1)
		return false;
	while ((further = PEM_read_bio_X509(bio, NULL, no_password, NULL)))
		SSL_CTX_add0_chain_cert(context, further);
	ERR_clear_error();
	return true;
}

static bool set_key(SSL_CTX *context, const struct stream_tls *tls)
{
	const struct secret *pem = tls->client_certificate;
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new_mem_buf(pem->data, (int)pem->length);
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = NULL;

	if (tls->client_key)
		return SSL_CTX_use_PrivateKey(context, tls->client_key) == 1;
	key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	return key && SSL_CTX_use_PrivateKey(context, key) == 1;
}

static bool set_trust(SSL_CTX *context, const struct stream_tls *tls)
{
	return tls->ca_file ? SSL_CTX_load_verify_file(context, tls->ca_file) == 1
			    : SSL_CTX_set_default_verify_paths(context) == 1;
}

/* An address has to be in the certificate as one (RFC 6125, B.2). */
static bool set_host(SSL *ssl, const char *host)
{
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);

	ERR_clear_error();
	if (address) {
		ASN1_OCTET_STRING_free(address);
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	}
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

SSL *stream_tls_new(const struct stream_tls *tls, const char *host, struct error *error)
{
	SSL_CTX *context _cleanup_(SSL_CTX_freep) = SSL_CTX_new(TLS_client_method());
	SSL *ssl _cleanup_(SSL_freep) = NULL;
	const char *problem = NULL;

	if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
		problem = "TLS cannot be used";
	else if (!set_trust(context, tls))
		problem = "the certificates of authorities cannot be read from its file";
	else if (tls->client_certificate &&
		 (!set_certificate(context, tls->client_certificate) || !set_key(context, tls)))
		problem = "the client certificate, or its key, cannot be used";
	if (!problem) {
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
		SSL_CTX_set_mode(context,
			SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
		ssl = SSL_new(context);
		if (!ssl || !set_host(ssl, host))
			problem = "the host's name cannot be looked for in certificates";
	}
	ERR_clear_error();
	if (!problem)
		return steal_pointer(&ssl);
	error_set(error, ERROR_NETWORK_FAILED, "%s%s%s", problem, tls->ca_file ? ": " : "",
		tls->ca_file ? tls->ca_file : "");
	return NULL;
}

/* --- explaining --- */

enum advice { ADVICE_DATE, ADVICE_AUTHORITY, ADVICE_NAME, ADVICE_NONE };

static const struct {
	long result; /* X509_V_ERR_ */
	enum advice advice;
} advices[] = {
	{X509_V_ERR_CERT_HAS_EXPIRED, ADVICE_DATE},
	{X509_V_ERR_CERT_NOT_YET_VALID, ADVICE_DATE},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, ADVICE_AUTHORITY},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, ADVICE_AUTHORITY},
	{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, ADVICE_AUTHORITY},
	{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, ADVICE_AUTHORITY},
	{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, ADVICE_AUTHORITY},
	{X509_V_ERR_CERT_SIGNATURE_FAILURE, ADVICE_AUTHORITY},
	{X509_V_ERR_HOSTNAME_MISMATCH, ADVICE_NAME},
	{X509_V_ERR_IP_ADDRESS_MISMATCH, ADVICE_NAME},
};

static enum advice advice_for(long result)
{
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		if (advices[i].result == result)
			return advices[i].advice;
	}
	return ADVICE_NONE;
}

bool stream_tls_explain(
	SSL *ssl, const struct stream_tls *tls, const char *host, struct error *error)
{
	long result = SSL_get_verify_result(ssl);
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	const char *words = X509_verify_cert_error_string(result);

	ERR_clear_error();
	if (result == X509_V_OK)
		return error_set(error, ERROR_NETWORK_FAILED, "TLS with %s fails: %s", host,
			reason ? reason : "it ends the connection");
	switch (advice_for(result)) {
	case ADVICE_DATE:
		return error_set(error, ERROR_NETWORK_FAILED,
			"the certificate of %s is not good now: %s (renew it there, or set the "
			"clock)",
			host, words);
	case ADVICE_AUTHORITY:
		return error_set(error, ERROR_NETWORK_FAILED,
			"the certificate of %s is of no authority that %s has: %s (see ca-file)",
			host, tls->ca_file ? tls->ca_file : "this system", words);
	case ADVICE_NAME:
		return error_set(error, ERROR_NETWORK_FAILED,
			"the certificate of %s is for another name: %s (use the name that it has)",
			host, words);
	default:
		return error_set(error, ERROR_NETWORK_FAILED,
			"the certificate of %s is not accepted: %s", host, words);
	}
}

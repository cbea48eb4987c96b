/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What proves tesserad to DigiCert ONE: an API key, or a client certificate and its key. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "authority/digicert-one-private.h"

#define API_KEY	    "api-key"
#define API_KEY_MAX 512 /* bytes */

DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(X509 *, X509_free);

/* It becomes a line of HTTP: visible characters alone. */
static bool check_api_key(const struct secret *secret, struct error *error)
{
	bool good = secret->length >= 1 && secret->length <= API_KEY_MAX;

	for (size_t i = 0; good && i < secret->length; i++)
		good = secret->data[i] > 0x20 && secret->data[i] < 0x7f;
	return good || error_set_field(error, ERROR_INVALID_ARGUMENT, "secret",
			       "an API key is 1 to %d visible ASCII characters without spaces",
			       API_KEY_MAX);
}

static int no_password(char *buffer, int size, int writing, void *context)
{
	(void)buffer, (void)size, (void)writing, (void)context;
	return -1;
}

static X509 *read_certificate(const struct secret *secret)
{
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new_mem_buf(secret->data, (int)secret->length);
	X509 *x509 = PEM_read_bio_X509(bio, NULL, no_password, NULL);

	ERR_clear_error();
	return x509;
}

/* needs_key: it has to hold the private key, too. */
static bool check_client_certificate(
	const struct secret *secret, bool needs_key, struct error *error)
{
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new_mem_buf(secret->data, (int)secret->length);
	X509 *x509 = read_certificate(secret);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	const char *problem = NULL;

	if (!x509)
		problem = "it holds no certificate in PEM";
	else if (needs_key && !key)
		problem = "it holds no private key in PEM without a password";
	else if (needs_key && X509_check_private_key(x509, key) != 1)
		problem = "the private key is not the certificate's";
	else if (!needs_key && key)
		problem = "it holds a private key, and the connection names another one by "
			  "client-key";
	X509_free(x509);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return !problem || error_set_field(error, ERROR_INVALID_ARGUMENT, "secret", "%s", problem);
}

bool digicert_one_check_secret(struct authority *authority, const char *name,
	const struct secret *secret, struct error *error)
{
	const struct digicert_one *one = authority->data;

	return strcmp(name, API_KEY) == 0
		       ? check_api_key(secret, error)
		       : check_client_certificate(secret, one->settings.client_key == NULL, error);
}

/* --- the key itself --- */

bool digicert_one_open_key(struct authority *authority, struct error *error)
{
	struct digicert_one *one = authority->data;
	const struct authority_services *services = authority->services;
	const char *uri = one->settings.client_key;

	if (!uri || one->key)
		return true;
	X509 *x509 _cleanup_(X509_freep) = read_certificate(&one->secret);
	if (!x509 || !services->open_key)
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the client certificate or its key cannot be used here");
	return services->open_key(services->secret_context, uri, X509_get0_pubkey(x509), &one->key,
		       &one->key_handle, error) ||
	       error_prefix(error, "the client certificate's key");
}

void digicert_one_close_key(struct authority *authority)
{
	struct digicert_one *one = authority->data;

	if (one->key_handle)
		authority->services->close_key(one->key_handle);
	one->key = NULL;
	one->key_handle = NULL;
}

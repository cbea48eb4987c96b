/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection/identity.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "connection/secret.h"

DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(X509 *, X509_free);

/* --- checking secrets --- */

/* It becomes a line of HTTP: visible characters alone. */
bool identity_check_visible(
	const struct secret *secret, const char *what, size_t maximum, struct error *error)
{
	bool good = secret->length >= 1 && secret->length <= maximum;

	for (size_t i = 0; good && i < secret->length; i++)
		good = secret->data[i] > 0x20 && secret->data[i] < 0x7f;
	return good ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, "secret",
		       "%s is 1 to %zu visible ASCII characters without spaces", what, maximum);
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

bool identity_check_certificate(const struct secret *secret, bool needs_key, struct error *error)
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

/* --- opening --- */

static bool open_key(struct identity *identity, const struct connection_services *services,
	const char *uri, struct error *error)
{
	if (!uri || identity->key)
		return true;
	X509 *x509 _cleanup_(X509_freep) = read_certificate(&identity->secret);
	if (!x509 || !services->open_key)
		return error_set(error, ERROR_INVALID_CONNECTION,
			"the client certificate or its key cannot be used here");
	return services->open_key(services->secret_context, uri, X509_get0_pubkey(x509),
		       &identity->key, &identity->handle, error) ||
	       error_prefix(error, "the client certificate's key");
}

bool identity_open(struct identity *identity, const struct connection_services *services,
	const char *connection, const char *secret_name, const char *key_uri, struct error *error)
{
	return (secret_is_set(&identity->secret) ||
		       connection_need_secret(
			       services, connection, secret_name, &identity->secret, error)) &&
	       open_key(identity, services, key_uri, error);
}

void identity_close(struct identity *identity, const struct connection_services *services)
{
	if (identity->handle)
		services->close_key(identity->handle);
	secret_clear(&identity->secret);
	*identity = (struct identity){0};
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/digicert-one.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "authority/digicert-one-private.h"
#include "common/alloc.h"

#define API_KEY		   "api-key"
#define CLIENT_CERTIFICATE "client-certificate"
#define API_KEY_MAX	   512 /* bytes */

DEFINE_CLEANUP(BIO *, BIO_free_all);

static bool check(const char *document, struct error *error)
{
	struct digicert_one_settings settings = {0};
	bool good = digicert_one_settings_parse(&settings, document, error);

	digicert_one_settings_clear(&settings);
	return good;
}

static const char *secret_at(size_t index)
{
	static const char *const names[] = {API_KEY, CLIENT_CERTIFICATE};

	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

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

static bool check_client_certificate(const struct secret *secret, struct error *error)
{
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new_mem_buf(secret->data, (int)secret->length);
	X509 *x509 = PEM_read_bio_X509(bio, NULL, no_password, NULL);

	(void)BIO_reset(bio);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	bool fits = x509 && key && X509_check_private_key(x509, key) == 1;
	const char *problem = !x509  ? "it holds no certificate in PEM"
			      : !key ? "it holds no private key in PEM without a password"
				     : "the private key is not the certificate's";
	X509_free(x509);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return fits || error_set_field(error, ERROR_INVALID_ARGUMENT, "secret", "%s", problem);
}

static bool check_secret(const char *name, const struct secret *secret, struct error *error)
{
	return strcmp(name, API_KEY) == 0 ? check_api_key(secret, error)
					  : check_client_certificate(secret, error);
}

static bool one_open(struct authority *authority, const char *document, struct error *error)
{
	struct digicert_one *one = xnew(struct digicert_one);

	authority->data = one;
	return digicert_one_settings_parse(&one->settings, document, error);
}

static void one_close(struct authority *authority)
{
	struct digicert_one *one = authority->data;

	if (!one)
		return;
	digicert_one_settings_clear(&one->settings);
	secret_clear(&one->secret);
	free(one);
	authority->data = NULL;
}

const struct authority_driver digicert_one_driver = {
	.kind = "digicert-one",
	.check = check,
	.secret_at = secret_at,
	.check_secret = check_secret,
	.open = one_open,
	.test = digicert_one_test,
	.profiles = digicert_one_profiles,
	.update = digicert_one_fetch,
	.enroll = digicert_one_enroll,
	.collect = digicert_one_collect,
	.renew = digicert_one_renew,
	.revoke = digicert_one_revoke,
	.suspend = digicert_one_suspend,
	.resume = digicert_one_resume,
	.status = digicert_one_status,
	.ca_certificate = digicert_one_ca_certificate,
	.close = one_close,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/local-ca.h"

#include <pthread.h>
#include <string.h>

#include <openssl/err.h>

#include "authority/local-ca-private.h"
#include "common/alloc.h"
#include "common/log.h"

static char *key_label(const struct authority *authority)
{
	return xasprintf("tessera ca %s", authority->name);
}

static char *certificate_name(const struct authority *authority)
{
	return xasprintf("ca-certificate/%s", authority->name);
}

static bool check(const char *document, struct error *error)
{
	struct local_ca_settings settings = {0};
	bool good = local_ca_settings_parse(&settings, document, error);

	local_ca_settings_clear(&settings);
	return good;
}

static void ca_close(struct authority *authority)
{
	struct local_ca *ca = authority->data;

	if (!ca)
		return;
	local_ca_settings_clear(&ca->settings);
	EVP_PKEY_free(ca->key);
	X509_free(ca->certificate);
	free(ca);
	authority->data = NULL;
}

static bool ca_open(struct authority *authority, const char *document, struct error *error)
{
	struct local_ca *ca = xnew(struct local_ca);

	authority->data = ca;
	return local_ca_settings_parse(&ca->settings, document, error);
}

static bool certificate_to_der(X509 *certificate, struct buffer *der, struct error *error)
{
	int length = i2d_X509(certificate, NULL);
	unsigned char *room = length > 0 ? buffer_extend(der, (size_t)length) : NULL;

	if (room && i2d_X509(certificate, &room) == length)
		return true;
	ERR_clear_error();
	return error_set(error, ERROR_AUTHORITY_FAILED, "cannot encode a certificate");
}

/* Compared as encodings: the key may be one that OpenSSL cannot look into. */
static bool certificate_fits_key(X509 *certificate, EVP_PKEY *key)
{
	unsigned char *one = NULL, *other = NULL;
	int one_length = i2d_PUBKEY(X509_get0_pubkey(certificate), &one);
	int other_length = i2d_PUBKEY(key, &other);
	bool same = one_length > 0 && one_length == other_length &&
		    memcmp(one, other, (size_t)one_length) == 0;

	OPENSSL_free(one);
	OPENSSL_free(other);
	ERR_clear_error();
	return same;
}

/* The CA's certificate in the store; *found is false when it was never made. */
static bool load_certificate(struct authority *authority, bool *found, struct error *error)
{
	struct local_ca *ca = authority->data;
	_cleanup_free_ char *name = certificate_name(authority);
	_cleanup_error_ struct error missing = ERROR_INIT;
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	*found = store_value_get(authority->services->store, name, &der, &missing);
	if (!*found)
		return missing.code == ERROR_NOT_FOUND || error_move(error, &missing);
	const unsigned char *position = der.data;
	ca->certificate = d2i_X509(NULL, &position, (long)der.length);
	ERR_clear_error();
	return ca->certificate || error_set(error, ERROR_AUTHORITY_FAILED,
					  "the stored certificate of the CA is damaged");
}

static bool check_token(const struct connection_services *services, struct error *error)
{
	return services->token ||
	       error_set(error, ERROR_LOCKED,
		       "the CA's key is locked: a system owner or custodian must log in");
}

static bool load_key(struct authority *authority, struct error *error)
{
	struct local_ca *ca = authority->data;
	_cleanup_free_ char *label = key_label(authority);

	if (!check_token(authority->services, error))
		return false;
	ca->key = token_signing_key(authority->services->token, label, error);
	if (!ca->key)
		return error_prefix(error, "the key of CA %s", authority->name);
	if (certificate_fits_key(ca->certificate, ca->key))
		return true;
	return error_set(error, ERROR_AUTHORITY_FAILED,
		"the key of CA %s in the token does not fit its certificate", authority->name);
}

/* Loads key and certificate unless that is done. */
static bool load(struct authority *authority, struct error *error)
{
	struct local_ca *ca = authority->data;
	bool found = false;

	if (ca->key)
		return true;
	if (!ca->certificate && !load_certificate(authority, &found, error))
		return false;
	if (!ca->certificate)
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"CA %s has no certificate yet: save its connection again", authority->name);
	return load_key(authority, error);
}

/* A key without a certificate is left of a first attempt that was cut off: it is used. */
static bool make_key(struct authority *authority, struct error *error)
{
	struct local_ca *ca = authority->data;
	struct token *token = authority->services->token;

	if (!check_token(authority->services, error))
		return false;
	_cleanup_free_ char *label = key_label(authority);
	bool found = false;

	if (!token_has_key(token, label, &found, error))
		return false;
	if (!found && !token_generate_pair(token, label, ca->settings.key_algorithm, error))
		return false;
	ca->key = token_signing_key(token, label, error);
	return ca->key != NULL;
}

static bool make(struct authority *authority, struct error *error)
{
	struct local_ca *ca = authority->data;
	_cleanup_free_ char *name = certificate_name(authority);
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	if (!make_key(authority, error))
		return error_prefix(error, "making CA %s", authority->name);
	ca->certificate = local_ca_make_own(ca, error);
	if (!ca->certificate || !certificate_to_der(ca->certificate, &der, error) ||
		!store_value_set(authority->services->store, name, der.data, der.length, error))
		return error_prefix(error, "making CA %s", authority->name);
	log_notice("certification authority made authority=%s", authority->name);
	return true;
}

static bool ca_certificate(struct authority *authority, struct buffer *der, struct error *error)
{
	struct local_ca *ca = authority->data;

	return load(authority, error) && certificate_to_der(ca->certificate, der, error);
}

static bool publish_certificate(struct authority *authority, struct error *error)
{
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	return ca_certificate(authority, &der, error) &&
	       local_ca_publish(authority->services->publish_folder, authority->name, "crt",
		       "CERTIFICATE", &der, error);
}

static bool load_or_make(struct authority *authority, struct error *error)
{
	struct local_ca *ca = authority->data;
	bool found = true;

	if (!ca->certificate && !load_certificate(authority, &found, error))
		return false;
	return found || make(authority, error);
}

/*
 * Also what publishing does: a connection that was saved, and whose certificate could not be made
 * since the disk was full or the daemon was killed, becomes whole at the next start.
 */
static bool prepare(struct authority *authority, struct error *error)
{
	/* A CA has one certificate, even if two threads find that it has none. */
	static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&making);
	bool made = load_or_make(authority, error);
	pthread_mutex_unlock(&making);
	return made && publish_certificate(authority, error) &&
	       local_ca_renew_crl(authority, error);
}

/* Signs with the CA's key and checks the signature. */
static bool try_key(struct local_ca *ca, struct error *error)
{
	static const uint8_t text[] = "tessera connection test";
	uint8_t signature[1024];
	size_t length = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_MD_CTX *verify = EVP_MD_CTX_new();
	EVP_PKEY *public_key = X509_get0_pubkey(ca->certificate);
	const EVP_MD *digest = local_ca_digest(ca->key);
	bool made = context && verify &&
		    EVP_DigestSignInit(context, NULL, digest, NULL, ca->key) == 1 &&
		    EVP_DigestSign(context, signature, &length, text, sizeof(text)) == 1;
	bool good = made && EVP_DigestVerifyInit(verify, NULL, digest, NULL, public_key) == 1 &&
		    EVP_DigestVerify(verify, signature, length, text, sizeof(text)) == 1;

	EVP_MD_CTX_free(context);
	EVP_MD_CTX_free(verify);
	if (!made)
		return signing_key_error(
			ERROR_AUTHORITY_FAILED, "signing with the CA's key", error);
	ERR_clear_error();
	return good || error_set(error, ERROR_AUTHORITY_FAILED, "the CA's key signs wrongly");
}

static bool describe(struct local_ca *ca, struct connection_steps *steps, struct error *error)
{
	_cleanup_certificate_ struct certificate shown = CERTIFICATE_INIT;
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;
	char until[32];

	if (!certificate_to_der(ca->certificate, &der, error) ||
		!certificate_from_der(&shown, der.data, der.length, error))
		return false;
	time_t end = (time_t)shown.not_after;
	struct tm tm;
	strftime(until, sizeof(until), "%Y-%m-%d", gmtime_r(&end, &tm));
	connection_step_passed(
		steps, "signature", "local CA %s signs, valid until %s", shown.subject, until);
	return true;
}

static bool test(struct authority *authority, struct connection_steps *steps)
{
	struct local_ca *ca = authority->data;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!load(authority, &error))
		return connection_step_failed(steps, "key", &error);
	if (!try_key(ca, &error) || !describe(ca, steps, &error))
		return connection_step_failed(steps, "signature", &error);
	connection_step_passed(steps, "profiles", "%zu profiles", ca->settings.profile_count);
	return true;
}

static bool profiles(
	struct authority *authority, struct authority_profiles *profiles, struct error *error)
{
	struct local_ca *ca = authority->data;

	(void)error;
	for (size_t i = 0; i < ca->settings.profile_count; i++) {
		const char *name = ca->settings.profiles[i].name;
		authority_profiles_add(profiles, name, name);
	}
	return true;
}

static bool enroll(struct authority *authority, const struct authority_request *request,
	struct certificate *certificate, enum enroll_outcome *outcome, struct error *error)
{
	struct local_ca *ca = authority->data;
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	if (!load(authority, error))
		return false;
	X509 *x509 _cleanup_(X509_freep) = local_ca_make_certificate(ca, request, error);
	if (!x509 || !certificate_to_der(x509, &der, error) ||
		!certificate_from_der(certificate, der.data, der.length, error))
		return false;
	certificate->status = CERTIFICATE_VALID;
	*outcome = ENROLL_ISSUED;
	return true;
}

static bool collect(struct authority *authority, struct certificate *certificate,
	enum enroll_outcome *outcome, struct error *error)
{
	(void)authority, (void)certificate, (void)outcome;
	return error_set(error, ERROR_NOT_SUPPORTED, "a local CA issues at once");
}

static bool revoke(struct authority *authority, const struct certificate *certificate,
	const struct revocation_reason *reason, struct error *error)
{
	(void)certificate, (void)reason; /* the store has them */
	return load(authority, error) && local_ca_renew_crl(authority, error);
}

static bool suspend(
	struct authority *authority, const struct certificate *certificate, struct error *error)
{
	(void)certificate;
	return load(authority, error) && local_ca_renew_crl(authority, error);
}

static bool resume(
	struct authority *authority, const struct certificate *certificate, struct error *error)
{
	(void)certificate;
	return load(authority, error) && local_ca_renew_crl(authority, error);
}

static bool crl(struct authority *authority, struct buffer *der, struct error *error)
{
	return load(authority, error) && local_ca_present_crl(authority, der, error);
}

const struct authority_driver local_ca_driver = {
	.kind = "local-ca",
	.tells_all = true,
	.check = check,
	.open = ca_open,
	.prepare = prepare,
	.test = test,
	.profiles = profiles,
	.enroll = enroll,
	.collect = collect,
	.revoke = revoke,
	.suspend = suspend,
	.resume = resume,
	.ca_certificate = ca_certificate,
	.crl = crl,
	.publish = prepare,
	.close = ca_close,
};

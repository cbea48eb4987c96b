/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The local CA's certificates: its own and those of cards. */
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "authority/local-ca-private.h"

#define DAY_SECONDS	 INT64_C(86400)
#define SKEW_SECONDS	 300 /* clocks of card users may be behind */
#define OWN_SKEW_SECONDS 3600
#define RSA_BITS_MIN	 2048
#define RSA_BITS_MAX	 8192

DEFINE_CLEANUP(BIGNUM *, BN_free);
DEFINE_CLEANUP(ASN1_TIME *, ASN1_TIME_free);

static bool failed(struct error *error, const char *what)
{
	ERR_clear_error();
	return error_set(error, ERROR_AUTHORITY_FAILED, "cannot make a certificate: %s", what);
}

static bool rejected(struct error *error, const char *why)
{
	ERR_clear_error();
	return error_set(error, ERROR_AUTHORITY_REJECTED, "the request is refused: %s", why);
}

const EVP_MD *local_ca_digest(const EVP_PKEY *key)
{
	bool large = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 256;

	return large ? EVP_sha384() : EVP_sha256();
}

/* 158 random bits below a set one: positive and at most 20 octets (RFC 5280, 4.1.2.2). */
static bool set_serial(X509 *certificate, struct error *error)
{
	BIGNUM *serial _cleanup_(BN_freep) = BN_new();

	if (serial && BN_rand(serial, 159, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
		BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)))
		return true;
	return failed(error, "no random serial number");
}

static X509_NAME *make_subject(const struct name_rule *rules, size_t count, struct error *error)
{
	X509_NAME *name _cleanup_(X509_NAME_freep) = X509_NAME_new();

	for (size_t i = 0; name && i < count; i++) {
		if (X509_NAME_add_entry_by_txt(name, rules[i].type, MBSTRING_UTF8,
			    (const unsigned char *)rules[i].pattern, -1, -1, 0) == 1)
			continue;
		ERR_clear_error();
		error_set_field(error, ERROR_AUTHORITY_REJECTED, rules[i].type,
			"the value does not fit a subject's %s", rules[i].type);
		return NULL;
	}
	if (!name)
		failed(error, "out of memory");
	return steal_pointer(&name);
}

static bool set_subject(
	X509 *certificate, const struct name_rule *rules, size_t count, struct error *error)
{
	X509_NAME *name _cleanup_(X509_NAME_freep) = make_subject(rules, count, error);

	if (!name)
		return false;
	return X509_set_subject_name(certificate, name) == 1 || failed(error, "its subject");
}

static bool set_validity(X509 *certificate, int64_t from, int64_t until, struct error *error)
{
	ASN1_TIME *start _cleanup_(ASN1_TIME_freep) = ASN1_TIME_set(NULL, (time_t)from);
	ASN1_TIME *end _cleanup_(ASN1_TIME_freep) = ASN1_TIME_set(NULL, (time_t)until);

	return (start && end && X509_set1_notBefore(certificate, start) == 1 &&
		       X509_set1_notAfter(certificate, end) == 1) ||
	       failed(error, "its validity");
}

/* Signs, and checks what the token gave. */
static bool sign(X509 *certificate, EVP_PKEY *key, X509 *issuer, struct error *error)
{
	if (X509_sign(certificate, key, local_ca_digest(key)) <= 0)
		return signing_key_error(ERROR_AUTHORITY_FAILED, "signing a certificate", error);
	if (X509_verify(certificate, X509_get0_pubkey(issuer)) == 1)
		return true;
	return failed(error, "the CA's signature is wrong");
}

X509 *local_ca_make_own(struct local_ca *ca, struct error *error)
{
	const struct local_ca_settings *settings = &ca->settings;
	X509 *certificate _cleanup_(X509_freep) = X509_new();
	int64_t now = time(NULL);

	if (!certificate || X509_set_version(certificate, X509_VERSION_3) != 1 ||
		X509_set_pubkey(certificate, ca->key) != 1) {
		failed(error, "its public key");
		return NULL;
	}
	if (!set_serial(certificate, error) ||
		!set_subject(certificate, settings->subject, settings->subject_count, error) ||
		!set_validity(certificate, now - OWN_SKEW_SECONDS,
			now + settings->validity_days * DAY_SECONDS, error))
		return NULL;
	if (X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) != 1) {
		failed(error, "its issuer");
		return NULL;
	}
	if (!local_ca_add_own_extensions(certificate, error) ||
		!sign(certificate, ca->key, certificate, error))
		return NULL;
	return steal_pointer(&certificate);
}

static bool curve_is_known(EVP_PKEY *key)
{
	static const char *const curves[] = {"prime256v1", "secp384r1", "secp521r1"};
	char name[64];

	if (EVP_PKEY_get_utf8_string_param(
		    key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name), NULL) != 1)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (strcmp(name, curves[i]) == 0)
			return true;
	return false;
}

static bool rsa_exponent_is_fit(EVP_PKEY *key)
{
	BIGNUM *exponent _cleanup_(BN_freep) = NULL;

	/* SP 800-56B, 6.2: odd and over 2^16. */
	return EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
	       BN_is_odd(exponent) && BN_num_bits(exponent) > 16 && BN_num_bits(exponent) <= 256;
}

static bool check_key(EVP_PKEY *key, struct error *error)
{
	int bits = EVP_PKEY_get_bits(key);

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
			return rejected(error, "an RSA key has 2048 to 8192 bits");
		return rsa_exponent_is_fit(key) ||
		       rejected(error, "the RSA key's public exponent is not fit");
	case EVP_PKEY_EC:
		return curve_is_known(key) ||
		       rejected(error, "an EC key is on P-256, P-384 or P-521");
	default:
		return rejected(error, "a key is RSA or EC");
	}
}

/* The requester has shown that it holds the private key (RFC 2986, section 3). */
static EVP_PKEY *checked_public_key(X509_REQ *request, struct error *error)
{
	EVP_PKEY *key = X509_REQ_get0_pubkey(request);

	if (!key) {
		rejected(error, "its public key cannot be read");
		return NULL;
	}
	if (!check_key(key, error))
		return NULL;
	if (X509_REQ_verify(request, key) != 1) {
		rejected(error, "its signature does not fit its key");
		return NULL;
	}
	return key;
}

/* What the profile allows and the key can do (RFC 3279, 2.3.1; RFC 8813). */
static unsigned usage_of_key(unsigned usage, const EVP_PKEY *key)
{
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
		return usage & ~(unsigned)KU_KEY_AGREEMENT;
	return usage & ~(unsigned)(KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT);
}

static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm tm = {0};

	return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* Never outside the CA's own validity, nor beyond `end` (0: none). */
static bool set_card_validity(
	X509 *certificate, X509 *issuer, int64_t days, int64_t end, struct error *error)
{
	int64_t now = time(NULL);
	int64_t from = now - SKEW_SECONDS, until = now + days * DAY_SECONDS;
	int64_t first = seconds_of(X509_get0_notBefore(issuer));
	int64_t last = seconds_of(X509_get0_notAfter(issuer));

	if (now < first || now >= last)
		return failed(error, "the CA's own certificate is not valid at this time");
	if (end && end <= now)
		return failed(error, "it would end before it begins");
	if (end && end < until)
		until = end;
	return set_validity(
		certificate, from < first ? first : from, until > last ? last : until, error);
}

static X509 *certificate_start(EVP_PKEY *key, X509 *issuer, struct error *error)
{
	X509 *certificate _cleanup_(X509_freep) = X509_new();

	if (certificate && X509_set_version(certificate, X509_VERSION_3) == 1 &&
		X509_set_pubkey(certificate, key) == 1 &&
		X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1)
		return steal_pointer(&certificate);
	failed(error, "its public key");
	return NULL;
}

X509 *local_ca_make_certificate(
	struct local_ca *ca, const struct authority_request *request, struct error *error)
{
	const struct local_ca_profile *profile =
		local_ca_profile_find(&ca->settings, request->profile);
	X509 *certificate _cleanup_(X509_freep) = NULL;

	if (!profile) {
		error_set_field(error, ERROR_AUTHORITY_REJECTED, "profile",
			"the authority has no profile \"%s\"", request->profile);
		return NULL;
	}
	EVP_PKEY *key = checked_public_key(request->request, error);
	if (!key)
		return NULL;
	struct local_ca_extensions extensions = {
		.key_usage = usage_of_key(profile->key_usage, key),
		.extended_key_usage = profile->extended_key_usage,
		.san = request->san,
		.san_count = request->san_count,
		.subject_is_empty = request->subject_count == 0,
		.crl_url = ca->settings.crl_url,
	};
	if (extensions.key_usage == 0 || (request->subject_count == 0 && request->san_count == 0)) {
		rejected(error, "the profile's key usages do not fit the key, or it names nobody");
		return NULL;
	}
	certificate = certificate_start(key, ca->certificate, error);
	if (!certificate || !set_serial(certificate, error) ||
		!set_subject(certificate, request->subject, request->subject_count, error) ||
		!set_card_validity(certificate, ca->certificate, profile->validity_days,
			request->not_after, error) ||
		!local_ca_add_extensions(certificate, ca->certificate, &extensions, error) ||
		!sign(certificate, ca->key, ca->certificate, error))
		return NULL;
	return steal_pointer(&certificate);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/ms-cs-agent.h"

#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "authority/ms-cs-check.h"
#include "core/signing-key.h"

#define NAME_VALUE_OID "1.3.6.1.4.1.311.13.2.1" /* szOID_ENROLLMENT_NAME_VALUE_PAIR */
#define REQUESTER      "requestername"
#define CHAIN_MAX      8 /* certificates besides the agent's */

DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(CMS_ContentInfo *, CMS_ContentInfo_free);
DEFINE_CLEANUP(ASN1_OBJECT *, ASN1_OBJECT_free);

/* MS-WCCE 2.2.2.7.10, as it is sent: SEQUENCE of two BMPStrings. */
struct name_value {
	ASN1_BMPSTRING *name, *value;
};
/* OpenSSL's templates want names that are one word. */
typedef struct name_value NAME_VALUE;
ASN1_SEQUENCE(NAME_VALUE) = {ASN1_SIMPLE(NAME_VALUE, name, ASN1_BMPSTRING),
	ASN1_SIMPLE(NAME_VALUE, value, ASN1_BMPSTRING)} static_ASN1_SEQUENCE_END(NAME_VALUE)
	IMPLEMENT_STATIC_ASN1_ALLOC_FUNCTIONS(NAME_VALUE)

		DEFINE_CLEANUP(NAME_VALUE *, NAME_VALUE_free);

/* --- the message --- */

static bool set_bmp(ASN1_BMPSTRING **string, const char *text)
{
	return ASN1_mbstring_copy(string, (const unsigned char *)text, -1, MBSTRING_UTF8,
		       B_ASN1_BMPSTRING) == V_ASN1_BMPSTRING;
}

static bool add_requester(CMS_SignerInfo *signer, const char *requester, struct error *error)
{
	NAME_VALUE *pair _cleanup_(NAME_VALUE_freep) = NAME_VALUE_new();
	ASN1_OBJECT *type _cleanup_(ASN1_OBJECT_freep) = OBJ_txt2obj(NAME_VALUE_OID, 1);
	unsigned char *der = NULL;

	if (!pair || !type || !set_bmp(&pair->name, REQUESTER))
		return signing_key_error(
			ERROR_AUTHORITY_FAILED, "enrollment agent's message", error);
	if (!set_bmp(&pair->value, requester)) {
		ERR_clear_error();
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"\"%s\" has characters that no account name can have", requester);
	}
	int length = ASN1_item_i2d((ASN1_VALUE *)pair, &der, ASN1_ITEM_rptr(NAME_VALUE));
	bool added = length > 0 &&
		     CMS_signed_add1_attr_by_OBJ(signer, type, V_ASN1_SEQUENCE, der, length) == 1;
	OPENSSL_free(der);
	return added ||
	       signing_key_error(ERROR_AUTHORITY_FAILED, "enrollment agent's message", error);
}

static bool add_chain(CMS_ContentInfo *cms, STACK_OF(X509) * chain)
{
	for (int i = 0; chain && i < sk_X509_num(chain); i++) {
		if (CMS_add1_cert(cms, sk_X509_value(chain, i)) != 1)
			return false;
	}
	return true;
}

/* As a card's requests are: SHA-384 for keys that are worth it. */
static const EVP_MD *digest_for(EVP_PKEY *key)
{
	bool is_long = EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) > 256;

	return is_long ? EVP_sha384() : EVP_sha256();
}

static bool put_message(CMS_ContentInfo *cms, struct buffer *buffer)
{
	int length = i2d_CMS_ContentInfo(cms, NULL);
	unsigned char *room = length > 0 ? buffer_extend(buffer, (size_t)length) : NULL;

	return room && i2d_CMS_ContentInfo(cms, &room) == length;
}

bool ms_cs_agent_wrap(X509_REQ *request, X509 *certificate, STACK_OF(X509) * chain, EVP_PKEY *key,
	const char *requester, struct buffer *cms, struct error *error)
{
	static const unsigned flags = CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP;
	BIO *content _cleanup_(BIO_free_allp) = BIO_new(BIO_s_mem());
	CMS_ContentInfo *message _cleanup_(CMS_ContentInfo_freep) =
		CMS_sign(NULL, NULL, NULL, NULL, flags);
	CMS_SignerInfo *signer =
		message ? CMS_add1_signer(message, certificate, key, digest_for(key), flags) : NULL;

	if (!content || !signer || i2d_X509_REQ_bio(content, request) != 1)
		return signing_key_error(
			ERROR_AUTHORITY_FAILED, "enrollment agent's message", error);
	if (!add_requester(signer, requester, error))
		return false;
	return (add_chain(message, chain) && CMS_final(message, content, NULL, flags) == 1 &&
		       put_message(message, cms)) ||
	       signing_key_error(ERROR_AUTHORITY_FAILED, "enrollment agent's signature", error);
}

/* --- the certificate --- */

bool ms_cs_agent_check(X509 *certificate, EVP_PKEY *key, struct error *error)
{
	const char *problem = NULL;

	if (X509_cmp_current_time(X509_get0_notBefore(certificate)) >= 0)
		problem = "is not valid yet";
	else if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
		problem = "has expired: enroll the agent again, and set the secret "
			  "\"" MS_CS_AGENT_SECRET "\"";
	else if (!ms_cs_has_purpose(certificate, MS_CS_PURPOSE_AGENT))
		problem = "lacks the purpose Certificate Request Agent (" MS_CS_PURPOSE_AGENT
			  "): it takes a certificate of the template Enrollment Agent";
	else if (!(X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE))
		problem = "is for no signatures (key usage)";
	else if (EVP_PKEY_eq(X509_get0_pubkey(certificate), key) != 1)
		problem = "is for another key";
	ERR_clear_error();
	return !problem || error_set(error, ERROR_AUTHORITY_FAILED,
				   "the enrollment agent's certificate %s", problem);
}

/* --- the secret --- */

static int no_password(char *buffer, int size, int writing, void *context)
{
	(void)buffer, (void)size, (void)writing, (void)context;
	return -1;
}

static EVP_PKEY *read_key(const struct secret *secret)
{
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new_mem_buf(secret->data, (int)secret->length);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

	ERR_clear_error();
	return key;
}

/* The first certificate is the agent's. */
static bool read_certificates(const struct secret *secret, struct ms_cs_agent *agent)
{
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new_mem_buf(secret->data, (int)secret->length);
	X509 *next;

	agent->certificate = bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
	agent->chain = sk_X509_new_null();
	while (agent->certificate && agent->chain && sk_X509_num(agent->chain) <= CHAIN_MAX &&
		(next = PEM_read_bio_X509(bio, NULL, no_password, NULL))) {
		if (sk_X509_push(agent->chain, next) == 0)
			X509_free(next);
	}
	ERR_clear_error();
	return agent->certificate && agent->chain && sk_X509_num(agent->chain) <= CHAIN_MAX;
}

static void clear(struct ms_cs_agent *agent)
{
	X509_free(agent->certificate);
	sk_X509_pop_free(agent->chain, X509_free);
	*agent = (struct ms_cs_agent){0};
}

bool ms_cs_agent_check_secret(const struct ms_cs_agent_settings *settings,
	const struct secret *secret, struct error *error)
{
	struct ms_cs_agent agent _cleanup_(clear) = {0};
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = read_key(secret);
	_cleanup_error_ struct error failure = ERROR_INIT;
	const char *problem = NULL;

	if (!read_certificates(secret, &agent))
		problem = "it holds no certificate in PEM, or too many";
	else if (!settings->key && !key)
		problem = "it holds no private key in PEM without a password";
	else if (settings->key && key)
		problem = "it holds a private key, and the connection names another one by "
			  "enrollment-agent";
	else if (!ms_cs_agent_check(agent.certificate,
			 key ? key : X509_get0_pubkey(agent.certificate), &failure))
		problem = error_message(&failure);
	return !problem || error_set_field(error, ERROR_INVALID_ARGUMENT, "secret", "%s", problem);
}

/* --- opening it --- */

static bool open_key(struct authority *authority, const struct ms_cs_agent_settings *settings,
	const struct secret *secret, struct ms_cs_agent *agent, struct error *error)
{
	const struct connection_services *services = authority->services;

	if (!settings->key) {
		agent->key = read_key(secret);
		return agent->key || error_set(error, ERROR_AUTHORITY_FAILED,
					     "the secret \"" MS_CS_AGENT_SECRET "\" holds no key");
	}
	if (!services->open_key)
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the enrollment agent's key cannot be used here");
	return services->open_key(services->secret_context, settings->key,
		       X509_get0_pubkey(agent->certificate), &agent->key, &agent->key_handle,
		       error) ||
	       error_prefix(error, "the enrollment agent's key");
}

static bool open_secret(struct authority *authority, struct secret *secret, struct error *error)
{
	const struct connection_services *services = authority->services;

	if (!services->open_secret)
		return error_set(error, ERROR_AUTHORITY_FAILED, "no secrets can be opened here");
	if (services->open_secret(
		    services->secret_context, authority->name, MS_CS_AGENT_SECRET, secret, error))
		return true;
	if (!error || error->code != ERROR_NOT_FOUND)
		return false;
	return error_set(error, ERROR_AUTHORITY_FAILED,
		"there is no enrollment agent: set its certificate with tessera connection secret "
		"%s " MS_CS_AGENT_SECRET " FILE",
		authority->name);
}

bool ms_cs_agent_open(struct authority *authority, const struct ms_cs_agent_settings *settings,
	struct ms_cs_agent *agent, struct error *error)
{
	struct secret secret _cleanup_secret_ = SECRET_INIT;
	_cleanup_error_ struct error failure = ERROR_INIT;

	if (!open_secret(authority, &secret, &failure))
		return error_move(error, &failure);
	if (!read_certificates(&secret, agent))
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the secret \"" MS_CS_AGENT_SECRET "\" holds no certificate");
	return open_key(authority, settings, &secret, agent, error) &&
	       ms_cs_agent_check(agent->certificate, agent->key, error);
}

void ms_cs_agent_close(struct authority *authority, struct ms_cs_agent *agent)
{
	if (agent->key_handle)
		authority->services->close_key(agent->key_handle);
	else
		EVP_PKEY_free(agent->key);
	clear(agent);
}

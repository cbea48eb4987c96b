/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "authority/ms-cs-agent.h"
#include "authority/ms-cs-check.h"
#include "common/alloc.h"
#include "core/signing-key.h"
#include "lib/scratch.h"
#include "unit/authority/ms-cs-fixture.h"

#define AGENT_PURPOSE "1.3.6.1.4.1.311.20.2.1"

static EVP_PKEY *rsa_key, *ec_key;

static int set_up(void **state)
{
	(void)state;
	rsa_key = EVP_RSA_gen(2048);
	ec_key = EVP_EC_gen("P-384");
	return rsa_key && ec_key ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa_key);
	EVP_PKEY_free(ec_key);
	return 0;
}

static X509 *agent_for(EVP_PKEY *key)
{
	return ms_cs_sample_new(
		&(struct ms_cs_sample){.purposes = AGENT_PURPOSE, .key_usage = "digitalSignature"},
		key);
}

static X509_REQ *request_new(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *request = X509_REQ_new();

	assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
	assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
	EVP_PKEY_free(key);
	return request;
}

static void wrap(EVP_PKEY *key, STACK_OF(X509) * chain, const char *requester, X509_REQ *request,
	struct buffer *cms)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	X509 *agent = agent_for(key);

	const struct ms_cs_agent whole = {.certificate = agent, .chain = chain, .key = key};
	if (!ms_cs_agent_wrap(request, &whole, requester, cms, &error))
		fail_msg("%s", error_message(&error));
	X509_free(agent);
}

/* --- the message as others see it --- */

static void write_file(const char *folder, const char *name, const void *data, size_t length)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static size_t read_file(const char *folder, const char *name, char *data, size_t maximum)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	size_t length = fread(data, 1, maximum, file);
	fclose(file);
	return length;
}

static void run(const char *folder, const char *command)
{
	_cleanup_free_ char *line = xasprintf("cd '%s' && %s", folder, command);

	assert_int_equal(system(line), 0);
}

/* What `openssl cms -verify` says of it: the signature, and the request inside unchanged. */
static void check_with_openssl(EVP_PKEY *key)
{
	_cleanup_buffer_ struct buffer cms = BUFFER_INIT;
	X509_REQ *request = request_new();
	char *folder = scratch_new();
	unsigned char *der = NULL;
	char inside[4096];

	wrap(key, NULL, "LAB\\ada", request, &cms);
	write_file(folder, "cms", cms.data, cms.length);
	run(folder, "openssl cms -verify -noverify -inform DER -in cms -binary -out inside 2>said");
	size_t length = read_file(folder, "inside", inside, sizeof(inside));
	assert_int_equal(i2d_X509_REQ(request, &der), length);
	assert_memory_equal(der, inside, length);
	run(folder, "openssl req -verify -inform DER -in inside -noout 2>said");
	OPENSSL_free(der);
	X509_REQ_free(request);
	scratch_free(folder);
}

static void openssl_verifies_what_an_agent_signs(void **state)
{
	(void)state;
	check_with_openssl(rsa_key);
	check_with_openssl(ec_key);
}

static CMS_ContentInfo *parse(const struct buffer *cms)
{
	const unsigned char *position = cms->data;
	CMS_ContentInfo *message = d2i_CMS_ContentInfo(NULL, &position, (long)cms->length);

	assert_non_null(message);
	assert_ptr_equal(position, cms->data + cms->length);
	return message;
}

static CMS_SignerInfo *signer_of(CMS_ContentInfo *message)
{
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(message);

	assert_int_equal(sk_CMS_SignerInfo_num(signers), 1);
	return sk_CMS_SignerInfo_value(signers, 0);
}

/* The DER of the one value of the requester's attribute. */
static void assert_requester(CMS_SignerInfo *signer, const unsigned char *der, size_t length)
{
	ASN1_OBJECT *type = OBJ_txt2obj("1.3.6.1.4.1.311.13.2.1", 1);
	int index = CMS_signed_get_attr_by_OBJ(signer, type, -1);

	assert_true(index >= 0);
	assert_int_equal(CMS_signed_get_attr_by_OBJ(signer, type, index), -1);
	X509_ATTRIBUTE *attribute = CMS_signed_get_attr(signer, index);
	assert_int_equal(X509_ATTRIBUTE_count(attribute), 1);
	ASN1_STRING *value = X509_ATTRIBUTE_get0_data(attribute, 0, V_ASN1_SEQUENCE, NULL);
	assert_int_equal(ASN1_STRING_length(value), length);
	assert_memory_equal(ASN1_STRING_get0_data(value), der, length);
	ASN1_OBJECT_free(type);
}

static void the_requester_is_a_signed_attribute(void **state)
{
	/* SEQUENCE { BMPString "requestername", BMPString "L\a" } */
	static const unsigned char der[] = {0x30, 0x24, 0x1e, 0x1a, 0, 'r', 0, 'e', 0, 'q', 0, 'u',
		0, 'e', 0, 's', 0, 't', 0, 'e', 0, 'r', 0, 'n', 0, 'a', 0, 'm', 0, 'e', 0x1e, 0x06,
		0, 'L', 0, '\\', 0x04, 0x30};
	_cleanup_buffer_ struct buffer cms = BUFFER_INIT;
	X509_REQ *request = request_new();

	(void)state;
	/* U+0430, a Cyrillic letter */
	wrap(rsa_key, NULL, "L\\\xd0\xb0", request, &cms);
	CMS_ContentInfo *message = parse(&cms);
	assert_int_equal(OBJ_obj2nid(CMS_get0_type(message)), NID_pkcs7_signed);
	assert_int_equal(OBJ_obj2nid(CMS_get0_eContentType(message)), NID_pkcs7_data);
	CMS_SignerInfo *signer = signer_of(message);
	assert_requester(signer, der, sizeof(der));
	assert_true(CMS_signed_get_attr_by_NID(signer, NID_pkcs9_contentType, -1) >= 0);
	assert_true(CMS_signed_get_attr_by_NID(signer, NID_pkcs9_messageDigest, -1) >= 0);
	CMS_ContentInfo_free(message);
	X509_REQ_free(request);
}

static void the_chain_goes_with_the_agents_certificate(void **state)
{
	_cleanup_buffer_ struct buffer cms = BUFFER_INIT;
	X509_REQ *request = request_new();
	STACK_OF(X509) *chain = sk_X509_new_null();

	(void)state;
	sk_X509_push(chain, agent_for(ec_key));
	wrap(rsa_key, chain, "LAB\\ada", request, &cms);
	CMS_ContentInfo *message = parse(&cms);
	STACK_OF(X509) *certificates = CMS_get1_certs(message);
	assert_int_equal(sk_X509_num(certificates), 2);
	sk_X509_pop_free(certificates, X509_free);
	sk_X509_pop_free(chain, X509_free);
	CMS_ContentInfo_free(message);
	X509_REQ_free(request);
}

static void a_name_outside_of_the_basic_plane_is_refused(void **state)
{
	_cleanup_buffer_ struct buffer cms = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	X509_REQ *request = request_new();
	X509 *agent = agent_for(rsa_key);

	(void)state;
	const struct ms_cs_agent whole = {.certificate = agent, .key = rsa_key};
	assert_false(ms_cs_agent_wrap(request, &whole, "LAB\\\xf0\x9f\x98\x80", &cms, &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	assert_int_equal(cms.length, 0);
	X509_free(agent);
	X509_REQ_free(request);
}

/* --- a key that signs elsewhere --- */

struct elsewhere {
	bool is_broken;
	unsigned count;
};

static bool sign_elsewhere(void *context, const uint8_t *input, size_t length,
	struct buffer *output, struct error *error)
{
	struct elsewhere *elsewhere = context;
	size_t size = (size_t)EVP_PKEY_get_size(rsa_key);
	EVP_PKEY_CTX *raw = EVP_PKEY_CTX_new(rsa_key, NULL);

	elsewhere->count++;
	if (elsewhere->is_broken) {
		EVP_PKEY_CTX_free(raw);
		return error_set(error, ERROR_TOKEN_FAILED, "the slot is not ready");
	}
	bool done = EVP_PKEY_sign_init(raw) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(raw, RSA_NO_PADDING) == 1 &&
		    EVP_PKEY_sign(raw, buffer_extend(output, size), &size, input, length) == 1;
	EVP_PKEY_CTX_free(raw);
	return done;
}

static void a_key_in_a_slot_signs(void **state)
{
	struct elsewhere elsewhere = {0};
	EVP_PKEY *key = signing_key_new(rsa_key, sign_elsewhere, &elsewhere, NULL);
	_cleanup_buffer_ struct buffer cms = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	X509_REQ *request = request_new();
	X509 *agent = agent_for(rsa_key);
	BIO *content = BIO_new(BIO_s_mem());
	const struct ms_cs_agent whole = {.certificate = agent, .key = key};

	(void)state;
	assert_true(ms_cs_agent_check(agent, key, NULL));
	assert_true(ms_cs_agent_wrap(request, &whole, "LAB\\ada", &cms, NULL));
	assert_int_equal(elsewhere.count, 1);
	CMS_ContentInfo *message = parse(&cms);
	assert_int_equal(CMS_verify(message, NULL, NULL, NULL, content,
				 CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
		1);
	elsewhere.is_broken = true;
	buffer_clear(&cms);
	assert_false(ms_cs_agent_wrap(request, &whole, "LAB\\ada", &cms, &error));
	assert_int_equal(error.code, ERROR_TOKEN_FAILED);
	assert_int_equal(cms.length, 0);
	BIO_free(content);
	CMS_ContentInfo_free(message);
	EVP_PKEY_free(key);
	X509_free(agent);
	X509_REQ_free(request);
}

/* --- a key on an operator's card --- */

struct operator_fixture {
	EVP_PKEY *key;
	X509 *certificate;
	struct buffer content; /* that was signed */
	char *words;
	bool refuses;
};

static X509 *give_certificate(void *context, const char *purpose, struct error *error)
{
	struct operator_fixture *fixture = context;

	(void)error;
	assert_string_equal(purpose, "1.3.6.1.4.1.311.20.2.1");
	X509_up_ref(fixture->certificate);
	return fixture->certificate;
}

/* As the card would: r || s, or the block. */
static bool put_raw(EVP_PKEY *key, const uint8_t *der, size_t length, struct buffer *signature)
{
	if (!EVP_PKEY_is_a(key, "EC")) {
		buffer_append(signature, der, length);
		return true;
	}
	const unsigned char *position = der;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &position, (long)length);
	int size = (EVP_PKEY_get_bits(key) + 7) / 8;
	assert_non_null(pair);
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), buffer_extend(signature, (size_t)size), size);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), buffer_extend(signature, (size_t)size), size);
	ECDSA_SIG_free(pair);
	return true;
}

static bool sign_by_card(void *context, const struct buffer *content, const char *words,
	struct buffer *signature, struct error *error)
{
	struct operator_fixture *fixture = context;
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	uint8_t der[1024];
	size_t length = sizeof(der);

	if (fixture->refuses) {
		EVP_MD_CTX_free(digest);
		return error_set(error, ERROR_CANCELLED, "not by me");
	}
	buffer_append(&fixture->content, content->data, content->length);
	fixture->words = xstrdup(words);
	bool is_long = EVP_PKEY_is_a(fixture->key, "EC");
	assert_int_equal(EVP_DigestSignInit(digest, NULL, is_long ? EVP_sha384() : EVP_sha256(),
				 NULL, fixture->key),
		1);
	assert_int_equal(EVP_DigestSign(digest, der, &length, content->data, content->length), 1);
	EVP_MD_CTX_free(digest);
	return put_raw(fixture->key, der, length, signature);
}

static void check_card_of(EVP_PKEY *key)
{
	struct operator_fixture fixture = {.key = key, .certificate = agent_for(key)};
	const struct authority_operator operator= {
		.certificate = give_certificate, .sign = sign_by_card, .context = &fixture};
	const struct ms_cs_agent_settings settings = {.is_operator = true};
	struct ms_cs_agent agent = {0};
	struct authority authority = {0};
	_cleanup_buffer_ struct buffer cms = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	X509_REQ *request = request_new();

	assert_true(ms_cs_agent_open(&authority, &settings, &operator, & agent, NULL));
	assert_true(ms_cs_agent_wrap(request, &agent, "LAB\\ada", &cms, NULL));
	assert_string_equal(fixture.words, "a request for a certificate on behalf of LAB\\ada");
	CMS_ContentInfo *message = parse(&cms);
	assert_int_equal(
		CMS_verify(message, NULL, NULL, NULL, NULL, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY),
		1);
	CMS_ContentInfo_free(message);
	/* The very bytes that were signed are in the message, under another tag (RFC 5652, 5.4). */
	assert_int_equal(fixture.content.data[0], 0x31);
	assert_non_null(
		memmem(cms.data, cms.length, fixture.content.data + 1, fixture.content.length - 1));
	fixture.refuses = true;
	buffer_clear(&cms);
	assert_false(ms_cs_agent_wrap(request, &agent, "LAB\\ada", &cms, &error));
	assert_int_equal(error.code, ERROR_CANCELLED);
	assert_int_equal(cms.length, 0);
	ms_cs_agent_close(&authority, &agent);
	X509_free(fixture.certificate);
	X509_REQ_free(request);
	buffer_clear(&fixture.content);
	free(fixture.words);
}

static void an_operators_card_signs_what_it_is_shown(void **state)
{
	const struct ms_cs_agent_settings settings = {.is_operator = true};
	struct ms_cs_agent agent = {0};
	struct authority authority = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	check_card_of(rsa_key);
	check_card_of(ec_key);
	assert_false(ms_cs_agent_open(&authority, &settings, NULL, &agent, &error));
	assert_non_null(strstr(error_message(&error), "an operator has to do this"));
	ms_cs_agent_close(&authority, &agent);
}

/* --- agents that may not --- */

static void assert_no_agent(const struct ms_cs_sample *sample, EVP_PKEY *key, const char *words)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	X509 *certificate = ms_cs_sample_new(sample, rsa_key);

	assert_false(ms_cs_agent_check(certificate, key, &error));
	assert_int_equal(error.code, ERROR_AUTHORITY_FAILED);
	if (!strstr(error.message, words))
		fail_msg("\"%s\" is not in: %s", words, error.message);
	X509_free(certificate);
}

static void an_agent_has_to_be_one(void **state)
{
	(void)state;
	assert_no_agent(&(struct ms_cs_sample){.purposes = "clientAuth"}, rsa_key,
		"Certificate Request Agent");
	assert_no_agent(&(struct ms_cs_sample){.purposes = "anyExtendedKeyUsage"}, rsa_key,
		"Certificate Request Agent");
	assert_no_agent(&(struct ms_cs_sample){0}, rsa_key, "Certificate Request Agent");
	assert_no_agent(
		&(struct ms_cs_sample){.purposes = AGENT_PURPOSE, .begins = -7200, .ends = -3600},
		rsa_key, "has expired");
	assert_no_agent(
		&(struct ms_cs_sample){.purposes = AGENT_PURPOSE, .begins = 3600, .ends = 7200},
		rsa_key, "not valid yet");
	assert_no_agent(
		&(struct ms_cs_sample){.purposes = AGENT_PURPOSE, .key_usage = "keyEncipherment"},
		rsa_key, "key usage");
	assert_no_agent(
		&(struct ms_cs_sample){.purposes = AGENT_PURPOSE}, ec_key, "for another key");
}

/* --- the secret --- */

static void put_pem(struct secret *secret, X509 *certificate, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;

	if (key)
		assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	if (certificate)
		assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
	long length = BIO_get_mem_data(bio, &text);
	assert_true(secret_set(secret, text, (size_t)length));
	BIO_free(bio);
	X509_free(certificate);
}

static void assert_secret(X509 *certificate, EVP_PKEY *key, const char *uri, const char *words)
{
	const struct ms_cs_agent_settings settings = {.key = (char *)(uintptr_t)uri,
		.is_operator = uri && strcmp(uri, MS_CS_AGENT_OPERATOR) == 0};
	struct secret secret _cleanup_secret_ = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	put_pem(&secret, certificate, key);
	bool good = ms_cs_agent_check_secret(&settings, &secret, &error);
	assert_int_equal(good, words == NULL);
	if (words && !strstr(error_message(&error), words))
		fail_msg("\"%s\" is not in: %s", words, error_message(&error));
}

static void the_secret_is_checked_before_it_is_kept(void **state)
{
	static const char uri[] = "pkcs11:token=hsm;object=agent";

	(void)state;
	assert_secret(agent_for(rsa_key), rsa_key, NULL, NULL);
	assert_secret(agent_for(rsa_key), NULL, uri, NULL);
	assert_secret(agent_for(rsa_key), NULL, NULL, "no private key");
	assert_secret(agent_for(rsa_key), rsa_key, uri, "names another one");
	assert_secret(agent_for(rsa_key), ec_key, NULL, "for another key");
	assert_secret(agent_for(rsa_key), rsa_key, MS_CS_AGENT_OPERATOR, "needs no secret");
	assert_secret(NULL, rsa_key, NULL, "no certificate");
	assert_secret(ms_cs_sample_new(&(struct ms_cs_sample){.purposes = "clientAuth"}, rsa_key),
		rsa_key, NULL, "Certificate Request Agent");
}

/* --- settings and accounts --- */

static bool parse_settings(
	const char *document, struct ms_cs_agent_settings *settings, struct error *error)
{
	json_t *json _cleanup_json_ = document_load(document, ERROR_INVALID_CONNECTION, error);
	struct document_node root = document_root(json, ERROR_INVALID_CONNECTION);

	assert_non_null(json);
	return ms_cs_agent_settings_parse(&root, settings, error);
}

static void the_document_names_the_requester_and_the_key(void **state)
{
	struct ms_cs_agent_settings settings = {0};

	(void)state;
	assert_true(parse_settings("{}", &settings, NULL));
	assert_null(settings.requester);
	assert_true(parse_settings("{\"enrollment-agent\": {\"requester\": \"LAB\\\\{account}\","
				   " \"key\": \"pkcs11:token=hsm;object=agent\"}}",
		&settings, NULL));
	assert_string_equal(settings.requester, "LAB\\{account}");
	assert_string_equal(settings.key, "pkcs11:token=hsm;object=agent");
	assert_false(settings.is_operator);
	ms_cs_agent_settings_clear(&settings);
	assert_true(parse_settings(
		"{\"enrollment-agent\": {\"requester\": \"{upn}\", \"key\": \"operator-card\"}}",
		&settings, NULL));
	assert_null(settings.key);
	assert_true(settings.is_operator);
	ms_cs_agent_settings_clear(&settings);
}

static void assert_wrong(const char *document, const char *path)
{
	struct ms_cs_agent_settings settings = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_false(parse_settings(document, &settings, &error));
	assert_string_equal(error.field, path);
	ms_cs_agent_settings_clear(&settings);
}

static void wrong_documents_are_told_with_their_place(void **state)
{
	(void)state;
	assert_wrong("{\"enrollment-agent\": {}}", "/enrollment-agent/requester");
	assert_wrong(
		"{\"enrollment-agent\": {\"requester\": \"\"}}", "/enrollment-agent/requester");
	assert_wrong("{\"enrollment-agent\": {\"requester\": \"LAB\\\\{x\"}}",
		"/enrollment-agent/requester");
	assert_wrong("{\"enrollment-agent\": {\"requester\": \"LAB\\\\x\\\\{x}\"}}",
		"/enrollment-agent/requester");
	assert_wrong("{\"enrollment-agent\": {\"requester\": \"LAB\\\\{x}@lab.example\"}}",
		"/enrollment-agent/requester");
	assert_wrong("{\"enrollment-agent\": {\"requester\": \"{upn}\", \"key\": \"/a\"}}",
		"/enrollment-agent/key");
	assert_wrong("{\"enrollment-agent\": {\"requester\": \"{upn}\", \"key\": \"operator\"}}",
		"/enrollment-agent/key");
	assert_wrong("{\"enrollment-agent\": {\"key\": \"operator-card\"}}",
		"/enrollment-agent/requester");
	assert_wrong("{\"enrollment-agent\": {\"requester\": \"{upn}\", \"pin\": \"1\"}}",
		"/enrollment-agent/pin");
}

static void accounts_have_the_form_of_the_pattern(void **state)
{
	static const struct {
		const char *pattern, *requester;
		bool is_good;
	} cases[] = {
		{"LAB\\{account}", "LAB\\ada", true},
		{"LAB\\{account}", "LAB\\ada lovelace", true},
		{"{domain}\\{account}", "LAB\\ada", true},
		{"{upn}", "ada@lab.example", true},
		{"{account}@lab.example", "ada@lab.example", true},
		/* a field that wants to be more than an account */
		{"LAB\\{account}", "LAB\\OTHER\\administrator", false},
		{"LAB\\{account}", "LAB\\administrator@other.example", false},
		{"LAB\\{account}", "LAB\\ada&requestername=LAB\\administrator", false},
		{"LAB\\{account}", "LAB\\a=b", false},
		{"LAB\\{account}", "LAB\\ ada", false},
		{"LAB\\{account}", "LAB\\", false},
		{"LAB\\{account}", "LAB\\ada\n", false},
		{"{domain}\\{account}", "\\ada", false},
		{"{domain}\\{account}", "LAB X\\ada", false},
		{"{upn}", "LAB\\administrator", false},
		{"{upn}", "LAB\\ada@lab.example", false},
		{"{upn}", "ada", false},
		{"{upn}", "@lab.example", false},
		{"{upn}", "ada@", false},
		{"{account}@lab.example", "administrator@other.example@lab.example", false},
		{"{upn}", "ada@lab.example\\x", false},
		/* a brace in the text is no field */
		{"{{\\{account}", "{\\ada", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		bool good = ms_cs_requester_check(cases[i].pattern, cases[i].requester, &error);
		if (good != cases[i].is_good)
			fail_msg("%s: %s", cases[i].pattern, cases[i].requester);
		assert_int_equal(error.code, good ? ERROR_NONE : ERROR_INVALID_ARGUMENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_verifies_what_an_agent_signs),
		cmocka_unit_test(the_requester_is_a_signed_attribute),
		cmocka_unit_test(the_chain_goes_with_the_agents_certificate),
		cmocka_unit_test(a_name_outside_of_the_basic_plane_is_refused),
		cmocka_unit_test(a_key_in_a_slot_signs),
		cmocka_unit_test(an_operators_card_signs_what_it_is_shown),
		cmocka_unit_test(an_agent_has_to_be_one),
		cmocka_unit_test(the_secret_is_checked_before_it_is_kept),
		cmocka_unit_test(the_document_names_the_requester_and_the_key),
		cmocka_unit_test(wrong_documents_are_told_with_their_place),
		cmocka_unit_test(accounts_have_the_form_of_the_pattern),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

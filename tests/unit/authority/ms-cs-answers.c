/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages as they are sent, and answers as services give them; other prefixes, other orders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <openssl/x509.h>

#include "authority/issued.h"
#include "authority/ms-cs-private.h"
#include "common/alloc.h"

/* --- faults --- */

#define FAULT(code, subcode, detail)                                                               \
	"<s:Fault xmlns:s='" NS_SOAP "'><s:Code><s:Value>" code "</s:Value>" subcode               \
	"</s:Code><s:Reason><s:Text xml:lang='en'>Words.</s:Text></s:Reason>" detail "</s:Fault>"
#define SUBCODE(text) "<s:Subcode><s:Value>" text "</s:Value></s:Subcode>"
#define DETAIL(text)                                                                               \
	"<s:Detail><CertificateEnrollmentWSDetail xmlns='" NS_ENROLLMENT                           \
	"' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>"                                 \
	"<BinaryResponse xsi:nil='true'/>" text "</CertificateEnrollmentWSDetail></s:Detail>"
#define CODE(number, final)                                                                        \
	DETAIL("<ErrorCode>" number "</ErrorCode><InvalidRequest>" final "</InvalidRequest>")

static const struct {
	const char *fault;
	bool is_decided, is_final, is_denial, is_security, may_be_done;
	const char *words;
} faults[] = {
	{FAULT("s:Receiver", "", CODE("-2146877422", "true")), true, true, true, false, false,
		"Words. (0x80094012): the account of this connection lacks the right Enroll"},
	{FAULT("s:Receiver", "", CODE("-2146877422", "false")), true, true, true, false, false,
		"0x80094012"},
	{FAULT("s:Receiver", "", CODE("-2147024891", "true")), true, true, false, false, false,
		"0x80070005"},
	{FAULT("s:Receiver", "", CODE("-2146877436", "false")), true, false, false, false, false,
		"0x80094004"},
	/* The RPC server is unavailable; the remote procedure call failed. */
	{FAULT("s:Receiver", "", CODE("-2147023174", "false")), true, false, false, false, false,
		"does not reach the CA"},
	{FAULT("s:Receiver", "", CODE("-2147023170", "false")), true, false, false, false, true,
		"lost the CA's answer"},
	{FAULT("s:Receiver", "", CODE("-1", "false")), true, false, false, false, false,
		"0xffffffff"},
	{FAULT("s:Receiver", "", CODE("99999999999", "true")), true, true, false, false, false,
		"Words."},
	{FAULT("s:Receiver", "", DETAIL("<ErrorCode xsi:nil='true'/>")), true, false, false, false,
		false, "Words."},
	{FAULT("s:Receiver", SUBCODE("a:InternalServiceFault"), ""), false, false, false, false,
		true, "Words."},
	{FAULT("s:Sender", SUBCODE("a:ActionNotSupported"), ""), false, false, false, false, false,
		"Words."},
	{FAULT("s:Sender", SUBCODE("o:FailedAuthentication"), ""), false, false, false, true, false,
		"Words."},
	{FAULT("s:MustUnderstand", "", ""), false, false, false, false, false, "Words."},
	{"<s:Fault xmlns:s='" NS_SOAP "'/>", false, false, false, false, true, "without words"},
};

static void a_fault_tells_what_follows_from_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		_cleanup_xml_ struct xml_document *document =
			xml_parse(faults[i].fault, strlen(faults[i].fault), NULL);
		struct ms_cs_fault fault = {0};

		assert_non_null(document);
		ms_cs_fault_read(&fault, xml_root(document));
		if (fault.is_decided != faults[i].is_decided ||
			fault.is_final != faults[i].is_final ||
			fault.is_security != faults[i].is_security ||
			fault.may_be_done != faults[i].may_be_done ||
			fault.is_denial != faults[i].is_denial)
			fail_msg("%s", faults[i].fault);
		if (!strstr(fault.words, faults[i].words))
			fail_msg("%s is not in %s", faults[i].words, fault.words);
		ms_cs_fault_clear(&fault);
	}
}

/* --- tokens --- */

#define OPEN                                                                                       \
	"<t:RequestSecurityTokenResponseCollection xmlns:t='" NS_TRUST "' xmlns:o='" NS_SECURITY   \
	"' xmlns:e='" NS_ENROLLMENT "' xmlns:i='http://www.w3.org/2001/XMLSchema-instance'>"
#define CLOSE	 "</t:RequestSecurityTokenResponseCollection>"
#define RESPONSE "t:RequestSecurityTokenResponse"
#define ONE(in)	 OPEN "<" RESPONSE ">" in "</" RESPONSE ">" CLOSE
#define PENDING                                                                                    \
	"<t:RequestedSecurityToken><o:SecurityTokenReference><o:Reference URI='https://a/b'/>"     \
	"</o:SecurityTokenReference></t:RequestedSecurityToken>"

static bool read_token(struct ms_cs_token *token, const char *text, const char *digest)
{
	_cleanup_xml_ struct xml_document *document = xml_parse(text, strlen(text), NULL);
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_non_null(document);
	bool read = ms_cs_token_read(token, xml_root(document), digest, &error);
	assert_int_equal(error.code, read ? ERROR_NONE : ERROR_AUTHORITY_FAILED);
	return read;
}

static void a_pending_request_is_known_by_its_structure(void **state)
{
	_cleanup_ms_cs_token_ struct ms_cs_token token = {0};

	(void)state;
	assert_true(read_token(&token,
		ONE("<e:RequestID>340282366920938463463374607431768211455</e:RequestID>" PENDING
		    "<e:DispositionMessage>Issued</e:DispositionMessage>"),
		""));
	assert_int_equal(token.der.length, 0);
	assert_string_equal(token.id, "340282366920938463463374607431768211455");
	assert_string_equal(token.reference, "https://a/b");
	assert_string_equal(token.words, "Issued");
}

static void answers_that_are_neither_are_refused(void **state)
{
	static const char *const texts[] = {
		"<a/>",
		OPEN CLOSE,
		ONE(""),
		ONE("<t:RequestedSecurityToken/><e:RequestID>1</e:RequestID>"),
		ONE(PENDING),
		ONE(PENDING "<e:RequestID i:nil='true'/>"),
		OPEN "<" RESPONSE "/><" RESPONSE "/>" CLOSE,
		ONE("<t:RequestedSecurityToken><o:BinarySecurityToken>AAAA</o:BinarySecurityToken>"
		    "</t:RequestedSecurityToken>"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_ms_cs_token_ struct ms_cs_token token = {0};
		if (read_token(&token, texts[i], ""))
			fail_msg("taken: %s", texts[i]);
		assert_int_equal(token.der.length, 0);
	}
}

/* A certificate for the key, signed by it; base64 with line ends as Windows sends them. */
static char *make_certificate(EVP_PKEY *key)
{
	X509 *x509 = X509_new();
	unsigned char *der = NULL;

	X509_set_pubkey(x509, key);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 60);
	X509_sign(x509, key, EVP_sha256());
	int length = i2d_X509(x509, &der);
	char *text = xcalloc((size_t)length * 2, 1);
	EVP_EncodeBlock((unsigned char *)text, der, length);
	char *broken = xasprintf("\n  %.64s&#xD;\n%s&#xD;\n", text, text + 64);
	OPENSSL_free(der);
	X509_free(x509);
	free(text);
	return broken;
}

static void a_certificate_is_taken_for_its_key_alone(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	_cleanup_free_ char *certificate = make_certificate(key);
	_cleanup_free_ char *digest = issued_key_digest(key), *wrong = issued_key_digest(other);
	_cleanup_free_ char *text = xasprintf(
		ONE("<t:RequestedSecurityToken><o:BinarySecurityToken>%s</o:BinarySecurityToken>"
		    "</t:RequestedSecurityToken>"),
		certificate);
	_cleanup_ms_cs_token_ struct ms_cs_token token = {0}, refused = {0};

	(void)state;
	assert_true(read_token(&token, text, digest));
	assert_true(issued_has_key(&token.der, digest));
	assert_null(token.id);
	assert_false(read_token(&refused, text, wrong));
	assert_int_equal(refused.der.length, 0);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

/* --- messages --- */

static void what_is_sent_is_read_the_same(void **state)
{
	static const char url[] = "https://ces.lab.test/a%20b/CES?";
	struct ms_cs_token_request request = {.request_id = "<65>"};
	const struct ms_cs_message message = ms_cs_status_message(&request);
	_cleanup_xml_writer_ struct xml_writer writer = XML_WRITER_INIT;
	_cleanup_secret_ struct secret password = SECRET_INIT;
	_cleanup_free_ char *id = ms_cs_message_id(), *other_id = ms_cs_message_id();

	(void)state;
	assert_true(secret_set(&password, "a<b&\"c\"", 7));
	assert_string_not_equal(id, other_id);
	assert_int_equal(strlen(id), strlen("urn:uuid:") + 36);
	ms_cs_write_message(&writer, &message, id, url, "LAB\\op", &password);
	_cleanup_xml_ struct xml_document *document =
		xml_parse(writer.text.data, writer.text.length, NULL);
	assert_non_null(document);
	const struct xml_element *header = xml_child(xml_root(document), NS_SOAP, "Header");
	const struct xml_element *security = xml_child(header, NS_SECURITY, "Security");
	_cleanup_free_ char *to = xml_text(xml_child(header, NS_ADDRESS, "To"));
	_cleanup_free_ char *user =
		xml_text(xml_path(security, NS_SECURITY, "UsernameToken/Username"));
	_cleanup_free_ char *word =
		xml_text(xml_path(security, NS_SECURITY, "UsernameToken/Password"));
	const struct xml_element *body = xml_child(
		xml_child(xml_root(document), NS_SOAP, "Body"), NS_TRUST, "RequestSecurityToken");
	_cleanup_free_ char *number = xml_text(xml_child(body, NS_ENROLLMENT, "RequestID"));
	assert_string_equal(to, url);
	assert_string_equal(user, "LAB\\op");
	assert_string_equal(word, "a<b&\"c\"");
	assert_string_equal(number, "<65>");
	assert_non_null(xml_child(security, NS_UTILITY, "Timestamp"));
}

static void without_a_user_nothing_is_said_of_one(void **state)
{
	const struct ms_cs_message message = ms_cs_policies_message();
	_cleanup_xml_writer_ struct xml_writer writer = XML_WRITER_INIT;
	const struct secret none = SECRET_INIT;

	(void)state;
	ms_cs_write_message(&writer, &message, "urn:uuid:0", "https://a/b", NULL, &none);
	buffer_append_u8(&writer.text, 0);
	assert_null(strstr((const char *)writer.text.data, "Security"));
	assert_non_null(strstr((const char *)writer.text.data, "GetPolicies"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_tells_what_follows_from_it),
		cmocka_unit_test(a_pending_request_is_known_by_its_structure),
		cmocka_unit_test(answers_that_are_neither_are_refused),
		cmocka_unit_test(a_certificate_is_taken_for_its_key_alone),
		cmocka_unit_test(what_is_sent_is_read_the_same),
		cmocka_unit_test(without_a_user_nothing_is_said_of_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

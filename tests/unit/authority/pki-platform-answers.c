/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "authority/pki-platform-private.h"
#include "common/alloc.h"

#define ENVELOPE(body)                                                                             \
	"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>" body            \
	"</s:Body></s:Envelope>"
#define NIL "xmlns:x='http://www.w3.org/2001/XMLSchema-instance' x:nil='true'"

static struct xml_document *parse(const char *text)
{
	struct xml_document *document = xml_parse(text, strlen(text), NULL);

	if (!document)
		fail_msg("no XML: %s", text);
	return document;
}

/* --- envelopes and faults --- */

static const struct {
	const char *body;
	const char *words;
	bool is_refusal;
} faults[] = {
	{ENVELOPE("<s:Fault><faultcode>s:Server</faultcode><faultstring>It broke</faultstring>"
		  "</s:Fault>"),
		"PKI Platform says: It broke", false},
	{ENVELOPE("<s:Fault><faultcode>s:Client.Schema</faultcode><faultstring>It is odd"
		  "</faultstring></s:Fault>"),
		"PKI Platform says: It is odd", true},
	{ENVELOPE("<s:Fault><faultcode>s:Server</faultcode><faultstring>x</faultstring><detail>"
		  "<errorcode xmlns='urn:a'>4F</errorcode><message xmlns='urn:a'> No seats\n left "
		  "</message></detail></s:Fault>"),
		"PKI Platform says: No seats  left (4F)", true},
	{ENVELOPE("<s:Fault><detail><a><b><errorCode>7</errorCode></b><c><errorMessage>Deep"
		  "</errorMessage></c></a></detail></s:Fault>"),
		"PKI Platform says: Deep (7)", true},
	{ENVELOPE("<s:Fault/>"), "PKI Platform says: a fault", false},
	{ENVELOPE("<other/>"), "PKI Platform answers with \"other\", and wanted was expected",
		false},
	{ENVELOPE(""), "PKI Platform answers with \"\", and wanted was expected", false},
	{"<html><Body><wanted/></Body></html>", "PKI Platform answers with \"html\"", false},
};

static void faults_become_one_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		_cleanup_xml_ struct xml_document *document = parse(faults[i].body);
		_cleanup_error_ struct error error = ERROR_INIT;
		bool is_refusal = !faults[i].is_refusal;

		assert_null(pki_platform_open(document, "wanted", &is_refusal, &error));
		if (!strstr(error_message(&error), faults[i].words))
			fail_msg("%s: %s", faults[i].body, error_message(&error));
		assert_int_equal(is_refusal, faults[i].is_refusal);
		assert_int_equal(
			error.code, is_refusal ? ERROR_AUTHORITY_REJECTED : ERROR_AUTHORITY_FAILED);
	}
}

static void answers_may_be_one_of_a_collection(void **state)
{
	_cleanup_xml_ struct xml_document *one = parse(ENVELOPE("<wanted xmlns='urn:a'/>"));
	_cleanup_xml_ struct xml_document *several = parse(
		ENVELOPE("<a:wantedCollection xmlns:a='urn:a'><a:wanted/></a:wantedCollection>"));
	bool is_refusal;

	(void)state;
	assert_non_null(pki_platform_open(one, "wanted", &is_refusal, NULL));
	assert_non_null(pki_platform_open(several, "wanted", &is_refusal, NULL));
}

/* --- tokens --- */

#define TOKEN(inner)                                                                               \
	"<a><RequestVSSecurityTokenResponse xmlns='urn:e'>" inner                                  \
	"</RequestVSSecurityTokenResponse></a>"

static const struct {
	const char *answer, *certificate, *pending, *message;
} tokens[] = {
	{TOKEN("<requestedVSSecurityToken><binarySecurityToken>MII=</binarySecurityToken>"
	       "</requestedVSSecurityToken>"),
		"MII=", NULL, NULL},
	{TOKEN("<requestedVSSecurityToken><w:binarySecurityToken xmlns:w='urn:w'>MII="
	       "</w:binarySecurityToken></requestedVSSecurityToken>"),
		"MII=", NULL, NULL},
	{TOKEN("<binarySecurityToken>MII=</binarySecurityToken>"), "MII=", NULL, NULL},
	{TOKEN("<dispositionMessage>Wait</dispositionMessage><binarySecurityToken>chain"
	       "</binarySecurityToken><requestedVSSecurityToken><pendingTokenReferenceID>77"
	       "</pendingTokenReferenceID></requestedVSSecurityToken>"),
		NULL, "77", "Wait"},
	{TOKEN("<requestedVSSecurityToken " NIL "/>"), NULL, NULL, NULL},
	{"<a/>", NULL, NULL, NULL},
};

static void assert_text(const char *text, const char *expected)
{
	if (expected)
		assert_string_equal(text, expected);
	else
		assert_null(text);
}

static void tokens_are_certificates_or_promises(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		_cleanup_xml_ struct xml_document *document = parse(tokens[i].answer);
		_cleanup_token_ struct pki_platform_token token = {0};

		pki_platform_read_token(&token, xml_root(document));
		assert_text(token.certificate, tokens[i].certificate);
		assert_text(token.pending, tokens[i].pending);
		assert_text(token.message, tokens[i].message);
	}
}

/* --- policies --- */

/* %s: what stands in the attributes. */
#define POLICIES                                                                                   \
	"<r xmlns='urn:p'><response><policiesNotChanged>false</policiesNotChanged><policies>"      \
	"<policy><policyOIDReference>1</policyOIDReference><cAs><cAReference>5</cAReference>"      \
	"</cAs><attributes>%s</attributes></policy></policies></response><cAs><cA><certificate>"   \
	"MII=</certificate><cAReferenceID>5</cAReferenceID></cA></cAs><oIDs><oID><value>1.2.3"     \
	"</value><oIDReferenceID>1</oIDReferenceID><defaultName>Badge</defaultName></oID><oID>"    \
	"<value>2.5.29.17</value><oIDReferenceID>2</oIDReferenceID></oID></oIDs></r>"
#define SUBJECT                                                                                    \
	"<subjectNameInfo><subjectNameAttribute><subjectNameAttributeNameValuePair>%s"             \
	"</subjectNameAttributeNameValuePair></subjectNameAttribute></subjectNameInfo>"
#define SAN                                                                                        \
	"<extensions><Extension><extensionOIDReference>2</extensionOIDReference><extensionSyntax>" \
	"<extensionAttributeNameValuePair>%s</extensionAttributeNameValuePair></extensionSyntax>"  \
	"</Extension></extensions>"
#define NAME(name)	 "<attributeName>" name "</attributeName>"
#define VALUE(value)	 "<attributeNameValue>" value "</attributeNameValue>"
#define PROPERTY(inside) "<attributeNameValueProperty>" inside "</attributeNameValueProperty>"

static void read_policies(struct authority_profiles *profiles, const char *attributes)
{
	_cleanup_free_ char *text = xasprintf(POLICIES, attributes);
	_cleanup_xml_ struct xml_document *document = parse(text);
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!pki_platform_read_policies(xml_root(document), profiles, &error))
		fail_msg("%s", error_message(&error));
	assert_int_equal(profiles->count, 1);
}

static const struct {
	bool is_san;
	const char *pair;
	const char *name;
	bool is_required;
	const char *fixed, *subject_type, *san_type;
} pairs[] = {
	{false, NAME("CN") "<attributeNameValue mandatory='true'>$common_name</attributeNameValue>",
		"common_name", true, NULL, "CN", NULL},
	{false, NAME("common_name") "<attributeNameValue mandatory='false'/>", "common_name", false,
		NULL, "CN", NULL},
	{false, NAME("mail") "<attributeNameValue " NIL "/>" PROPERTY("<mandatory>1</mandatory>"),
		"mail", true, NULL, "emailAddress", NULL},
	{false, NAME("O") VALUE("Example Corp"), "O", false, "Example Corp", NULL, NULL},
	{false,
		NAME("C") PROPERTY("<value>SE</value><source>FIXED</source><mandatory>true"
				   "</mandatory><overridable>false</overridable>"),
		"C", true, "SE", NULL, NULL},
	{false, NAME("L") PROPERTY("<value>Oslo</value><overridable>true</overridable>"), "L",
		false, NULL, "L", NULL},
	{false, NAME("x") VALUE("$badge_number"), "badge_number", false, NULL, NULL, NULL},
	{true, NAME("otherNameUPN"), "otherNameUPN", false, NULL, NULL, "upn"},
	{true, NAME("e") VALUE("$mail_email"), "mail_email", false, NULL, NULL, "email"},
};

static void attributes_are_read_in_each_of_their_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
		_cleanup_free_ char *attributes = pairs[i].is_san
							  ? xasprintf(SAN, pairs[i].pair)
							  : xasprintf(SUBJECT, pairs[i].pair);

		read_policies(&profiles, attributes);
		const struct authority_profile *profile = &profiles.items[0];
		assert_true(profile->is_usable);
		assert_int_equal(profile->field_count, 2);
		assert_string_equal(profile->fields[0].name, "seat_id");
		const struct authority_field *field = &profile->fields[1];
		assert_string_equal(field->name, pairs[i].name);
		assert_int_equal(field->is_required, pairs[i].is_required);
		assert_text(field->fixed, pairs[i].fixed);
		assert_text(field->subject_type, pairs[i].subject_type);
		assert_text(field->san_type, pairs[i].san_type);
	}
}

static void one_value_may_go_to_the_subject_and_the_san(void **state)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	_cleanup_free_ char *attributes =
		xasprintf(SUBJECT SAN, VALUE("$mail_email"), VALUE("$mail_email"));

	(void)state;
	read_policies(&profiles, attributes);
	assert_int_equal(profiles.items[0].field_count, 2);
	assert_string_equal(profiles.items[0].fields[1].subject_type, "emailAddress");
	assert_string_equal(profiles.items[0].fields[1].san_type, "email");
}

static const struct {
	const char *attributes;
	const char *reason; /* NULL: it can be used */
} conditions[] = {
	{"<status>Active</status>", NULL},
	{"<status>1</status>", NULL},
	{"<status>INACTIVE</status>", "it is not active"},
	{"<status>Suspended</status>", "it is not active"},
	{"<privateKeyAttributes><keyEscrowPolicy><keyEscrowEnabled>true</keyEscrowEnabled>"
	 "</keyEscrowPolicy></privateKeyAttributes>",
		"escrow"},
	{"<systemInfo><certificateDeliveryFormat>http://schemas.verisign.com/pkiservices/2009/07/"
	 "PKCS12</certificateDeliveryFormat></systemInfo>",
		"PKCS#12"},
	{"<subjectNameInfo><subjectNameAttribute><subjectNameAttributeNameValuePair>"
	 "<attributeNameValue mandatory='true'>$a b</attributeNameValue>"
	 "</subjectNameAttributeNameValuePair></subjectNameAttribute></subjectNameInfo>",
		"no name"},
};

static void profiles_that_cannot_be_used_say_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
		_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;

		read_policies(&profiles, conditions[i].attributes);
		const struct authority_profile *profile = &profiles.items[0];
		assert_string_equal(profile->id, "1.2.3");
		assert_string_equal(profile->name, "Badge");
		assert_int_equal(profile->is_usable, conditions[i].reason == NULL);
		assert_non_null(
			strstr(profile->reason, conditions[i].reason ? conditions[i].reason : ""));
	}
}

static const char *const no_lists[] = {
	"<r/>",
	"<r><response><policiesNotChanged>true</policiesNotChanged><policies " NIL
	"/></response></r>",
	"<r><response><policies><policy/></policies></response></r>",
	"<r><response><policies><policy><policyOIDReference>1</policyOIDReference></policy></"
	"policies>"
	"</response><oIDs><oID><value>1.2.x</value><oIDReferenceID>1</oIDReferenceID></oID></"
	"oIDs></r>",
};

static void lists_that_are_none_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(no_lists); i++) {
		_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
		_cleanup_xml_ struct xml_document *document = parse(no_lists[i]);
		_cleanup_error_ struct error error = ERROR_INIT;

		assert_false(pki_platform_read_policies(xml_root(document), &profiles, &error));
		assert_int_equal(error.code, ERROR_AUTHORITY_FAILED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_become_one_sentence),
		cmocka_unit_test(answers_may_be_one_of_a_collection),
		cmocka_unit_test(tokens_are_certificates_or_promises),
		cmocka_unit_test(attributes_are_read_in_each_of_their_forms),
		cmocka_unit_test(one_value_may_go_to_the_subject_and_the_san),
		cmocka_unit_test(profiles_that_cannot_be_used_say_why),
		cmocka_unit_test(lists_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

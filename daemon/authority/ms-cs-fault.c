/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Faults: what a refusal says, and what follows from it. */
#include <inttypes.h>
#include <string.h>

#include "authority/issued.h"
#include "authority/ms-cs-private.h"
#include "common/alloc.h"

#define WORDS_MAX 400 /* bytes of the CA's own words */
/* The CA's own codes: 0x80094000 to 0x80094fff. */
#define FIRST_DENIAL UINT32_C(0x80094000)
#define DENIALS	     UINT32_C(0xfff)

/* What is known of an HRESULT. */
enum meaning {
	REFUSED,	 /* the same request is refused again */
	NOT_NOW,	 /* another time it may be done */
	NOBODY_CAN_TELL, /* it may be done */
};

/* [WCCE 3.2.2.6.2.1], [MS-ERREF 2.1.1] */
static const struct {
	uint32_t code;
	enum meaning meaning;
	const char *advice; /* what the CA's own words do not say */
} results[] = {
	{0x80094009, REFUSED,
		"the enrollment agent restrictions of the CA do not allow this user or template"},
	{0x8009400f, NOT_NOW, "the CA is busy"},
	{0x80094011, REFUSED, "the account of this connection may not enroll at this CA"},
	{0x80094012, REFUSED,
		"the account of this connection lacks the right Enroll on the certificate "
		"template"},
	{0x80094014, REFUSED, "an administrator of the CA has denied it"},
	{0x80094800, REFUSED, "the CA does not issue by this certificate template"},
	{0x80094801, REFUSED, "the request names no certificate template"},
	{0x80094802, REFUSED, "the request names two certificate templates"},
	{0x80094807, REFUSED, "the CA has another version of the certificate template"},
	{0x80094809, REFUSED,
		"the template wants an enrollment agent's signature, which the request lacks"},
	{0x8009480a, REFUSED, "the template wants more signatures than the request has"},
	{0x8009480b, REFUSED,
		"the request is signed by a certificate that is no enrollment agent's"},
	{0x8009480d, REFUSED, "the directory has no user principal name for the requester"},
	{0x8009480f, REFUSED, "the directory has no DNS name for the requester"},
	{0x80094811, REFUSED, "the template wants a longer key"},
	{0x80070525, REFUSED, "the requester is not known in the directory"},
	{0x80070057, REFUSED, NULL},
	{0x80070005, REFUSED, "the account of this connection may not do this there"},
	{0x800706ba, NOT_NOW, "the enrollment service does not reach the CA"},
	{0x800706be, NOBODY_CAN_TELL, "the enrollment service has lost the CA's answer"},
	{0x800706bf, NOT_NOW, "the enrollment service does not reach the CA"},
};

void ms_cs_fault_clear(struct ms_cs_fault *fault)
{
	free(fault->words);
	*fault = (struct ms_cs_fault){0};
}

/* Signed decimal, as HRESULTs are written. */
static bool read_code(const struct xml_element *detail, uint32_t *code)
{
	const struct xml_element *element = xml_child(detail, NS_ENROLLMENT, "ErrorCode");
	_cleanup_free_ char *text = xml_is_nil(element) ? NULL : xml_text(element);
	char *end;

	if (!text || !text[0])
		return false;
	long long value = strtoll(text, &end, 10);
	*code = (uint32_t)value;
	return *end == '\0' && value >= INT32_MIN && value <= UINT32_MAX;
}

static bool is_true(const struct xml_element *element)
{
	_cleanup_free_ char *text = xml_text(element);

	return strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
}

static void take_advice(struct ms_cs_fault *fault, const char *advice, uint32_t code)
{
	_cleanup_free_ char *said = steal_pointer(&fault->words);
	_cleanup_free_ char *hex = xasprintf("0x%08" PRIx32, code);
	bool names_it = strcasestr(said, hex) != NULL;

	fault->words = xasprintf("%s%s%s%s%s%s", said, names_it ? "" : " (", names_it ? "" : hex,
		names_it ? "" : ")", advice ? ": " : "", advice ? advice : "");
}

bool ms_cs_fault_judge(struct ms_cs_fault *fault, uint32_t code)
{
	bool is_of_ca = (code & ~DENIALS) == FIRST_DENIAL, is_known = is_of_ca;
	const char *advice = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		if (results[i].code != code)
			continue;
		is_known = true;
		advice = results[i].advice;
		fault->is_final = fault->is_final || results[i].meaning == REFUSED;
		fault->may_be_done = results[i].meaning == NOBODY_CAN_TELL;
	}
	fault->is_denial = fault->is_final && is_of_ca;
	take_advice(fault, advice, code);
	return is_known;
}

/* [WSTEP 3.1.4.1.3.7] */
static void read_detail(struct ms_cs_fault *fault, const struct xml_element *detail)
{
	uint32_t code = 0;

	fault->is_decided = true;
	fault->may_be_done = false;
	fault->is_final = is_true(xml_child(detail, NS_ENROLLMENT, "InvalidRequest"));
	if (read_code(detail, &code))
		ms_cs_fault_judge(fault, code);
}

/* The name without its prefix: "s:Sender". */
static bool says(const struct xml_element *value, const char *name)
{
	_cleanup_free_ char *text = xml_text(value);
	const char *colon = strchr(text, ':');

	return strcmp(colon ? colon + 1 : text, name) == 0;
}

/* WS-Security 1.0, 12 */
static bool is_about_security(const struct xml_element *subcode)
{
	static const char *const codes[] = {"FailedAuthentication", "InvalidSecurity",
		"InvalidSecurityToken", "SecurityTokenUnavailable", "FailedCheck",
		"UnsupportedSecurityToken", "BadContextToken", "MessageExpired"};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (says(subcode, codes[i]))
			return true;
	}
	return false;
}

void ms_cs_fault_read(struct ms_cs_fault *fault, const struct xml_element *element)
{
	const struct xml_element *code = xml_child(element, NS_SOAP, "Code");
	const struct xml_element *subcode = xml_path(code, NS_SOAP, "Subcode/Value");
	const struct xml_element *detail = xml_child(element, NS_SOAP, "Detail");
	_cleanup_free_ char *reason = xml_text(xml_path(element, NS_SOAP, "Reason/Text"));
	_cleanup_free_ char *name = xml_text(subcode);

	detail = xml_child(detail, NS_ENROLLMENT, "CertificateEnrollmentWSDetail");
	fault->words = issued_words(reason[0] ? reason
				    : name[0] ? name
					      : "a fault without words",
		WORDS_MAX);
	fault->is_security = is_about_security(subcode);
	/* SOAP 1.2 part 1, 5.4.6: these are about the message, which was not acted upon. */
	const struct xml_element *value = xml_child(code, NS_SOAP, "Value");
	fault->is_senders = fault->is_security || says(value, "Sender") ||
			    says(value, "MustUnderstand") || says(value, "VersionMismatch") ||
			    says(value, "DataEncodingUnknown");
	fault->may_be_done = !fault->is_senders;
	if (detail)
		read_detail(fault, detail);
}

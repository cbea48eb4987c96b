/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "authority/ms-cs-private.h"
#include "operation/connection-kinds.h"

#define HEAD  "{\"name\":\"lab\",\"kind\":\"ms-cs\""
#define CES   "https://ces.lab.test/LAB-CA_CES_UsernamePassword/service.svc/CES"
#define CEP   "https://cep.lab.test/ADPolicyProvider_CEP_UsernamePassword/service.svc/CEP"
#define URL   ",\"url\":\"" CES "\""
#define WHERE URL ",\"policy-url\":\"" CEP "\""
#define WHO   ",\"authentication\":\"password\",\"user\":\"LAB\\\\cmsoper\""

#define KERBEROS ",\"authentication\":\"kerberos\",\"kerberos\":"

static const struct {
	const char *document;
	const char *pointer;
} wrong[] = {
	{HEAD WHO "}", "/url"},
	{HEAD WHO ",\"url\":\"http://ces.lab.test/CES\"}", "/url"},
	{HEAD WHO ",\"url\":\"https://ces.lab.test\"}", "/url"},
	{HEAD WHO ",\"url\":\"https://ces.lab.test/\"}", "/url"},
	{HEAD WHO ",\"url\":\"https://a:b@ces.lab.test/CES\"}", "/url"},
	{HEAD WHO ",\"url\":\"https://ces.lab.test/Lab CA_CES/CES\"}", "/url"},
	{HEAD WHO ",\"url\":\"https://ces.lab.test/CES?a=b\"}", "/url"},
	{HEAD WHO ",\"url\":[]}", "/url"},
	{HEAD WHO ",\"url\":[\"" CES "\",\"ces\"]}", "/url/1"},
	{HEAD WHO URL ",\"policy-url\":\"ldap://dc\"}", "/policy-url"},
	{HEAD WHO URL "}", ""},
	{HEAD WHERE "}", "/authentication"},
	{HEAD WHERE ",\"authentication\":\"api-key\"}", "/authentication"},
	{HEAD WHERE ",\"authentication\":\"password\"}", "/user"},
	{HEAD WHERE ",\"authentication\":\"client-certificate\",\"user\":\"a\"}", "/user"},
	{HEAD WHERE ",\"authentication\":\"kerberos\"}", "/kerberos"},
	{HEAD WHERE WHO ",\"kerberos\":{\"principal\":\"a@B\"}}", "/kerberos"},
	{HEAD WHERE KERBEROS "{}}", "/kerberos/principal"},
	{HEAD WHERE KERBEROS "{\"principal\":\"a\"}}", "/kerberos/principal"},
	{HEAD WHERE KERBEROS "{\"principal\":\"a@\"}}", "/kerberos/principal"},
	{HEAD WHERE KERBEROS "{\"principal\":\"a@B\",\"keytab\":\"x\"}}", "/kerberos/keytab"},
	{HEAD WHERE KERBEROS "{\"principal\":\"a@B\",\"keytab\":\"/x\",\"cache\":\"y\"}}",
		"/kerberos/cache"},
	{HEAD WHERE KERBEROS "{\"principal\":\"a@B\",\"password\":\"x\"}}", "/kerberos/password"},
	{HEAD WHERE WHO ",\"protocol\":\"dcom\"}", "/protocol"},
	{HEAD WHERE WHO ",\"protocol\":\"web\"}", "/policy-url"},
	{HEAD WHO URL ",\"protocol\":\"web\"}", ""},
	{HEAD WHERE ",\"authentication\":\"password\",\"user\":\"a:b\"}", "/user"},
	{HEAD WHERE WHO ",\"profiles\":{\"p\\nq\":{}}}", "/profiles"},
	{HEAD WHERE WHO ",\"client-key\":\"pkcs11:token=a\"}", "/client-key"},
	{HEAD WHERE WHO ",\"ca-file\":\"relative\"}", "/ca-file"},
	{HEAD WHERE WHO ",\"issuer-file\":\"relative\"}", "/issuer-file"},
	{HEAD WHERE WHO ",\"password\":\"secret\"}", "/password"},
	{HEAD WHERE WHO ",\"timeout-seconds\":0}", "/timeout-seconds"},
	{HEAD WHERE WHO ",\"pickup-seconds\":601}", "/pickup-seconds"},
	{HEAD WHERE WHO ",\"profiles\":{\"p\":{\"validity-days\":1}}}",
		"/profiles/p/validity-days"},
	{HEAD WHERE WHO ",\"profiles\":{\"p\":{\"oid\":\"one\"}}}", "/profiles/p/oid"},
	{HEAD WHERE WHO ",\"profiles\":{\"p\":{\"on-behalf\":1}}}", "/profiles/p/on-behalf"},
	{HEAD WHERE WHO ",\"profiles\":{\"p\":{\"subject\":\"me\"}}}", "/profiles/p/subject"},
	{HEAD WHERE WHO ",\"profiles\":{\"p\":{\"fields\":{\"subject.CN\":\"x\"}}}}",
		"/profiles/p/fields/subject.CN"},
};

static void every_wrong_document_is_refused_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_connection_ struct connection connection = CONNECTION_INIT;
		_cleanup_error_ struct error error = ERROR_INIT;

		if (connection_check_document(wrong[i].document, &connection, &error))
			fail_msg("accepted: %s", wrong[i].document);
		assert_int_equal(error.code, ERROR_INVALID_CONNECTION);
		if (strcmp(error.field ? error.field : "", wrong[i].pointer) != 0)
			fail_msg("%s: %s instead of %s", wrong[i].document, error.field,
				wrong[i].pointer);
	}
}

static void parse(struct ms_cs_settings *settings, const char *document)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!ms_cs_settings_parse(settings, document, &error))
		fail_msg("%s: %s", error.field, error_message(&error));
}

static void what_is_left_out_has_its_default(void **state)
{
	struct ms_cs_settings settings = {0};

	(void)state;
	parse(&settings, HEAD WHERE WHO "}");
	assert_int_equal(settings.endpoint_count, 1);
	assert_string_equal(settings.endpoints[0].url, CES);
	assert_string_equal(settings.endpoints[0].host, "ces.lab.test");
	assert_string_equal(settings.policy.host, "cep.lab.test");
	assert_string_equal(settings.user, "LAB\\cmsoper");
	assert_int_equal(settings.timeout_seconds, 60);
	assert_int_equal(settings.pickup_seconds, 10);
	assert_string_equal(settings.protocol->name, "ces");
	assert_null(settings.agent.requester);
	ms_cs_settings_clear(&settings);
}

static void addresses_stay_in_their_order(void **state)
{
	struct ms_cs_settings settings = {0};

	(void)state;
	parse(&settings, HEAD WHO ",\"url\":[\"https://two.lab.test:8443/x\",\"" CES "\"],"
				  "\"profiles\":{\"p\":{}}}");
	assert_int_equal(settings.endpoint_count, 2);
	assert_string_equal(settings.endpoints[0].host, "two.lab.test:8443");
	assert_string_equal(settings.endpoints[1].url, CES);
	assert_null(settings.policy.url);
	ms_cs_settings_clear(&settings);
}

static void templates_of_the_document_are_profiles(void **state)
{
	struct ms_cs cs = {0};
	struct authority authority = {.data = &cs};
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	parse(&cs.settings, HEAD WHO URL
		",\"enrollment-agent\":{\"requester\":\"LAB\\\\{account}\"},\"profiles\":{"
		"\"Logon\":{\"oid\":\"1.3.6.1.4.1.311.21.8.1\"},"
		"\"Web\":{\"on-behalf\":false,\"subject\":\"request\"}}}");
	assert_true(ms_cs_profiles(&authority, &profiles, &error));
	assert_int_equal(profiles.count, 2);
	assert_string_equal(profiles.items[0].id, "1.3.6.1.4.1.311.21.8.1");
	assert_string_equal(profiles.items[0].name, "Logon");
	assert_true(ms_cs_is_on_behalf(&profiles.items[0]));
	const struct authority_field *requester =
		authority_profile_field(&profiles.items[0], MS_CS_REQUESTER);
	assert_non_null(requester);
	assert_true(requester->is_required);
	assert_string_equal(requester->pattern, "LAB\\{account}");
	assert_null(authority_profile_field(&profiles.items[0], "san.upn"));
	assert_string_equal(profiles.items[1].id, "Web");
	assert_false(ms_cs_is_on_behalf(&profiles.items[1]));
	assert_true(ms_cs_takes_subject(&profiles.items[1]));
	assert_non_null(authority_profile_field(&profiles.items[1], "san.upn"));
	assert_null(authority_profile_field(&profiles.items[1], MS_CS_REQUESTER));
	ms_cs_settings_clear(&cs.settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrong_document_is_refused_with_its_place),
		cmocka_unit_test(what_is_left_out_has_its_default),
		cmocka_unit_test(addresses_stay_in_their_order),
		cmocka_unit_test(templates_of_the_document_are_profiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "directory/entra-private.h"

#define ID   "\"client-id\":\"99999999-8888-4777-8666-555555555555\""
#define NAME "{\"name\":\"entra\",\"kind\":\"entra-id\""
#define HEAD NAME ",\"tenant\":\"example.onmicrosoft.com\"," ID
#define CERT HEAD ",\"authentication\":\"client-certificate\""

static const struct {
	const char *document;
	const char *pointer;
} wrong[] = {
	{NAME "," ID "}", "/tenant"},
	{NAME ",\"tenant\":7," ID "}", "/tenant"},
	{NAME ",\"tenant\":\"common\"," ID "}", "/tenant"},
	{NAME ",\"tenant\":\"Organizations\"," ID "}", "/tenant"},
	{NAME ",\"tenant\":\"a/b\"," ID "}", "/tenant"},
	{NAME ",\"tenant\":\"..\"," ID "}", "/tenant"},
	{NAME ",\"tenant\":\"a?b\"," ID "}", "/tenant"},
	{NAME ",\"tenant\":\"a\"}", "/client-id"},
	{NAME ",\"tenant\":\"a\",\"client-id\":\"me\"}", "/client-id"},
	{HEAD ",\"secret\":\"word\"}", "/secret"},
	{HEAD ",\"authentication\":\"password\"}", "/authentication"},
	{HEAD ",\"assertion-algorithm\":\"RS256\"}", "/assertion-algorithm"},
	{CERT ",\"assertion-algorithm\":\"ES256\"}", "/assertion-algorithm"},
	{HEAD ",\"client-key\":\"pkcs11:token=a;object=b\"}", "/client-key"},
	{CERT ",\"client-key\":\"file:/key\"}", "/client-key"},
	{HEAD ",\"cloud\":\"nine\"}", "/cloud"},
	{HEAD ",\"ca-file\":\"relative\"}", "/ca-file"},
	{HEAD ",\"authentication-url\":\"http://login.example\"}", "/authentication-url"},
	{HEAD ",\"authentication-url\":\"https://u:p@login.example\"}", "/authentication-url"},
	{HEAD ",\"authentication-url\":\"https://login.example/a?b\"}", "/authentication-url"},
	{HEAD ",\"api-url\":\"https://\"}", "/api-url"},
	{HEAD ",\"api-url\":\"https://graph.example/v1.0#a\"}", "/api-url"},
	{HEAD ",\"api-url\":\"https://graph.example/../v1.0\"}", "/api-url"},
	{HEAD ",\"api-url\":\"https://graph.example/%2e%2e\"}", "/api-url"},
	{HEAD ",\"filter\":\"department eq 'a\"}", "/filter"},
	{HEAD ",\"filter\":\"a eq 1) or (b eq 2\"}", "/filter"},
	{HEAD ",\"filter\":\"(a eq ')'\"}", "/filter"},
	{HEAD ",\"groups\":[]}", "/groups"},
	{HEAD ",\"groups\":[\"Staff\"]}", "/groups/0"},
	{HEAD ",\"fields\":[]}", "/fields"},
	{HEAD ",\"fields\":{\"a b\":\"mail\"}}", "/fields/a b"},
	{HEAD ",\"fields\":{\"badge\":7}}", "/fields/badge"},
	{HEAD ",\"fields\":{\"badge\":\"a,b\"}}", "/fields/badge"},
	{HEAD ",\"fields\":{\"badge\":\"a&$top=1\"}}", "/fields/badge"},
	{HEAD ",\"fields\":{\"badge\":\"a/b/c\"}}", "/fields/badge"},
	{HEAD ",\"fields\":{\"badge\":\"a/\"}}", "/fields/badge"},
	{HEAD ",\"fields\":{\"badge\":\"a@b\"}}", "/fields/badge"},
	{HEAD ",\"fields\":{\"badge\":\"@\"}}", "/fields/badge"},
	{HEAD ",\"fields\":{\"badge\":[\"a\",\"b c\"]}}", "/fields/badge/1"},
	{HEAD ",\"timeout-seconds\":0}", "/timeout-seconds"},
	{HEAD ",\"retry-seconds\":601}", "/retry-seconds"},
	{HEAD ",\"page-size\":0}", "/page-size"},
	{HEAD ",\"page-size\":101}", "/page-size"},
};

static void every_wrong_document_is_refused_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		struct entra_settings settings = {0};

		if (entra_settings_parse(&settings, wrong[i].document, &error))
			fail_msg("accepted: %s", wrong[i].document);
		assert_int_equal(error.code, ERROR_INVALID_CONNECTION);
		if (strcmp(error.field, wrong[i].pointer) != 0)
			fail_msg("%s: %s instead of %s", wrong[i].document, error.field,
				wrong[i].pointer);
		entra_settings_clear(&settings);
	}
}

static void parse(struct entra_settings *settings, const char *document)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	*settings = (struct entra_settings){0};
	if (!entra_settings_parse(settings, document, &error))
		fail_msg("%s: %s", error.field, error_message(&error));
}

static const char *attribute(const struct entra_settings *settings, const char *field, size_t index)
{
	const struct mapped_field *mapped = field_mapping_find(&settings->fields, field);

	return mapped && index < mapped->count ? mapped->attributes[index] : NULL;
}

static void what_is_left_out_has_its_default(void **state)
{
	struct entra_settings settings;

	(void)state;
	parse(&settings, HEAD "}");
	assert_string_equal(settings.token_url,
		"https://login.microsoftonline.com/example.onmicrosoft.com/oauth2/v2.0/token");
	assert_string_equal(settings.api, "https://graph.microsoft.com/v1.0");
	assert_string_equal(settings.scope, "https://graph.microsoft.com/.default");
	assert_false(settings.by_certificate);
	assert_false(settings.is_pkcs1);
	assert_int_equal(settings.page_size, DIRECTORY_PAGE_MAX);
	assert_string_equal(attribute(&settings, "upn", 0), "userPrincipalName");
	assert_string_equal(attribute(&settings, "user", 1), "userPrincipalName@");
	assert_string_equal(attribute(&settings, "sid", 1), "securityIdentifier");
	assert_null(attribute(&settings, "badge", 0));
	entra_settings_clear(&settings);
}

static void each_cloud_has_its_addresses(void **state)
{
	static const struct {
		const char *document, *token_host, *api, *scope;
	} clouds[] = {
		{HEAD ",\"cloud\":\"us-gov\"}", "login.microsoftonline.us",
			"https://graph.microsoft.us/v1.0", "https://graph.microsoft.us/.default"},
		{HEAD ",\"cloud\":\"us-gov-dod\"}", "login.microsoftonline.us",
			"https://dod-graph.microsoft.us/v1.0",
			"https://dod-graph.microsoft.us/.default"},
		{HEAD ",\"cloud\":\"china\"}", "login.partner.microsoftonline.cn",
			"https://microsoftgraph.chinacloudapi.cn/v1.0",
			"https://microsoftgraph.chinacloudapi.cn/.default"},
		{HEAD ",\"authentication-url\":\"https://login.example:8443/\","
		      "\"api-url\":\"https://graph.example:8444/v2/\"}",
			"login.example:8443", "https://graph.example:8444/v2",
			"https://graph.example:8444/.default"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(clouds); i++) {
		struct entra_settings settings;
		parse(&settings, clouds[i].document);
		assert_string_equal(settings.token_host, clouds[i].token_host);
		assert_string_equal(settings.api, clouds[i].api);
		assert_string_equal(settings.scope, clouds[i].scope);
		entra_settings_clear(&settings);
	}
}

static void fields_are_added_changed_and_left_out(void **state)
{
	struct entra_settings settings;

	(void)state;
	parse(&settings,
		HEAD ",\"fields\":{\"badge\":\"onPremisesExtensionAttributes/extensionAttribute3\","
		     "\"user\":\"mailNickname\",\"phone\":null}}");
	assert_string_equal(attribute(&settings, "badge", 0),
		"onPremisesExtensionAttributes/extensionAttribute3");
	assert_string_equal(attribute(&settings, "user", 0), "mailNickname");
	assert_null(attribute(&settings, "user", 1));
	assert_null(attribute(&settings, "phone", 0));
	assert_non_null(attribute(&settings, "name", 0));
	entra_settings_clear(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrong_document_is_refused_with_its_place),
		cmocka_unit_test(what_is_left_out_has_its_default),
		cmocka_unit_test(each_cloud_has_its_addresses),
		cmocka_unit_test(fields_are_added_changed_and_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

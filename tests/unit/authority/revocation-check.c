/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "authority/revocation-private.h"
#include "common/alloc.h"
#include "common/log.h"
#include "unit/authority/fixture.h"

static int setup(void **state)
{
	struct authority_fixture *fixture = fixture_new("ec-p256");

	fixture_prepare(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

/* One certificate of a new card, in the store. */
static void issue(struct authority_fixture *fixture, struct certificates *all)
{
	_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;
	_cleanup_credential_ struct credential *credential = xnew(struct credential);

	credential->serial = xasprintf("card-%zu", all->count);
	credential->card_type = xstrdup("virtual");
	assert_true(store_credential_save(fixture->services.store, credential, NULL));
	fixture_enroll(fixture, "smartcard-logon", &certificate);
	certificate.credential_id = credential->id;
	certificate.slot = 0x9A;
	free(certificate.authority);
	certificate.authority = xstrdup("local");
	assert_true(store_certificate_save(fixture->services.store, &certificate, NULL));
	certificates_take(all, &certificate);
}

static void change(struct authority_fixture *fixture, struct certificate *certificate,
	enum certificate_status status)
{
	certificate->status = status;
	certificate->revoked_at = time(NULL);
	assert_true(store_certificate_save(fixture->services.store, certificate, NULL));
}

static void the_own_list_shows_what_it_was_told(void **state)
{
	struct authority_fixture *fixture = *state;
	struct authority *authority = fixture->authority;
	_cleanup_certificates_ struct certificates all = CERTIFICATES_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	issue(fixture, &all);
	issue(fixture, &all);
	issue(fixture, &all);
	change(fixture, &all.items[0], CERTIFICATE_REVOKED);
	change(fixture, &all.items[1], CERTIFICATE_ON_HOLD);
	assert_true(authority->driver->publish(authority, NULL));
	if (!revocation_check_own(authority, &all, &error))
		fail_msg("%s", error_message(&error));
}

static void a_list_that_does_not_show_it_is_an_error(void **state)
{
	struct authority_fixture *fixture = *state;
	_cleanup_certificates_ struct certificates all = CERTIFICATES_INIT;
	static const enum certificate_status changes[] = {
		CERTIFICATE_REVOKED, CERTIFICATE_ON_HOLD, CERTIFICATE_VALID};

	issue(fixture, &all);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		change(fixture, &all.items[0], changes[i]); /* and nothing is published */
		assert_false(revocation_check_own(fixture->authority, &all, &error));
		assert_int_equal(error.code, ERROR_AUTHORITY_FAILED);
		assert_non_null(strstr(error.message, all.items[0].serial_hex));
		assert_true(fixture->authority->driver->publish(fixture->authority, NULL));
		assert_true(revocation_check_own(fixture->authority, &all, NULL));
	}
}

static void other_authorities_and_certificates_that_are_over_do_not_count(void **state)
{
	struct authority_fixture *fixture = *state;
	_cleanup_certificates_ struct certificates all = CERTIFICATES_INIT;

	issue(fixture, &all);
	issue(fixture, &all);
	all.items[0].status = all.items[1].status = CERTIFICATE_REVOKED;
	all.items[0].not_after = time(NULL) - 1;
	free(all.items[1].authority);
	all.items[1].authority = xstrdup("another");
	assert_true(revocation_check_own(fixture->authority, &all, NULL));
}

static bool read_settings(const char *text, struct revocation_settings *settings, char **field)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	json_t *json _cleanup_json_ = document_load(text, ERROR_INVALID_CONNECTION, NULL);
	struct document_node root = document_root(json, ERROR_INVALID_CONNECTION);
	bool read = revocation_settings_read(&root, settings, &error);

	*field = steal_pointer(&error.field);
	return read;
}

static void settings_are_strict(void **state)
{
	static const struct {
		const char *text, *field;
	} cases[] = {
		{"{}", NULL},
		{"{\"revocation-check\": {\"enabled\": false}}", NULL},
		{"{\"revocation-check\": {\"crl\": \"http://a/b\", \"ocsp\": \"https://a\","
		 " \"issuer-file\": \"/a\"}}",
			NULL},
		{"{\"revocation-check\": true}", "/revocation-check"},
		{"{\"revocation-check\": {\"url\": \"http://a\"}}", "/revocation-check/url"},
		{"{\"revocation-check\": {\"crl\": \"ldap://a\"}}", "/revocation-check/crl"},
		{"{\"revocation-check\": {\"ocsp\": \"file:///a\"}}", "/revocation-check/ocsp"},
		{"{\"revocation-check\": {\"crl\": \"http://a b\"}}", "/revocation-check/crl"},
		{"{\"revocation-check\": {\"issuer-file\": \"a\"}}",
			"/revocation-check/issuer-file"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct revocation_settings settings = {0};
		_cleanup_free_ char *field = NULL;
		bool read = read_settings(cases[i].text, &settings, &field);
		if (read != !cases[i].field || (field && strcmp(field, cases[i].field) != 0))
			fail_msg("%s: %s", cases[i].text, field ? field : "taken");
		revocation_settings_clear(&settings);
	}
}

static void only_http_places_are_taken_from_a_certificate(void **state)
{
	static const char names[] = "URI:file:///etc/passwd,URI:ldap://a/b,URI:gopher://a,"
				    "URI:http://a/one,URI:HTTPS://a/two,URI:http://a/three,"
				    "URI:http://a/four,URI:http://a/five";
	struct revocation_places places = {0};
	X509 *x509 _cleanup_(X509_freep) = X509_new();
	X509_EXTENSION *points =
		X509V3_EXT_nconf_nid(NULL, NULL, NID_crl_distribution_points, names);
	X509_EXTENSION *access = X509V3_EXT_nconf_nid(
		NULL, NULL, NID_info_access, "OCSP;URI:ftp://a,OCSP;URI:http://a/ocsp");

	(void)state;
	assert_true(points && access);
	X509_add_ext(x509, points, -1);
	X509_add_ext(x509, access, -1);
	X509_EXTENSION_free(points);
	X509_EXTENSION_free(access);
	revocation_places_of(x509, &places);
	assert_int_equal(places.crl_count, 4);
	assert_string_equal(places.crls[0], "http://a/one");
	assert_string_equal(places.crls[1], "HTTPS://a/two");
	assert_int_equal(places.responder_count, 1);
	assert_string_equal(places.responders[0], "http://a/ocsp");
	assert_int_equal(places.issuer_count, 0);
	revocation_places_clear(&places);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_own_list_shows_what_it_was_told),
		TEST(a_list_that_does_not_show_it_is_an_error),
		TEST(other_authorities_and_certificates_that_are_over_do_not_count),
		cmocka_unit_test(settings_are_strict),
		cmocka_unit_test(only_http_places_are_taken_from_a_certificate),
	};

	log_set_level(LOG_LEVEL_WARNING);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

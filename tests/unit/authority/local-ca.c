/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "authority/local-ca-private.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/connection-kinds.h"
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

/* Verifies for a purpose against the CA as the only anchor, strictly (RFC 5280). */
static void assert_verifies(struct authority_fixture *fixture, X509 *certificate, int purpose)
{
	X509 *ca = fixture_ca(fixture);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();

	X509_STORE_add_cert(store, ca);
	X509_STORE_CTX_init(context, store, certificate, NULL);
	X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT);
	X509_STORE_CTX_set_purpose(context, purpose);
	int result = X509_verify_cert(context);
	if (result != 1)
		fail_msg("%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	X509_free(ca);
}

static void every_key_algorithm_makes_a_ca_that_issues(void **state)
{
	static const char *const algorithms[] = {"ec-p256", "ec-p384", "rsa-3072"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		struct authority_fixture *fixture = fixture_new(algorithms[i]);
		struct certificate certificate = {0};

		fixture_prepare(fixture);
		fixture_enroll(fixture, "smartcard-logon", &certificate);
		X509 *x509 _cleanup_(X509_freep) = fixture_x509(&certificate);
		assert_verifies(fixture, x509, X509_PURPOSE_SSL_CLIENT);
		assert_string_equal(certificate.subject, "CN=Ada");
		certificate_clear(&certificate);
		fixture_free(fixture);
	}
}

static bool enroll(struct authority_fixture *fixture, struct authority_request *request,
	struct certificate *certificate, struct error *error)
{
	enum enroll_outcome outcome;
	bool done = fixture->authority->driver->enroll(
		fixture->authority, request, certificate, &outcome, error);

	X509_REQ_free(request->request);
	return done;
}

static void the_names_of_the_request_are_in_the_certificate(void **state)
{
	struct authority_fixture *fixture = *state;
	struct name_rule subject[] = {{(char *)"C", (char *)"DE"}, {(char *)"O", (char *)"Über"},
		{(char *)"CN", (char *)"Ada Lovelace"}};
	struct name_rule san[] = {{(char *)"email", (char *)"ada@example.org"},
		{(char *)"upn", (char *)"ada@corp.example"}, {(char *)"dns", (char *)"ada.example"},
		{(char *)"uri", (char *)"urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}};
	struct authority_request request = {.profile = "smartcard-logon",
		.request = fixture_request("RSA-2048"),
		.subject = subject,
		.subject_count = ARRAY_SIZE(subject),
		.san = san,
		.san_count = ARRAY_SIZE(san)};
	struct certificate certificate = {0};

	assert_true(enroll(fixture, &request, &certificate, NULL));
	assert_string_equal(certificate.subject, "CN=Ada Lovelace,O=Über,C=DE");
	X509 *x509 _cleanup_(X509_freep) = fixture_x509(&certificate);
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	assert_int_equal(sk_GENERAL_NAME_num(names), 4);
	assert_int_equal(X509_check_email(x509, "ada@example.org", 0, 0), 1);
	assert_int_equal(X509_check_host(x509, "ada.example", 0, 0, NULL), 1);
	GENERAL_NAME *upn = sk_GENERAL_NAME_value(names, 1);
	assert_int_equal(upn->type, GEN_OTHERNAME);
	assert_int_equal(OBJ_obj2nid(upn->d.otherName->type_id), NID_ms_upn);
	assert_int_equal(upn->d.otherName->value->type, V_ASN1_UTF8STRING);
	assert_string_equal(ASN1_STRING_get0_data(upn->d.otherName->value->value.utf8string),
		"ada@corp.example");
	GENERAL_NAMES_free(names);
	certificate_clear(&certificate);
}

static bool has_purpose(X509 *x509, const char *oid)
{
	EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(x509, NID_ext_key_usage, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
		char text[64];
		OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(usages, i), 1);
		found |= strcmp(text, oid) == 0;
	}
	sk_ASN1_OBJECT_pop_free(usages, ASN1_OBJECT_free);
	return found;
}

static void the_profile_decides_the_usages(void **state)
{
	struct authority_fixture *fixture = *state;
	struct certificate certificate = {0};

	fixture_enroll(fixture, "smartcard-logon", &certificate);
	X509 *x509 _cleanup_(X509_freep) = fixture_x509(&certificate);
	assert_int_equal(X509_get_key_usage(x509), KU_DIGITAL_SIGNATURE);
	assert_true(has_purpose(x509, "1.3.6.1.5.5.7.3.2"));
	assert_true(has_purpose(x509, "1.3.6.1.4.1.311.20.2.2"));
	assert_false(has_purpose(x509, "1.3.6.1.5.5.7.3.4"));
	assert_int_equal(X509_check_ca(x509), 0);
	assert_non_null(X509_get0_subject_key_id(x509));
	X509 *ca _cleanup_(X509_freep) = fixture_ca(fixture);
	assert_int_equal(ASN1_OCTET_STRING_cmp(
				 X509_get0_authority_key_id(x509), X509_get0_subject_key_id(ca)),
		0);
	certificate_clear(&certificate);
}

static void a_card_authentication_usage_is_critical(void **state)
{
	struct authority_fixture *fixture = *state;
	struct certificate certificate = {0};
	int critical = -1;

	fixture_enroll(fixture, "card-authentication", &certificate);
	X509 *x509 _cleanup_(X509_freep) = fixture_x509(&certificate);
	assert_true(has_purpose(x509, "2.16.840.1.101.3.6.8"));
	sk_ASN1_OBJECT_pop_free(
		X509_get_ext_d2i(x509, NID_ext_key_usage, &critical, NULL), ASN1_OBJECT_free);
	assert_int_equal(critical, 1);
	certificate_clear(&certificate);
}

static void the_crl_url_is_taken_as_it_is(void **state)
{
	struct authority_fixture *fixture = *state;
	struct certificate certificate = {0};

	fixture_enroll(fixture, "smartcard-logon", &certificate);
	X509 *x509 _cleanup_(X509_freep) = fixture_x509(&certificate);
	CRL_DIST_POINTS *points = X509_get_ext_d2i(x509, NID_crl_distribution_points, NULL, NULL);
	assert_int_equal(sk_DIST_POINT_num(points), 1);
	GENERAL_NAME *name =
		sk_GENERAL_NAME_value(sk_DIST_POINT_value(points, 0)->distpoint->name.fullname, 0);
	assert_string_equal(ASN1_STRING_get0_data(name->d.uniformResourceIdentifier),
		"http://pki.example.org/local.crl?a=1,b=2");
	CRL_DIST_POINTS_free(points);
	certificate_clear(&certificate);
}

static void key_usages_that_a_key_cannot_do_are_left_out(void **state)
{
	struct authority_fixture *fixture = *state;
	struct name_rule subject[] = {{(char *)"CN", (char *)"Ada"}};
	struct authority_request request = {.profile = "long",
		.request = fixture_request("RSA-2048"),
		.subject = subject,
		.subject_count = 1};
	struct certificate rsa = {0}, ec = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_true(enroll(fixture, &request, &rsa, NULL));
	X509 *x509 _cleanup_(X509_freep) = fixture_x509(&rsa);
	assert_int_equal(X509_get_key_usage(x509), KU_KEY_ENCIPHERMENT);
	fixture_enroll(fixture, "long", &ec);
	X509 *ec_x509 _cleanup_(X509_freep) = fixture_x509(&ec);
	assert_int_equal(X509_get_key_usage(ec_x509), KU_KEY_AGREEMENT);
	request.profile = "encipher-only";
	request.request = fixture_request("P-256");
	assert_false(enroll(fixture, &request, &ec, &error));
	assert_int_equal(error.code, ERROR_AUTHORITY_REJECTED);
	certificate_clear(&rsa);
	certificate_clear(&ec);
}

static void no_certificate_outlives_the_ca(void **state)
{
	struct authority_fixture *fixture = *state;
	struct certificate limited = {0}, normal = {0};

	fixture_enroll(fixture, "long", &limited);
	fixture_enroll(fixture, "smartcard-logon", &normal);
	X509 *ca _cleanup_(X509_freep) = fixture_ca(fixture);
	X509 *x509 _cleanup_(X509_freep) = fixture_x509(&limited);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(x509), X509_get0_notAfter(ca)), 0);
	assert_true(ASN1_TIME_compare(X509_get0_notBefore(x509), X509_get0_notBefore(ca)) >= 0);
	int64_t days = (normal.not_after - time(NULL) + 60) / 86400;
	assert_int_equal(days, 30);
	certificate_clear(&limited);
	certificate_clear(&normal);
}

static void serial_numbers_are_long_and_different(void **state)
{
	struct authority_fixture *fixture = *state;
	struct certificate one = {0}, other = {0};

	fixture_enroll(fixture, "long", &one);
	fixture_enroll(fixture, "long", &other);
	assert_int_equal(strlen(one.serial_hex), 40);
	assert_string_not_equal(one.serial_hex, other.serial_hex);
	certificate_clear(&one);
	certificate_clear(&other);
}

/* Each row must be rejected, with this field. */
static void wrong_names_are_rejected(void **state)
{
	static const struct {
		const char *type, *value, *field;
		bool san;
	} cases[] = {
		{"C", "Germany", "C", false},
		{"CN", "", "CN", false},
		{"CN",
			"a name that is longer than the sixty-four characters that X.520 allows "
			"here",
			"CN", false},
		{"NOSUCH", "x", "NOSUCH", false},
		{"CN", "\xff\xfe", "CN", false},
		{"email", "nobody", "email", true},
		{"email", "a b@c", "email", true},
		{"email", "ü@example.org", "email", true},
		{"upn", "nobody", "upn", true},
		{"upn", "\xff@x", "upn", true},
		{"dns", "a/b", "dns", true},
		{"dns", "", "dns", true},
		{"uri", "nothing", "uri", true},
		{"ip", "10.0.0.256", "ip", true},
		{"rid", "1.2.3", "rid", true},
	};
	struct authority_fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct name_rule good = {(char *)"CN", (char *)"Ada"};
		struct name_rule rule = {(char *)cases[i].type, (char *)cases[i].value};
		struct authority_request request = {.profile = "smartcard-logon",
			.request = fixture_request("P-256"),
			.subject = cases[i].san ? &good : &rule,
			.subject_count = 1,
			.san = &rule,
			.san_count = cases[i].san};
		struct certificate certificate = {0};
		_cleanup_error_ struct error error = ERROR_INIT;

		if (enroll(fixture, &request, &certificate, &error))
			fail_msg("%s=%s was accepted", cases[i].type, cases[i].value);
		assert_int_equal(error.code, ERROR_AUTHORITY_REJECTED);
		assert_string_equal(error.field, cases[i].field);
		assert_null(certificate.der.data);
	}
}

static void expect_rejected(
	struct authority_fixture *fixture, const char *profile, X509_REQ *csr, const char *words)
{
	struct name_rule subject[] = {{(char *)"CN", (char *)"Ada"}};
	struct authority_request request = {
		.profile = profile, .request = csr, .subject = subject, .subject_count = 1};
	struct certificate certificate = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_false(enroll(fixture, &request, &certificate, &error));
	assert_int_equal(error.code, ERROR_AUTHORITY_REJECTED);
	if (!strstr(error.message, words))
		fail_msg("%s", error.message);
}

static X509_REQ *tampered_request(void)
{
	X509_REQ *request = fixture_request("P-256");
	unsigned char *der = NULL;

	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_UTF8,
		(const unsigned char *)"Mallory", -1, -1, 0);
	X509_REQ_set_subject_name(request, X509_REQ_get_subject_name(request));
	int length = i2d_re_X509_REQ_tbs(request, &der);
	OPENSSL_free(der);
	assert_true(length > 0);
	return request;
}

static void tampered_and_weak_requests_are_rejected(void **state)
{
	struct authority_fixture *fixture = *state;

	expect_rejected(fixture, "smartcard-logon", tampered_request(), "signature");
	expect_rejected(fixture, "smartcard-logon", fixture_request("RSA-1024"), "2048");
	expect_rejected(fixture, "smartcard-logon", fixture_request("secp256k1"), "P-256");
	expect_rejected(fixture, "smartcard-logon", X509_REQ_new(), "public key");
	expect_rejected(fixture, "no-such-profile", fixture_request("P-256"), "no-such-profile");
}

static void a_request_without_any_name_is_rejected(void **state)
{
	struct authority_fixture *fixture = *state;
	struct authority_request request = {
		.profile = "smartcard-logon", .request = fixture_request("P-256")};
	struct certificate certificate = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	struct name_rule upn = {(char *)"upn", (char *)"ada@corp.example"};
	int critical = 0;

	assert_false(enroll(fixture, &request, &certificate, &error));
	assert_int_equal(error.code, ERROR_AUTHORITY_REJECTED);
	request.request = fixture_request("P-256");
	request.san = &upn;
	request.san_count = 1;
	assert_true(enroll(fixture, &request, &certificate, NULL));
	X509 *x509 _cleanup_(X509_freep) = fixture_x509(&certificate);
	GENERAL_NAMES_free(X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, NULL));
	assert_int_equal(critical, 1);
	certificate_clear(&certificate);
}

static void the_ca_is_a_proper_ca(void **state)
{
	struct authority_fixture *fixture = *state;
	X509 *ca _cleanup_(X509_freep) = fixture_ca(fixture);

	assert_int_equal(X509_check_ca(ca), 1);
	assert_int_equal(X509_get_pathlen(ca), 0);
	assert_int_equal(X509_get_key_usage(ca), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_int_equal(X509_verify(ca, X509_get0_pubkey(ca)), 1);
	assert_int_equal(X509_get_version(ca), X509_VERSION_3);
}

static void preparing_again_keeps_key_and_certificate(void **state)
{
	struct authority_fixture *fixture = *state;
	X509 *before _cleanup_(X509_freep) = fixture_ca(fixture);

	fixture_prepare(fixture);
	X509 *after _cleanup_(X509_freep) = fixture_ca(fixture);
	assert_int_equal(X509_cmp(before, after), 0);
}

static void a_cut_off_preparation_is_finished_by_the_next(void **state)
{
	struct authority_fixture *fixture = fixture_new("ec-p256");

	(void)state;
	assert_true(token_generate_pair(
		fixture->services.token, "tessera ca local", KEY_ALGORITHM_EC_P256, NULL));
	fixture_prepare(fixture);
	X509_free(fixture_ca(fixture));
	fixture_free(fixture);
}

/* The last step of the test, which has failed, says so. */
static void assert_test_fails(struct authority_fixture *fixture, const char *words)
{
	struct authority *authority = fixture->authority;
	_cleanup_steps_ struct connection_steps steps = CONNECTION_STEPS_INIT;

	assert_false(authority->driver->test(authority, &steps));
	assert_true(steps.count > 0);
	assert_false(steps.items[steps.count - 1].has_passed);
	if (!strstr(steps.items[steps.count - 1].message, words))
		fail_msg("%s", steps.items[steps.count - 1].message);
}

static void an_unprepared_ca_says_so(void **state)
{
	struct authority_fixture *fixture = fixture_new("ec-p256");

	(void)state;
	fixture_reopen(fixture);
	assert_test_fails(fixture, "has no certificate yet");
	fixture_free(fixture);
}

static void a_lost_or_exchanged_key_is_noticed(void **state)
{
	struct authority_fixture *fixture = *state;
	struct token *token = fixture->services.token;
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_true(token_destroy(token, "tessera ca local", NULL));
	fixture_reopen(fixture);
	assert_test_fails(fixture, "the key of CA local");
	assert_false(connection_prepare(&fixture->services, "local", &error));
	assert_true(token_generate_pair(token, "tessera ca local", KEY_ALGORITHM_EC_P256, NULL));
	fixture_reopen(fixture);
	assert_test_fails(fixture, "does not fit");
}

static void the_test_names_the_ca(void **state)
{
	struct authority_fixture *fixture = *state;
	_cleanup_steps_ struct connection_steps steps = CONNECTION_STEPS_INIT;

	assert_true(fixture->authority->driver->test(fixture->authority, &steps));
	assert_int_equal(steps.count, 2);
	assert_non_null(strstr(steps.items[0].message, "CN=Test CA"));
}

static void the_profiles_are_listed(void **state)
{
	struct authority_fixture *fixture = *state;
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;

	assert_true(fixture->authority->driver->profiles(fixture->authority, &profiles, NULL));
	assert_int_equal(profiles.count, 4);
	assert_string_equal(profiles.items[0].name, "smartcard-logon");
	assert_true(profiles.items[0].is_usable);
}

static void the_certificate_is_published_in_both_forms(void **state)
{
	struct authority_fixture *fixture = *state;
	X509 *ca _cleanup_(X509_freep) = fixture_ca(fixture);
	_cleanup_free_ char *path = xasprintf("%s/local.crt", fixture->publish_folder);
	_cleanup_free_ char *pem = xasprintf("%s/local.crt.pem", fixture->publish_folder);
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0644);
	FILE *file = fopen(path, "r");
	X509 *der _cleanup_(X509_freep) = d2i_X509_fp(file, NULL);
	fclose(file);
	assert_int_equal(X509_cmp(ca, der), 0);
	file = fopen(pem, "r");
	X509 *text _cleanup_(X509_freep) = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	assert_int_equal(X509_cmp(ca, text), 0);
}

static void a_folder_that_cannot_be_written_is_one_clear_error(void **state)
{
	struct authority_fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;

	fixture->services.publish_folder = "/proc/no-such-folder";
	assert_false(connection_prepare(&fixture->services, "local", &error));
	assert_int_equal(error.code, ERROR_AUTHORITY_FAILED);
	assert_non_null(strstr(error.message, "/proc/no-such-folder"));
	fixture->services.publish_folder = NULL;
	assert_true(connection_prepare(&fixture->services, "local", NULL));
}

static void an_unknown_connection_is_not_found(void **state)
{
	struct authority_fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_null(authority_open(&fixture->services, "nobody", &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_false(connection_prepare(&fixture->services, "nobody", NULL));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_algorithm_makes_a_ca_that_issues),
		TEST(the_names_of_the_request_are_in_the_certificate),
		TEST(the_profile_decides_the_usages),
		TEST(a_card_authentication_usage_is_critical),
		TEST(the_crl_url_is_taken_as_it_is),
		TEST(key_usages_that_a_key_cannot_do_are_left_out),
		TEST(no_certificate_outlives_the_ca),
		TEST(serial_numbers_are_long_and_different),
		TEST(wrong_names_are_rejected),
		TEST(tampered_and_weak_requests_are_rejected),
		TEST(a_request_without_any_name_is_rejected),
		TEST(the_ca_is_a_proper_ca),
		TEST(preparing_again_keeps_key_and_certificate),
		cmocka_unit_test(a_cut_off_preparation_is_finished_by_the_next),
		cmocka_unit_test(an_unprepared_ca_says_so),
		TEST(a_lost_or_exchanged_key_is_noticed),
		TEST(the_test_names_the_ca),
		TEST(the_profiles_are_listed),
		TEST(the_certificate_is_published_in_both_forms),
		TEST(a_folder_that_cannot_be_written_is_one_clear_error),
		TEST(an_unknown_connection_is_not_found),
	};

	log_set_level(LOG_LEVEL_WARNING);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "authority/ms-cs-check.h"
#include "common/alloc.h"
#include "unit/authority/ms-cs-fixture.h"

#define LOGON "clientAuth,1.3.6.1.4.1.311.20.2.2"
#define UPN   "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:"
#define SID   "S-1-5-21-1004336348-1177238915-682003330-1104"
#define OTHER "S-1-5-21-1004336348-1177238915-682003330-512"
#define TAG   "tag:microsoft.com,2022-09-14:sid:"

static const char *const logon[] = {MS_CS_PURPOSE_SMART_CARD_LOGON, MS_CS_PURPOSE_CLIENT_AUTH};

static EVP_PKEY *key;

static int set_up(void **state)
{
	(void)state;
	key = EVP_EC_gen("P-256");
	return key ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

/* Checks the certificate, which is freed, for the holder ada. */
static bool check_as(X509 *certificate, const struct ms_cs_expected *expected, char **warning,
	struct error *error)
{
	bool good = ms_cs_check_issued(certificate, expected, warning, error);

	X509_free(certificate);
	return good;
}

static bool check(const struct ms_cs_sample *sample, char **warning, struct error *error)
{
	static const struct ms_cs_expected ada = {.upn = "ada@lab.example",
		.sid = SID,
		.purposes = logon,
		.purpose_count = ARRAY_SIZE(logon)};

	return check_as(ms_cs_sample_new(sample, key), &ada, warning, error);
}

static void assert_good(const struct ms_cs_sample *sample)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *warning = NULL;

	if (!check(sample, &warning, &error))
		fail_msg("%s", error_message(&error));
	assert_null(warning);
}

static void assert_warns(const struct ms_cs_sample *sample, const char *words)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *warning = NULL;

	if (!check(sample, &warning, &error))
		fail_msg("%s", error_message(&error));
	assert_non_null(warning);
	assert_non_null(strstr(warning, words));
}

static void assert_refused(const struct ms_cs_sample *sample, const char *words)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *warning = NULL;

	assert_false(check(sample, &warning, &error));
	assert_int_equal(error.code, ERROR_AUTHORITY_FAILED);
	if (!strstr(error.message, words))
		fail_msg("\"%s\" is not in: %s", words, error.message);
	assert_null(warning);
}

static void the_holders_certificate_is_good(void **state)
{
	(void)state;
	assert_good(&(struct ms_cs_sample){
		.purposes = LOGON, .names = UPN "ada@lab.example", .sid = SID});
}

static void windows_takes_letters_of_either_case_for_the_same(void **state)
{
	(void)state;
	assert_good(&(struct ms_cs_sample){
		.purposes = LOGON, .names = UPN "Ada@LAB.example", .sid = SID});
}

static void another_persons_name_is_refused(void **state)
{
	(void)state;
	assert_refused(
		&(struct ms_cs_sample){
			.purposes = LOGON, .names = UPN "grace@lab.example", .sid = SID},
		"its user principal name is \"grace@lab.example\"");
	/* One beside the right one, too. */
	assert_refused(&(struct ms_cs_sample){.purposes = LOGON,
			       .names = UPN "ada@lab.example," UPN "grace@lab.example",
			       .sid = SID},
		"grace@lab.example");
	/* Nor one that goes on behind what a careless reader takes for its end. */
	assert_refused(
		&(struct ms_cs_sample){
			.purposes = LOGON, .names = UPN "ada@lab.example.evil", .sid = SID},
		"ada@lab.example.evil");
}

static void another_persons_sid_is_refused(void **state)
{
	(void)state;
	assert_refused(
		&(struct ms_cs_sample){
			.purposes = LOGON, .names = UPN "ada@lab.example", .sid = OTHER},
		"its SID is \"" OTHER "\"");
	assert_refused(&(struct ms_cs_sample){.purposes = LOGON,
			       .names = UPN "ada@lab.example",
			       .uri = TAG OTHER,
			       .sid = SID},
		"its SID is \"" OTHER "\"");
}

static void without_a_sid_the_operator_is_warned(void **state)
{
	(void)state;
	assert_warns(&(struct ms_cs_sample){.purposes = LOGON, .names = UPN "ada@lab.example"},
		"weak mapping");
}

static void a_sid_in_a_uri_maps_strongly_too(void **state)
{
	(void)state;
	assert_good(&(struct ms_cs_sample){
		.purposes = LOGON, .names = UPN "ada@lab.example", .uri = TAG SID});
}

static void without_a_user_principal_name_the_operator_is_warned(void **state)
{
	(void)state;
	assert_warns(
		&(struct ms_cs_sample){.purposes = LOGON, .sid = SID}, "no user principal name");
}

static void a_missing_purpose_is_refused(void **state)
{
	(void)state;
	assert_refused(
		&(struct ms_cs_sample){
			.purposes = "clientAuth", .names = UPN "ada@lab.example", .sid = SID},
		MS_CS_PURPOSE_SMART_CARD_LOGON);
	assert_refused(&(struct ms_cs_sample){.purposes = "anyExtendedKeyUsage",
			       .names = UPN "ada@lab.example",
			       .sid = SID},
		MS_CS_PURPOSE_SMART_CARD_LOGON);
	assert_refused(&(struct ms_cs_sample){.names = UPN "ada@lab.example", .sid = SID},
		MS_CS_PURPOSE_SMART_CARD_LOGON);
}

static void what_nobody_knows_of_the_holder_is_not_compared(void **state)
{
	const struct ms_cs_expected nobody = {0};
	_cleanup_free_ char *warning = NULL;

	(void)state;
	assert_true(check_as(ms_cs_sample_new(&(struct ms_cs_sample){.purposes = LOGON,
						      .names = UPN "grace@lab.example",
						      .sid = OTHER},
				     key),
		&nobody, &warning, NULL));
	assert_null(warning);
	/* And one that is not for logging on need not be mapped. */
	assert_true(check_as(
		ms_cs_sample_new(&(struct ms_cs_sample){.purposes = "emailProtection"}, key),
		&nobody, &warning, NULL));
	assert_null(warning);
}

static void assert_sid_unreadable(X509 *certificate)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_null(ms_cs_sid_of(certificate, &error));
	assert_int_equal(error.code, ERROR_AUTHORITY_FAILED);
	X509_free(certificate);
}

static X509 *plain(void)
{
	return ms_cs_sample_new(&(struct ms_cs_sample){.purposes = LOGON}, key);
}

/* The bytes of a real authority: the fact that the reading rests on. */
static void the_extension_of_a_real_authority_is_read(void **state)
{
	static const unsigned char head[] = {0x30, 0x3f, 0xa0, 0x3d, 0x06, 0x0a, 0x2b, 0x06, 0x01,
		0x04, 0x01, 0x82, 0x37, 0x19, 0x02, 0x01, 0xa0, 0x2f, 0x04, 0x2d};
	unsigned char der[sizeof(head) + sizeof(SID) - 1];
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(sizeof(SID) - 1, 0x2d);
	memcpy(der, head, sizeof(head));
	memcpy(der + sizeof(head), SID, sizeof(SID) - 1);
	X509 *certificate = plain();
	ms_cs_sample_add(certificate, "1.3.6.1.4.1.311.25.2", der, sizeof(der));
	_cleanup_free_ char *sid = ms_cs_sid_of(certificate, &error);
	X509_free(certificate);
	assert_int_equal(error.code, ERROR_NONE);
	assert_string_equal(sid, SID);
}

static void a_damaged_sid_is_refused(void **state)
{
	static const char *const wrong[] = {"", "S-1", "S-1-", "S-1-5", "S-1-5-", "S-1-5--21",
		"S-1-5-21x", "S-2-5-21", " " SID, "S-1-5-21-1234567890123456"};
	static const unsigned char garbage[] = {0x30, 0x03, 0x02, 0x01};
	X509 *certificate;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		certificate = plain();
		ms_cs_sample_add_sid(certificate, wrong[i]);
		assert_sid_unreadable(certificate);
	}
	certificate = plain();
	ms_cs_sample_add(certificate, "1.3.6.1.4.1.311.25.2", garbage, sizeof(garbage));
	assert_sid_unreadable(certificate);
	/* Of two nobody knows which one a domain controller takes. */
	certificate = plain();
	ms_cs_sample_add_sid(certificate, SID);
	ms_cs_sample_add_sid(certificate, OTHER);
	assert_sid_unreadable(certificate);
}

static void expectations_are_fields_of_the_holder(void **state)
{
	_cleanup_fields_ struct fields holder = FIELDS_INIT;

	(void)state;
	struct ms_cs_expected expected = ms_cs_expected_of(&holder);
	assert_null(expected.upn);
	fields_set(&holder, "upn", "ada@lab.example");
	fields_set(&holder, "sid", "");
	expected = ms_cs_expected_of(&holder);
	assert_string_equal(expected.upn, "ada@lab.example");
	assert_null(expected.sid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_holders_certificate_is_good),
		cmocka_unit_test(windows_takes_letters_of_either_case_for_the_same),
		cmocka_unit_test(another_persons_name_is_refused),
		cmocka_unit_test(another_persons_sid_is_refused),
		cmocka_unit_test(without_a_sid_the_operator_is_warned),
		cmocka_unit_test(a_sid_in_a_uri_maps_strongly_too),
		cmocka_unit_test(without_a_user_principal_name_the_operator_is_warned),
		cmocka_unit_test(a_missing_purpose_is_refused),
		cmocka_unit_test(what_nobody_knows_of_the_holder_is_not_compared),
		cmocka_unit_test(the_extension_of_a_real_authority_is_read),
		cmocka_unit_test(a_damaged_sid_is_refused),
		cmocka_unit_test(expectations_are_fields_of_the_holder),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/alloc.h"

#define NOT_BEFORE 1700000000

DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);

/* A certificate whose serial number is `serial` and whose name has CN `name`, as DER. */
static void make_certificate(struct buffer *der, const uint8_t *serial, size_t serial_length,
	const char *name, long days)
{
	X509 *x509 _cleanup_(X509_freep) = X509_new();
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = EVP_EC_gen("P-256");
	unsigned char *encoded = NULL;

	ASN1_STRING_set(X509_get_serialNumber(x509), serial, (int)serial_length);
	X509_NAME *subject = X509_get_subject_name(x509);
	X509_NAME_add_entry_by_txt(
		subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_NAME_add_entry_by_txt(
		subject, "O", MBSTRING_UTF8, (const unsigned char *)"A, B", -1, -1, 0);
	ASN1_TIME_set(X509_getm_notBefore(x509), NOT_BEFORE);
	ASN1_TIME_set(X509_getm_notAfter(x509), NOT_BEFORE + days * 86400);
	X509_set_pubkey(x509, key);
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	int length = i2d_X509(x509, &encoded);
	assert_true(length > 0);
	buffer_truncate(der, 0);
	buffer_append(der, encoded, (size_t)length);
	OPENSSL_free(encoded);
}

static void a_certificate_is_described(void **state)
{
	_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	(void)state;
	make_certificate(&der, (const uint8_t[]){0x00, 0xA5, 0x01}, 3, "Zo\xC3\xAB", 10);
	certificate.serial_hex = xstrdup("old");
	assert_true(certificate_from_der(&certificate, der.data, der.length, NULL));
	assert_string_equal(certificate.serial_hex, "a501");
	assert_string_equal(certificate.subject, "O=A\\, B,CN=Zo\xC3\xAB");
	assert_int_equal(certificate.not_before, NOT_BEFORE);
	assert_int_equal(certificate.not_after, NOT_BEFORE + 10 * 86400);
	assert_int_equal(certificate.der.length, der.length);
	assert_memory_equal(certificate.der.data, der.data, der.length);
}

static void check_refused(const uint8_t *der, size_t length)
{
	_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	certificate.subject = xstrdup("kept");
	assert_false(certificate_from_der(&certificate, der, length, &error));
	assert_int_equal(error.code, ERROR_AUTHORITY_FAILED);
	assert_string_equal(certificate.subject, "kept");
	assert_null(certificate.serial_hex);
	assert_int_equal(certificate.der.length, 0);
}

static void what_is_not_exactly_one_certificate_is_refused(void **state)
{
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	(void)state;
	check_refused(NULL, 0);
	check_refused((const uint8_t *)"not DER at all", 14);
	make_certificate(&der, (const uint8_t[]){1}, 1, "A", 1);
	for (size_t length = 1; length < der.length; length += 7)
		check_refused(der.data, length);
	buffer_append_u8(&der, 0);
	check_refused(der.data, der.length);
	buffer_fill(&der, 0, 70000);
	check_refused(der.data, der.length);
}

static void a_validity_that_ends_before_it_starts_is_refused(void **state)
{
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	(void)state;
	make_certificate(&der, (const uint8_t[]){1}, 1, "A", -1);
	check_refused(der.data, der.length);
}

static void serial_numbers_have_a_limit(void **state)
{
	_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;
	uint8_t serial[21];

	(void)state;
	memset(serial, 0x7A, sizeof(serial));
	make_certificate(&der, serial, 20, "A", 1);
	assert_true(certificate_from_der(&certificate, der.data, der.length, NULL));
	assert_int_equal(strlen(certificate.serial_hex), 40);
	make_certificate(&der, serial, 21, "A", 1);
	check_refused(der.data, der.length);
}

static void broken_bytes_never_crash(void **state)
{
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	(void)state;
	make_certificate(&der, (const uint8_t[]){1}, 1, "A", 1);
	for (size_t i = 0; i < der.length; i++) {
		_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;
		uint8_t before = der.data[i];
		der.data[i] ^= (uint8_t)(1u << (i % 8));
		certificate_from_der(&certificate, der.data, der.length, NULL);
		der.data[i] = before;
	}
}

static void a_text_is_found_as_a_whole_value_alone(void **state)
{
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;
	_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;
	static const uint8_t serial[] = {1};

	(void)state;
	make_certificate(&der, serial, sizeof(serial), "Anna", 1);
	assert_true(certificate_from_der(&certificate, der.data, der.length, NULL));
	assert_true(certificate_has_text(&certificate, "Anna"));
	assert_true(certificate_has_text(&certificate, ""));
	assert_false(certificate_has_text(&certificate, "Ann"));
	assert_false(certificate_has_text(&certificate, "nna"));
	assert_false(certificate_has_text(&certificate, "Annabel"));
}

static void taking_a_certificate_empties_it(void **state)
{
	_cleanup_certificates_ struct certificates certificates = CERTIFICATES_INIT;
	struct certificate certificate = {.id = 7, .subject = xstrdup("CN=A")};

	(void)state;
	buffer_append_u8(&certificate.der, 0x30);
	certificates_take(&certificates, &certificate);
	assert_int_equal(certificate.id, 0);
	assert_null(certificate.subject);
	assert_null(certificate.der.data);
	assert_int_equal(certificates.count, 1);
	assert_string_equal(certificates.items[0].subject, "CN=A");
}

static void revocation_reasons_are_those_of_rfc_5280(void **state)
{
	(void)state;
	assert_int_equal(revocation_reason_find(NULL)->code, 0);
	assert_int_equal(revocation_reason_find("keyCompromise")->code, 1);
	assert_int_equal(revocation_reason_find("certificateHold")->code, 6);
	assert_int_equal(revocation_reason_find("privilegeWithdrawn")->code, 9);
	assert_null(revocation_reason_find("removeFromCRL"));
	assert_null(revocation_reason_find("KeyCompromise"));
	assert_null(revocation_reason_find(""));
}

static void certificate_statuses_have_names_that_lead_back(void **state)
{
	(void)state;
	for (enum certificate_status s = 0; s < CERTIFICATE_STATUS_COUNT; s++)
		assert_int_equal(certificate_status_from_name(certificate_status_name(s)), s);
	assert_null(certificate_status_name(CERTIFICATE_STATUS_COUNT));
	assert_int_equal(certificate_status_from_name("good"), CERTIFICATE_STATUS_COUNT);
	assert_int_equal(certificate_status_from_name(NULL), CERTIFICATE_STATUS_COUNT);
}

static void a_copied_credential_is_of_its_own(void **state)
{
	_cleanup_credential_ struct credential *credential = xnew(struct credential);

	(void)state;
	credential->serial = xstrdup("yubikey-1");
	credential->key_version = 3;
	fields_set(&credential->holder, "name", "Ada");
	_cleanup_credential_ struct credential *copy = credential_copy(credential);
	assert_ptr_not_equal(copy->serial, credential->serial);
	assert_string_equal(copy->serial, "yubikey-1");
	assert_string_equal(fields_get(&copy->holder, "name"), "Ada");
	assert_int_equal(copy->key_version, 3);
	assert_null(copy->template_name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_described),
		cmocka_unit_test(what_is_not_exactly_one_certificate_is_refused),
		cmocka_unit_test(a_validity_that_ends_before_it_starts_is_refused),
		cmocka_unit_test(serial_numbers_have_a_limit),
		cmocka_unit_test(broken_bytes_never_crash),
		cmocka_unit_test(a_text_is_found_as_a_whole_value_alone),
		cmocka_unit_test(taking_a_certificate_empties_it),
		cmocka_unit_test(revocation_reasons_are_those_of_rfc_5280),
		cmocka_unit_test(certificate_statuses_have_names_that_lead_back),
		cmocka_unit_test(a_copied_credential_is_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

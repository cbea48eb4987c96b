/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include "authority/ms-cs-request.h"
#include "common/alloc.h"

static STACK_OF(X509_EXTENSION) * add(const struct ms_cs_template *template)
{
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!ms_cs_request_add_template(extensions, template, &error))
		fail_msg("%s", error_message(&error));
	assert_int_equal(sk_X509_EXTENSION_num(extensions), 1);
	return extensions;
}

/* The one extension of a template, with this value. */
static void assert_encoded(const struct ms_cs_template *template, const char *oid,
	const unsigned char *der, size_t length)
{
	STACK_OF(X509_EXTENSION) *extensions = add(template);
	X509_EXTENSION *extension = sk_X509_EXTENSION_value(extensions, 0);
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
	char text[64];

	OBJ_obj2txt(text, sizeof(text), X509_EXTENSION_get_object(extension), 1);
	assert_string_equal(text, oid);
	assert_false(X509_EXTENSION_get_critical(extension));
	assert_int_equal(ASN1_STRING_length(value), length);
	assert_memory_equal(ASN1_STRING_get0_data(value), der, length);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

/* The bytes of the example in MS-WSTEP 4.1.1.1. */
static void a_name_is_a_bare_bmp_string(void **state)
{
	static const unsigned char der[] = {
		0x1e, 0x08, 0x00, 0x55, 0x00, 0x73, 0x00, 0x65, 0x00, 0x72};

	(void)state;
	assert_encoded(
		&(struct ms_cs_template){.name = "User"}, "1.3.6.1.4.1.311.20.2", der, sizeof(der));
}

static void an_oid_comes_before_a_name_and_with_the_versions_that_are_known(void **state)
{
	static const unsigned char plain[] = {
		0x30, 0x0b, 0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x15, 0x08};
	static const unsigned char versions[] = {0x30, 0x11, 0x06, 0x09, 0x2b, 0x06, 0x01, 0x04,
		0x01, 0x82, 0x37, 0x15, 0x08, 0x02, 0x01, 0x64, 0x02, 0x01, 0x03};
	struct ms_cs_template template = {.name = "User", .oid = "1.3.6.1.4.1.311.21.8"};

	(void)state;
	assert_encoded(&template, "1.3.6.1.4.1.311.21.7", plain, sizeof(plain));
	template.minor_version = 3;
	assert_encoded(&template, "1.3.6.1.4.1.311.21.7", plain, sizeof(plain));
	template.major_version = 100;
	assert_encoded(&template, "1.3.6.1.4.1.311.21.7", versions, sizeof(versions));
}

static void the_extension_is_in_the_request_that_the_key_signs(void **state)
{
	STACK_OF(X509_EXTENSION) *extensions =
		add(&(struct ms_cs_template){.oid = "1.3.6.1.4.1.311.21.8.4242.7.1"});
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *request = X509_REQ_new();

	(void)state;
	assert_int_equal(X509_REQ_add_extensions(request, extensions), 1);
	assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
	assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
	STACK_OF(X509_EXTENSION) *found = X509_REQ_get_extensions(request);
	assert_int_equal(sk_X509_EXTENSION_num(found), 1);
	assert_int_equal(X509_REQ_get_attr_by_NID(request, NID_ext_req, -1), 0);
	sk_X509_EXTENSION_pop_free(found, X509_EXTENSION_free);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	X509_REQ_free(request);
	EVP_PKEY_free(key);
}

static void what_names_no_template_is_refused(void **state)
{
	static const struct ms_cs_template wrong[] = {
		{0},
		{.name = ""},
		{.name = "\xf0\x9f\x98\x80"},
		{.oid = "User"},
		{.oid = "1"},
		{.oid = "1."},
		{.oid = ".1.3"},
		{.oid = "1..3"},
		{.oid = "1.3a"},
		{.oid = "9.3.6"},
		{.oid = ""},
	};
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		assert_false(ms_cs_request_add_template(extensions, &wrong[i], &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	}
	assert_int_equal(sk_X509_EXTENSION_num(extensions), 0);
	sk_X509_EXTENSION_free(extensions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_a_bare_bmp_string),
		cmocka_unit_test(an_oid_comes_before_a_name_and_with_the_versions_that_are_known),
		cmocka_unit_test(the_extension_is_in_the_request_that_the_key_signs),
		cmocka_unit_test(what_names_no_template_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

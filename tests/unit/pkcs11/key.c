/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <openssl/x509.h>

#include <cmocka.h>

#include "common/macros.h"

/* Public keys and certificates taken apart: pkcs11/key.c. */

static struct key *parse(const unsigned char *der, size_t length, const void *certificate,
	size_t certificate_length, CK_RV *rv)
{
	struct remote_key remote = {.reference = 0x9A};

	buffer_append(&remote.public_key, der, length);
	buffer_append(&remote.certificate, certificate, certificate_length);
	struct key *key = key_new(&remote, rv);
	assert_null(remote.public_key.data); /* taken */
	return key;
}

static int encode(EVP_PKEY *key, unsigned char **der)
{
	*der = NULL;
	int length = i2d_PUBKEY(key, der);
	EVP_PKEY_free(key);
	return length;
}

static void keys_are_built_as_openssl_writes_them(void **state)
{
	unsigned char *der;
	CK_RV rv;

	(void)state;
	for (int ec = 0; ec < 2; ec++) {
		struct buffer built = BUFFER_INIT;
		int length = encode(ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048), &der);
		struct key *key = parse(der, (size_t)length, NULL, 0, &rv);
		assert_non_null(key);
		assert_int_equal(key->bits, ec ? 256 : 2048);
		if (ec)
			key_build_ec(&built, key->parameters,
				(struct view){key->wrapped_point.data, key->wrapped_point.length});
		else
			key_build_rsa(&built, key->modulus, key->exponent);
		assert_int_equal(built.length, length);
		assert_memory_equal(built.data, der, length);
		buffer_clear(&built);
		key_unref(key);
		OPENSSL_free(der);
	}
}

static void a_cut_or_changed_key_is_refused_or_harmless(void **state)
{
	unsigned char *der;
	CK_RV rv;

	(void)state;
	int length = encode(EVP_EC_gen("P-384"), &der);
	for (int i = 0; i < length; i++) {
		assert_null(parse(der, (size_t)i, NULL, 0, &rv));
		assert_int_equal(rv, CKR_DEVICE_ERROR);
		for (int bit = 0; bit < 8; bit++) {
			der[i] ^= (unsigned char)(1 << bit);
			key_unref(parse(der, (size_t)length, der, (size_t)length, &rv));
			der[i] ^= (unsigned char)(1 << bit);
		}
	}
	OPENSSL_free(der);
}

static void a_certificate_that_cannot_be_read_has_no_names(void **state)
{
	unsigned char *der;
	CK_RV rv;

	(void)state;
	int length = encode(EVP_EC_gen("P-256"), &der);
	struct key *key = parse(der, (size_t)length, "\x30\x03\x30\x01\x02", 5, &rv);
	assert_non_null(key);
	assert_int_equal(key->subject.length, 0);
	assert_int_equal(key->certificate.length, 5);
	key_unref(key);
	OPENSSL_free(der);
}

static void points_come_bare_or_wrapped(void **state)
{
	uint8_t point[67] = {0x04, 0x41, 0x04};

	(void)state;
	struct view bare = key_unwrap_point((struct view){point + 2, 65});
	assert_ptr_equal(bare.data, point + 2);
	assert_int_equal(bare.length, 65);
	bare = key_unwrap_point((struct view){point, 67});
	assert_ptr_equal(bare.data, point + 2);
	assert_int_equal(bare.length, 65);
	assert_int_equal(key_unwrap_point((struct view){NULL, 0}).length, 0);
}

/* One point of 256 looks like an OCTET STRING: its first coordinate begins with that length. */
static void a_bare_point_is_never_taken_for_a_wrapped_one(void **state)
{
	static const size_t lengths[] = {65, 97, 133};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		uint8_t point[133] = {0x04, (uint8_t)(lengths[i] - 2), 0x04};
		if (lengths[i] == 133) { /* the same in the long form of a length */
			point[1] = 0x81;
			point[2] = 133 - 3;
		}
		struct view bare = key_unwrap_point((struct view){point, lengths[i]});
		assert_ptr_equal(bare.data, point);
		assert_int_equal(bare.length, lengths[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_built_as_openssl_writes_them),
		cmocka_unit_test(a_cut_or_changed_key_is_refused_or_harmless),
		cmocka_unit_test(a_certificate_that_cannot_be_read_has_no_names),
		cmocka_unit_test(points_come_bare_or_wrapped),
		cmocka_unit_test(a_bare_point_is_never_taken_for_a_wrapped_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

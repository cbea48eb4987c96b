/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cmocka.h>

#include "common/macros.h"
#include "unit/pkcs11/fake-slot.h"
#include "unit/pkcs11/fixture.h"

/* Secret keys of a token that is no card: pkcs11/stream.c, parameter.c, crypto.c. */

#define LENGTH	   333
#define LONG	   100000
#define KEY_LENGTH 32

static CK_BYTE key_value[KEY_LENGTH] = "a key that the test knows......";
static CK_BYTE iv[16] = {1, 2, 3, [15] = 0xFE};
static CK_BYTE plain[LONG];

static CK_SESSION_HANDLE open_slot(void)
{
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (CK_BYTE)(i * 7 + i / 251);
	assert_ok(p11->C_OpenSession(
		FAKE_SLOT, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
	return session;
}

static CK_OBJECT_HANDLE import(CK_SESSION_HANDLE session, CK_KEY_TYPE type)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &class, sizeof(class)},
		{CKA_KEY_TYPE, &type, sizeof(type)},
		{CKA_VALUE, key_value, sizeof(key_value)},
		{CKA_ENCRYPT, &yes, 1},
		{CKA_DECRYPT, &yes, 1},
		{CKA_SIGN, &yes, 1},
		{CKA_VERIFY, &yes, 1},
	};
	CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;

	assert_ok(p11->C_CreateObject(session, template, ARRAY_SIZE(template), &key));
	return key;
}

static CK_AES_CTR_PARAMS counter = {.counter_bits = 128, .cb = {1, [14] = 0xFF, [15] = 0xFE}};
static CK_GCM_PARAMS gcm = {
	.iv_ptr = iv, .iv_len = 12, .aad_ptr = plain, .aad_len = 20, .tag_bits = 128};

static const struct mode {
	CK_MECHANISM mechanism;
	size_t length; /* of a text that it takes */
	size_t more;   /* bytes of the encrypted one */
} modes[] = {
	{{CKM_AES_ECB, NULL, 0}, 320, 0},
	{{CKM_AES_CBC, iv, sizeof(iv)}, 320, 0},
	{{CKM_AES_CBC_PAD, iv, sizeof(iv)}, LENGTH, 16 - LENGTH % 16},
	{{CKM_AES_CBC_PAD, iv, sizeof(iv)}, 320, 16},
	{{CKM_AES_CTR, &counter, sizeof(counter)}, LENGTH, 0},
	{{CKM_AES_GCM, &gcm, sizeof(gcm)}, LENGTH, 16},
};

static CK_MECHANISM_PTR mechanism_of(const struct mode *mode)
{
	return (CK_MECHANISM_PTR)(uintptr_t)&mode->mechanism;
}

/* With OpenSSL, which knows no such thing as these modes' parts. */
static void openssl_encrypts(const struct mode *mode, CK_BYTE *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	const CK_MECHANISM *mechanism = &mode->mechanism;
	const unsigned char *start = mechanism->mechanism == CKM_AES_CTR ? counter.cb : iv;
	int size, last, ignored;

	const EVP_CIPHER *cipher = mechanism->mechanism == CKM_AES_ECB	 ? EVP_aes_256_ecb()
				   : mechanism->mechanism == CKM_AES_CTR ? EVP_aes_256_ctr()
				   : mechanism->mechanism == CKM_AES_GCM ? EVP_aes_256_gcm()
									 : EVP_aes_256_cbc();
	EVP_EncryptInit(context, cipher, key_value, start);
	EVP_CIPHER_CTX_set_padding(context, mechanism->mechanism == CKM_AES_CBC_PAD);
	if (mechanism->mechanism == CKM_AES_GCM)
		EVP_EncryptUpdate(context, NULL, &ignored, gcm.aad_ptr, (int)gcm.aad_len);
	EVP_EncryptUpdate(context, out, &size, plain, (int)mode->length);
	EVP_EncryptFinal(context, out + size, &last);
	if (mechanism->mechanism == CKM_AES_GCM)
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, out + size + last);
	EVP_CIPHER_CTX_free(context);
}

typedef CK_RV (*part_function)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR);
typedef CK_RV (*final_function)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR);

/* Feeds parts of that many bytes; answers the length of all that comes out. */
static size_t run_parts(CK_SESSION_HANDLE session, part_function update, final_function final,
	const CK_BYTE *in, size_t length, size_t part, CK_BYTE *out)
{
	size_t got = 0;

	for (size_t done = 0; done < length; done += part) {
		size_t now = length - done < part ? length - done : part;
		CK_BYTE_PTR from = (CK_BYTE_PTR)(uintptr_t)(in + done);
		CK_ULONG asked = 0, size = 0;
		assert_ok(update(session, from, now, NULL, &asked));
		if (asked > 0)
			assert_ckr(
				update(session, from, now, out + got, &size), CKR_BUFFER_TOO_SMALL);
		size = asked;
		assert_ok(update(session, from, now, out + got, &size));
		assert_int_equal(size, asked);
		got += size;
	}
	CK_ULONG size = LENGTH + 32;
	assert_ok(final(session, out + got, &size));
	return got + size;
}

static void ciphers_satisfy_openssl_at_once_and_in_parts(void **state)
{
	static const size_t parts[] = {1, 15, 16, 17, 48, 1000};
	CK_BYTE expected[LENGTH + 32], out[2 * LENGTH + 64];

	(void)state;
	CK_SESSION_HANDLE session = open_slot();
	CK_OBJECT_HANDLE key = import(session, CKK_AES);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		const struct mode *mode = &modes[i];
		size_t length = mode->length + mode->more;
		CK_ULONG size = 0;
		openssl_encrypts(mode, expected);
		assert_ok(p11->C_EncryptInit(session, mechanism_of(mode), key));
		assert_ok(p11->C_Encrypt(session, plain, mode->length, NULL, &size));
		assert_int_equal(size, length);
		assert_ok(p11->C_Encrypt(session, plain, mode->length, out, &size));
		assert_memory_equal(out, expected, length);
		assert_ok(p11->C_DecryptInit(session, mechanism_of(mode), key));
		assert_ok(p11->C_Decrypt(session, expected, length, out, &size));
		assert_int_equal(size, mode->length);
		assert_memory_equal(out, plain, mode->length);
		for (size_t j = 0; j < ARRAY_SIZE(parts); j++) {
			assert_ok(p11->C_EncryptInit(session, mechanism_of(mode), key));
			size_t got = run_parts(session, p11->C_EncryptUpdate, p11->C_EncryptFinal,
				plain, mode->length, parts[j], out);
			assert_int_equal(got, length);
			assert_memory_equal(out, expected, length);
			assert_ok(p11->C_DecryptInit(session, mechanism_of(mode), key));
			got = run_parts(session, p11->C_DecryptUpdate, p11->C_DecryptFinal,
				expected, length, parts[j], out);
			assert_int_equal(got, mode->length);
			assert_memory_equal(out, plain, mode->length);
		}
	}
}

static void long_texts_take_several_calls(void **state)
{
	CK_MECHANISM mechanism = {CKM_AES_CTR, &counter, sizeof(counter)};
	CK_BYTE_PTR encrypted = malloc(LONG), back = malloc(LONG);
	CK_ULONG length = LONG;

	(void)state;
	CK_SESSION_HANDLE session = open_slot();
	CK_OBJECT_HANDLE key = import(session, CKK_AES);
	fake_command(fake, FAKE_COUNT);
	assert_ok(p11->C_EncryptInit(session, &mechanism, key));
	assert_ok(p11->C_Encrypt(session, plain, LONG, encrypted, &length));
	assert_int_equal(length, LONG);
	assert_true(fake_command(fake, FAKE_COUNT) >= 4);
	assert_ok(p11->C_DecryptInit(session, &mechanism, key));
	assert_ok(p11->C_DecryptUpdate(session, encrypted, LONG, back, &length));
	assert_memory_equal(back, plain, length);
	free(encrypted);
	free(back);
}

static CK_MECHANISM of_gcm = {CKM_AES_GCM, &gcm, sizeof(gcm)};
static CK_MECHANISM of_hmac = {CKM_SHA256_HMAC, NULL, 0};

/* With as much room in each call as it has input. */
static CK_ULONG encrypt_in_parts(CK_SESSION_HANDLE session, CK_BYTE_PTR encrypted, CK_ULONG part)
{
	CK_ULONG got = 0;

	for (CK_ULONG done = 0; done < LONG; done += part) {
		CK_ULONG now = LONG - done < part ? LONG - done : part, size = now;
		assert_ok(p11->C_EncryptUpdate(session, plain + done, now, encrypted + got, &size));
		assert_true(size <= now);
		got += size;
	}
	return got;
}

static void what_is_too_long_for_one_call_goes_to_the_token(void **state)
{
	static const CK_ULONG parts[] = {333, 32768, 60000, 60001, LONG};
	const struct mode mode = {{CKM_AES_GCM, &gcm, sizeof(gcm)}, LONG, 16};
	CK_BYTE_PTR expected = malloc(LONG + 16), out = malloc(LONG + 16);
	CK_ULONG size = 0;

	(void)state;
	CK_SESSION_HANDLE session = open_slot();
	CK_OBJECT_HANDLE key = import(session, CKK_AES);
	openssl_encrypts(&mode, expected);
	assert_ok(p11->C_EncryptInit(session, &of_gcm, key));
	assert_ok(p11->C_Encrypt(session, plain, LONG, NULL, &size));
	assert_int_equal(size, LONG + 16);
	size--;
	assert_ckr(p11->C_Encrypt(session, plain, LONG, out, &size), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(size, LONG + 16);
	assert_ok(p11->C_Encrypt(session, plain, LONG, out, &size));
	assert_int_equal(size, LONG + 16);
	assert_memory_equal(out, expected, LONG + 16);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		assert_ok(p11->C_EncryptInit(session, &of_gcm, key));
		CK_ULONG got = encrypt_in_parts(session, out, parts[i]);
		assert_ok(p11->C_EncryptFinal(session, NULL, &size));
		assert_int_equal(got + size, LONG + 16);
		size--;
		assert_ckr(p11->C_EncryptFinal(session, out + got, &size), CKR_BUFFER_TOO_SMALL);
		assert_ok(p11->C_EncryptFinal(session, out + got, &size));
		assert_int_equal(got + size, LONG + 16);
		assert_memory_equal(out, expected, LONG + 16);
	}
	assert_ok(p11->C_DecryptInit(session, &of_gcm, key));
	size = LONG;
	assert_ok(p11->C_DecryptUpdate(session, expected, LONG, out, &size));
	assert_int_equal(size, 0);
	size = LONG;
	assert_ok(p11->C_DecryptUpdate(session, expected + LONG, 16, out, &size));
	size = LONG;
	assert_ok(p11->C_DecryptFinal(session, out, &size));
	assert_int_equal(size, LONG);
	assert_memory_equal(out, plain, LONG);
	assert_int_equal(fake_command(fake, FAKE_USES), 0);
	free(expected);
	free(out);
}

static void long_macs_are_made_and_verified(void **state)
{
	CK_BYTE expected[32], mac[32];
	CK_ULONG length = sizeof(mac);
	unsigned size = 0;

	(void)state;
	CK_SESSION_HANDLE session = open_slot();
	CK_OBJECT_HANDLE key = import(session, CKK_GENERIC_SECRET);
	HMAC(EVP_sha256(), key_value, sizeof(key_value), plain, LONG, expected, &size);
	assert_ok(p11->C_SignInit(session, &of_hmac, key));
	assert_ok(p11->C_Sign(session, plain, LONG, mac, &length));
	assert_memory_equal(mac, expected, sizeof(mac));
	assert_ok(p11->C_SignInit(session, &of_hmac, key));
	for (size_t done = 0; done < LONG; done += LONG / 100)
		assert_ok(p11->C_SignUpdate(session, plain + done, LONG / 100));
	length = 31;
	assert_ckr(p11->C_SignFinal(session, mac, &length), CKR_BUFFER_TOO_SMALL);
	assert_ok(p11->C_SignFinal(session, mac, &length));
	assert_memory_equal(mac, expected, sizeof(mac));
	for (int i = 0; i < 2; i++) {
		CK_RV wanted = i == 0 ? CKR_OK : CKR_SIGNATURE_INVALID;
		assert_ok(p11->C_VerifyInit(session, &of_hmac, key));
		assert_ckr(p11->C_Verify(session, plain, LONG, mac, sizeof(mac)), wanted);
		assert_ok(p11->C_VerifyInit(session, &of_hmac, key));
		assert_ok(p11->C_VerifyUpdate(session, plain, LONG));
		assert_ckr(p11->C_VerifyFinal(session, mac, sizeof(mac)), wanted);
		mac[31] ^= 1;
	}
	assert_ok(p11->C_VerifyInit(session, &of_hmac, key));
	assert_ckr(p11->C_Verify(session, plain, LONG, mac, 31), CKR_SIGNATURE_LEN_RANGE);
	assert_int_equal(fake_command(fake, FAKE_USES), 0);
}

/* A call, after which what was sent before it without an answer has been done. */
static CK_ULONG uses_under_way(CK_SESSION_HANDLE session)
{
	CK_BYTE random[1];

	assert_ok(p11->C_GenerateRandom(session, random, sizeof(random)));
	return fake_command(fake, FAKE_USES);
}

static void what_ends_early_is_given_up(void **state)
{
	CK_BYTE mac[32];
	CK_ULONG length = sizeof(mac);

	(void)state;
	CK_SESSION_HANDLE session = open_slot(), other = open_slot();
	CK_OBJECT_HANDLE key = import(other, CKK_GENERIC_SECRET);
	assert_ok(p11->C_SignInit(session, &of_hmac, key));
	assert_ok(p11->C_SignUpdate(session, plain, 60000));
	assert_int_equal(fake_command(fake, FAKE_USES), 0);
	assert_ok(p11->C_SignUpdate(session, plain, 1));
	assert_int_equal(fake_command(fake, FAKE_USES), 1);
	assert_ckr(p11->C_Sign(session, plain, 1, mac, &length), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(uses_under_way(other), 0);
	assert_ok(p11->C_SignInit(session, &of_hmac, key));
	assert_ok(p11->C_SignUpdate(session, plain, LONG));
	assert_ckr(p11->C_SignUpdate(session, NULL, 1), CKR_ARGUMENTS_BAD);
	assert_int_equal(uses_under_way(other), 0);
	assert_ok(p11->C_SignInit(session, &of_hmac, key));
	assert_ok(p11->C_SignUpdate(session, plain, LONG));
	assert_int_equal(uses_under_way(other), 1);
	assert_ok(p11->C_CloseSession(session));
	assert_int_equal(uses_under_way(other), 0);
	session = open_slot();
	assert_ok(p11->C_SignInit(session, &of_hmac, key));
	for (int i = 0; i < 10; i++)
		assert_ok(p11->C_SignUpdate(session, plain, LONG));
	assert_ckr(p11->C_SignUpdate(session, plain, LONG), CKR_DATA_LEN_RANGE);
	assert_ckr(p11->C_SignFinal(session, mac, &length), CKR_OPERATION_NOT_INITIALIZED);
}

static void lengths_have_to_fit(void **state)
{
	CK_MECHANISM cbc = {CKM_AES_CBC, iv, sizeof(iv)}, pad = {CKM_AES_CBC_PAD, iv, sizeof(iv)};
	CK_BYTE out[64];
	CK_ULONG length = sizeof(out);

	(void)state;
	CK_SESSION_HANDLE session = open_slot();
	CK_OBJECT_HANDLE key = import(session, CKK_AES);
	assert_ok(p11->C_EncryptInit(session, &cbc, key));
	assert_ckr(p11->C_Encrypt(session, plain, 17, out, &length), CKR_DATA_LEN_RANGE);
	assert_ckr(p11->C_Encrypt(session, plain, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(p11->C_DecryptInit(session, &pad, key));
	assert_ckr(p11->C_Decrypt(session, plain, 17, out, &length), CKR_ENCRYPTED_DATA_LEN_RANGE);
	assert_ok(p11->C_DecryptInit(session, &pad, key));
	assert_ok(p11->C_DecryptUpdate(session, plain, 15, out, &length));
	length = sizeof(out);
	assert_ckr(p11->C_DecryptFinal(session, out, &length), CKR_ENCRYPTED_DATA_LEN_RANGE);
	assert_ok(p11->C_DecryptInit(session, &pad, key));
	length = sizeof(out);
	assert_ckr(p11->C_Decrypt(session, plain, 32, out, &length), CKR_ENCRYPTED_DATA_INVALID);
}

static void parameters_are_checked(void **state)
{
	CK_AES_CTR_PARAMS no_bits = {0};
	CK_GCM_PARAMS odd = {.iv_ptr = iv, .iv_len = 12, .tag_bits = 100};
	CK_MECHANISM wrong[] = {
		{CKM_AES_CBC, NULL, 0},
		{CKM_AES_CBC, iv, 8},
		{CKM_AES_CTR, iv, sizeof(iv)},
		{CKM_AES_CTR, &no_bits, sizeof(no_bits)},
		{CKM_AES_GCM, &odd, sizeof(odd)},
		{CKM_AES_GCM, iv, sizeof(iv)},
	};
	CK_MECHANISM missing = {CKM_AES_CMAC, NULL, 0}, ecb = {CKM_AES_ECB, NULL, 0};

	(void)state;
	CK_SESSION_HANDLE session = open_slot();
	CK_OBJECT_HANDLE key = import(session, CKK_AES);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_ckr(
			p11->C_EncryptInit(session, &wrong[i], key), CKR_MECHANISM_PARAM_INVALID);
	assert_ckr(p11->C_SignInit(session, &missing, key), CKR_MECHANISM_INVALID);
	assert_ckr(p11->C_EncryptInit(session, &ecb, import(session, CKK_GENERIC_SECRET)),
		CKR_KEY_TYPE_INCONSISTENT);
}

static void macs_are_made_and_verified_by_the_token(void **state)
{
	CK_MECHANISM mechanism = {CKM_SHA256_HMAC, NULL, 0};
	CK_BYTE mac[32], other[32];
	CK_ULONG length = sizeof(mac);

	(void)state;
	CK_SESSION_HANDLE session = open_slot();
	CK_OBJECT_HANDLE key = import(session, CKK_GENERIC_SECRET);
	assert_ok(p11->C_SignInit(session, &mechanism, key));
	assert_ok(p11->C_Sign(session, plain, 50, mac, &length));
	assert_ok(p11->C_SignInit(session, &mechanism, key));
	assert_ok(p11->C_SignUpdate(session, plain, 20));
	assert_ok(p11->C_SignUpdate(session, plain + 20, 30));
	assert_ok(p11->C_SignFinal(session, other, &length));
	assert_memory_equal(mac, other, sizeof(mac));
	assert_ok(p11->C_VerifyInit(session, &mechanism, key));
	assert_ok(p11->C_Verify(session, plain, 50, mac, length));
	mac[0] ^= 1;
	assert_ok(p11->C_VerifyInit(session, &mechanism, key));
	assert_ckr(p11->C_Verify(session, plain, 50, mac, length), CKR_SIGNATURE_INVALID);
	assert_ok(p11->C_VerifyInit(session, &mechanism, key));
	assert_ckr(p11->C_Verify(session, plain, 50, mac, 31), CKR_SIGNATURE_LEN_RANGE);
	assert_ckr(p11->C_Verify(session, plain, 50, mac, length), CKR_OPERATION_NOT_INITIALIZED);
}

static void mechanisms_are_those_of_the_token(void **state)
{
	CK_MECHANISM_TYPE types[64];
	CK_MECHANISM_INFO info;
	CK_ULONG count = 64;

	(void)state;
	fake_command(fake, FAKE_COUNT);
	open_slot();
	assert_ok(p11->C_GetMechanismList(FAKE_SLOT, types, &count));
	assert_int_equal(count, 7 + 5); /* and the digests, which are made here */
	assert_ok(p11->C_GetMechanismInfo(FAKE_SLOT, CKM_AES_GCM, &info));
	assert_int_equal(info.flags, CKF_ENCRYPT | CKF_DECRYPT);
	assert_ckr(p11->C_GetMechanismInfo(FAKE_SLOT, CKM_RSA_PKCS, &info), CKR_MECHANISM_INVALID);
	assert_ckr(p11->C_GetMechanismInfo(FAKE_SLOT, CKM_MD2, &info), CKR_MECHANISM_INVALID);
	assert_ok(p11->C_GetMechanismInfo(1, CKM_RSA_PKCS, &info));
	assert_ckr(p11->C_GetMechanismInfo(1, CKM_AES_ECB, &info), CKR_MECHANISM_INVALID);
	assert_int_equal(fake_command(fake, FAKE_COUNT), 1); /* asked for once */
}

#define STARTED(test) cmocka_unit_test_setup_teardown(test, start_with_slot, stop_module)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(ciphers_satisfy_openssl_at_once_and_in_parts),
		STARTED(long_texts_take_several_calls),
		STARTED(what_is_too_long_for_one_call_goes_to_the_token),
		STARTED(long_macs_are_made_and_verified),
		STARTED(what_ends_early_is_given_up),
		STARTED(lengths_have_to_fit),
		STARTED(parameters_are_checked),
		STARTED(macs_are_made_and_verified_by_the_token),
		STARTED(mechanisms_are_those_of_the_token),
	};

	return cmocka_run_group_tests(tests, load_module, unload_module);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "common/macros.h"
#include "unit/pkcs11/fake-slot.h"
#include "unit/pkcs11/fixture.h"

/* Objects in a token that is no card: pkcs11/change.c, make.c, object-calls.c, random.c. */

static CK_OBJECT_CLASS data = CKO_DATA;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_BYTE label[] = "note", other_label[] = "another note";
static CK_ATTRIBUTE of_token[] = {
	{CKA_CLASS, &data, sizeof(data)},
	{CKA_TOKEN, &yes, 1},
	{CKA_LABEL, label, 4},
};

static CK_SESSION_HANDLE open_slot(CK_FLAGS flags)
{
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

	assert_ok(p11->C_OpenSession(FAKE_SLOT, CKF_SERIAL_SESSION | flags, NULL, NULL, &session));
	return session;
}

static CK_OBJECT_HANDLE generate(CK_SESSION_HANDLE session, CK_BBOOL stays)
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ULONG length = 32;
	CK_ATTRIBUTE template[] = {
		{CKA_VALUE_LEN, &length, sizeof(length)}, {CKA_TOKEN, &stays, 1}};
	CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;

	assert_ok(p11->C_GenerateKey(session, &mechanism, template, 2, &key));
	return key;
}

static CK_ULONG count_labelled(CK_SESSION_HANDLE session, CK_BYTE *wanted, CK_ULONG length)
{
	CK_ATTRIBUTE template = {CKA_LABEL, wanted, length};
	CK_OBJECT_HANDLE found[64];
	CK_ULONG count;

	assert_ok(p11->C_FindObjectsInit(session, &template, 1));
	assert_ok(p11->C_FindObjects(session, found, 64, &count));
	assert_ok(p11->C_FindObjectsFinal(session));
	return count;
}

static void a_new_object_is_known_without_reading_the_others(void **state)
{
	CK_OBJECT_HANDLE object;

	(void)state;
	CK_SESSION_HANDLE session = open_slot(CKF_RW_SESSION);
	CK_ULONG before = count_objects(session);
	CK_ULONG labelled = count_labelled(session, label, 4);
	fake_command(fake, FAKE_COUNT);
	assert_ok(p11->C_CreateObject(session, of_token, 3, &object));
	assert_int_equal(fake_command(fake, FAKE_COUNT), 2); /* made, and looked at */
	assert_int_equal(count_objects(session), before + 1);
	assert_int_equal(count_labelled(session, label, 4), labelled + 1);
	assert_int_equal(fake_command(fake, FAKE_COUNT), 0);
	assert_ok(p11->C_DestroyObject(session, object));
	assert_int_equal(count_objects(session), before);
	assert_int_equal(fake_command(fake, FAKE_COUNT), 1);
}

static void a_changed_object_keeps_its_handle(void **state)
{
	CK_ATTRIBUTE change = {CKA_LABEL, other_label, sizeof(other_label)};
	CK_BYTE read[20];
	CK_ATTRIBUTE wanted = {CKA_LABEL, read, sizeof(read)};
	CK_OBJECT_HANDLE object;

	(void)state;
	CK_SESSION_HANDLE session = open_slot(CKF_RW_SESSION);
	count_objects(session);
	assert_ok(p11->C_CreateObject(session, of_token, 3, &object));
	assert_ok(p11->C_SetAttributeValue(session, object, &change, 1));
	assert_ok(p11->C_GetAttributeValue(session, object, &wanted, 1));
	assert_int_equal(wanted.ulValueLen, sizeof(other_label));
	assert_memory_equal(read, other_label, sizeof(other_label));
	fake_command(fake, FAKE_NEW_READER);
	count_objects(session);
	wanted.ulValueLen = sizeof(read);
	assert_ok(p11->C_GetAttributeValue(session, object, &wanted, 1));
}

static void read_only_sessions_change_no_token_objects(void **state)
{
	CK_ATTRIBUTE change = {CKA_LABEL, other_label, sizeof(other_label)};
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	CK_OBJECT_HANDLE object, copy;

	(void)state;
	CK_SESSION_HANDLE session = open_slot(CKF_RW_SESSION), reader = open_slot(0);
	assert_ok(p11->C_CreateObject(session, of_token, 3, &object));
	fake_command(fake, FAKE_COUNT);
	assert_ckr(p11->C_CreateObject(reader, of_token, 3, &copy), CKR_SESSION_READ_ONLY);
	assert_ckr(p11->C_CopyObject(reader, object, NULL, 0, &copy), CKR_SESSION_READ_ONLY);
	assert_ckr(p11->C_SetAttributeValue(reader, object, &change, 1), CKR_SESSION_READ_ONLY);
	assert_ckr(p11->C_DestroyObject(reader, object), CKR_SESSION_READ_ONLY);
	assert_ckr(p11->C_GenerateKey(reader, &mechanism, of_token + 1, 1, &copy),
		CKR_SESSION_READ_ONLY);
	fake_command(fake, FAKE_COUNT);
	generate(reader, CK_FALSE);
}

static void a_tokens_refusal_reaches_the_program(void **state)
{
	CK_OBJECT_HANDLE object;

	(void)state;
	CK_SESSION_HANDLE session = open_slot(CKF_RW_SESSION);
	fake_command(fake, FAKE_REFUSE);
	assert_ckr(p11->C_CreateObject(session, of_token, 3, &object), CKR_TEMPLATE_INCONSISTENT);
	assert_ok(p11->C_CreateObject(session, of_token, 3, &object));
	fake_command(fake, FAKE_REFUSE);
	assert_ckr(p11->C_DestroyObject(session, object), CKR_DEVICE_ERROR);
	assert_ok(p11->C_DestroyObject(session, object));
}

static void session_keys_end_with_their_session(void **state)
{
	CK_ATTRIBUTE wanted = {CKA_LABEL, NULL, 0};

	(void)state;
	CK_SESSION_HANDLE session = open_slot(CKF_RW_SESSION), other = open_slot(0);
	CK_ULONG before = count_objects(other);
	CK_OBJECT_HANDLE key = generate(session, CK_FALSE);
	CK_OBJECT_HANDLE staying = generate(session, CK_TRUE);
	assert_int_equal(count_objects(other), before + 2);
	fake_command(fake, FAKE_NEW_READER); /* read again, they are what they were */
	assert_int_equal(count_objects(other), before + 2);
	fake_command(fake, FAKE_COUNT);
	assert_ok(p11->C_CloseSession(session));
	assert_int_equal(count_objects(other), before + 1);
	assert_ckr(p11->C_GetAttributeValue(other, key, &wanted, 1), CKR_OBJECT_HANDLE_INVALID);
	assert_ckr(
		p11->C_GetAttributeValue(other, staying, &wanted, 1), CKR_ATTRIBUTE_TYPE_INVALID);
	assert_int_equal(fake_command(fake, FAKE_COUNT), 1); /* the token was told */
}

static void a_secret_value_is_fetched_when_it_is_asked_for(void **state)
{
	CK_BYTE value[32];
	CK_BBOOL private = CK_TRUE;
	CK_ATTRIBUTE wanted[] = {{CKA_VALUE, value, sizeof(value)}, {CKA_PRIVATE, &private, 1},
		{CKA_MODULUS, NULL, 0}};
	CK_ATTRIBUTE sensitive = {CKA_SENSITIVE, &yes, 1};

	(void)state;
	CK_SESSION_HANDLE session = open_slot(CKF_RW_SESSION);
	CK_OBJECT_HANDLE key = generate(session, CK_FALSE);
	assert_ckr(p11->C_GetAttributeValue(session, key, wanted, 3), CKR_ATTRIBUTE_TYPE_INVALID);
	assert_int_equal(wanted[0].ulValueLen, 32);
	assert_int_equal(value[31], 7);
	assert_int_equal(private, CK_FALSE);
	assert_int_equal(wanted[2].ulValueLen, CK_UNAVAILABLE_INFORMATION);
	wanted[0].ulValueLen = 31;
	assert_ckr(p11->C_GetAttributeValue(session, key, wanted, 1), CKR_BUFFER_TOO_SMALL);
	assert_ok(p11->C_SetAttributeValue(session, key, &sensitive, 1));
	fake_command(fake, FAKE_COUNT);
	assert_ckr(p11->C_GetAttributeValue(session, key, wanted, 1), CKR_ATTRIBUTE_SENSITIVE);
	assert_int_equal(fake_command(fake, FAKE_COUNT), 0);
}

static void what_needs_no_token_stays_in_the_process(void **state)
{
	CK_ATTRIBUTE of_session[] = {of_token[0], of_token[2]}, moved = {CKA_TOKEN, &yes, 1};
	CK_OBJECT_HANDLE object, copy;
	CK_ATTRIBUTE wanted = {CKA_TOKEN, &no, 1};

	(void)state;
	CK_SESSION_HANDLE session = open_slot(CKF_RW_SESSION);
	count_objects(session);
	fake_command(fake, FAKE_COUNT);
	assert_ok(p11->C_CreateObject(session, of_session, 2, &object));
	assert_int_equal(fake_command(fake, FAKE_COUNT), 0);
	assert_ok(p11->C_CopyObject(session, object, &moved, 1, &copy));
	assert_int_equal(fake_command(fake, FAKE_COUNT), 2);
	assert_ok(p11->C_GetAttributeValue(session, copy, &wanted, 1));
	assert_int_equal(no, CK_TRUE);
	no = CK_FALSE;
}

static void random_numbers_are_the_tokens(void **state)
{
	CK_BYTE random[40000] = {0}, seed[4] = {0};

	(void)state;
	CK_SESSION_HANDLE session = open_slot(0);
	assert_ok(p11->C_GenerateRandom(session, random, sizeof(random)));
	assert_int_equal(random[0], 0x5A);
	assert_int_equal(random[sizeof(random) - 1], 0x5A);
	assert_ckr(p11->C_SeedRandom(session, seed, 4), CKR_RANDOM_SEED_NOT_SUPPORTED);
}

#define STARTED(test) cmocka_unit_test_setup_teardown(test, start_with_slot, stop_module)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(a_new_object_is_known_without_reading_the_others),
		STARTED(a_changed_object_keeps_its_handle),
		STARTED(read_only_sessions_change_no_token_objects),
		STARTED(a_tokens_refusal_reaches_the_program),
		STARTED(session_keys_end_with_their_session),
		STARTED(a_secret_value_is_fetched_when_it_is_asked_for),
		STARTED(what_needs_no_token_stays_in_the_process),
		STARTED(random_numbers_are_the_tokens),
	};

	return cmocka_run_group_tests(tests, load_module, unload_module);
}

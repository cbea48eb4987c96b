/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "unit/pkcs11/fixture.h"

/* Objects, attributes and searches: pkcs11/object*.c, attribute.c, find.c, key.c. */

static void find_functions_keep_their_order(void **state)
{
	CK_OBJECT_HANDLE found[2];
	CK_ULONG count;
	CK_ATTRIBUTE broken = {CKA_LABEL, NULL, 5};

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_ckr(p11->C_FindObjects(session, found, 2, &count), CKR_OPERATION_NOT_INITIALIZED);
	assert_ckr(p11->C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
	assert_ckr(p11->C_FindObjectsInit(session, NULL, 1), CKR_ARGUMENTS_BAD);
	assert_ckr(p11->C_FindObjectsInit(session, &broken, 1), CKR_ARGUMENTS_BAD);
	assert_ok(p11->C_FindObjectsInit(session, NULL, 0));
	assert_ckr(p11->C_FindObjectsInit(session, NULL, 0), CKR_OPERATION_ACTIVE);
	assert_ckr(p11->C_FindObjects(session, found, 2, NULL), CKR_ARGUMENTS_BAD);
	assert_ok(p11->C_FindObjects(session, found, 2, &count));
	assert_int_equal(count, 2);
	assert_ok(p11->C_FindObjectsFinal(session));
}

static void objects_are_complete(void **state)
{
	(void)state;
	CK_SESSION_HANDLE session = open_session();
	/* three certificates, four public keys, and the private key that needs no PIN */
	assert_int_equal(count_objects(session), 8);
	assert_ok(login(session, CKU_USER, FAKE_PIN));
	assert_int_equal(count_objects(session), 11);
	assert_int_equal(find_object(session, CKO_CERTIFICATE, 3), CK_INVALID_HANDLE);
}

static void attribute_values_follow_the_standard(void **state)
{
	CK_BBOOL sensitive = CK_FALSE;
	CK_BYTE small[4], modulus[256];
	CK_ATTRIBUTE attributes[] = {
		{CKA_PRIME_1, NULL, 0},
		{CKA_MODULUS, small, sizeof(small)},
		{CKA_WRAP_TEMPLATE, NULL, 0},
		{CKA_SENSITIVE, &sensitive, sizeof(sensitive)},
		{CKA_MODULUS_BITS, NULL, 0},
	};

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	CK_OBJECT_HANDLE key = find_object(session, CKO_PRIVATE_KEY, 1);
	CK_RV rv = p11->C_GetAttributeValue(session, key, attributes, 5);
	assert_true(rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
		    rv == CKR_BUFFER_TOO_SMALL);
	assert_int_equal(attributes[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
	assert_int_equal(attributes[1].ulValueLen, CK_UNAVAILABLE_INFORMATION);
	assert_int_equal(attributes[2].ulValueLen, CK_UNAVAILABLE_INFORMATION);
	assert_int_equal(sensitive, CK_TRUE);
	assert_int_equal(attributes[4].ulValueLen, sizeof(CK_ULONG));
	assert_ckr(p11->C_GetAttributeValue(session, key, attributes, 1), CKR_ATTRIBUTE_SENSITIVE);
	attributes[1].ulValueLen = sizeof(small);
	assert_ckr(p11->C_GetAttributeValue(session, key, attributes + 1, 1), CKR_BUFFER_TOO_SMALL);
	assert_ckr(p11->C_GetAttributeValue(session, key, attributes + 2, 1),
		CKR_ATTRIBUTE_TYPE_INVALID);
	attributes[1] = (CK_ATTRIBUTE){CKA_MODULUS, NULL, 0};
	assert_ok(p11->C_GetAttributeValue(session, key, attributes + 1, 1));
	assert_int_equal(attributes[1].ulValueLen, 256);
	attributes[1].pValue = modulus;
	assert_ok(p11->C_GetAttributeValue(session, key, attributes + 1, 1));
	assert_true(modulus[0] & 0x80);
}

static void handles_are_checked(void **state)
{
	CK_ATTRIBUTE label = {CKA_LABEL, NULL, 0};
	CK_ULONG size;

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	CK_OBJECT_HANDLE certificate = find_object(session, CKO_CERTIFICATE, 1);
	assert_ckr(p11->C_GetAttributeValue(session, 4711, &label, 1), CKR_OBJECT_HANDLE_INVALID);
	assert_ckr(
		p11->C_GetAttributeValue(4711, certificate, &label, 1), CKR_SESSION_HANDLE_INVALID);
	assert_ckr(p11->C_GetAttributeValue(session, certificate, NULL, 1), CKR_ARGUMENTS_BAD);
	assert_ok(p11->C_GetObjectSize(session, certificate, &size));
	assert_true(size > 300);
	assert_ckr(p11->C_DestroyObject(session, certificate), CKR_TOKEN_WRITE_PROTECTED);
	assert_ckr(p11->C_SetAttributeValue(session, certificate, &label, 1),
		CKR_TOKEN_WRITE_PROTECTED);
}

static void a_certificate_shows_its_parts(void **state)
{
	CK_BYTE subject[200], issuer[200], serial[30];
	CK_ULONG type = 77;
	CK_ATTRIBUTE attributes[] = {
		{CKA_SUBJECT, subject, sizeof(subject)},
		{CKA_ISSUER, issuer, sizeof(issuer)},
		{CKA_SERIAL_NUMBER, serial, sizeof(serial)},
		{CKA_CERTIFICATE_TYPE, &type, sizeof(type)},
	};

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_ok(p11->C_GetAttributeValue(
		session, find_object(session, CKO_CERTIFICATE, 1), attributes, 4));
	assert_int_equal(attributes[0].ulValueLen, attributes[1].ulValueLen);
	assert_memory_equal(subject, issuer, attributes[0].ulValueLen);
	assert_int_equal(subject[0], 0x30);
	assert_int_equal(attributes[2].ulValueLen, 4);
	assert_memory_equal(serial, "\x02\x02\x12\x67", 4); /* INTEGER 4711 */
	assert_int_equal(type, CKC_X_509);
}

static void unchanged_objects_keep_their_handles(void **state)
{
	CK_ATTRIBUTE label = {CKA_LABEL, NULL, 0};

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	CK_OBJECT_HANDLE certificate = find_object(session, CKO_CERTIFICATE, 1);
	fake_command(fake, FAKE_NEW_READER); /* a new generation of the same */
	assert_int_equal(find_object(session, CKO_PUBLIC_KEY, 9), CK_INVALID_HANDLE);
	CK_OBJECT_HANDLE public_key = find_object(session, CKO_PUBLIC_KEY, 1);
	fake_command(fake, FAKE_NEW_READER);
	assert_int_equal(find_object(session, CKO_PUBLIC_KEY, 1), public_key);
	fake_command(fake, FAKE_RENEW);
	assert_true(find_object(session, CKO_PUBLIC_KEY, 1) != public_key);
	assert_ckr(p11->C_GetAttributeValue(session, certificate, &label, 1),
		CKR_OBJECT_HANDLE_INVALID);
}

static void session_objects_live_with_their_session(void **state)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	CK_BYTE value[] = "value", label[] = "note", read[10];
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &class, sizeof(class)},
		{CKA_LABEL, label, 4},
		{CKA_VALUE, value, 5},
		{CKA_TOKEN, &yes, sizeof(yes)},
	};
	CK_ATTRIBUTE wanted = {CKA_VALUE, read, sizeof(read)};
	CK_OBJECT_HANDLE object;

	(void)state;
	CK_SESSION_HANDLE session = open_session(), other = open_session();
	assert_ckr(p11->C_CreateObject(session, template, 4, &object), CKR_TOKEN_WRITE_PROTECTED);
	assert_ckr(p11->C_CreateObject(session, template + 1, 1, &object), CKR_TEMPLATE_INCOMPLETE);
	assert_ckr(p11->C_CreateObject(session, NULL, 0, &object), CKR_TEMPLATE_INCOMPLETE);
	assert_ckr(p11->C_CreateObject(session, NULL, 1, &object), CKR_ARGUMENTS_BAD);
	assert_ok(p11->C_CreateObject(session, template, 3, &object));
	assert_ok(p11->C_GetAttributeValue(other, object, &wanted, 1));
	assert_int_equal(wanted.ulValueLen, 5);
	assert_memory_equal(read, "value", 5);
	fake_command(fake, FAKE_RENEW);
	count_objects(other);
	assert_ok(p11->C_GetAttributeValue(other, object, &wanted, 1));
	assert_ok(p11->C_CloseSession(session));
	assert_ckr(p11->C_GetAttributeValue(other, object, &wanted, 1), CKR_OBJECT_HANDLE_INVALID);
	assert_ok(p11->C_CreateObject(other, template, 3, &object));
	assert_ok(p11->C_DestroyObject(other, object));
	assert_ckr(p11->C_DestroyObject(other, object), CKR_OBJECT_HANDLE_INVALID);
}

static void secrets_that_may_not_leave_stay(void **state)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_BBOOL yes = CK_TRUE;
	CK_BYTE value[16] = {1};
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &class, sizeof(class)},
		{CKA_KEY_TYPE, &type, sizeof(type)},
		{CKA_VALUE, value, sizeof(value)},
		{CKA_SENSITIVE, &yes, sizeof(yes)},
	};
	CK_OBJECT_HANDLE object;

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_ok(p11->C_CreateObject(session, template, 4, &object));
	assert_ckr(p11->C_GetAttributeValue(session, object, template + 2, 1),
		CKR_ATTRIBUTE_SENSITIVE);
	template[2].ulValueLen = sizeof(value);
	assert_ok(p11->C_CreateObject(session, template, 3, &object));
	assert_ok(p11->C_GetAttributeValue(session, object, template + 2, 1));
}

static void many_searches_cost_no_round_trip_and_little_time(void **state)
{
	struct timespec start, end;

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	count_objects(session);
	fake_command(fake, FAKE_COUNT);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < 10000; i++)
		find_object(session, CKO_CERTIFICATE, 1);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_int_equal(fake_command(fake, FAKE_COUNT), 0);
	assert_true(end.tv_sec - start.tv_sec < 5);
}

#define STARTED(test) cmocka_unit_test_setup_teardown(test, start_module, stop_module)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(find_functions_keep_their_order),
		STARTED(objects_are_complete),
		STARTED(attribute_values_follow_the_standard),
		STARTED(handles_are_checked),
		STARTED(a_certificate_shows_its_parts),
		STARTED(unchanged_objects_keep_their_handles),
		STARTED(session_objects_live_with_their_session),
		STARTED(secrets_that_may_not_leave_stay),
		STARTED(many_searches_cost_no_round_trip_and_little_time),
	};

	return cmocka_run_group_tests(tests, load_module, unload_module);
}

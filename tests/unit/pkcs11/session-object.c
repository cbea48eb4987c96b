/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "common/macros.h"
#include "unit/pkcs11/fixture.h"

/* What programs make in their sessions: pkcs11/object-calls.c, schema.c, values.c. */

static CK_OBJECT_CLASS data = CKO_DATA, secret = CKO_SECRET_KEY, public_key = CKO_PUBLIC_KEY,
		       certificate = CKO_CERTIFICATE, private_key = CKO_PRIVATE_KEY;
static CK_KEY_TYPE generic = CKK_GENERIC_SECRET, aes = CKK_AES, rsa = CKK_RSA;
static CK_CERTIFICATE_TYPE x509 = CKC_X_509;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_ULONG number = 5;
static CK_BYTE bytes[16] = "sixteen bytes...", other_bytes[16] = "other bytes.....";
static CK_BYTE modulus[128] = {0xC0, [127] = 1}, exponent[] = {1, 0, 1};

#define A(type, variable)                                                                          \
	{                                                                                          \
		type, &(variable), sizeof(variable)                                                \
	}
#define TEMPLATE_MAXIMUM 8

static CK_RV create(
	CK_SESSION_HANDLE session, const CK_ATTRIBUTE *attributes, CK_OBJECT_HANDLE *object)
{
	CK_ULONG count = 0;

	while (count < TEMPLATE_MAXIMUM && attributes[count].ulValueLen)
		count++;
	return p11->C_CreateObject(session, (CK_ATTRIBUTE_PTR)(uintptr_t)attributes, count, object);
}

static const struct {
	CK_RV rv;
	CK_ATTRIBUTE template[TEMPLATE_MAXIMUM];
} creations[] = {
	{CKR_OK, {A(CKA_CLASS, data)}},
	{CKR_OK, {A(CKA_CLASS, data), A(CKA_VALUE, bytes), A(CKA_OBJECT_ID, bytes)}},
	{CKR_TEMPLATE_INCOMPLETE, {A(CKA_VALUE, bytes)}},
	{CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, yes)}},
	{CKR_ATTRIBUTE_TYPE_INVALID, {A(CKA_CLASS, data), A(CKA_MODULUS, bytes)}},
	{CKR_ATTRIBUTE_TYPE_INVALID, {A(CKA_CLASS, data), A(0x12345UL, bytes)}},
	{CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, data), A(CKA_PRIVATE, number)}},
	{CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, data), A(CKA_TOKEN, number)}},
	{CKR_TEMPLATE_INCONSISTENT,
		{A(CKA_CLASS, data), A(CKA_LABEL, bytes), A(CKA_LABEL, other_bytes)}},
	{CKR_OK, {A(CKA_CLASS, data), A(CKA_LABEL, bytes), A(CKA_LABEL, bytes)}},
	{CKR_TOKEN_WRITE_PROTECTED, {A(CKA_CLASS, data), A(CKA_TOKEN, yes)}},
	{CKR_USER_NOT_LOGGED_IN, {A(CKA_CLASS, data), A(CKA_PRIVATE, yes)}},
	{CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, private_key), A(CKA_KEY_TYPE, rsa)}},
	{CKR_OK, {A(CKA_CLASS, secret), A(CKA_KEY_TYPE, aes), A(CKA_VALUE, bytes)}},
	{CKR_ATTRIBUTE_VALUE_INVALID,
		{A(CKA_CLASS, secret), A(CKA_KEY_TYPE, aes), A(CKA_VALUE, exponent)}},
	{CKR_TEMPLATE_INCOMPLETE, {A(CKA_CLASS, secret), A(CKA_KEY_TYPE, generic)}},
	{CKR_TEMPLATE_INCOMPLETE, {A(CKA_CLASS, secret), A(CKA_VALUE, bytes)}},
	{CKR_ATTRIBUTE_READ_ONLY, {A(CKA_CLASS, secret), A(CKA_KEY_TYPE, aes), A(CKA_VALUE, bytes),
					  A(CKA_LOCAL, yes)}},
	{CKR_ATTRIBUTE_READ_ONLY, {A(CKA_CLASS, secret), A(CKA_KEY_TYPE, aes), A(CKA_VALUE, bytes),
					  A(CKA_TRUSTED, yes)}},
	{CKR_OK, {A(CKA_CLASS, public_key), A(CKA_KEY_TYPE, rsa), A(CKA_MODULUS, modulus),
			 A(CKA_PUBLIC_EXPONENT, exponent)}},
	{CKR_TEMPLATE_INCOMPLETE,
		{A(CKA_CLASS, public_key), A(CKA_KEY_TYPE, rsa), A(CKA_MODULUS, modulus)}},
	{CKR_TEMPLATE_INCOMPLETE, {A(CKA_CLASS, public_key)}},
	{CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, public_key), A(CKA_KEY_TYPE, aes)}},
	{CKR_OK, {A(CKA_CLASS, certificate), A(CKA_CERTIFICATE_TYPE, x509), A(CKA_SUBJECT, bytes),
			 A(CKA_VALUE, bytes)}},
	{CKR_TEMPLATE_INCOMPLETE,
		{A(CKA_CLASS, certificate), A(CKA_CERTIFICATE_TYPE, x509), A(CKA_VALUE, bytes)}},
};

static void templates_are_checked(void **state)
{
	CK_OBJECT_HANDLE object;

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	for (size_t i = 0; i < ARRAY_SIZE(creations); i++) {
		CK_RV rv = create(session, creations[i].template, &object);
		if (rv != creations[i].rv)
			fail_msg("template %zu: 0x%lx, not 0x%lx", i, rv, creations[i].rv);
	}
	assert_ok(p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session));
	CK_ATTRIBUTE of_token[] = {A(CKA_CLASS, data), A(CKA_TOKEN, yes)};
	assert_ckr(p11->C_CreateObject(session, of_token, 2, &object), CKR_SESSION_READ_ONLY);
	assert_ok(p11->C_CreateObject(session, of_token, 1, &object));
}

static CK_OBJECT_HANDLE new_secret(CK_SESSION_HANDLE session)
{
	const CK_ATTRIBUTE template[TEMPLATE_MAXIMUM] = {
		A(CKA_CLASS, secret), A(CKA_KEY_TYPE, aes), A(CKA_VALUE, bytes)};
	CK_OBJECT_HANDLE object;

	assert_ok(create(session, template, &object));
	return object;
}

static CK_RV set(
	CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, CK_BBOOL value)
{
	CK_ATTRIBUTE attribute = {type, &value, sizeof(value)};

	return p11->C_SetAttributeValue(session, object, &attribute, 1);
}

static void attributes_change_in_one_direction(void **state)
{
	CK_ATTRIBUTE value = {CKA_VALUE, NULL, 0}, class = A(CKA_CLASS, data),
		     unknown = A(CKA_MODULUS, bytes);

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	CK_OBJECT_HANDLE object = new_secret(session);
	assert_ok(p11->C_GetAttributeValue(session, object, &value, 1));
	assert_int_equal(value.ulValueLen, sizeof(bytes));
	assert_ok(set(session, object, CKA_SENSITIVE, CK_TRUE));
	assert_ckr(set(session, object, CKA_SENSITIVE, CK_FALSE), CKR_ATTRIBUTE_READ_ONLY);
	assert_ok(set(session, object, CKA_EXTRACTABLE, CK_FALSE));
	assert_ckr(set(session, object, CKA_EXTRACTABLE, CK_TRUE), CKR_ATTRIBUTE_READ_ONLY);
	assert_ckr(set(session, object, CKA_LOCAL, CK_TRUE), CKR_ATTRIBUTE_READ_ONLY);
	assert_ckr(set(session, object, CKA_TOKEN, CK_TRUE), CKR_ATTRIBUTE_READ_ONLY);
	assert_ckr(p11->C_SetAttributeValue(session, object, &class, 1), CKR_ATTRIBUTE_READ_ONLY);
	assert_ckr(
		p11->C_SetAttributeValue(session, object, &unknown, 1), CKR_ATTRIBUTE_TYPE_INVALID);
	assert_ckr(p11->C_SetAttributeValue(session, object, NULL, 1), CKR_ARGUMENTS_BAD);
	assert_ckr(p11->C_GetAttributeValue(session, object, &value, 1), CKR_ATTRIBUTE_SENSITIVE);
	assert_int_equal(value.ulValueLen, CK_UNAVAILABLE_INFORMATION);
}

static void a_label_grows_and_shrinks(void **state)
{
	CK_BYTE read[16];
	CK_ATTRIBUTE label = {CKA_LABEL, bytes, 3}, wanted = {CKA_LABEL, read, sizeof(read)};
	CK_OBJECT_HANDLE found;
	CK_ULONG count, sizes[2];

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	CK_OBJECT_HANDLE object = new_secret(session);
	assert_ok(p11->C_GetObjectSize(session, object, &sizes[0]));
	for (CK_ULONG length = 16; length > 5; length -= 5) {
		label.ulValueLen = length;
		wanted.ulValueLen = sizeof(read);
		assert_ok(p11->C_SetAttributeValue(session, object, &label, 1));
		assert_ok(p11->C_GetAttributeValue(session, object, &wanted, 1));
		assert_int_equal(wanted.ulValueLen, length);
		assert_memory_equal(read, bytes, length);
	}
	assert_ok(p11->C_GetObjectSize(session, object, &sizes[1]));
	assert_true(sizes[1] > sizes[0]);
	assert_ok(p11->C_FindObjectsInit(session, &label, 1));
	assert_ok(p11->C_FindObjects(session, &found, 1, &count));
	assert_ok(p11->C_FindObjectsFinal(session));
	assert_int_equal(count, 1);
	assert_int_equal(found, object);
}

static void copies_stand_on_their_own(void **state)
{
	CK_ATTRIBUTE sensitive = A(CKA_SENSITIVE, yes), back = A(CKA_SENSITIVE, no),
		     value = {CKA_VALUE, NULL, 0}, of_token = A(CKA_TOKEN, yes),
		     fixed = A(CKA_COPYABLE, no);
	CK_OBJECT_HANDLE copy, second;

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	CK_OBJECT_HANDLE object = new_secret(session);
	assert_ok(p11->C_CopyObject(session, object, &sensitive, 1, &copy));
	assert_true(copy != object);
	assert_ckr(p11->C_GetAttributeValue(session, copy, &value, 1), CKR_ATTRIBUTE_SENSITIVE);
	assert_ok(p11->C_GetAttributeValue(session, object, &value, 1));
	assert_ckr(p11->C_CopyObject(session, copy, &back, 1, &second), CKR_ATTRIBUTE_READ_ONLY);
	assert_ckr(p11->C_CopyObject(session, object, &of_token, 1, &second),
		CKR_TOKEN_WRITE_PROTECTED);
	assert_ckr(p11->C_CopyObject(session, object, NULL, 0, NULL), CKR_ARGUMENTS_BAD);
	assert_ckr(p11->C_CopyObject(session, 4711, NULL, 0, &second), CKR_OBJECT_HANDLE_INVALID);
	assert_ok(p11->C_DestroyObject(session, object));
	assert_ok(p11->C_CopyObject(session, copy, &fixed, 1, &second));
	assert_ckr(p11->C_CopyObject(session, second, NULL, 0, &object), CKR_ACTION_PROHIBITED);
	/* A card's objects are what issuing made of them. */
	assert_ckr(p11->C_CopyObject(
			   session, find_object(session, CKO_CERTIFICATE, 1), NULL, 0, &second),
		CKR_ACTION_PROHIBITED);
}

static void what_is_fixed_stays(void **state)
{
	const CK_ATTRIBUTE template[TEMPLATE_MAXIMUM] = {
		A(CKA_CLASS, data), A(CKA_MODIFIABLE, no), A(CKA_DESTROYABLE, no)};
	CK_ATTRIBUTE label = A(CKA_LABEL, bytes);
	CK_OBJECT_HANDLE object;

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_ok(create(session, template, &object));
	assert_ckr(p11->C_SetAttributeValue(session, object, &label, 1), CKR_ACTION_PROHIBITED);
	assert_ckr(p11->C_DestroyObject(session, object), CKR_ACTION_PROHIBITED);
	assert_ok(p11->C_CloseSession(session));
	session = open_session();
	assert_ckr(p11->C_DestroyObject(session, object), CKR_OBJECT_HANDLE_INVALID);
}

static void private_objects_end_with_the_login(void **state)
{
	const CK_ATTRIBUTE template[TEMPLATE_MAXIMUM] = {A(CKA_CLASS, data), A(CKA_PRIVATE, yes)};
	CK_ATTRIBUTE label = {CKA_LABEL, NULL, 0};
	CK_OBJECT_HANDLE object;

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	CK_ULONG before = count_objects(session);
	assert_ok(create(session, template, &object));
	assert_ok(p11->C_GetAttributeValue(session, object, &label, 1));
	assert_ok(p11->C_Logout(session));
	assert_ok(login(session, CKU_USER, FAKE_PIN));
	assert_ckr(p11->C_GetAttributeValue(session, object, &label, 1), CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(count_objects(session), before);
}

static void a_value_is_digested_as_a_part(void **state)
{
	CK_MECHANISM sha = {CKM_SHA256, NULL, 0};
	CK_BYTE one[32], other[32];
	CK_ULONG length = 32;

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	CK_OBJECT_HANDLE object = new_secret(session);
	assert_ckr(p11->C_DigestKey(session, object), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(p11->C_DigestInit(session, &sha));
	assert_ok(p11->C_DigestKey(session, object));
	assert_ok(p11->C_DigestFinal(session, one, &length));
	assert_ok(p11->C_DigestInit(session, &sha));
	assert_ok(p11->C_Digest(session, bytes, sizeof(bytes), other, &length));
	assert_memory_equal(one, other, 32);
	assert_ok(set(session, object, CKA_SENSITIVE, CK_TRUE));
	assert_ok(p11->C_DigestInit(session, &sha));
	assert_ckr(p11->C_DigestKey(session, object), CKR_KEY_INDIGESTIBLE);
	assert_ckr(p11->C_DigestFinal(session, one, &length), CKR_OPERATION_NOT_INITIALIZED);
}

#define STARTED(test) cmocka_unit_test_setup_teardown(test, start_module, stop_module)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(templates_are_checked),
		STARTED(attributes_change_in_one_direction),
		STARTED(a_label_grows_and_shrinks),
		STARTED(copies_stand_on_their_own),
		STARTED(what_is_fixed_stays),
		STARTED(private_objects_end_with_the_login),
		STARTED(a_value_is_digested_as_a_part),
	};

	return cmocka_run_group_tests(tests, load_module, unload_module);
}

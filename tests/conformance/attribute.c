/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_GetAttributeValue, C_SetAttributeValue, C_CopyObject (4.1.2, 4.1.3, 5.7). */
#include "conformance/conformance.h"

#include <string.h>

static CK_RV get(CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attributes, CK_ULONG count)
{
	return P11->C_GetAttributeValue(suite.session, object, attributes, count);
}

static CK_RV set(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, struct template *template)
{
	return P11->C_SetAttributeValue(session, object, template->attributes, template->count);
}

static CK_RV set_boolean(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, bool value)
{
	struct template template = {.count = 0};

	template_boolean(&template, type, value);
	return set(suite.session, object, &template);
}

static CK_RV set_label(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, const char *label)
{
	struct template template = {.count = 0};

	template_bytes(&template, CKA_LABEL, label, strlen(label));
	return set(session, object, &template);
}

static CK_RV data_object(const char *label, CK_ATTRIBUTE_TYPE refusal, CK_OBJECT_HANDLE *object)
{
	struct template data = {.count = 0};

	template_number(&data, CKA_CLASS, CKO_DATA);
	template_boolean(&data, CKA_TOKEN, false);
	template_boolean(&data, CKA_PRIVATE, false);
	template_bytes(&data, CKA_LABEL, label, strlen(label));
	template_bytes(&data, CKA_VALUE, "value", 5);
	if (refusal)
		template_boolean(&data, refusal, false);
	return P11->C_CreateObject(suite.session, data.attributes, data.count, object);
}

/* --- reading: of a key that the token has --- */

static void read_wrongly(CK_OBJECT_HANDLE key)
{
	CK_OBJECT_CLASS class;
	CK_ATTRIBUTE attribute = {CKA_CLASS, &class, sizeof(class)};
	CK_ATTRIBUTE unknown = {0x7eadbeef, &class, sizeof(class)};

	EXPECT("C_GetAttributeValue.unknown_session",
		P11->C_GetAttributeValue(NO_SESSION, key, &attribute, 1),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_GetAttributeValue.unknown_object", get(NO_OBJECT, &attribute, 1),
		CKR_OBJECT_HANDLE_INVALID);
	EXPECT("C_GetAttributeValue.zero_object", get(CK_INVALID_HANDLE, &attribute, 1),
		CKR_OBJECT_HANDLE_INVALID);
	EXPECT("C_GetAttributeValue.null_template", get(key, NULL, 1), CKR_ARGUMENTS_BAD);
	EXPECT("C_GetAttributeValue.unknown_attribute", get(key, &unknown, 1),
		CKR_ATTRIBUTE_TYPE_INVALID);
	EXPECT_THAT("C_GetAttributeValue.unknown_attribute_has_no_length",
		unknown.ulValueLen == CK_UNAVAILABLE_INFORMATION);
}

static void read_lengths(CK_OBJECT_HANDLE key)
{
	CK_OBJECT_CLASS class = CK_UNAVAILABLE_INFORMATION;
	CK_KEY_TYPE type = CK_UNAVAILABLE_INFORMATION;
	CK_ATTRIBUTE query = {CKA_CLASS, NULL, 0};
	CK_ATTRIBUTE several[] = {
		{CKA_CLASS, &class, 2},
		{CKA_KEY_TYPE, &type, sizeof(type)},
	};

	EXPECT("C_GetAttributeValue.how_long", get(key, &query, 1), CKR_OK);
	EXPECT_THAT("C_GetAttributeValue.length_of_class", query.ulValueLen == sizeof(class));
	EXPECT("C_GetAttributeValue.too_small", get(key, several, 2), CKR_BUFFER_TOO_SMALL);
	EXPECT_THAT("C_GetAttributeValue.too_small_has_no_length",
		several[0].ulValueLen == CK_UNAVAILABLE_INFORMATION);
	EXPECT_THAT("C_GetAttributeValue.others_are_read_all_the_same",
		several[1].ulValueLen == sizeof(type) && type != CK_UNAVAILABLE_INFORMATION);
}

/* A private key of the token does not show what it is made of. */
static void read_sensitive(CK_OBJECT_HANDLE key)
{
	CK_BYTE secret[1024];
	CK_OBJECT_CLASS class = 0;
	bool is_rsa = attribute_number(key, CKA_KEY_TYPE) == CKK_RSA;
	CK_ATTRIBUTE several[] = {
		{is_rsa ? CKA_PRIVATE_EXPONENT : CKA_VALUE, secret, sizeof(secret)},
		{CKA_CLASS, &class, sizeof(class)},
	};

	EXPECT_THAT("private_key.is_sensitive", attribute_boolean(key, CKA_SENSITIVE) == 1);
	EXPECT("C_GetAttributeValue.sensitive", get(key, several, 2), CKR_ATTRIBUTE_SENSITIVE);
	EXPECT_THAT("C_GetAttributeValue.sensitive_has_no_length",
		several[0].ulValueLen == CK_UNAVAILABLE_INFORMATION);
	EXPECT_THAT("C_GetAttributeValue.sensitive_and_others", class == CKO_PRIVATE_KEY);
}

static void read_key_attributes(const struct pair *pair)
{
	static const CK_ATTRIBUTE_TYPE booleans[] = {CKA_TOKEN, CKA_PRIVATE, CKA_MODIFIABLE,
		CKA_DERIVE, CKA_LOCAL, CKA_SIGN, CKA_DECRYPT, CKA_UNWRAP, CKA_SENSITIVE,
		CKA_ALWAYS_SENSITIVE, CKA_EXTRACTABLE, CKA_NEVER_EXTRACTABLE, CKA_SIGN_RECOVER,
		CKA_ALWAYS_AUTHENTICATE, CKA_WRAP_WITH_TRUSTED};
	static const CK_ATTRIBUTE_TYPE others[] = {CKA_LABEL, CKA_ID, CKA_SUBJECT, CKA_START_DATE,
		CKA_END_DATE, CKA_KEY_TYPE, CKA_CLASS, CKA_KEY_GEN_MECHANISM};
	bool all = true, rest = true;

	for (size_t i = 0; i < ARRAY_SIZE(booleans); i++)
		all = attribute_boolean(pair->private, booleans[i]) >= 0 && all;
	EXPECT_THAT("private_key.has_its_flags", all);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		CK_ULONG length = 0;
		rest = attribute_bytes(pair->private, others[i], NULL, &length) == CKR_OK && rest;
	}
	EXPECT_THAT("private_key.has_its_attributes", rest);
	EXPECT_THAT("private_key.is_private", attribute_boolean(pair->private, CKA_PRIVATE) == 1);
	EXPECT_THAT("public_key.same_type", attribute_number(pair->public, CKA_KEY_TYPE) ==
						    attribute_number(pair->private, CKA_KEY_TYPE));
}

/* --- changing --- */

static void set_wrongly(CK_OBJECT_HANDLE key)
{
	CK_ATTRIBUTE attribute = {CKA_LABEL, (void *)"x", 1};
	CK_SESSION_HANDLE reader = session_open(0);
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE another_class = {CKA_CLASS, &class, sizeof(class)};

	EXPECT("C_SetAttributeValue.unknown_session",
		P11->C_SetAttributeValue(NO_SESSION, key, &attribute, 1),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_SetAttributeValue.unknown_object",
		P11->C_SetAttributeValue(suite.session, NO_OBJECT, &attribute, 1),
		CKR_OBJECT_HANDLE_INVALID);
	EXPECT("C_SetAttributeValue.null_template",
		P11->C_SetAttributeValue(suite.session, key, NULL, 1), CKR_ARGUMENTS_BAD);
	EXPECT("C_SetAttributeValue.token_object_in_ro_session", set_label(reader, key, "x"),
		CKR_SESSION_READ_ONLY);
	P11->C_CloseSession(reader);
	/* A token whose keys cannot be changed may say so of all of them. */
	EXPECT("C_SetAttributeValue.class",
		P11->C_SetAttributeValue(suite.session, key, &another_class, 1),
		CKR_ATTRIBUTE_READ_ONLY, CKR_ACTION_PROHIBITED,
		unless_protected(CKR_ATTRIBUTE_READ_ONLY));
	EXPECT("C_SetAttributeValue.no_longer_sensitive", set_boolean(key, CKA_SENSITIVE, false),
		CKR_ATTRIBUTE_READ_ONLY, CKR_ACTION_PROHIBITED,
		unless_protected(CKR_ATTRIBUTE_READ_ONLY));
	EXPECT("C_SetAttributeValue.becomes_extractable", set_boolean(key, CKA_EXTRACTABLE, true),
		CKR_ATTRIBUTE_READ_ONLY, CKR_ACTION_PROHIBITED,
		unless_protected(CKR_ATTRIBUTE_READ_ONLY));
	EXPECT("C_SetAttributeValue.local", set_boolean(key, CKA_LOCAL, false),
		CKR_ATTRIBUTE_READ_ONLY, CKR_ACTION_PROHIBITED,
		unless_protected(CKR_ATTRIBUTE_READ_ONLY));
}

static void set_data(void)
{
	CK_OBJECT_HANDLE object, fixed;
	CK_BYTE label[16];
	CK_ULONG length = sizeof(label);

	if (data_object("first", 0, &object) != CKR_OK) {
		check_skip("C_SetAttributeValue.label", "the token takes no data objects");
		return;
	}
	EXPECT("C_SetAttributeValue.label", set_label(suite.session, object, "second"), CKR_OK);
	NEED(attribute_bytes(object, CKA_LABEL, label, &length));
	EXPECT_THAT("C_SetAttributeValue.is_read_back", length == 6 && !memcmp(label, "second", 6));
	EXPECT("C_SetAttributeValue.unknown_attribute", set_boolean(object, 0x7eadbeef, true),
		CKR_ATTRIBUTE_TYPE_INVALID);
	EXPECT("C_SetAttributeValue.of_another_class", set_boolean(object, CKA_SIGN, true),
		CKR_ATTRIBUTE_TYPE_INVALID);
	EXPECT("C_SetAttributeValue.token", set_boolean(object, CKA_TOKEN, true),
		CKR_ATTRIBUTE_READ_ONLY);
	EXPECT("C_SetAttributeValue.session_object_in_ro_session",
		set_label(session_open(0), object, "third"), CKR_OK);
	NEED(data_object("fixed", CKA_MODIFIABLE, &fixed));
	EXPECT("C_SetAttributeValue.not_modifiable", set_label(suite.session, fixed, "x"),
		CKR_ACTION_PROHIBITED);
}

void object_attributes(void)
{
	CK_MECHANISM signs;
	struct pair pair;

	section("5.7");
	if (pair_that_signs("C_GetAttributeValue.key", &pair, &signs)) {
		read_wrongly(pair.private);
		read_lengths(pair.private);
		read_sensitive(pair.private);
		section("4.9");
		read_key_attributes(&pair);
		section("5.7");
		set_wrongly(pair.private);
	}
	set_data();
}

/* --- copying --- */

static CK_RV copy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, struct template *changes,
	CK_OBJECT_HANDLE *copied)
{
	return P11->C_CopyObject(session, object, changes->attributes, changes->count, copied);
}

static void copy_wrongly(CK_OBJECT_HANDLE object)
{
	struct template none = {.count = 0}, class = {.count = 0}, token = {.count = 0};
	CK_SESSION_HANDLE reader = session_open(0);
	CK_OBJECT_HANDLE copied;

	template_number(&class, CKA_CLASS, CKO_CERTIFICATE);
	template_boolean(&token, CKA_TOKEN, true);
	EXPECT("C_CopyObject.unknown_session", copy(NO_SESSION, object, &none, &copied),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_CopyObject.unknown_object", copy(suite.session, NO_OBJECT, &none, &copied),
		CKR_OBJECT_HANDLE_INVALID);
	EXPECT("C_CopyObject.null_object", copy(suite.session, object, &none, NULL),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_CopyObject.null_template",
		P11->C_CopyObject(suite.session, object, NULL, 1, &copied), CKR_ARGUMENTS_BAD);
	if (object == NO_OBJECT)
		return;
	EXPECT("C_CopyObject.another_class", copy(suite.session, object, &class, &copied),
		CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT);
	EXPECT("C_CopyObject.to_token_in_ro_session", copy(reader, object, &token, &copied),
		CKR_SESSION_READ_ONLY);
	P11->C_CloseSession(reader);
}

static void copy_works(CK_OBJECT_HANDLE object)
{
	struct template none = {.count = 0}, label = {.count = 0};
	CK_OBJECT_HANDLE copied = CK_INVALID_HANDLE;
	CK_BYTE read[16];
	CK_ULONG length = sizeof(read);

	template_bytes(&label, CKA_LABEL, "copy", 4);
	if (!EXPECT("C_CopyObject.works", copy(suite.session, object, &label, &copied), CKR_OK))
		return;
	EXPECT_THAT("C_CopyObject.is_another_object", copied != object);
	NEED(attribute_bytes(copied, CKA_LABEL, read, &length));
	EXPECT_THAT("C_CopyObject.has_what_is_changed", length == 4 && !memcmp(read, "copy", 4));
	length = sizeof(read);
	NEED(attribute_bytes(copied, CKA_VALUE, read, &length));
	EXPECT_THAT("C_CopyObject.has_what_is_not", length == 5 && !memcmp(read, "value", 5));
	length = sizeof(read);
	NEED(attribute_bytes(object, CKA_LABEL, read, &length));
	EXPECT_THAT("C_CopyObject.leaves_the_first", length == 8 && !memcmp(read, "original", 8));
	NEED(data_object("alone", CKA_COPYABLE, &object));
	EXPECT("C_CopyObject.not_copyable", copy(suite.session, object, &none, &copied),
		CKR_ACTION_PROHIBITED);
}

/* What protects a secret can be added by a copy, and not taken away. */
static void copy_protects(void)
{
	static const CK_BYTE value[16] = {1, 2, 3};
	struct template protect = {.count = 0}, expose = {.count = 0};
	CK_OBJECT_HANDLE key, copied = CK_INVALID_HANDLE, again;

	if (!offers("C_CopyObject.of_secret_key", CKM_AES_ECB, CKF_ENCRYPT))
		return;
	NEED(login());
	NEED(secret_key(CKK_AES, value, sizeof(value), &key, USAGES(CKA_ENCRYPT)));
	template_boolean(&protect, CKA_SENSITIVE, true);
	template_boolean(&expose, CKA_SENSITIVE, false);
	if (!EXPECT("C_CopyObject.becomes_sensitive", copy(suite.session, key, &protect, &copied),
		    CKR_OK))
		return;
	EXPECT_THAT("C_CopyObject.is_sensitive", attribute_boolean(copied, CKA_SENSITIVE) == 1);
	EXPECT("C_CopyObject.no_longer_sensitive", copy(suite.session, copied, &expose, &again),
		CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT);
}

void object_copy(void)
{
	CK_OBJECT_HANDLE object = NO_OBJECT;

	section("5.7");
	if (data_object("original", 0, &object) == CKR_OK) {
		copy_wrongly(object);
		copy_works(object);
	} else {
		copy_wrongly(NO_OBJECT);
		check_skip("C_CopyObject.works", "the token takes no data objects");
	}
	copy_protects();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_CreateObject, C_DestroyObject, C_GetObjectSize, and how long objects live (4.1, 4.4, 5.7). */
#include "conformance/conformance.h"

#include <string.h>

static CK_BYTE value[] = "what the object holds";

static void data_template(struct template *template, const char *label, bool token)
{
	*template = (struct template){.count = 0};
	template_number(template, CKA_CLASS, CKO_DATA);
	template_boolean(template, CKA_TOKEN, token);
	template_boolean(template, CKA_PRIVATE, false);
	template_bytes(template, CKA_LABEL, label, strlen(label));
	template_bytes(template, CKA_VALUE, value, sizeof(value));
}

static CK_RV create_in(
	CK_SESSION_HANDLE session, struct template *template, CK_OBJECT_HANDLE *object)
{
	return P11->C_CreateObject(session, template->attributes, template->count, object);
}

static CK_RV create(struct template *template)
{
	CK_OBJECT_HANDLE object;

	return create_in(suite.session, template, &object);
}

/* Cards' objects come with the card: then C_CreateObject need only say so. */
static bool creates(const char *group)
{
	struct template data;
	CK_OBJECT_HANDLE object;

	data_template(&data, "probe", false);
	if (create_in(suite.session, &data, &object) == CKR_OK) {
		P11->C_DestroyObject(suite.session, object);
		return true;
	}
	check_skip(group, "the token takes no data objects");
	return false;
}

static void create_arguments(void)
{
	struct template data;
	CK_OBJECT_HANDLE object;

	data_template(&data, "arguments", false);
	EXPECT("C_CreateObject.unknown_session", create_in(NO_SESSION, &data, &object),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_CreateObject.null_template", P11->C_CreateObject(suite.session, NULL, 1, &object),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_CreateObject.null_object",
		P11->C_CreateObject(suite.session, data.attributes, data.count, NULL),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_CreateObject.empty_template",
		P11->C_CreateObject(suite.session, data.attributes, 0, &object),
		CKR_TEMPLATE_INCOMPLETE);
}

static void create_without_login(void)
{
	struct template data;

	data_template(&data, "private", false);
	data.booleans[2] = CK_TRUE;
	if (token_wants_login())
		EXPECT("C_CreateObject.private_without_login", create(&data),
			CKR_USER_NOT_LOGGED_IN);
}

static void create_wrongly(void)
{
	struct template data;
	CK_SESSION_HANDLE reader = session_open(0);
	CK_OBJECT_HANDLE object;

	data_template(&data, "token", true);
	EXPECT("C_CreateObject.token_object_in_ro_session", create_in(reader, &data, &object),
		CKR_SESSION_READ_ONLY);
	P11->C_CloseSession(reader);
	data_template(&data, "class", false);
	data.numbers[0] = 0x7ead;
	EXPECT("C_CreateObject.unknown_class", create(&data), CKR_ATTRIBUTE_VALUE_INVALID);
	data_template(&data, "attribute", false);
	template_number(&data, 0x7eadbeef, 1);
	EXPECT("C_CreateObject.unknown_attribute", create(&data), CKR_ATTRIBUTE_TYPE_INVALID);
	data_template(&data, "other", false);
	template_number(&data, CKA_MODULUS_BITS, 2048);
	EXPECT("C_CreateObject.attribute_of_another_class", create(&data),
		CKR_ATTRIBUTE_TYPE_INVALID, CKR_TEMPLATE_INCONSISTENT);
	data_template(&data, "twice", false);
	template_bytes(&data, CKA_LABEL, "another", 7);
	EXPECT("C_CreateObject.attribute_twice", create(&data), CKR_TEMPLATE_INCONSISTENT);
	data_template(&data, "length", false);
	data.attributes[0].ulValueLen = 3;
	EXPECT("C_CreateObject.class_of_wrong_length", create(&data), CKR_ATTRIBUTE_VALUE_INVALID);
	data_template(&data, "boolean", false);
	data.attributes[1].ulValueLen = 4;
	EXPECT("C_CreateObject.boolean_of_wrong_length", create(&data),
		CKR_ATTRIBUTE_VALUE_INVALID);
}

static void create_keys_wrongly(void)
{
	static const CK_BYTE bytes[17] = {1};
	struct template key = {.count = 0};
	CK_OBJECT_HANDLE object;

	if (!offers("C_CreateObject.secret_keys", CKM_AES_ECB, CKF_ENCRYPT))
		return;
	NEED(login());
	EXPECT("C_CreateObject.aes_key_of_17_bytes",
		secret_key(CKK_AES, bytes, 17, &object, USAGES(CKA_ENCRYPT)),
		CKR_ATTRIBUTE_VALUE_INVALID, CKR_KEY_SIZE_RANGE, CKR_TEMPLATE_INCONSISTENT);
	template_number(&key, CKA_CLASS, CKO_SECRET_KEY);
	EXPECT("C_CreateObject.secret_key_without_type", create(&key), CKR_TEMPLATE_INCOMPLETE);
	template_number(&key, CKA_KEY_TYPE, CKK_AES);
	EXPECT("C_CreateObject.secret_key_without_value", create(&key), CKR_TEMPLATE_INCOMPLETE);
	template_bytes(&key, CKA_VALUE, bytes, 16);
	template_boolean(&key, CKA_LOCAL, true);
	EXPECT("C_CreateObject.gives_read_only_attribute", create(&key), CKR_ATTRIBUTE_READ_ONLY,
		CKR_TEMPLATE_INCONSISTENT);
}

static void create_works(void)
{
	struct template data;
	CK_OBJECT_HANDLE object;
	CK_BYTE read[64];
	CK_ULONG length = sizeof(read), size = 0;

	data_template(&data, "works", false);
	if (!EXPECT("C_CreateObject.works", create_in(suite.session, &data, &object), CKR_OK))
		return;
	EXPECT("C_GetAttributeValue.value_of_data",
		attribute_bytes(object, CKA_VALUE, read, &length), CKR_OK);
	EXPECT_THAT("C_CreateObject.keeps_value",
		length == sizeof(value) && !memcmp(read, value, sizeof(value)));
	EXPECT_THAT("C_CreateObject.is_modifiable", attribute_boolean(object, CKA_MODIFIABLE) == 1);
	EXPECT_THAT("C_CreateObject.is_copyable", attribute_boolean(object, CKA_COPYABLE) == 1);
	EXPECT_THAT(
		"C_CreateObject.is_destroyable", attribute_boolean(object, CKA_DESTROYABLE) == 1);
	EXPECT_THAT("C_CreateObject.class", attribute_number(object, CKA_CLASS) == CKO_DATA);
	EXPECT("C_GetObjectSize.works", P11->C_GetObjectSize(suite.session, object, &size), CKR_OK,
		CKR_INFORMATION_SENSITIVE);
	EXPECT("C_GetObjectSize.null", P11->C_GetObjectSize(suite.session, object, NULL),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_DestroyObject.unknown_session", P11->C_DestroyObject(NO_SESSION, object),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_DestroyObject.works", P11->C_DestroyObject(suite.session, object), CKR_OK);
	EXPECT("C_DestroyObject.twice", P11->C_DestroyObject(suite.session, object),
		CKR_OBJECT_HANDLE_INVALID);
	EXPECT("C_GetAttributeValue.of_destroyed",
		attribute_bytes(object, CKA_VALUE, read, &length), CKR_OBJECT_HANDLE_INVALID);
}

static void handles_are_looked_up(void)
{
	CK_ULONG size;

	EXPECT("C_DestroyObject.unknown_object", P11->C_DestroyObject(suite.session, NO_OBJECT),
		CKR_OBJECT_HANDLE_INVALID);
	EXPECT("C_GetObjectSize.unknown_object",
		P11->C_GetObjectSize(suite.session, NO_OBJECT, &size), CKR_OBJECT_HANDLE_INVALID);
	EXPECT("C_GetObjectSize.unknown_session",
		P11->C_GetObjectSize(NO_SESSION, NO_OBJECT, &size), CKR_SESSION_HANDLE_INVALID);
}

void object_create(void)
{
	section("5.7");
	create_arguments();
	handles_are_looked_up();
	if (creates("C_CreateObject.works")) {
		section("4.1");
		create_without_login();
		create_wrongly();
		create_works();
	}
	create_keys_wrongly();
}

/* --- lifetime --- */

static bool exists(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	CK_OBJECT_CLASS class;
	CK_ATTRIBUTE attribute = {CKA_CLASS, &class, sizeof(class)};

	return P11->C_GetAttributeValue(session, object, &attribute, 1) == CKR_OK;
}

static void session_objects(void)
{
	struct template data;
	CK_SESSION_HANDLE one = session_open(0), other = session_open(0);
	CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;

	data_template(&data, "of a session", false);
	EXPECT("C_CreateObject.session_object_in_ro_session", create_in(one, &data, &object),
		CKR_OK);
	EXPECT_THAT("session_object.seen_by_other_sessions", exists(suite.session, object));
	P11->C_CloseSession(other);
	EXPECT_THAT("session_object.outlives_other_sessions", exists(suite.session, object));
	P11->C_CloseSession(one);
	EXPECT_THAT("session_object.ends_with_its_session", !exists(suite.session, object));
}

static void private_session_objects(void)
{
	struct template data;
	CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;

	if (!token_wants_login())
		return;
	NEED(login());
	data_template(&data, "private", false);
	data.booleans[2] = CK_TRUE;
	EXPECT("C_CreateObject.private_session_object", create_in(suite.session, &data, &object),
		CKR_OK);
	NEED(logout());
	EXPECT_THAT("session_object.private_one_ends_with_login", !exists(suite.session, object));
	NEED(login());
	EXPECT_THAT(
		"session_object.private_one_does_not_come_back", !exists(suite.session, object));
}

static void token_objects(void)
{
	struct template data, like = {.count = 0};
	CK_OBJECT_HANDLE object = CK_INVALID_HANDLE, found = CK_INVALID_HANDLE;

	NEED(login());
	data_template(&data, "of the token", true);
	if (!EXPECT("C_CreateObject.token_object", create_in(suite.session, &data, &object),
		    unless_protected(CKR_OK)) ||
		!object)
		return;
	P11->C_CloseAllSessions(suite.slot);
	NEED(P11->C_Finalize(NULL));
	NEED(initialize());
	NEED(token_find(suite.token, &suite.slot) ? CKR_OK : CKR_TOKEN_NOT_PRESENT);
	suite.session = session_open(CKF_RW_SESSION);
	template_bytes(&like, CKA_LABEL, "of the token", 12);
	EXPECT_THAT(
		"token_object.outlives_all_sessions", find(suite.session, &like, &found, 1) == 1);
	CK_SESSION_HANDLE reader = session_open(0);
	EXPECT("C_DestroyObject.token_object_in_ro_session", P11->C_DestroyObject(reader, found),
		CKR_SESSION_READ_ONLY);
	P11->C_CloseSession(reader);
	NEED(login());
	EXPECT("C_DestroyObject.token_object", P11->C_DestroyObject(suite.session, found), CKR_OK);
	EXPECT_THAT(
		"C_DestroyObject.is_not_found_again", find(suite.session, &like, &found, 1) == 0);
}

static void undestroyable_objects(void)
{
	struct template data;
	CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;

	data_template(&data, "stays", false);
	template_boolean(&data, CKA_DESTROYABLE, false);
	if (EXPECT("C_CreateObject.not_destroyable", create_in(suite.session, &data, &object),
		    CKR_OK))
		EXPECT("C_DestroyObject.not_destroyable",
			P11->C_DestroyObject(suite.session, object), CKR_ACTION_PROHIBITED);
}

void object_lifetime(void)
{
	section("4.4");
	if (!creates("session_object.lifetime"))
		return;
	session_objects();
	private_session_objects();
	undestroyable_objects();
	token_objects();
}

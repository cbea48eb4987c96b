/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_FindObjectsInit, C_FindObjects, C_FindObjectsFinal (5.7). */
#include "conformance/conformance.h"

#include <string.h>

static void find_wrongly(void)
{
	CK_OBJECT_HANDLE object;
	CK_ULONG count;
	CK_ATTRIBUTE attribute = {CKA_LABEL, (void *)"x", 1};

	EXPECT("C_FindObjectsInit.unknown_session", P11->C_FindObjectsInit(NO_SESSION, NULL, 0),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_FindObjectsInit.null_template", P11->C_FindObjectsInit(suite.session, NULL, 1),
		CKR_ARGUMENTS_BAD);
	P11->C_FindObjectsFinal(suite.session);
	EXPECT("C_FindObjects.unknown_session", P11->C_FindObjects(NO_SESSION, &object, 1, &count),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_FindObjects.not_initialized_operation",
		P11->C_FindObjects(suite.session, &object, 1, &count),
		CKR_OPERATION_NOT_INITIALIZED);
	EXPECT("C_FindObjectsFinal.unknown_session", P11->C_FindObjectsFinal(NO_SESSION),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_FindObjectsFinal.not_initialized_operation",
		P11->C_FindObjectsFinal(suite.session), CKR_OPERATION_NOT_INITIALIZED);
	NEED(P11->C_FindObjectsInit(suite.session, NULL, 0));
	EXPECT("C_FindObjectsInit.twice", P11->C_FindObjectsInit(suite.session, &attribute, 1),
		CKR_OPERATION_ACTIVE);
	EXPECT("C_FindObjects.null_objects", P11->C_FindObjects(suite.session, NULL, 1, &count),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_FindObjects.null_count", P11->C_FindObjects(suite.session, &object, 1, NULL),
		CKR_ARGUMENTS_BAD);
	P11->C_FindObjectsFinal(suite.session);
}

/* One at a time gives the same as many at once, and each once. */
static void find_in_pieces(void)
{
	CK_OBJECT_HANDLE all[256], one;
	CK_ULONG total = find(suite.session, NULL, all, ARRAY_SIZE(all)), seen = 0, count = 0;
	bool known = true;

	NEED(P11->C_FindObjectsInit(suite.session, NULL, 0));
	while (P11->C_FindObjects(suite.session, &one, 1, &count) == CKR_OK && count == 1) {
		bool found = false;
		for (CK_ULONG i = 0; i < total && i < ARRAY_SIZE(all); i++)
			found = found || all[i] == one;
		known = known && found;
		seen++;
	}
	EXPECT("C_FindObjects.at_the_end", P11->C_FindObjects(suite.session, &one, 1, &count),
		CKR_OK);
	EXPECT_THAT("C_FindObjects.none_at_the_end", count == 0);
	EXPECT("C_FindObjectsFinal.works", P11->C_FindObjectsFinal(suite.session), CKR_OK);
	EXPECT("C_FindObjectsFinal.twice", P11->C_FindObjectsFinal(suite.session),
		CKR_OPERATION_NOT_INITIALIZED);
	EXPECT_THAT("C_FindObjects.some", total > 0);
	EXPECT_THAT("C_FindObjects.in_pieces", known && seen == total);
}

static void find_like(void)
{
	struct template keys = {.count = 0}, label = {.count = 0}, odd = {.count = 0};
	CK_OBJECT_HANDLE found[64];
	bool right = true;

	template_number(&keys, CKA_CLASS, CKO_PUBLIC_KEY);
	CK_ULONG count = find(suite.session, &keys, found, ARRAY_SIZE(found));
	for (CK_ULONG i = 0; i < count && i < ARRAY_SIZE(found); i++)
		right = right && attribute_number(found[i], CKA_CLASS) == CKO_PUBLIC_KEY;
	EXPECT_THAT("C_FindObjects.by_class", count > 0 && right);
	template_bytes(&label, CKA_LABEL, "no object is called so", 22);
	EXPECT_THAT("C_FindObjects.by_unknown_label", find(suite.session, &label, NULL, 0) == 0);
	template_number(&odd, 0x7eadbeef, 1);
	EXPECT_THAT("C_FindObjects.by_unknown_attribute", find(suite.session, &odd, NULL, 0) == 0);
	CK_ATTRIBUTE attribute = {CKA_CLASS, &(CK_OBJECT_CLASS){CKO_PUBLIC_KEY}, 4};
	if (EXPECT("C_FindObjectsInit.class_of_wrong_length",
		    P11->C_FindObjectsInit(suite.session, &attribute, 1), CKR_OK,
		    CKR_ATTRIBUTE_VALUE_INVALID)) {
		CK_ULONG none = 0;
		P11->C_FindObjects(suite.session, found, 1, &none);
		P11->C_FindObjectsFinal(suite.session);
		EXPECT_THAT("C_FindObjects.class_of_wrong_length", none == 0);
	}
}

/* A search shows what there was when it began, and what a destroyed object was is nobody's
 * business. */
static void find_and_others(void)
{
	struct template data = {.count = 0};
	CK_OBJECT_HANDLE object, found;
	CK_ULONG count = 0;

	template_number(&data, CKA_CLASS, CKO_DATA);
	template_bytes(&data, CKA_LABEL, "found", 5);
	template_boolean(&data, CKA_PRIVATE, false);
	if (P11->C_CreateObject(suite.session, data.attributes, data.count, &object) != CKR_OK) {
		check_skip("C_FindObjects.by_label", "the token takes no data objects");
		return;
	}
	EXPECT_THAT("C_FindObjects.by_label",
		find(suite.session, &data, &found, 1) == 1 && found == object);
	CK_SESSION_HANDLE other = session_open(0);
	EXPECT_THAT("C_FindObjects.of_another_session",
		find(other, &data, &found, 1) == 1 && found == object);
	NEED(P11->C_FindObjectsInit(suite.session, data.attributes, data.count));
	NEED(P11->C_FindObjectsInit(other, data.attributes, data.count));
	EXPECT("C_FindObjects.two_searches", P11->C_FindObjects(suite.session, &found, 1, &count),
		CKR_OK);
	P11->C_FindObjectsFinal(suite.session);
	P11->C_CloseSession(other);
	P11->C_DestroyObject(suite.session, object);
}

static void find_private(void)
{
	struct template like = {.count = 0};

	if (!token_wants_login())
		return;
	template_number(&like, CKA_CLASS, CKO_PRIVATE_KEY);
	template_boolean(&like, CKA_PRIVATE, true);
	NEED(logout());
	EXPECT_THAT("C_FindObjects.no_private_ones_without_login",
		find(suite.session, &like, NULL, 0) == 0);
	NEED(login());
	EXPECT_THAT(
		"C_FindObjects.private_ones_with_login", find(suite.session, &like, NULL, 0) > 0);
}

void object_find(void)
{
	section("5.7");
	find_wrongly();
	find_in_pieces();
	find_like();
	find_private();
	find_and_others();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slot and token management functions (5.5), but for PINs and C_InitToken (pin.c). */
#include "conformance/conformance.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

static bool is_padded(const CK_UTF8CHAR *text, size_t size)
{
	return !memchr(text, '\0', size);
}

/* --- C_GetSlotList, C_GetSlotInfo --- */

static bool lists(const CK_SLOT_ID *slots, CK_ULONG count, CK_SLOT_ID slot)
{
	for (CK_ULONG i = 0; i < count; i++) {
		if (slots[i] == slot)
			return true;
	}
	return false;
}

static void slot_list(void)
{
	CK_SLOT_ID all[64], present[64];
	CK_ULONG count = 0, present_count = ARRAY_SIZE(present), small = 0;

	EXPECT("C_GetSlotList.null_count", P11->C_GetSlotList(CK_FALSE, NULL, NULL),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_GetSlotList.how_many", P11->C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
	EXPECT_THAT("C_GetSlotList.there_are_some", count > 0 && count <= ARRAY_SIZE(all));
	EXPECT("C_GetSlotList.too_small", P11->C_GetSlotList(CK_FALSE, all, &small),
		CKR_BUFFER_TOO_SMALL);
	EXPECT_THAT("C_GetSlotList.too_small_says_how_many", small == count);
	NEED(P11->C_GetSlotList(CK_FALSE, all, &count));
	NEED(P11->C_GetSlotList(CK_TRUE, present, &present_count));
	EXPECT_THAT("C_GetSlotList.has_the_slot", lists(all, count, suite.slot));
	bool subset = true;
	for (CK_ULONG i = 0; i < present_count; i++)
		subset = subset && lists(all, count, present[i]);
	EXPECT_THAT("C_GetSlotList.those_with_token_are_some_of_all", subset);
}

static void slot_info(void)
{
	CK_SLOT_INFO info;

	EXPECT("C_GetSlotInfo.unknown_slot", P11->C_GetSlotInfo(NO_SLOT, &info),
		CKR_SLOT_ID_INVALID);
	EXPECT("C_GetSlotInfo.null", P11->C_GetSlotInfo(suite.slot, NULL), CKR_ARGUMENTS_BAD);
	NEED(P11->C_GetSlotInfo(suite.slot, &info));
	EXPECT_THAT("C_GetSlotInfo.description_is_padded",
		is_padded(info.slotDescription, sizeof(info.slotDescription)));
	EXPECT_THAT("C_GetSlotInfo.manufacturer_is_padded",
		is_padded(info.manufacturerID, sizeof(info.manufacturerID)));
	EXPECT_THAT("C_GetSlotInfo.token_is_present", info.flags & CKF_TOKEN_PRESENT);
	EXPECT_THAT("C_GetSlotInfo.only_known_flags",
		!(info.flags & ~(CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE | CKF_HW_SLOT)));
}

/* --- C_GetTokenInfo --- */

static bool is_time(const CK_UTF8CHAR *text)
{
	return strspn((const char *)text, "0123456789") >= 16;
}

static void token_texts(const CK_TOKEN_INFO *info)
{
	EXPECT_THAT("C_GetTokenInfo.label_is_padded", is_padded(info->label, sizeof(info->label)));
	EXPECT_THAT("C_GetTokenInfo.manufacturer_is_padded",
		is_padded(info->manufacturerID, sizeof(info->manufacturerID)));
	EXPECT_THAT("C_GetTokenInfo.model_is_padded", is_padded(info->model, sizeof(info->model)));
	EXPECT_THAT("C_GetTokenInfo.serial_is_padded",
		is_padded(info->serialNumber, sizeof(info->serialNumber)));
	EXPECT_THAT("C_GetTokenInfo.time_where_there_is_a_clock",
		!(info->flags & CKF_CLOCK_ON_TOKEN) || is_time(info->utcTime));
}

/* A count is known, or CK_UNAVAILABLE_INFORMATION (3.2). */
static bool counts(CK_ULONG after, CK_ULONG before, CK_ULONG more)
{
	return after == CK_UNAVAILABLE_INFORMATION || after == before + more;
}

static void token_session_counts(const CK_TOKEN_INFO *before)
{
	CK_SESSION_HANDLE reader = session_open(0);
	CK_SESSION_HANDLE writer = session_open(CKF_RW_SESSION);
	CK_TOKEN_INFO after;

	NEED(P11->C_GetTokenInfo(suite.slot, &after));
	EXPECT_THAT("C_GetTokenInfo.counts_sessions",
		counts(after.ulSessionCount, before->ulSessionCount, 2));
	EXPECT_THAT("C_GetTokenInfo.counts_rw_sessions",
		counts(after.ulRwSessionCount, before->ulRwSessionCount, 1));
	P11->C_CloseSession(reader);
	P11->C_CloseSession(writer);
}

static void token_info(void)
{
	CK_TOKEN_INFO info;

	EXPECT("C_GetTokenInfo.unknown_slot", P11->C_GetTokenInfo(NO_SLOT, &info),
		CKR_SLOT_ID_INVALID);
	EXPECT("C_GetTokenInfo.null", P11->C_GetTokenInfo(suite.slot, NULL), CKR_ARGUMENTS_BAD);
	NEED(P11->C_GetTokenInfo(suite.slot, &info));
	token_texts(&info);
	EXPECT_THAT("C_GetTokenInfo.token_is_initialized", info.flags & CKF_TOKEN_INITIALIZED);
	EXPECT_THAT(
		"C_GetTokenInfo.user_pin_is_initialized", info.flags & CKF_USER_PIN_INITIALIZED);
	EXPECT_THAT("C_GetTokenInfo.user_pin_is_not_locked", !(info.flags & CKF_USER_PIN_LOCKED));
	EXPECT_THAT("C_GetTokenInfo.pin_lengths_are_a_range",
		info.ulMinPinLen <= info.ulMaxPinLen && info.ulMaxPinLen >= strlen(suite.pin));
	EXPECT_THAT("C_GetTokenInfo.random_numbers_where_said",
		!(info.flags & CKF_RNG) ||
			P11->C_GenerateRandom(suite.session, info.utcTime, 1) == CKR_OK);
	token_session_counts(&info);
}

void slot_functions(void)
{
	section("5.5");
	slot_list();
	slot_info();
	token_info();
}

/* --- C_WaitForSlotEvent --- */

struct waiter {
	CK_RV rv;
	CK_FLAGS flags;
};

static void *wait_in_thread(void *data)
{
	struct waiter *waiter = data;
	CK_SLOT_ID slot;

	waiter->rv = P11->C_WaitForSlotEvent(waiter->flags, &slot, NULL);
	return NULL;
}

/* Whether it waits already, or comes too late, C_Finalize ends it. */
static void wait_until_finalized(void)
{
	struct waiter waiter = {.flags = 0};
	pthread_t thread;

	if (!check_begin("C_WaitForSlotEvent.ended_by_C_Finalize"))
		return;
	pthread_create(&thread, NULL, wait_in_thread, &waiter);
	nanosleep(&(struct timespec){0, 100 * 1000 * 1000}, NULL);
	P11->C_Finalize(NULL);
	pthread_join(thread, NULL);
	check_returned(waiter.rv, "C_WaitForSlotEvent", RVS(CKR_CRYPTOKI_NOT_INITIALIZED));
}

void slot_events(void)
{
	CK_SLOT_ID slot;
	CK_RV rv = CKR_OK;

	section("5.5");
	NEED(initialize());
	NEED(token_find(suite.token, &suite.slot) ? CKR_OK : CKR_TOKEN_NOT_PRESENT);
	EXPECT("C_WaitForSlotEvent.null_slot", P11->C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_WaitForSlotEvent.reserved", P11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, &rv),
		CKR_ARGUMENTS_BAD);
	/* What happened before is told once for each slot. */
	for (int i = 0; i < 64 && rv == CKR_OK; i++)
		rv = P11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL);
	EXPECT("C_WaitForSlotEvent.nothing_happens", rv, CKR_NO_EVENT);
	wait_until_finalized();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_GetSlotList, C_GetSlotInfo, C_GetTokenInfo (PKCS#11 2.40, 5.5). */
#include <stdio.h>
#include <string.h>

#include "common/token-serial.h"
#include "pkcs11/session.h"

/* Blank-padded, not ended; a cut never splits a UTF-8 character. */
static void put_text(unsigned char *field, size_t size, const char *text)
{
	size_t length = strlen(text);

	if (length > size) {
		length = size;
		while (length && ((unsigned char)text[length] & 0xC0) == 0x80)
			length--;
	}
	memset(field, ' ', size);
	memcpy(field, text, length);
}

static CK_RV list(CK_BBOOL token_present, CK_SLOT_ID_PTR ids, CK_ULONG_PTR count)
{
	CK_RV rv = slots_update();
	CK_ULONG found = 0;

	if (rv != CKR_OK)
		return rv;
	if (!count)
		return CKR_ARGUMENTS_BAD;
	/* New readers appear when the length is asked for, so that the list fits after that. */
	if (!ids || *count >= module.slot_count)
		module.listed = module.slot_count;
	for (size_t i = 0; i < module.listed; i++) {
		if (token_present && !slot_has_token(module.slots[i]))
			continue;
		if (ids && found < *count)
			ids[found] = module.slots[i]->id;
		found++;
	}
	rv = ids && found > *count ? CKR_BUFFER_TOO_SMALL : CKR_OK;
	*count = found;
	return rv;
}

static CK_RV find(CK_SLOT_ID slot_id, struct slot **slot)
{
	CK_RV rv = slots_update();

	if (rv != CKR_OK)
		return rv;
	*slot = slot_find(slot_id);
	return *slot ? CKR_OK : CKR_SLOT_ID_INVALID;
}

static CK_RV slot_info(CK_SLOT_ID slot_id, CK_SLOT_INFO_PTR info)
{
	struct slot *slot;
	CK_RV rv = find(slot_id, &slot);

	if (rv != CKR_OK)
		return rv;
	if (!info)
		return CKR_ARGUMENTS_BAD;
	*info = (CK_SLOT_INFO){.flags = CKF_HW_SLOT};
	if (!(slot->token.flags & TOKEN_FIXED))
		info->flags |= CKF_REMOVABLE_DEVICE;
	if (slot_has_token(slot))
		info->flags |= CKF_TOKEN_PRESENT;
	put_text(info->slotDescription, sizeof(info->slotDescription), slot->token.reader);
	put_text(info->manufacturerID, sizeof(info->manufacturerID), "Tessera");
	return CKR_OK;
}

static const struct {
	uint32_t ours;
	CK_FLAGS theirs;
} token_flags[] = {
	{TOKEN_PIN_BLOCKED, CKF_USER_PIN_LOCKED},
	{TOKEN_PIN_LAST_TRY, CKF_USER_PIN_FINAL_TRY},
	{TOKEN_PIN_TRIES_LOST, CKF_USER_PIN_COUNT_LOW},
	{TOKEN_PIN_EXPIRED, CKF_USER_PIN_TO_BE_CHANGED},
};

static CK_FLAGS describe_flags(uint32_t flags)
{
	CK_FLAGS result = CKF_RNG | CKF_TOKEN_INITIALIZED;

	/* NSS uses no key of a token that requires a login before there is one, whatever the key
	 * says. */
	if (!(flags & TOKEN_WITHOUT_PIN))
		result |= CKF_LOGIN_REQUIRED;
	/* What is on a card comes from issuing it. Its PIN is changed all the same. */
	if (!(flags & TOKEN_FIXED))
		result |= CKF_WRITE_PROTECTED;
	if (!(flags & TOKEN_PIN_NOT_SET))
		result |= CKF_USER_PIN_INITIALIZED;
	for (size_t i = 0; i < ARRAY_SIZE(token_flags); i++) {
		if (flags & token_flags[i].ours)
			result |= token_flags[i].theirs;
	}
	return result;
}

static void count_sessions(const struct slot *slot, CK_TOKEN_INFO *info)
{
	for (size_t i = 0; i < module.session_count; i++) {
		if (module.sessions[i]->slot_id != slot->id)
			continue;
		info->ulSessionCount++;
		info->ulRwSessionCount += (module.sessions[i]->flags & CKF_RW_SESSION) != 0;
	}
}

static CK_RV token_info(CK_SLOT_ID slot_id, CK_TOKEN_INFO_PTR info)
{
	struct slot *slot;
	CK_RV rv = find(slot_id, &slot);

	if (rv != CKR_OK)
		return rv;
	if (!info)
		return CKR_ARGUMENTS_BAD;
	if (!slot_has_token(slot))
		return CKR_TOKEN_NOT_PRESENT;
	const struct remote_token *token = &slot->token;
	*info = (CK_TOKEN_INFO){.flags = describe_flags(token->flags),
		.ulMaxSessionCount = CK_EFFECTIVELY_INFINITE,
		.ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE,
		.ulMinPinLen = token->pin_minimum,
		.ulMaxPinLen = token->pin_maximum,
		.ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION,
		.ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION,
		.ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION,
		.ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION};
	put_text(info->label, sizeof(info->label), token->label);
	put_text(info->manufacturerID, sizeof(info->manufacturerID), token->manufacturer);
	put_text(info->model, sizeof(info->model), token->model);
	put_text(info->serialNumber, sizeof(info->serialNumber), token_serial(token->serial));
	put_text(info->utcTime, sizeof(info->utcTime), "");
	count_sessions(slot, info);
	return CKR_OK;
}

CK_RV C_GetSlotList(CK_BBOOL token_present, CK_SLOT_ID_PTR ids, CK_ULONG_PTR count)
{
	return MODULE_LOCKED(list(token_present, ids, count));
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slot_id, CK_SLOT_INFO_PTR info)
{
	return MODULE_LOCKED(slot_info(slot_id, info));
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slot_id, CK_TOKEN_INFO_PTR info)
{
	return MODULE_LOCKED(token_info(slot_id, info));
}

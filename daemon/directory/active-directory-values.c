/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/active-directory-values.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buffer.h"
#include "common/macros.h"

/* --- identifiers --- */

static uint32_t reverse_u32(uint32_t value)
{
	return value >> 24 | (value >> 8 & 0xff00) | (value << 8 & 0xff0000) | value << 24;
}

/* The number behind 2^32 is written in hexadecimal (MS-DTYP 2.4.2.1); no authority has one. */
static void append_number(struct buffer *text, uint64_t value)
{
	_cleanup_free_ char *number =
		value >> 32 ? xasprintf("-0x%012" PRIX64, value) : xasprintf("-%" PRIu64, value);

	buffer_append_string(text, number);
}

char *active_directory_sid(const void *data, size_t length)
{
	struct reader reader = READER_INIT(data, length);
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	uint8_t revision = reader_u8(&reader);
	uint8_t count = reader_u8(&reader);
	uint64_t authority = (uint64_t)reader_u16(&reader) << 32;

	authority |= reader_u32(&reader);
	if (reader.failed || revision != 1 || count < 1 || count > 15 ||
		reader_left(&reader) != count * sizeof(uint32_t))
		return NULL;
	buffer_append_string(&text, "S-1");
	append_number(&text, authority);
	for (uint8_t i = 0; i < count; i++)
		append_number(&text, reverse_u32(reader_u32(&reader)));
	buffer_append_u8(&text, 0);
	return (char *)steal_pointer(&text.data);
}

/* Where the bytes of a GUID stand in its text. */
static const uint8_t guid_order[ACTIVE_DIRECTORY_GUID_LENGTH] = {
	3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static bool is_before_hyphen(size_t index)
{
	return index == 3 || index == 5 || index == 7 || index == 9;
}

char *active_directory_guid(const void *data, size_t length)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;
	const uint8_t *bytes = data;

	if (length != ACTIVE_DIRECTORY_GUID_LENGTH)
		return NULL;
	for (size_t i = 0; i < ACTIVE_DIRECTORY_GUID_LENGTH; i++) {
		buffer_append_hex(&text, &bytes[guid_order[i]], 1);
		if (is_before_hyphen(i))
			buffer_append_u8(&text, '-');
	}
	buffer_append_u8(&text, 0);
	return (char *)steal_pointer(&text.data);
}

bool active_directory_guid_parse(const char *text, uint8_t guid[ACTIVE_DIRECTORY_GUID_LENGTH])
{
	for (size_t i = 0; i < ACTIVE_DIRECTORY_GUID_LENGTH; i++) {
		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
			return false;
		const char digits[] = {text[0], text[1], '\0'};
		guid[guid_order[i]] = (uint8_t)strtoul(digits, NULL, 16);
		text += 2;
		if (is_before_hyphen(i) && *text++ != '-')
			return false;
	}
	return *text == '\0';
}

/* --- accounts --- */

/* ADS_UF_ACCOUNT_DISABLE (MS-ADTS 2.2.16) */
#define CONTROL_DISABLED UINT32_C(0x2)
/* Hundreds of nanoseconds from 1601 to 1970, and in a second. */
#define FILETIME_1970	INT64_C(116444736000000000)
#define FILETIME_SECOND 10000000

/* A whole decimal number; userAccountControl is a signed one of 32 bits. */
static bool parse_number(const char *text, int64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0';
}

static const char *control_reason(const char *text)
{
	int64_t control;

	if (!text)
		return NULL;
	if (!parse_number(text, &control))
		return "the directory does not say whether the account is disabled";
	return (uint32_t)control & CONTROL_DISABLED ? "the account is disabled" : NULL;
}

/* 0 and the greatest number: never (MS-ADA1 2.1). */
static const char *expiry_reason(const char *text, int64_t now)
{
	int64_t expires;

	if (!text)
		return NULL;
	if (!parse_number(text, &expires) || expires < 0)
		return "the directory does not say whether the account has expired";
	if (expires == 0 || expires == INT64_MAX)
		return NULL;
	return (expires - FILETIME_1970) / FILETIME_SECOND <= now ? "the account has expired"
								  : NULL;
}

const char *active_directory_reason(const struct active_directory_account *account, int64_t now)
{
	const char *reason = control_reason(account->control);

	return reason ? reason : expiry_reason(account->expires, now);
}

/* --- ranges --- */

bool active_directory_range(const char *description, size_t *length, uint32_t *next)
{
	static const char option[] = ";range=";
	const char *range = strcasestr(description, option);
	char *end;

	if (!range || range == description || !isdigit((unsigned char)range[strlen(option)]))
		return false;
	unsigned long first = strtoul(range + strlen(option), &end, 10);
	if (*end++ != '-' || first >= UINT32_MAX)
		return false;
	*length = (size_t)(range - description);
	if (strcmp(end, "*") == 0) {
		*next = 0;
		return true;
	}
	bool is_number = isdigit((unsigned char)*end);
	unsigned long last = strtoul(end, &end, 10);
	/* The next question begins behind the last: a range that goes back would never end. */
	if (!is_number || *end != '\0' || last < first || last >= UINT32_MAX)
		return false;
	*next = (uint32_t)last + 1;
	return true;
}

/* --- refusals --- */

static const struct refusal {
	unsigned long code; /* MS-ERREF 2.3 */
	const char *text;
} refusals[] = {
	{0x525, "there is no such account"},
	{0x52e, "account or password is wrong"},
	{0x530, "the account may not log in at this time"},
	{0x531, "the account may not log in from this machine"},
	{0x532, "the account's password has expired"},
	{0x533, "the account is disabled"},
	{0x568, "the account is in too many groups"},
	{0x701, "the account has expired"},
	{0x773, "the account's password has to be changed first"},
	{0x775, "the account is locked after wrong passwords"},
};

/* The number behind "data"; 0: there is none. */
static unsigned long data_of(const char *diagnostic)
{
	static const char label[] = ", data ";
	const char *data = diagnostic ? strstr(diagnostic, label) : NULL;

	return data ? strtoul(data + strlen(label), NULL, 16) : 0;
}

const char *active_directory_refusal(const char *diagnostic)
{
	unsigned long code = data_of(diagnostic);

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		if (refusals[i].code == code)
			return refusals[i].text;
	}
	return NULL;
}

bool active_directory_must_change(const char *diagnostic)
{
	unsigned long code = data_of(diagnostic);

	return code == 0x532 || code == 0x773;
}

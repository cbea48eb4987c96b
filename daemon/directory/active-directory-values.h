/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attributes of Active Directory that are no text, or say more than their text: identifiers,
 * whether an account may be used, ranges, and why a bind was refused. */
#ifndef TESSERA_DIRECTORY_ACTIVE_DIRECTORY_VALUES_H
#define TESSERA_DIRECTORY_ACTIVE_DIRECTORY_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A security identifier in its packet form (MS-DTYP 2.4.2.2) as text, "S-1-5-21-..." (2.4.2.1),
 * heap; NULL when it is none, to the byte.
 */
char *active_directory_sid(const void *data, size_t length);

#define ACTIVE_DIRECTORY_GUID_LENGTH 16
/* A GUID's bytes (MS-DTYP 2.3.4.2: its first three numbers are little-endian) as text in lower
 * case without braces, heap; NULL when there are not 16. */
char *active_directory_guid(const void *data, size_t length);
/* Its bytes back from that text; letters in either case. False when it is none. */
bool active_directory_guid_parse(const char *text, uint8_t guid[ACTIVE_DIRECTORY_GUID_LENGTH]);

/* What tells whether an account may be used; texts as the directory gives them, or NULL. */
struct active_directory_account {
	const char *control; /* userAccountControl (MS-ADTS 2.2.16) */
	const char *expires; /* accountExpires: FILETIME (MS-ADA1 2.1) */
};
/*
 * Why an account may not be used at that time (seconds since 1970): "the account is disabled",
 * "... has expired"; NULL when it may. A lock-out is none: whoever types wrong passwords could have
 * somebody's cards taken away. Nor is an expired password: cards are for those who use none. What
 * cannot be read is a reason.
 */
const char *active_directory_reason(const struct active_directory_account *account, int64_t now);

/*
 * The name and the range in an attribute description that the server gave for a part of the values
 * (MS-ADTS 3.1.1.3.1.3.3): "member;range=0-1499". *length: of the name; *next: the first value that
 * was not told, 0 when these were the last ("1500-*"). False for any other description.
 */
bool active_directory_range(const char *description, size_t *length, uint32_t *next);

/*
 * What a refused simple bind means for whoever keeps the service's account, by the number behind
 * "data" in the server's message (MS-ERREF 2.3); NULL when there is none that is known. Not for
 * those who try to authenticate: it tells which accounts there are.
 */
const char *active_directory_refusal(const char *diagnostic);
/* Whether a refused simple bind says that the password is right, but has to be changed first: a
 * controller says so to nobody who does not know it. */
bool active_directory_must_change(const char *diagnostic);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A record of the audit trail and how it is chained to the one before it. The
 * daemon that writes the trail and the command that verifies an export share this.
 */
#ifndef TESSERA_COMMON_AUDIT_RECORD_H
#define TESSERA_COMMON_AUDIT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/macros.h"

#define AUDIT_HASH_BYTES 32

/* Texts are heap, UTF-8, and never "": what is absent is NULL. */
struct audit_record {
	int64_t id; /* 1, 2, 3, ... without gaps */
	int64_t time_us;
	char *actor;	     /* "uid=0 pid=123 exe=..." */
	char *operator_name; /* who was logged in: "K7M2P", "K7M2P A9B3C", or NULL */
	char *operation;     /* "issue" */
	char *card;	     /* serial, or NULL */
	char *outcome;	     /* "ok" or the error's short name */
	char *detail;	     /* a sentence; never a secret; or NULL */
	unsigned job;	     /* or 0 */
	/*
	 * Empty where there is no operator; the operators' own (common/audit-signature.h); of a
	 * login what proves it (common/audit-login.h).
	 */
	struct buffer signature;
	uint8_t hash[AUDIT_HASH_BYTES]; /* of this record chained to the one before */
};
#define AUDIT_RECORD_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_audit_record_ _cleanup_(audit_record_clear)
void audit_record_clear(struct audit_record *record);
/* Frees a heap array of records. */
void audit_records_free(struct audit_record *records, size_t count);

/*
 * Sets record->hash = SHA-256(previous || fields), each field as its length in
 * four bytes (FFFFFFFF: absent) and its bytes, numbers as eight bytes
 * (big-endian): id, time, actor, operation, card, outcome, detail, job, and, where one of
 * them is there, operator and signature. previous: the hash of the record before, zeros for the
 * first. Aborts when memory is out: a record without its hash is none.
 */
void audit_record_chain(struct audit_record *record, const uint8_t previous[AUDIT_HASH_BYTES]);

/* Microseconds since 1970. */
int64_t audit_now_us(void);

/* The fields of the chain's encoding, for other signed things of the trail. */
void audit_append_text(struct buffer *buffer, const char *text);
void audit_append_number(struct buffer *buffer, int64_t number);
void audit_append_bytes(struct buffer *buffer, const uint8_t *bytes, size_t length);
/* And back. A field's contents; an absent one is empty. */
struct reader audit_read_field(struct reader *reader);
/* Heap; NULL, and the reader has failed, for none, a longer one, or one with a zero byte. */
char *audit_read_text(struct reader *reader, size_t maximum);
int64_t audit_read_number(struct reader *reader);

#endif

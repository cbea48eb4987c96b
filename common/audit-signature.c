/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/audit-signature.h"

#include <stdlib.h>
#include <string.h>

/* Nothing else that a session's key signs begins so. */
#define PURPOSE "tessera-audit-record-1"

void audit_signature_message(const struct audit_record *record,
	const uint8_t previous[AUDIT_HASH_BYTES], const char *store_id, int64_t login,
	struct buffer *message)
{
	/* Borrows the texts, so it is not cleared. */
	struct audit_record bare = *record;

	bare.signature = (struct buffer)BUFFER_INIT;
	audit_record_chain(&bare, previous);
	audit_append_text(message, PURPOSE);
	audit_append_text(message, store_id);
	audit_append_number(message, login);
	buffer_append(message, bare.hash, sizeof(bare.hash));
	if (message->failed)
		abort();
}

void audit_signature_append(struct buffer *signatures, const struct audit_signature *signature)
{
	audit_append_number(signatures, signature->login);
	audit_append_bytes(signatures, signature->bytes, sizeof(signature->bytes));
	if (signatures->failed)
		abort();
}

bool audit_signature_read(struct reader *signatures, struct audit_signature *signature)
{
	signature->login = audit_read_number(signatures);
	struct reader field = audit_read_field(signatures);
	const uint8_t *bytes = reader_bytes(&field, AUDIT_SIGNATURE_BYTES);

	if (signatures->failed || !bytes || reader_left(&field) != 0)
		return false;
	memcpy(signature->bytes, bytes, AUDIT_SIGNATURE_BYTES);
	return true;
}

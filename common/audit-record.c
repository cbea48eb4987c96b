/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/audit-record.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/sha.h>

#include "common/alloc.h"

#define ABSENT UINT32_MAX

void audit_record_clear(struct audit_record *record)
{
	free(record->actor);
	free(record->operator_name);
	free(record->operation);
	free(record->card);
	free(record->outcome);
	free(record->detail);
	buffer_clear(&record->signature);
	*record = (struct audit_record)AUDIT_RECORD_INIT;
}

void audit_records_free(struct audit_record *records, size_t count)
{
	for (size_t i = 0; records && i < count; i++)
		audit_record_clear(&records[i]);
	free(records);
}

int64_t audit_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Each field with its length first, so that no two records give the same bytes. */
void audit_append_text(struct buffer *buffer, const char *text)
{
	buffer_append_u32(buffer, text ? (uint32_t)strlen(text) : ABSENT);
	if (text)
		buffer_append_string(buffer, text);
}

void audit_append_number(struct buffer *buffer, int64_t number)
{
	buffer_append_u32(buffer, sizeof(number));
	buffer_append_u32(buffer, (uint32_t)((uint64_t)number >> 32));
	buffer_append_u32(buffer, (uint32_t)number);
}

void audit_append_bytes(struct buffer *buffer, const uint8_t *bytes, size_t length)
{
	buffer_append_u32(buffer, length ? (uint32_t)length : ABSENT);
	if (length)
		buffer_append(buffer, bytes, length);
}

struct reader audit_read_field(struct reader *reader)
{
	uint32_t length = reader_u32(reader);

	return reader_sub(reader, length == ABSENT ? 0 : length);
}

char *audit_read_text(struct reader *reader, size_t maximum)
{
	struct reader field = audit_read_field(reader);
	size_t length = reader_left(&field);
	const uint8_t *bytes = reader_bytes(&field, length);

	if (reader->failed || length == 0 || length > maximum || memchr(bytes, 0, length)) {
		reader->failed = true;
		return NULL;
	}
	char *text = xcalloc(length + 1, 1);
	memcpy(text, bytes, length);
	return text;
}

int64_t audit_read_number(struct reader *reader)
{
	struct reader field = audit_read_field(reader);
	uint64_t high = reader_u32(&field);
	uint64_t low = reader_u32(&field);

	if (field.failed || reader_left(&field) != 0) {
		reader->failed = true;
		return 0;
	}
	return (int64_t)(high << 32 | low);
}

void audit_record_chain(struct audit_record *record, const uint8_t previous[AUDIT_HASH_BYTES])
{
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;

	buffer_append(&buffer, previous, AUDIT_HASH_BYTES);
	audit_append_number(&buffer, record->id);
	audit_append_number(&buffer, record->time_us);
	audit_append_text(&buffer, record->actor);
	audit_append_text(&buffer, record->operation);
	audit_append_text(&buffer, record->card);
	audit_append_text(&buffer, record->outcome);
	audit_append_text(&buffer, record->detail);
	audit_append_number(&buffer, record->job);
	if (record->operator_name || record->signature.length) {
		audit_append_text(&buffer, record->operator_name);
		audit_append_bytes(&buffer, record->signature.data, record->signature.length);
	}
	if (buffer.failed)
		abort();
	SHA256(buffer.data, buffer.length, record->hash);
}

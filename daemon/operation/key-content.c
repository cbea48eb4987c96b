/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/key-content.h"

#include <string.h>

#include "common/alloc.h"

#define FORMAT_VERSION	  1
#define TOKEN_PIN_MAXIMUM 256 /* bytes */

static void append_name(struct buffer *content, const char *name)
{
	buffer_append_u16(content, (uint16_t)strlen(name));
	buffer_append_string(content, name);
}

bool key_content_build(const struct secret *pin, const struct token_files *files,
	struct buffer *content, struct error *error)
{
	buffer_append_u8(content, FORMAT_VERSION);
	buffer_append_u16(content, (uint16_t)pin->length);
	buffer_append(content, pin->data, pin->length);
	buffer_append_u32(content, (uint32_t)files->count);
	for (size_t i = 0; i < files->count; i++) {
		const struct token_file *file = &files->items[i];
		append_name(content, file->folder);
		append_name(content, file->name);
		buffer_append_u32(content, (uint32_t)file->content.length);
		buffer_append(content, file->content.data, file->content.length);
	}
	return !content->failed || error_set(error, ERROR_FAILED, "out of memory");
}

/* Heap; NULL for what is no text. */
static char *read_name(struct reader *reader)
{
	size_t length = reader_u16(reader);
	const uint8_t *bytes = reader_bytes(reader, length);

	if (!bytes || memchr(bytes, 0, length))
		return NULL;
	return xasprintf("%.*s", (int)length, (const char *)bytes);
}

static bool read_file(struct reader *reader, struct token_files *files, struct error *error)
{
	struct buffer content _cleanup_buffer_ = BUFFER_INIT;
	_cleanup_free_ char *folder = read_name(reader);
	_cleanup_free_ char *name = folder ? read_name(reader) : NULL;
	size_t length = reader_u32(reader);
	const uint8_t *bytes = reader_bytes(reader, length);

	if (!name || !bytes || reader->failed)
		return error_set(error, ERROR_DATA_INVALID, "what the backup hides is damaged");
	buffer_append(&content, bytes, length);
	return token_files_add(files, folder, name, &content, error);
}

bool key_content_parse(const struct buffer *content, struct secret *pin, struct token_files *files,
	struct error *error)
{
	struct token_files read _cleanup_token_files_ = TOKEN_FILES_INIT;
	struct reader reader = reader_of(content);
	uint8_t format = reader_u8(&reader);
	size_t length = reader_u16(&reader);
	const uint8_t *bytes = reader_bytes(&reader, length);
	uint32_t count = reader_u32(&reader);

	if (reader.failed || format != FORMAT_VERSION || length == 0 ||
		length > TOKEN_PIN_MAXIMUM || count == 0 || count > TOKEN_FILES_MAXIMUM)
		return error_set(error, ERROR_DATA_INVALID, "what the backup hides is damaged");
	for (uint32_t i = 0; i < count; i++) {
		if (!read_file(&reader, &read, error))
			return false;
	}
	if (reader_left(&reader) > 0)
		return error_set(error, ERROR_DATA_INVALID, "what the backup hides is damaged");
	if (!secret_set(pin, bytes, length))
		return error_set(error, ERROR_FAILED, "out of memory");
	token_files_clear(files);
	*files = read;
	read = (struct token_files)TOKEN_FILES_INIT;
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/file.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "common/alloc.h"

#define PEM_LINE 64

void output_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

void output_records(const struct invocation *invocation, const json_t *records,
	const struct column *columns, size_t count, const char *nothing_text)
{
	if (invocation_has(invocation, OPTION_JSON))
		output_json(records);
	else if (json_array_size(records) == 0)
		puts(nothing_text);
	else
		table_print(stdout, records, columns, count, terminal_width());
}

void output_record(const struct invocation *invocation, const json_t *record,
	const struct column *columns, size_t count)
{
	if (invocation_has(invocation, OPTION_JSON))
		output_json(record);
	else
		record_print(stdout, record, columns, count);
}

void output_text(const struct invocation *invocation, const char *format, ...)
{
	va_list arguments;

	if (invocation_has(invocation, OPTION_JSON))
		return;
	va_start(arguments, format);
	char *text = xvasprintf(format, arguments);
	va_end(arguments);
	_cleanup_free_ char *clean = text_clean(text);
	free(text);
	puts(clean);
}

static void append_base64(struct buffer *text, const uint8_t *bytes, size_t length)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t group = (uint32_t)bytes[i] << 16 |
				 (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
				 (left > 2 ? bytes[i + 2] : 0);
		buffer_append_u8(text, (uint8_t)digits[group >> 18]);
		buffer_append_u8(text, (uint8_t)digits[group >> 12 & 63]);
		buffer_append_u8(text, left > 1 ? (uint8_t)digits[group >> 6 & 63] : '=');
		buffer_append_u8(text, left > 2 ? (uint8_t)digits[group & 63] : '=');
	}
}

/* RFC 7468 */
static void append_pem(struct buffer *text, const char *label, const struct buffer *der)
{
	_cleanup_buffer_ struct buffer base64 = BUFFER_INIT;

	append_base64(&base64, der->data, der->length);
	buffer_append_string(text, "-----BEGIN ");
	buffer_append_string(text, label);
	buffer_append_string(text, "-----\n");
	for (size_t i = 0; i < base64.length; i += PEM_LINE) {
		size_t left = base64.length - i;
		buffer_append(text, base64.data + i, left < PEM_LINE ? left : PEM_LINE);
		buffer_append_u8(text, '\n');
	}
	buffer_append_string(text, "-----END ");
	buffer_append_string(text, label);
	buffer_append_string(text, "-----\n");
}

bool output_content(
	const struct invocation *invocation, const struct buffer *content, struct error *error)
{
	const char *path = invocation->values[OPTION_OUTPUT];

	if (!path || strcmp(path, "-") == 0)
		return fwrite(content->data, 1, content->length, stdout) == content->length ||
		       error_set(error, ERROR_FAILED, "cannot write to standard output");
	return file_write(path, content, error);
}

bool output_der(const struct invocation *invocation, const char *label, const char *hex,
	struct error *error)
{
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;
	_cleanup_buffer_ struct buffer pem = BUFFER_INIT;

	if (invocation_has(invocation, OPTION_PEM) && invocation_has(invocation, OPTION_DER))
		return error_set(error, ERROR_INVALID_ARGUMENT, "give --pem or --der, not both");
	if (!hex || !hex_decode(hex, &der) || der.length == 0)
		return error_set(error, ERROR_FAILED, "tesserad's answer is empty");
	append_pem(&pem, label, &der);
	if (pem.failed)
		abort();
	if (invocation_has(invocation, OPTION_JSON) && !invocation_has(invocation, OPTION_OUTPUT)) {
		_cleanup_json_ json_t *object = json_object();
		json_object_set_new(
			object, "pem", json_stringn((const char *)pem.data, pem.length));
		output_json(object);
		return true;
	}
	return output_content(
		invocation, invocation_has(invocation, OPTION_DER) ? &der : &pem, error);
}

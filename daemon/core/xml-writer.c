/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <openssl/evp.h>

#include "common/alloc.h"
#include "common/utf8.h"
#include "core/xml.h"

#define DECLARATION "<?xml version=\"1.0\" encoding=\"utf-8\"?>"

void xml_writer_clear(struct xml_writer *writer)
{
	while (writer->depth > 0)
		free(writer->open[--writer->depth]);
	free(writer->open);
	buffer_clear(&writer->text);
	*writer = (struct xml_writer)XML_WRITER_INIT;
}

static void end_tag(struct xml_writer *writer)
{
	if (writer->in_tag)
		buffer_append_u8(&writer->text, '>');
	writer->in_tag = false;
}

void xml_start(struct xml_writer *writer, const char *name)
{
	if (writer->text.length == 0)
		buffer_append_string(&writer->text, DECLARATION);
	end_tag(writer);
	buffer_append_u8(&writer->text, '<');
	buffer_append_string(&writer->text, name);
	writer->open = xreallocarray(writer->open, writer->depth + 1, sizeof(*writer->open));
	writer->open[writer->depth++] = xstrdup(name);
	writer->in_tag = true;
}

void xml_end(struct xml_writer *writer)
{
	if (writer->depth == 0)
		return;
	_cleanup_free_ char *name = writer->open[--writer->depth];
	if (writer->in_tag)
		buffer_append_string(&writer->text, "/>");
	else {
		buffer_append_string(&writer->text, "</");
		buffer_append_string(&writer->text, name);
		buffer_append_u8(&writer->text, '>');
	}
	writer->in_tag = false;
}

/*
 * NULL for a character that stands for itself, "" for one that XML has no place for. White space
 * that a reader would make a space or a line feed is written by number.
 */
static const char *escape_of(char character, bool in_attribute)
{
	switch (character) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\r':
		return "&#xD;";
	case '\n':
		return in_attribute ? "&#xA;" : NULL;
	case '\t':
		return in_attribute ? "&#x9;" : NULL;
	default:
		return (unsigned char)character < ' ' ? "" : NULL;
	}
}

static void put_escaped(struct buffer *to, const char *text, size_t length, bool in_attribute)
{
	for (size_t i = 0; i < length; i++) {
		const char *escape = escape_of(text[i], in_attribute);
		if (escape)
			buffer_append_string(to, escape);
		else
			buffer_append_u8(to, (uint8_t)text[i]);
	}
}

/* The copy may be a secret. */
static void put_repaired(struct buffer *to, const void *text, size_t length, bool in_attribute)
{
	_cleanup_secret_ struct secret copy = SECRET_INIT;

	if (!secret_allocate(&copy, length + 1))
		abort();
	memcpy(copy.data, text, length);
	utf8_repair((char *)copy.data);
	put_escaped(to, (const char *)copy.data, strlen((const char *)copy.data), in_attribute);
}

void xml_put_attribute(struct xml_writer *writer, const char *name, const char *value)
{
	buffer_append_u8(&writer->text, ' ');
	buffer_append_string(&writer->text, name);
	buffer_append_string(&writer->text, "=\"");
	put_repaired(&writer->text, value, strlen(value), true);
	buffer_append_u8(&writer->text, '"');
}

void xml_put_text(struct xml_writer *writer, const char *text)
{
	end_tag(writer);
	put_repaired(&writer->text, text, strlen(text), false);
}

void xml_put_secret(struct xml_writer *writer, const struct secret *text)
{
	end_tag(writer);
	put_repaired(&writer->text, text->data, text->length, false);
}

void xml_put_base64(struct xml_writer *writer, const void *data, size_t length)
{
	end_tag(writer);
	size_t room = (length + 2) / 3 * 4;
	/* OpenSSL ends it with a NUL. */
	uint8_t *to = buffer_extend(&writer->text, room + 1);
	if (!to)
		return;
	EVP_EncodeBlock(to, data, (int)length);
	buffer_truncate(&writer->text, writer->text.length - 1);
}

void xml_put_element(struct xml_writer *writer, const char *name, const char *text)
{
	xml_start(writer, name);
	xml_put_text(writer, text);
	xml_end(writer);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/path.h"

#include <stdbool.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buffer.h"

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void append_escaped(struct buffer *path, const char *name)
{
	if (!name[0])
		buffer_append_u8(path, '_');
	for (; *name; name++) {
		if (is_plain(*name)) {
			buffer_append_u8(path, (uint8_t)*name);
		} else {
			buffer_append_u8(path, '_');
			buffer_append_hex(path, name, 1);
		}
	}
}

static char *buffer_to_string(struct buffer *buffer)
{
	buffer_append_u8(buffer, 0);
	if (buffer->failed)
		abort();
	return (char *)buffer->data;
}

char *path_of(const char *prefix, const char *name)
{
	struct buffer path = BUFFER_INIT;

	buffer_append_string(&path, prefix);
	buffer_append_u8(&path, '/');
	append_escaped(&path, name);
	return buffer_to_string(&path);
}

static bool unescape(const char *element, struct buffer *name)
{
	for (; *element; element++) {
		if (*element != '_') {
			buffer_append_u8(name, (uint8_t)*element);
			continue;
		}
		char digits[3] = {element[1], element[1] ? element[2] : '\0', '\0'};
		if (strlen(digits) != 2 || !hex_decode(digits, name))
			return false;
		element += 2;
	}
	return true;
}

char *path_element_name(const char *element)
{
	struct buffer name _cleanup_buffer_ = BUFFER_INIT;
	struct buffer again _cleanup_buffer_ = BUFFER_INIT;

	if (strcmp(element, "_") != 0 && !unescape(element, &name))
		return NULL;
	char *text = xstrdup(buffer_to_string(&name));
	append_escaped(&again, text);
	if (strcmp(buffer_to_string(&again), element) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *path_child_name(const char *prefix, const char *path)
{
	size_t length = strlen(prefix);

	if (strncmp(path, prefix, length) != 0 || path[length] != '/' ||
		strchr(path + length + 1, '/') || !path[length + 1])
		return NULL;
	return path_element_name(path + length + 1);
}

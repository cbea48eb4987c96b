/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Patterns of subjects and SANs ("{name}@example.org"); declared in template.h. */
#include "model/template.h"

#include <string.h>

#include "common/alloc.h"
#include "common/buffer.h"
#include "model/holder.h"
#include "model/template-private.h"

bool pattern_next(const char **pattern, struct pattern_piece *piece, const char **why)
{
	const char *text = *pattern;

	*why = NULL;
	if (*text == '\0')
		return false;
	if (text[0] != '{' || text[1] == '{') {
		size_t length = text[0] == '{' ? 1 : strcspn(text, "{");
		*piece = (struct pattern_piece){.text = text, .length = length};
		*pattern = text + (text[0] == '{' ? 2 : length);
		return true;
	}
	const char *end = strchr(text, '}');
	if (!end) {
		*why = "a '{' has no '}'; write \"{{\" for a brace";
		return false;
	}
	*piece = (struct pattern_piece){
		.text = text + 1, .length = (size_t)(end - text - 1), .is_field = true};
	if (!field_name_is_valid(piece->text, piece->length)) {
		*why = "between '{' and '}' stands the name of a field";
		return false;
	}
	*pattern = end + 1;
	return true;
}

bool pattern_check(const char *pattern, const char **why)
{
	struct pattern_piece piece;

	while (pattern_next(&pattern, &piece, why))
		;
	return *why == NULL;
}

static bool append_field(struct buffer *buffer, const struct pattern_piece *piece,
	const struct fields *holder, struct error *error)
{
	_cleanup_free_ char *name = xcalloc(piece->length + 1, 1);

	memcpy(name, piece->text, piece->length);
	const char *value = fields_get(holder, name);
	if (!value || !*value)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, name,
			"the holder's field \"%s\" is missing", name);
	buffer_append_string(buffer, value);
	return true;
}

char *pattern_expand(const char *pattern, const struct fields *holder, struct error *error)
{
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;
	struct pattern_piece piece;
	const char *why;

	while (pattern_next(&pattern, &piece, &why)) {
		if (!piece.is_field)
			buffer_append(&buffer, piece.text, piece.length);
		else if (!append_field(&buffer, &piece, holder, error))
			return NULL;
	}
	if (why) {
		error_set(error, ERROR_INVALID_ARGUMENT, "a pattern is malformed: %s", why);
		return NULL;
	}
	buffer_append_u8(&buffer, 0);
	return xstrdup(buffer.failed ? "" : (const char *)buffer.data);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/ldap-filter.h"

#include <ctype.h>
#include <string.h>

#define WORDS_MAX 5 /* further ones are not looked for */

/* --- attributes --- */

static bool is_key_character(char c)
{
	return isalnum((unsigned char)c) || c == '-';
}

/* Length of a descr (a letter, then letters, digits and '-') at the start; 0: none. */
static size_t keystring_length(const char *text)
{
	size_t length = 0;

	if (!isalpha((unsigned char)text[0]))
		return 0;
	while (is_key_character(text[length]))
		length++;
	return length;
}

/* Length of a numericoid at the start; 0: none. */
static size_t oid_length(const char *text)
{
	static const char digits[] = "0123456789";
	size_t length = strspn(text, digits);

	if (length == 0)
		return 0;
	while (text[length] == '.') {
		size_t arc = strspn(text + length + 1, digits);
		if (arc == 0)
			return 0;
		length += 1 + arc;
	}
	return length;
}

/* Of an attribute description at the start; 0: none. */
static size_t description_length(const char *text)
{
	size_t length = keystring_length(text);

	if (length == 0)
		length = oid_length(text);
	while (length > 0 && text[length] == ';') {
		size_t option = 0;
		while (is_key_character(text[length + 1 + option]))
			option++;
		if (option == 0)
			return 0;
		length += 1 + option;
	}
	return length <= LDAP_ATTRIBUTE_MAX ? length : 0;
}

bool ldap_attribute_is_valid(const char *text)
{
	size_t length = description_length(text);

	return length > 0 && text[length] == '\0';
}

/* --- checking --- */

/* Where reading a filter is. */
struct cursor {
	const char *at;
	const char *problem; /* NULL: none yet */
};

static bool complain(struct cursor *cursor, const char *problem)
{
	cursor->problem = problem;
	return false;
}

static bool take(struct cursor *cursor, char c, const char *problem)
{
	if (*cursor->at != c)
		return complain(cursor, problem);
	cursor->at++;
	return true;
}

/* Up to the ')' that ends it; each backslash is followed by two hex digits. */
static bool skip_value(struct cursor *cursor)
{
	for (; *cursor->at && *cursor->at != ')'; cursor->at++) {
		if (*cursor->at == '(')
			return complain(cursor, "a ( in a value is written \\28");
		if (*cursor->at != '\\')
			continue;
		if (!isxdigit((unsigned char)cursor->at[1]) ||
			!isxdigit((unsigned char)cursor->at[2]))
			return complain(
				cursor, "a \\ is followed by two hexadecimal digits (\\5c is \\)");
		cursor->at += 2;
	}
	return true;
}

/* "attribute=value", with ">=", "<=", "~=" or the extensible ":dn:rule:=". */
static bool skip_item(struct cursor *cursor)
{
	size_t length = description_length(cursor->at);

	cursor->at += length;
	if (*cursor->at == ':') {
		cursor->at++;
		while (is_key_character(*cursor->at) || *cursor->at == '.' || *cursor->at == ':')
			cursor->at++;
		if (cursor->at[-1] != ':')
			return complain(cursor, "an attribute is followed by =");
	} else if (length == 0) {
		return complain(cursor, "an attribute's name is expected behind (");
	} else if (strchr("<>~", *cursor->at) && *cursor->at) {
		cursor->at++;
	}
	return take(cursor, '=', "an attribute is followed by =") && skip_value(cursor);
}

static bool skip_filter(struct cursor *cursor, int depth)
{
	if (depth > LDAP_FILTER_DEPTH_MAX)
		return complain(cursor, "too many filters are inside each other");
	if (!take(cursor, '(', "a filter begins with ("))
		return false;
	char kind = *cursor->at;
	if (kind == '&' || kind == '|') {
		cursor->at++;
		while (*cursor->at == '(') {
			if (!skip_filter(cursor, depth + 1))
				return false;
		}
	} else if (kind == '!') {
		cursor->at++;
		if (!skip_filter(cursor, depth + 1))
			return false;
	} else if (!skip_item(cursor)) {
		return false;
	}
	return take(cursor, ')', "a filter ends with )");
}

bool ldap_filter_check(const char *filter, struct error *error)
{
	struct cursor cursor = {.at = filter};

	if (strlen(filter) > LDAP_FILTER_MAX)
		return error_set(error, ERROR_INVALID_ARGUMENT, "a filter has at most %d bytes",
			LDAP_FILTER_MAX);
	if (skip_filter(&cursor, 1) && *cursor.at != '\0')
		cursor.problem = "nothing follows the filter's last )";
	return !cursor.problem ||
	       error_set(error, ERROR_INVALID_ARGUMENT, "%s (at byte %zu of the filter)",
		       cursor.problem, (size_t)(cursor.at - filter));
}

/* --- building --- */

void ldap_filter_value(struct buffer *filter, const void *value, size_t length)
{
	const uint8_t *bytes = value;

	for (size_t i = 0; i < length; i++) {
		if (bytes[i] < 0x20 || bytes[i] >= 0x7F || strchr("*()\\", bytes[i])) {
			buffer_append_u8(filter, '\\');
			buffer_append_hex(filter, &bytes[i], 1);
		} else {
			buffer_append_u8(filter, bytes[i]);
		}
	}
}

/* (attribute=valueEND */
static void append_item(struct buffer *filter, const char *attribute, const void *value,
	size_t length, const char *end)
{
	buffer_append_string(filter, "(");
	buffer_append_string(filter, attribute);
	buffer_append_string(filter, "=");
	ldap_filter_value(filter, value, length);
	buffer_append_string(filter, end);
}

void ldap_filter_equal(
	struct buffer *filter, const char *attribute, const void *value, size_t length)
{
	append_item(filter, attribute, value, length, ")");
}

static void append_any(struct buffer *filter, const char *const attributes[], size_t count,
	const char *value, size_t length, const char *end)
{
	buffer_append_string(filter, "(|");
	for (size_t i = 0; i < count; i++)
		append_item(filter, attributes[i], value, length, end);
	buffer_append_string(filter, ")");
}

void ldap_filter_any(
	struct buffer *filter, const char *const attributes[], size_t count, const char *value)
{
	append_any(filter, attributes, count, value, strlen(value), ")");
}

void ldap_filter_typed(
	struct buffer *filter, const char *const attributes[], size_t count, const char *text)
{
	static const char blanks[] = " \t,";
	size_t words = 0;

	text += strspn(text, blanks);
	size_t first = strcspn(text, blanks);
	if (text[first + strspn(text + first, blanks)] == '\0') {
		append_any(filter, attributes, count, text, first, "*)");
		return;
	}
	buffer_append_string(filter, "(|");
	append_any(filter, attributes, count, text, strlen(text), "*)");
	buffer_append_string(filter, "(&");
	for (const char *word = text; *word && words < WORDS_MAX; words++) {
		size_t length = strcspn(word, blanks);
		append_any(filter, attributes, count, word, length, "*)");
		word += length;
		word += strspn(word, blanks);
	}
	buffer_append_string(filter, "))");
}

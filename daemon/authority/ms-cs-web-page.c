/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pages of the web enrollment. They are in the language of the CA's Windows, and made for people:
 * what one says follows from a link to the certificate, the number of the request, the quoted
 * disposition message, and the HRESULT, which are there in every language.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "authority/issued.h"
#include "authority/ms-cs-private.h"
#include "common/alloc.h"
#include "common/utf8.h"

#define ID_MAX	  20 /* digits */
#define WORDS_MAX 400
#define LINK	  "certnew.cer?ReqID="
#define FIELD	  "ReqID"
#define PRODUCT	  "Microsoft" /* in the title of each page, with the CA's name */

void ms_cs_page_clear(struct ms_cs_page *page)
{
	free(page->id);
	free(page->words);
	*page = (struct ms_cs_page){0};
}

/* --- the text of a page --- */

/* Markup within a line; every other tag ends one. */
static bool is_within_line(const char *name, size_t length)
{
	static const char *const names[] = {"a", "b", "em", "font", "i", "locid", "span", "strong"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i]) == length && strncasecmp(name, names[i], length) == 0)
			return true;
	}
	return false;
}

/* Behind the end of an element that holds no text for people, whose tag ends at `after`. */
static const char *skip_content(const char *name, size_t length, const char *after)
{
	static const char *const names[][2] = {{"script", "</script"}, {"style", "</style"}};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i][0]) != length || strncasecmp(name, names[i][0], length) != 0)
			continue;
		const char *end = strcasestr(after, names[i][1]);
		return end ? end : after + strlen(after);
	}
	return after;
}

static bool is_tag(const char *text)
{
	return text[0] == '<' &&
	       (isalpha((unsigned char)text[1]) || (text[1] && strchr("/!?", text[1])));
}

/* Behind the tag or comment at `tag`. */
static const char *skip_tag(const char *tag, struct buffer *text)
{
	if (strncmp(tag, "<!--", 4) == 0) {
		const char *end = strstr(tag + 4, "-->");
		return end ? end + 3 : tag + strlen(tag);
	}
	const char *name = tag[1] == '/' ? tag + 2 : tag + 1;
	size_t length =
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
	const char *end = strchr(name, '>');
	const char *after = end ? end + 1 : name + strlen(name);
	if (!is_within_line(name, length))
		buffer_append_u8(text, '\n');
	return tag[1] == '/' ? after : skip_content(name, length, after);
}

static void put_character(struct buffer *text, unsigned long code)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xa0 || code > 0x10ffff ||
		(code >= 0xd800 && code <= 0xdfff))
		buffer_append_u8(text, ' ');
	else if (code < 0x80)
		buffer_append_u8(text, (uint8_t)code);
	else if (code < 0x800) {
		buffer_append_u8(text, (uint8_t)(0xc0 | code >> 6));
		buffer_append_u8(text, (uint8_t)(0x80 | (code & 0x3f)));
	} else {
		if (code < 0x10000)
			buffer_append_u8(text, (uint8_t)(0xe0 | code >> 12));
		else {
			buffer_append_u8(text, (uint8_t)(0xf0 | code >> 18));
			buffer_append_u8(text, (uint8_t)(0x80 | (code >> 12 & 0x3f)));
		}
		buffer_append_u8(text, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
		buffer_append_u8(text, (uint8_t)(0x80 | (code & 0x3f)));
	}
}

/* Behind the character reference at `reference`, or behind its & when it is none. */
static const char *put_reference(struct buffer *text, const char *reference)
{
	static const struct {
		const char *name;
		unsigned code;
	} names[] = {{"amp;", '&'}, {"gt;", '>'}, {"laquo;", 0xab}, {"ldquo;", 0x201c},
		{"lt;", '<'}, {"nbsp;", ' '}, {"quot;", '"'}, {"raquo;", 0xbb}, {"rdquo;", 0x201d}};
	const char *name = reference + 1;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strncmp(name, names[i].name, strlen(names[i].name)) != 0)
			continue;
		put_character(text, names[i].code);
		return name + strlen(names[i].name);
	}
	bool is_hex = name[0] == '#' && (name[1] == 'x' || name[1] == 'X');
	const char *digits = name + (is_hex ? 2 : 1);
	size_t count = name[0] != '#'
			       ? 0
			       : strspn(digits, is_hex ? "0123456789abcdefABCDEF" : "0123456789");
	if (count == 0 || count > 7 || digits[count] != ';') {
		buffer_append_u8(text, '&');
		return name;
	}
	put_character(text, strtoul(digits, NULL, is_hex ? 16 : 10));
	return digits + count + 1;
}

/* Heap: the text, UTF-8, of which each line is one of the page. */
static char *text_of(const char *html)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	while (*html) {
		if (is_tag(html))
			html = skip_tag(html, &text);
		else if (*html == '&')
			html = put_reference(&text, html);
		else {
			unsigned char c = (unsigned char)*html++;
			buffer_append_u8(&text, c < 0x20 || c == 0x7f ? ' ' : c);
		}
	}
	buffer_append_u8(&text, 0);
	char *copy = xstrdup(text.failed ? "" : (const char *)text.data);
	utf8_repair(copy);
	return copy;
}

/* Heap: what came, with its end and without any in it. */
static char *string_of(const void *data, size_t length)
{
	char *string = xcalloc(length + 1, 1);

	if (length > 0)
		memcpy(string, data, length);
	for (size_t i = 0; i < length; i++) {
		if (!string[i])
			string[i] = ' ';
	}
	return string;
}

/* Heap: one line of so many bytes of it, without white space that says nothing. */
static char *words_of(const char *text, size_t length)
{
	_cleanup_free_ char *copy = xcalloc(length + 1, 1);
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		char c = text[i] == '\n' || text[i] == '\r' ? ' ' : text[i];
		if (c != ' ' || (used > 0 && copy[used - 1] != ' '))
			copy[used++] = c;
	}
	while (used > 0 && copy[used - 1] == ' ')
		used--;
	copy[used] = '\0';
	char *words = issued_words(copy, WORDS_MAX);
	utf8_repair(words);
	return words;
}

char *ms_cs_page_words(const void *data, size_t length, size_t maximum)
{
	_cleanup_free_ char *html = string_of(data, length);
	_cleanup_free_ char *text = text_of(html);
	_cleanup_free_ char *line = words_of(text, strlen(text));
	char *words = issued_words(line, maximum);

	utf8_repair(words);
	return words;
}

/* --- numbers --- */

static size_t digits_at(const char *text)
{
	size_t count = strspn(text, "0123456789");

	return count <= ID_MAX ? count : 0;
}

static char *copy_digits(const char *text)
{
	return xasprintf("%.*s", (int)digits_at(text), text);
}

/* Of the link to the certificate. */
static char *linked_number(const char *html)
{
	for (const char *at = html; (at = strcasestr(at, LINK)) != NULL;) {
		at += strlen(LINK);
		size_t count = digits_at(at);
		if (count > 0 && at[count] == '&')
			return copy_digits(at);
	}
	return NULL;
}

/* Of a form's field: Name=ReqID Value=65, Name="ReqID" value="65". */
static char *field_number(const char *html)
{
	for (const char *at = html; (at = strcasestr(at, FIELD)) != NULL;) {
		at += strlen(FIELD);
		const char *value = at + strspn(at, "\"' \t");
		if (strncasecmp(value, "value", 5) != 0)
			continue;
		value += 5;
		value += strspn(value, "\"'= \t");
		if (digits_at(value) > 0)
			return copy_digits(value);
	}
	return NULL;
}

/* The first number that stands alone, or only one that ends a sentence. */
static const char *number_in(const char *line, size_t length, bool ends_sentence)
{
	for (size_t i = 0; i < length;) {
		size_t count = strspn(line + i, "0123456789");
		if (count == 0) {
			i++;
			continue;
		}
		bool is_alone = i > 0 && line[i - 1] == ' ' && count <= ID_MAX;
		const char *end = line + i + count;
		bool is_end = end[0] == '.' && (end[1] == ' ' || end[1] == '\n' || !end[1]);
		if (is_alone &&
			(is_end || (!ends_sentence && (*end == ' ' || *end == '\n' || !*end))))
			return line + i;
		i += count;
	}
	return NULL;
}

static char *number_in_text(const char *text, bool ends_sentence)
{
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");
		bool is_head = memmem(line, length, PRODUCT, strlen(PRODUCT)) != NULL;
		const char *number = is_head ? NULL : number_in(line, length, ends_sentence);
		if (number)
			return copy_digits(number);
		line += length + (line[length] == '\n');
	}
	return NULL;
}

/* --- refusals --- */

/* The first text in quotes; its length, or 0. */
static size_t find_quoted(const char *text, const char **quoted)
{
	static const char *const pairs[][2] = {{"\"", "\""}, {"\u201e", "\u201c"},
		{"\u201e", "\u201d"}, {"\u201c", "\u201d"}, {"\u00ab", "\u00bb"}};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		const char *begin = strstr(text, pairs[i][0]);
		const char *end = begin ? strstr(begin + strlen(pairs[i][0]), pairs[i][1]) : NULL;
		if (!end)
			continue;
		*quoted = begin + strlen(pairs[i][0]);
		if (end > *quoted)
			return (size_t)(end - *quoted);
	}
	return 0;
}

/* An HRESULT that tells of a failure: 0x and eight digits, the first of which is 8 to f. */
static const char *find_code(const char *text, uint32_t *code)
{
	for (const char *at = text; (at = strcasestr(at, "0x")) != NULL; at += 2) {
		if (strspn(at + 2, "0123456789abcdefABCDEF") != 8)
			continue;
		*code = (uint32_t)strtoul(at + 2, NULL, 16);
		if (*code & UINT32_C(0x80000000))
			return at;
	}
	return NULL;
}

/* Heap: the line of the page that `at` stands in. */
static char *line_around(const char *text, const char *at)
{
	const char *begin = at;

	while (begin > text && begin[-1] != '\n')
		begin--;
	return words_of(begin, (size_t)(at - begin) + strcspn(at, "\n"));
}

static bool read_refusal(struct ms_cs_page *page, const char *text)
{
	const char *quoted = NULL;
	size_t length = find_quoted(text, &quoted);
	const char *code = find_code(text, &page->code);
	bool is_in_quotes = code && length > 0 && code > quoted && code < quoted + length;

	page->has_code = code != NULL;
	if (!code && length == 0)
		return false;
	page->state = length > 0 && (!code || is_in_quotes) ? MS_CS_PAGE_DENIED : MS_CS_PAGE_FAILED;
	page->words = page->state == MS_CS_PAGE_DENIED ? words_of(quoted, length)
						       : line_around(text, code);
	return true;
}

/* --- a page --- */

void ms_cs_page_read(struct ms_cs_page *page, const void *data, size_t length)
{
	_cleanup_free_ char *html = string_of(data, length);

	*page = (struct ms_cs_page){.id = linked_number(html)};
	if (page->id) {
		page->state = MS_CS_PAGE_ISSUED;
		return;
	}
	_cleanup_free_ char *text = text_of(html);
	if (!strstr(text, PRODUCT) || read_refusal(page, text))
		return;
	page->id = field_number(html);
	if (!page->id)
		page->id = number_in_text(text, true);
	if (!page->id)
		page->id = number_in_text(text, false);
	if (page->id)
		page->state = MS_CS_PAGE_PENDING;
}

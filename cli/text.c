/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/text.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "common/alloc.h"
#include "common/buffer.h"

#define ELLIPSIS "\xe2\x80\xa6"

void text_set_locale(void)
{
	setlocale(LC_ALL, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
}

/* Length of the character at text; 0 at the end. *character is L'\0' for what is no UTF-8. */
static size_t next_character(const char *text, wchar_t *character)
{
	mbstate_t state = {0};

	*character = L'\0';
	if (!text[0])
		return 0;
	size_t length = mbrtowc(character, text, strlen(text), &state);
	if (length == (size_t)-1 || length == (size_t)-2 || length == 0) {
		*character = L'\0';
		return 1;
	}
	return length;
}

/* Marks that change the direction of text, or take no room at all (Unicode, UAX 9). */
static bool is_deceptive(wchar_t character)
{
	return (character >= 0x200b && character <= 0x200f) ||
	       (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2060 && character <= 0x206f) || character == 0x061c ||
	       character == 0xfeff;
}

char *text_clean(const char *text)
{
	struct buffer clean = BUFFER_INIT;
	wchar_t character;
	size_t length;

	while ((length = next_character(text, &character)) > 0) {
		if (character == L'\n' || character == L'\t')
			buffer_append_u8(&clean, ' ');
		else if (!iswprint((wint_t)character) || is_deceptive(character))
			buffer_append_u8(&clean, '?');
		else
			buffer_append(&clean, text, length);
		text += length;
	}
	buffer_append_u8(&clean, '\0');
	if (clean.failed)
		abort();
	return (char *)clean.data;
}

static size_t character_width(wchar_t character)
{
	int width = wcwidth(character);

	return width < 0 ? 1 : (size_t)width;
}

size_t text_width(const char *text)
{
	size_t width = 0;
	wchar_t character;
	size_t length;

	while ((length = next_character(text, &character)) > 0) {
		width += character_width(character);
		text += length;
	}
	return width;
}

void text_shorten(char **text, size_t width)
{
	size_t used = 0, kept = 0;
	wchar_t character;
	size_t length;

	if (width == 0 || text_width(*text) <= width)
		return;
	while ((length = next_character(*text + kept, &character)) > 0 &&
		used + character_width(character) < width) {
		used += character_width(character);
		kept += length;
	}
	char *shortened = xasprintf("%.*s" ELLIPSIS, (int)kept, *text);
	free(*text);
	*text = shortened;
}

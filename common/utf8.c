/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/utf8.h"

#include <stddef.h>
#include <stdint.h>

/* The lead bytes and what may follow them (RFC 3629, section 4): no overlong form, no surrogate. */
static const struct sequence {
	uint8_t first, last;		 /* lead bytes */
	uint8_t second_low, second_high; /* range of the second byte; the rest is 80 to BF */
	size_t length;
} sequences[] = {
	{0x01, 0x7F, 0, 0, 1},
	{0xC2, 0xDF, 0x80, 0xBF, 2},
	{0xE0, 0xE0, 0xA0, 0xBF, 3},
	{0xE1, 0xEC, 0x80, 0xBF, 3},
	{0xED, 0xED, 0x80, 0x9F, 3},
	{0xEE, 0xEF, 0x80, 0xBF, 3},
	{0xF0, 0xF0, 0x90, 0xBF, 4},
	{0xF1, 0xF3, 0x80, 0xBF, 4},
	{0xF4, 0xF4, 0x80, 0x8F, 4},
};

/* How many bytes the character at the start of text has; 0 when there is none. */
static size_t character_length(const uint8_t *text)
{
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		const struct sequence *sequence = &sequences[i];
		if (text[0] < sequence->first || text[0] > sequence->last)
			continue;
		if (sequence->length > 1 &&
			(text[1] < sequence->second_low || text[1] > sequence->second_high))
			return 0;
		for (size_t j = 2; j < sequence->length; j++) {
			if ((text[j] & 0xC0) != 0x80)
				return 0;
		}
		return sequence->length;
	}
	return 0;
}

void utf8_repair(char *text)
{
	while (*text) {
		size_t length = character_length((const uint8_t *)text);
		if (length == 0)
			*text = '?';
		text += length ? length : 1;
	}
}

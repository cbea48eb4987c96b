/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the web enrollment of Microsoft CS may answer: any page. */
#include <stdlib.h>
#include <string.h>

#include "authority/ms-cs-private.h"
#include "common/utf8.h"
#include "fuzz/fuzz.h"

/* One line of UTF-8 without control characters, of at most so many bytes. */
static void check_words(const char *words, size_t maximum)
{
	_cleanup_free_ char *copy = strdup(words);

	utf8_repair(copy);
	if (strcmp(copy, words) != 0 || strlen(words) > maximum)
		abort();
	for (const unsigned char *c = (const unsigned char *)words; *c; c++) {
		if (*c < 0x20 || *c == 0x7f)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	_cleanup_ms_cs_page_ struct ms_cs_page page = {0};
	_cleanup_free_ char *begin = ms_cs_page_words(data, length, 60);

	check_words(begin, 63);
	ms_cs_page_read(&page, data, length);
	bool has_number = page.state == MS_CS_PAGE_ISSUED || page.state == MS_CS_PAGE_PENDING;
	bool has_words = page.state == MS_CS_PAGE_DENIED || page.state == MS_CS_PAGE_FAILED;
	if (has_number != (page.id != NULL) || has_words != (page.words != NULL))
		abort();
	if (has_number &&
		(!page.id[0] || strlen(page.id) > 20 || page.id[strspn(page.id, "0123456789")]))
		abort();
	if (has_words)
		check_words(page.words, 403);
	return 0;
}

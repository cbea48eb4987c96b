/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages of the web enrollment in several languages, and what is none of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "authority/ms-cs-private.h"
#include "common/alloc.h"

/* The head has what could be taken for something else. */
#define PAGE(text)                                                                                 \
	"<HTML><Head><Title>Microsoft Active Directory Certificate Services</Title>"               \
	"<Style>p { a: \"7. \" }</Style></Head><Body><!-- \"no\" 0x80070005 -->"                   \
	"<Table><TR><TD><B><I>Microsoft</I></B> Certificate Services &nbsp;--&nbsp; Lab CA 1. "    \
	"</TD></TR></Table>" text "<Script>var a=\"0x80070006\"; ReqID=1;</Script></Body></HTML>"
#define NOTE "<P>Note: return within 10 days. Or 11 days</P>"

static const struct {
	const char *html;
	enum ms_cs_page_state state;
	const char *id, *words;
	uint32_t code;
} pages[] = {
	{PAGE("<A Href=\"certnew.cer?ReqID=65&amp;Enc=b64\">x</A>"), MS_CS_PAGE_ISSUED, "65", NULL,
		0},
	{PAGE("<Script>location=\"CERTNEW.CER?reqid=65&\"+e();</Script>"), MS_CS_PAGE_ISSUED, "65",
		NULL, 0},
	{PAGE("<A Href=\"certnew.cer?ReqID=CACert&Renewal=0\">x</A><P>Your Request Id is 66. </P>"),
		MS_CS_PAGE_PENDING, "66", NULL, 0},
	{PAGE("<P>Your Request Id is 65. </P>" NOTE), MS_CS_PAGE_PENDING, "65", NULL, 0},
	{PAGE("<P>Ihre Anforderungs-ID lautet <B>65</B>.</P>" NOTE), MS_CS_PAGE_PENDING, "65", NULL,
		0},
	{PAGE("<P>\u8981\u6c42 ID \u306f 65 \u3067\u3059\u3002</P><P>10 days</P>"),
		MS_CS_PAGE_PENDING, "65", NULL, 0},
	{PAGE("<Input Type=Hidden Name=ReqID Value=65>" NOTE), MS_CS_PAGE_PENDING, "65", NULL, 0},
	{PAGE("<input type='hidden' name='ReqID' value='65'/>" NOTE), MS_CS_PAGE_PENDING, "65",
		NULL, 0},
	{PAGE("<P>Your Request Id is 65. The disposition message is \"Denied by LAB\\boss\".</P>"),
		MS_CS_PAGE_DENIED, NULL, "Denied by LAB\\boss", 0},
	{PAGE("<P>Your Request Id is 65. The disposition message is &quot;Denied &lt;by&gt;\r\n "
	      "Policy&#x9b;&#27;&#233; Module  0x80094012, No rights.&quot;.</P>"),
		MS_CS_PAGE_DENIED, NULL, "Denied <by> Policy \u00e9 Module 0x80094012, No rights.",
		0x80094012},
	{PAGE("<P>ID 65. Die Meldung lautet: \u201eVerweigert\u201c.</P>"), MS_CS_PAGE_DENIED, NULL,
		"Verweigert", 0},
	{PAGE("<P>Message : &laquo;Refus&eacute;&raquo;.</P>"), MS_CS_PAGE_DENIED, NULL,
		"Refus&eacute;", 0},
	{PAGE("<P>Last 0x0 (WIN32: 0)</P><TR><TD>Result:<TD><B>The RPC server is unavailable.</B> "
	      "0x800706ba (WIN32: 1722)</TR><P>Suggested: \"none\".</P>"),
		MS_CS_PAGE_FAILED, NULL, "The RPC server is unavailable. 0x800706ba (WIN32: 1722)",
		0x800706ba},
	/* What is none, or is not understood. */
	{"", MS_CS_PAGE_UNKNOWN, NULL, NULL, 0},
	{"<html><body>Loading for 7 seconds. \"Wait\" 0x80070005</body></html>", MS_CS_PAGE_UNKNOWN,
		NULL, NULL, 0},
	{PAGE("<P>Welcome</P>"), MS_CS_PAGE_UNKNOWN, NULL, NULL, 0},
	{PAGE("certnew.cer?ReqID=65"), MS_CS_PAGE_UNKNOWN, NULL, NULL, 0},
	{PAGE("certnew.cer?ReqID=123456789012345678901&"), MS_CS_PAGE_UNKNOWN, NULL, NULL, 0},
	{PAGE("<P>Id 123456789012345678901.</P>"), MS_CS_PAGE_UNKNOWN, NULL, NULL, 0},
	{PAGE("<P>Id x65. 65y 6.5 \"\" 0x8009401</P>"), MS_CS_PAGE_UNKNOWN, NULL, NULL, 0},
	{PAGE("<P>Id is 65. < 7"), MS_CS_PAGE_PENDING, "65", NULL, 0},
	{"Microsoft<P>Id is 65.<Script", MS_CS_PAGE_PENDING, "65", NULL, 0},
	{"Microsoft<P>Id is 65.<!--", MS_CS_PAGE_PENDING, "65", NULL, 0},
	{"Microsoft<P>Id is 65.&#", MS_CS_PAGE_UNKNOWN, NULL, NULL, 0},
	{"Microsoft<Script>Id is 65.", MS_CS_PAGE_UNKNOWN, NULL, NULL, 0},
};

static bool same(const char *one, const char *other)
{
	return strcmp(one ? one : "-", other ? other : "-") == 0;
}

static void what_a_page_says_is_in_its_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		_cleanup_ms_cs_page_ struct ms_cs_page page = {0};

		ms_cs_page_read(&page, pages[i].html, strlen(pages[i].html));
		if (page.state != pages[i].state || !same(page.id, pages[i].id) ||
			!same(page.words, pages[i].words) || page.code != pages[i].code ||
			page.has_code != (page.code != 0))
			fail_msg("%s: %d, %s, %s, %x", pages[i].html, page.state, page.id,
				page.words, page.code);
	}
}

static void a_denial_in_a_wrong_encoding_can_be_shown(void **state)
{
	static const char html[] = "Microsoft\0 <p>\"a\xff\xc3(\xe2\x82\"";
	_cleanup_ms_cs_page_ struct ms_cs_page page = {0};

	(void)state;
	ms_cs_page_read(&page, html, sizeof(html) - 1);
	assert_int_equal(page.state, MS_CS_PAGE_DENIED);
	assert_string_equal(page.words, "a?"
					"?(?"
					"?");
}

static void the_words_of_a_denial_are_bounded(void **state)
{
	_cleanup_buffer_ struct buffer html = BUFFER_INIT;
	_cleanup_ms_cs_page_ struct ms_cs_page page = {0};

	(void)state;
	buffer_append_string(&html, "Microsoft <p>\"");
	buffer_fill(&html, 'a', 100000);
	buffer_append_string(&html, "\"");
	ms_cs_page_read(&page, html.data, html.length);
	assert_int_equal(page.state, MS_CS_PAGE_DENIED);
	assert_int_equal(strlen(page.words), 403);
	_cleanup_free_ char *words = ms_cs_page_words(html.data, html.length, 20);
	assert_string_equal(words, "Microsoft \"aaaaaaaaa...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_page_says_is_in_its_parts),
		cmocka_unit_test(a_denial_in_a_wrong_encoding_can_be_shown),
		cmocka_unit_test(the_words_of_a_denial_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "core/xml.h"

#define SOAP "http://www.w3.org/2003/05/soap-envelope"

static struct xml_document *parse(const char *text, struct error *error)
{
	return xml_parse(text, strlen(text), error);
}

static void elements_are_found_by_namespace_whatever_their_prefix(void **state)
{
	static const char *const same[] = {
		"<s:E xmlns:s=\"" SOAP "\"><s:Body><s:Code>\n 12\t</s:Code><s:Code>13</s:Code>"
		"</s:Body></s:E>",
		"<E xmlns=\"" SOAP
		"\"><Body xmlns=\"x\"/><!-- c --><Body><?p i?><Code><![CDATA[12]]>"
		"</Code><o xmlns=\"\"/><Code>1<b/>3</Code></Body></E>",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		_cleanup_xml_ struct xml_document *document = parse(same[i], &error);

		assert_non_null(document);
		const struct xml_element *root = xml_root(document);
		assert_true(xml_is(root, SOAP, "E"));
		assert_false(xml_is(root, NULL, "E"));
		const struct xml_element *code = xml_path(root, SOAP, "Body/Code");
		_cleanup_free_ char *first = xml_text(code);
		assert_string_equal(first, "12");
		code = xml_next(code, SOAP, "Code");
		_cleanup_free_ char *second = xml_text(code);
		assert_string_equal(second, "13");
		assert_null(xml_next(code, SOAP, "Code"));
		assert_null(xml_path(root, SOAP, "Body/Fault/Code"));
		assert_null(xml_path(root, "other", "Body"));
	}
}

static void absent_elements_are_empty_and_nil(void **state)
{
	_cleanup_xml_ struct xml_document *document =
		parse("<a xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" q=\"1\" i:q=\"2\">"
		      "<b i:nil=\"true\"/><c i:nil=\"false\"/><d nil=\"true\"/></a>",
			NULL);
	const struct xml_element *root = xml_root(document);
	_cleanup_free_ char *none = xml_text(NULL);
	_cleanup_free_ char *plain = xml_attribute(root, NULL, "q");
	_cleanup_free_ char *of_space =
		xml_attribute(root, "http://www.w3.org/2001/XMLSchema-instance", "q");

	(void)state;
	assert_string_equal(none, "");
	assert_string_equal(plain, "1");
	assert_string_equal(of_space, "2");
	assert_null(xml_attribute(root, NULL, "r"));
	assert_null(xml_attribute(NULL, NULL, "q"));
	assert_string_equal(xml_name(NULL), "");
	assert_string_equal(xml_name(xml_child(root, NULL, NULL)), "b");
	assert_true(xml_is_nil(NULL));
	assert_true(xml_is_nil(xml_child(root, NULL, "b")));
	assert_false(xml_is_nil(xml_child(root, NULL, "c")));
	assert_false(xml_is_nil(xml_child(root, NULL, "d")));
}

static void declarations_and_entities_are_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{"<!DOCTYPE a><a/>",
			"the XML has a document type declaration, which is not accepted"},
		{"<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>",
			"the XML has a document type declaration, which is not accepted"},
		{"<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/x.dtd\"><a/>",
			"the XML has a document type declaration, which is not accepted"},
		{"<a>&e;</a>", "no well-formed XML, line 1: Entity 'e' not defined"},
		{"<a q=\"&e;\"/>", "no well-formed XML, line 1: Entity 'e' not defined"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;

		assert_null(parse(bad[i].text, &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
		assert_string_equal(error.message, bad[i].message);
	}
}

static void what_is_no_xml_is_named_by_line(void **state)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{"", "no well-formed XML, line 1: Document is empty"},
		{"<a>\n<b>\n</a>",
			"no well-formed XML, line 3: Premature end of data in tag a line 1"},
		{"<a/>x", "no well-formed XML, line 1: Extra content at the end of the document"},
		{"<a>\x01</a>", NULL},
		{"<a>\xFF</a>", NULL},
		{"<html><br></html>", NULL},
		{"<s:a/>", NULL},
		{"{\"a\": 1}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		_cleanup_xml_ struct xml_document *document = parse(bad[i].text, &error);

		assert_null(document);
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
		if (bad[i].message)
			assert_string_equal(error.message, bad[i].message);
	}
}

static void depth_and_size_are_bounded(void **state)
{
	_cleanup_buffer_ struct buffer deep = BUFFER_INIT, wide = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		buffer_append_string(&deep, "<a>");
	assert_null(xml_parse(deep.data, deep.length, &error));
	error_clear(&error);
	buffer_append_string(&wide, "<a>");
	buffer_fill(&wide, 'x', 16 * 1024 * 1024);
	assert_null(xml_parse(wide.data, wide.length, &error));
	assert_string_equal(error.message, "the XML is longer than 16777216 bytes");
}

static void what_is_written_is_read_the_same(void **state)
{
	static const char text[] = "a<b>&\"'\t\n\r\xC3\xA4]]>";
	_cleanup_xml_writer_ struct xml_writer writer = XML_WRITER_INIT;
	_cleanup_secret_ struct secret secret = SECRET_INIT;

	(void)state;
	assert_true(secret_set(&secret, "p<\xF0\x9F\x94\x91\xFF\x02", 8));
	xml_start(&writer, "s:E");
	xml_put_attribute(&writer, "xmlns:s", SOAP);
	xml_put_attribute(&writer, "q", text);
	xml_start(&writer, "s:empty");
	xml_end(&writer);
	xml_put_element(&writer, "t", "a<b>&\"'\t\n\r\xC3\xA4]]>.");
	xml_start(&writer, "p");
	xml_put_secret(&writer, &secret);
	xml_end(&writer);
	xml_start(&writer, "b");
	xml_put_base64(&writer, "\x00\x01\x02\x03", 4);
	xml_end(&writer);
	xml_end(&writer);
	xml_end(&writer); /* one too many does nothing */
	_cleanup_xml_ struct xml_document *document =
		xml_parse(writer.text.data, writer.text.length, NULL);
	assert_non_null(document);
	const struct xml_element *root = xml_root(document);
	_cleanup_free_ char *attribute = xml_attribute(root, NULL, "q");
	_cleanup_free_ char *content = xml_text(xml_child(root, NULL, "t"));
	_cleanup_free_ char *password = xml_text(xml_child(root, NULL, "p"));
	_cleanup_free_ char *base64 = xml_text(xml_child(root, NULL, "b"));
	assert_string_equal(attribute, text);
	assert_string_equal(content, "a<b>&\"'\t\n\r\xC3\xA4]]>.");
	assert_string_equal(password, "p<\xF0\x9F\x94\x91?");
	assert_string_equal(base64, "AAECAw==");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_found_by_namespace_whatever_their_prefix),
		cmocka_unit_test(absent_elements_are_empty_and_nil),
		cmocka_unit_test(declarations_and_entities_are_refused),
		cmocka_unit_test(what_is_no_xml_is_named_by_line),
		cmocka_unit_test(depth_and_size_are_bounded),
		cmocka_unit_test(what_is_written_is_read_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

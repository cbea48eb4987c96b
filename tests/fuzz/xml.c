/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What services may answer in XML: what is read of it is written and read the same again. */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "core/xml.h"
#include "fuzz/fuzz.h"

static void check_text(const char *text)
{
	_cleanup_xml_writer_ struct xml_writer writer = XML_WRITER_INIT;

	xml_start(&writer, "a");
	xml_put_attribute(&writer, "b", text);
	xml_put_text(&writer, text);
	xml_end(&writer);
	_cleanup_xml_ struct xml_document *document =
		xml_parse(writer.text.data, writer.text.length, NULL);
	if (!document)
		return; /* longer than what may be read, or U+FFFE */
	_cleanup_free_ char *again = xml_text(xml_root(document));
	if (strcmp(again, text) != 0)
		abort();
}

static void walk(const struct xml_element *element)
{
	_cleanup_free_ char *text = xml_text(element);

	check_text(text);
	for (const struct xml_element *child = xml_child(element, NULL, NULL); child;
		child = xml_next(child, NULL, NULL))
		walk(child);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_xml_ struct xml_document *document = xml_parse(data, length, &error);

	if (!document != (error.code != ERROR_NONE))
		abort();
	if (document && memmem(data, length, "<!DOCTYPE", 9) && !memmem(data, length, "<!--", 4) &&
		!memmem(data, length, "<![CDATA[", 9) && !memmem(data, length, "<?", 2))
		abort();
	if (document)
		walk(xml_root(document));
	return 0;
}

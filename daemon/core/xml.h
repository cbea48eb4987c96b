/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * XML of services (SOAP): reading and writing; libxml2 is known to xml.c
 * alone. What is read is hostile: a document type declaration, and with it
 * every entity of its own, is refused (so nothing is expanded or fetched),
 * size and depth are bounded. Names are compared with their namespace
 * ("Namespaces in XML 1.0"), never with their prefix.
 */
#ifndef TESSERA_CORE_XML_H
#define TESSERA_CORE_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/secret.h"

/* --- reading --- */

struct xml_document;
struct xml_element; /* belongs to its document */

/*
 * Reads a whole document in any encoding that it declares. ERROR_INVALID_ARGUMENT with the line
 * where it is not well-formed, has a document type declaration, or is longer than 16 MiB.
 */
struct xml_document *xml_parse(const void *data, size_t length, struct error *error);
/* NULL is allowed. */
void xml_free(struct xml_document *document);
DEFINE_CLEANUP(struct xml_document *, xml_free);
#define _cleanup_xml_ _cleanup_(xml_freep)

/* Of the functions below each takes NULL for an element and then finds nothing. */

/* The outermost element; never NULL. */
const struct xml_element *xml_root(const struct xml_document *document);
/* Whether the element has this name in this namespace (NULL: in none). */
bool xml_is(const struct xml_element *element, const char *space, const char *name);
/* The first child of that name, and the next sibling of that name; NULL: none. Name NULL: any. */
const struct xml_element *xml_child(
	const struct xml_element *element, const char *space, const char *name);
const struct xml_element *xml_next(
	const struct xml_element *element, const char *space, const char *name);
/* Down the first children of these names, all of one namespace ("Body/Fault/Code"); NULL: none. */
const struct xml_element *xml_path(
	const struct xml_element *element, const char *space, const char *path);
/* The name without its prefix, belonging to the element; "" for NULL. */
const char *xml_name(const struct xml_element *element);
/* All text in the element and below it without the white space at its ends, heap; "" for none. */
char *xml_text(const struct xml_element *element);
/* An attribute's value, heap; NULL when it is absent. */
char *xml_attribute(const struct xml_element *element, const char *space, const char *name);
/* Whether the element is absent or says xsi:nil="true" (XML Schema 1, 2.6.2). */
bool xml_is_nil(const struct xml_element *element);

/* --- writing --- */

/*
 * Appends to a buffer that is wiped when it is freed, since bodies may have passwords. Elements are
 * named with the prefix that they are written with; namespaces are declared as attributes ("xmlns",
 * "xmlns:s") by whoever writes. Never fails: the buffer remembers that memory ran out.
 */
struct xml_writer {
	struct buffer text;
	char **open; /* names of the elements that are not ended yet */
	size_t depth;
	bool in_tag; /* attributes may still be put */
};
#define XML_WRITER_INIT                                                                            \
	{                                                                                          \
		.text = BUFFER_INIT_WIPE                                                           \
	}
void xml_writer_clear(struct xml_writer *writer);
#define _cleanup_xml_writer_ _cleanup_(xml_writer_clear)

/* Begins an element; the first follows the XML declaration (UTF-8), which is written before it. */
void xml_start(struct xml_writer *writer, const char *name);
/* Of the element that was begun last, before anything is in it. */
void xml_put_attribute(struct xml_writer *writer, const char *name, const char *value);
/*
 * Text in UTF-8. Control characters, which XML has no place for, are left out; bytes that are no
 * UTF-8 become '?'.
 */
void xml_put_text(struct xml_writer *writer, const char *text);
void xml_put_secret(struct xml_writer *writer, const struct secret *text);
/* Bytes in base64, without line breaks. */
void xml_put_base64(struct xml_writer *writer, const void *data, size_t length);
/* Ends the element that was begun last. */
void xml_end(struct xml_writer *writer);
/* An element with text alone. */
void xml_put_element(struct xml_writer *writer, const char *name, const char *text);

#endif

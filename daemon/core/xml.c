/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/xml.h"

#include <ctype.h>
#include <pthread.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>

#include "common/alloc.h"

#define DOCUMENT_MAX (16 * 1024 * 1024)
#define REASON_MAX   200
#define SCHEMA_SPACE "http://www.w3.org/2001/XMLSchema-instance"

struct xml_document {
	xmlDoc *tree;
};

/* An element is libxml2's node, under a name of ours so that nobody else needs its headers. */
static const xmlNode *node_of(const struct xml_element *element)
{
	return (const xmlNode *)element;
}

static const struct xml_element *element_of(const xmlNode *node)
{
	return (const struct xml_element *)node;
}

/* --- parsing --- */

/* Called where a document type declaration begins, before anything in it is read. */
static void refuse_declaration(
	void *context, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
	xmlParserCtxt *parser = context;
	bool *has_declaration = parser->_private;

	(void)name, (void)public_id, (void)system_id;
	*has_declaration = true;
	xmlStopParser(parser);
}

/* libxml2's words quote the document: cut short, and printable. */
static bool fail(const xmlParserCtxt *parser, struct error *error)
{
	const xmlError *last = &parser->lastError;
	_cleanup_free_ char *reason =
		xasprintf("%.*s", REASON_MAX, last->message ? last->message : "it cannot be read");

	for (char *c = reason; *c; c++)
		if (iscntrl((unsigned char)*c) || (unsigned char)*c > 0x7E)
			*c = ' ';
	for (size_t end = strlen(reason); end > 0 && reason[end - 1] == ' '; end--)
		reason[end - 1] = '\0';
	return error_set(error, ERROR_INVALID_ARGUMENT, "no well-formed XML, line %d: %s",
		last->line, reason);
}

static xmlDoc *parse_tree(
	xmlParserCtxt *parser, const void *data, size_t length, struct error *error)
{
	bool has_declaration = false;

	parser->_private = &has_declaration;
	parser->sax->internalSubset = refuse_declaration;
	xmlDoc *tree = xmlCtxtReadMemory(parser, data, (int)length, NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	if (has_declaration)
		error_set(error, ERROR_INVALID_ARGUMENT,
			"the XML has a document type declaration, which is not accepted");
	else if (!tree || !xmlDocGetRootElement(tree) || !parser->nsWellFormed)
		fail(parser, error);
	else
		return tree;
	xmlFreeDoc(tree);
	return NULL;
}

static void say_nothing(void *context, const char *format, ...)
{
	(void)context, (void)format;
}

struct xml_document *xml_parse(const void *data, size_t length, struct error *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, xmlInitParser);
	/* Of this thread: some complaints of libxml2 go there in spite of XML_PARSE_NOERROR. */
	xmlSetGenericErrorFunc(NULL, say_nothing);
	if (length > DOCUMENT_MAX) {
		error_set(error, ERROR_INVALID_ARGUMENT, "the XML is longer than %d bytes",
			DOCUMENT_MAX);
		return NULL;
	}
	xmlParserCtxt *parser = xmlNewParserCtxt();
	if (!parser)
		abort();
	xmlDoc *tree = parse_tree(parser, length ? data : "", length, error);
	xmlFreeParserCtxt(parser);
	if (!tree)
		return NULL;
	struct xml_document *document = xnew(struct xml_document);
	document->tree = tree;
	return document;
}

void xml_free(struct xml_document *document)
{
	if (!document)
		return;
	xmlFreeDoc(document->tree);
	free(document);
}

/* --- walking --- */

const struct xml_element *xml_root(const struct xml_document *document)
{
	return element_of(xmlDocGetRootElement(document->tree));
}

bool xml_is(const struct xml_element *element, const char *space, const char *name)
{
	const xmlNode *node = node_of(element);

	if (!node || strcmp((const char *)node->name, name) != 0)
		return false;
	const xmlChar *own = node->ns ? node->ns->href : NULL;
	return space ? own && strcmp((const char *)own, space) == 0 : !own;
}

static const struct xml_element *find(const xmlNode *node, const char *space, const char *name)
{
	for (; node; node = node->next)
		if (node->type == XML_ELEMENT_NODE &&
			(!name || xml_is(element_of(node), space, name)))
			return element_of(node);
	return NULL;
}

const struct xml_element *xml_child(
	const struct xml_element *element, const char *space, const char *name)
{
	return element ? find(node_of(element)->children, space, name) : NULL;
}

const struct xml_element *xml_next(
	const struct xml_element *element, const char *space, const char *name)
{
	return element ? find(node_of(element)->next, space, name) : NULL;
}

const struct xml_element *xml_path(
	const struct xml_element *element, const char *space, const char *path)
{
	_cleanup_free_ char *names = xstrdup(path);
	char *rest = NULL;

	for (char *name = strtok_r(names, "/", &rest); name; name = strtok_r(NULL, "/", &rest))
		element = xml_child(element, space, name);
	return element;
}

const char *xml_name(const struct xml_element *element)
{
	return element ? (const char *)node_of(element)->name : "";
}

/* --- contents --- */

static bool is_space(char character)
{
	return character != '\0' && strchr(" \t\r\n", character) != NULL;
}

static char *stripped(const char *text)
{
	while (is_space(*text))
		text++;
	size_t length = strlen(text);
	while (length > 0 && is_space(text[length - 1]))
		length--;
	return xasprintf("%.*s", (int)length, text);
}

char *xml_text(const struct xml_element *element)
{
	xmlChar *text = element ? xmlNodeGetContent(node_of(element)) : NULL;
	char *copy = stripped(text ? (const char *)text : "");

	xmlFree(text);
	return copy;
}

char *xml_attribute(const struct xml_element *element, const char *space, const char *name)
{
	const xmlNode *node = node_of(element);

	if (!node)
		return NULL;
	xmlChar *value = space ? xmlGetNsProp(node, (const xmlChar *)name, (const xmlChar *)space)
			       : xmlGetNoNsProp(node, (const xmlChar *)name);
	char *copy = value ? xstrdup((const char *)value) : NULL;
	xmlFree(value);
	return copy;
}

bool xml_is_nil(const struct xml_element *element)
{
	_cleanup_free_ char *value = xml_attribute(element, SCHEMA_SPACE, "nil");

	return !element || (value && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0));
}

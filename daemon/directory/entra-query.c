/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses of Graph's collections. What people type gets into them in two languages, each inside
 * the escapes of an URL (core/http.h): OData's $filter, where ' is doubled, and $search,
 * where " and \ get a \ before them.
 */
#include <stdarg.h>
#include <string.h>

#include "common/alloc.h"
#include "core/http.h"
#include "directory/entra-private.h"

/* Where a typed text is looked for: displayName by the beginnings of words, the others by theirs.
 */
static const char *const searched[] = {"displayName", "surname", "userPrincipalName", "mail",
	"employeeId", "onPremisesSamAccountName"};

/* Properties that have several values. */
static const char *const collections[] = {
	"businessPhones", "imAddresses", "otherMails", "proxyAddresses"};

static void append_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

static void append_format(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	char *text = xvasprintf(format, arguments);
	va_end(arguments);
	buffer_append_string(buffer, text);
	free(text);
}

/* A text in ' '. */
static void append_literal(
	struct buffer *buffer, const char *before, const char *value, const char *after)
{
	buffer_append_string(buffer, before);
	for (; *value; value++) {
		if (*value == '\'')
			buffer_append_u8(buffer, '\'');
		buffer_append_u8(buffer, (uint8_t)*value);
	}
	buffer_append_string(buffer, after);
}

static char *take_text(struct buffer *buffer)
{
	char *text = xasprintf("%.*s", (int)buffer->length, (const char *)buffer->data);

	buffer_clear(buffer);
	return text;
}

char *entra_search_text(const char *typed)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(searched); i++) {
		append_format(&text, "%s\"%s:", i > 0 ? " OR " : "", searched[i]);
		for (const char *c = typed; *c; c++) {
			if (*c == '"' || *c == '\\')
				buffer_append_u8(&text, '\\');
			/* An & is refused even when it is escaped, and parts words as a space does.
			 */
			buffer_append_u8(&text, *c == '&' ? ' ' : (uint8_t)*c);
		}
		buffer_append_u8(&text, '"');
	}
	return take_text(&text);
}

static bool is_collection(const char *property)
{
	for (size_t i = 0; i < ARRAY_SIZE(collections); i++) {
		if (strcmp(collections[i], property) == 0)
			return true;
	}
	return false;
}

static void append_equal(struct buffer *text, const char *property, const char *value)
{
	append_format(text, is_collection(property) ? "%s/any(x:x eq " : "%s eq ", property);
	append_literal(text, "'", value, is_collection(property) ? "')" : "'");
}

static void append_match(struct buffer *text, const char *property, const char *value)
{
	size_t length = strlen(property);

	if (property[length - 1] != '@') {
		append_equal(text, property, value);
		return;
	}
	append_format(text, "startsWith(%.*s,", (int)length - 1, property);
	append_literal(text, "'", value, "@')");
}

char *entra_filter_text(const struct mapped_field *field, const char *value)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < field->count; i++) {
		buffer_append_string(&text, i > 0 ? " or " : "");
		append_match(&text, field->attributes[i], value);
	}
	return take_text(&text);
}

/* --- addresses --- */

static void append_parameter(struct buffer *url, const char *name, const char *value)
{
	_cleanup_free_ char *escaped = http_escape(value);

	append_format(url, "&%s=%s", name, escaped);
}

/* Whether a list of names, each with a , before it, has that one. */
static bool has_name(const char *list, const char *name, size_t length)
{
	for (const char *c = strchr(list, ','); c; c = strchr(c + 1, ',')) {
		if (strncmp(c + 1, name, length) == 0 && (c[1 + length] == ',' || !c[1 + length]))
			return true;
	}
	return false;
}

/* What the connection shows of a person, and no more; each property once, whatever of it. */
static void append_select(struct buffer *url, const struct field_mapping *fields)
{
	char *list = xstrdup(",id,accountEnabled");

	for (size_t i = 0; i < fields->count; i++) {
		for (size_t j = 0; j < fields->items[i].count; j++) {
			const char *property = fields->items[i].attributes[j];
			int length = (int)strcspn(property, "/@");
			if (has_name(list, property, (size_t)length))
				continue;
			char *longer = xasprintf("%s,%.*s", list, length, property);
			free(list);
			list = longer;
		}
	}
	append_format(url, "$select=%s", list + 1);
	free(list);
}

char *entra_person_url(const struct entra_settings *settings, const char *id)
{
	_cleanup_buffer_ struct buffer url = BUFFER_INIT;

	append_format(&url, "%s/users/%s?", settings->api, id);
	append_select(&url, &settings->fields);
	return take_text(&url);
}

char *entra_collection_url(const struct entra_settings *settings, const struct entra_query *query)
{
	_cleanup_buffer_ struct buffer url = BUFFER_INIT;

	if (query->group < settings->group_count)
		append_format(&url, "%s/groups/%s/transitiveMembers/microsoft.graph.user?",
			settings->api, settings->groups[query->group]);
	else
		append_format(&url, "%s/users?", settings->api);
	append_select(&url, &settings->fields);
	/* Both are part of what Graph calls advanced queries. */
	append_format(&url, "&$count=true&$top=%zu", query->limit);
	if (query->is_sorted)
		append_parameter(&url, "$orderby", "displayName");
	if (query->search)
		append_parameter(&url, "$search", query->search);
	if (settings->filter && query->filter) {
		_cleanup_free_ char *both =
			xasprintf("(%s) and (%s)", settings->filter, query->filter);
		append_parameter(&url, "$filter", both);
	} else if (settings->filter || query->filter)
		append_parameter(&url, "$filter", query->filter ? query->filter : settings->filter);
	return take_text(&url);
}

/* --- the next page --- */

bool entra_is_of_api(const struct entra_settings *settings, const char *url)
{
	size_t length = strlen(settings->api);

	if (strlen(url) > ENTRA_URL_MAX || strncmp(url, settings->api, length) != 0 ||
		url[length] != '/')
		return false;
	for (const char *c = url; *c; c++) {
		if (*c <= 0x20 || *c >= 0x7f || *c == '\\' || *c == '#')
			return false;
	}
	/* No way back out of the API's path. */
	_cleanup_free_ char *path =
		xasprintf("%.*s", (int)strcspn(url + length, "?"), url + length);
	return !strstr(path, "/.") && !strchr(path, '%');
}

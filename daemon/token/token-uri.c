/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/token-uri.h"

#include <string.h>

#include <p11-kit/uri.h>

#include "common/alloc.h"

#define FILE_SCHEME "file:"

struct token_uri {
	P11KitUri *parsed;
	char *label;
};

void token_uri_free(struct token_uri *uri)
{
	if (!uri)
		return;
	p11_kit_uri_free(uri->parsed);
	free(uri->label);
	free(uri);
}

/* The padding that p11-kit puts behind a label is taken off; all bytes 0xFF stand for "not given".
 */
static char *label_of(P11KitUri *parsed)
{
	const CK_TOKEN_INFO *info = p11_kit_uri_get_token_info(parsed);
	size_t length = sizeof(info->label);

	while (length > 0 && info->label[length - 1] == ' ')
		length--;
	while (length > 0 && info->label[length - 1] == '\0')
		length--;
	return length > 0 ? xasprintf("%.*s", (int)length, (const char *)info->label) : NULL;
}

static bool refuse(struct error *error, const char *why)
{
	return error_set(error, ERROR_INVALID_ARGUMENT, "%s", why);
}

static bool is_path(const char *text)
{
	return text && text[0] == '/';
}

static bool check(const struct token_uri *uri, struct error *error)
{
	CK_ULONG count = 0;

	p11_kit_uri_get_attributes(uri->parsed, &count);
	if (p11_kit_uri_any_unrecognized(uri->parsed) || count > 0)
		return refuse(error, "the URI has a part that says nothing of a token");
	if (p11_kit_uri_get_pin_value(uri->parsed))
		return refuse(error, "pin-value would stand in a file that others read: use "
				     "pin-source");
	if (!uri->label)
		return refuse(error, "the URI must name the token (token=LABEL)");
	if (!is_path(token_uri_module(uri)))
		return refuse(
			error, "the URI must end in ?module-path=/PATH of the PKCS#11 module");
	if (p11_kit_uri_get_pin_source(uri->parsed) && !is_path(token_uri_pin_file(uri)))
		return refuse(error, "pin-source must be the absolute path of a file");
	return true;
}

struct token_uri *token_uri_parse(const char *text, struct error *error)
{
	struct token_uri *uri _cleanup_token_uri_ = xnew(struct token_uri);

	uri->parsed = p11_kit_uri_new();
	if (!uri->parsed)
		abort();
	int code = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri->parsed);
	if (code != P11_KIT_URI_OK) {
		error_set(error, ERROR_INVALID_ARGUMENT, "it is no pkcs11: URI: %s",
			p11_kit_uri_message(code));
		return NULL;
	}
	uri->label = label_of(uri->parsed);
	return check(uri, error) ? steal_pointer(&uri) : NULL;
}

const char *token_uri_module(const struct token_uri *uri)
{
	return p11_kit_uri_get_module_path(uri->parsed);
}

const char *token_uri_label(const struct token_uri *uri)
{
	return uri->label;
}

const char *token_uri_pin_file(const struct token_uri *uri)
{
	const char *source = p11_kit_uri_get_pin_source(uri->parsed);

	if (source && strncmp(source, FILE_SCHEME, strlen(FILE_SCHEME)) == 0)
		source += strlen(FILE_SCHEME);
	/* "file:///path": an authority that is empty. */
	return source && strncmp(source, "//", 2) == 0 ? source + 2 : source;
}

bool token_uri_matches(const struct token_uri *uri, CK_TOKEN_INFO *info)
{
	return p11_kit_uri_match_token_info(uri->parsed, info) == 1;
}

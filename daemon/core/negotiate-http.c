/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the protocol of HTTP and TLS has to do with it; nothing here asks Kerberos. */
#include "core/negotiate.h"

#include <string.h>
#include <strings.h>

#include "common/alloc.h"

/* --- the header WWW-Authenticate (RFC 9110, 11.6.1) --- */

/* Longer tokens than these are no answers to ours. */
#define TOKEN_MAX 65536

#define SPACES " \t"
#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/* Behind a quoted string that begins there; its end where it is not closed. */
static const char *skip_quoted(const char *text)
{
	for (text++; *text && *text != '"'; text++)
		if (*text == '\\' && text[1])
			text++;
	return *text ? text + 1 : text;
}

/* The next part of a list: commas within quotes do not part. */
static const char *skip_part(const char *text)
{
	while (*text && *text != ',')
		text = *text == '"' ? skip_quoted(text) : text + 1;
	return *text ? text + 1 : text;
}

/* text: length characters of base64, the last ones padding. */
static bool decode(const char *text, size_t length, size_t padding, struct buffer *token)
{
	if (length % 4 != 0 || length > TOKEN_MAX || padding > 2)
		return false;
	size_t before = token->length, decoded = length / 4 * 3;
	uint8_t *room = buffer_extend(token, decoded);
	bool done = room &&
		    EVP_DecodeBlock(room, (const unsigned char *)text, (int)length) == (int)decoded;
	buffer_truncate(token, done ? token->length - padding : before);
	return done;
}

/* text: what follows the name of the scheme. */
static enum negotiate_challenge read_token(const char *text, struct buffer *token)
{
	const char *start = text + strspn(text, SPACES);
	size_t length = strspn(start, BASE64);
	size_t padding = strspn(start + length, "=");
	const char *end = start + length + padding;

	end += strspn(end, SPACES);
	if (*end && *end != ',')
		return CHALLENGE_MALFORMED;
	if (end == start)
		return CHALLENGE_BARE;
	return decode(start, length + padding, padding, token) ? CHALLENGE_TOKEN
							       : CHALLENGE_MALFORMED;
}

enum negotiate_challenge negotiate_read_challenge(const char *value, struct buffer *token)
{
	static const char scheme[] = "Negotiate";

	for (const char *part = value; *part; part = skip_part(part)) {
		part += strspn(part, SPACES);
		size_t length = strcspn(part, SPACES ",=\"");
		if (length == strlen(scheme) && strncasecmp(part, scheme, length) == 0 &&
			part[length + strspn(part + length, SPACES)] != '=')
			return read_token(part + length, token);
	}
	return CHALLENGE_OTHER;
}

/* --- the binding (RFC 5929, 4.1) --- */

static const EVP_MD *digest_of(const X509 *certificate)
{
	int nid = NID_undef;

	X509_get_signature_info((X509 *)certificate, &nid, NULL, NULL, NULL);
	if (nid == NID_undef || nid == NID_md5 || nid == NID_sha1)
		return EVP_sha256();
	const EVP_MD *digest = EVP_get_digestbynid(nid);
	return digest ? digest : EVP_sha256();
}

bool negotiate_binding(const X509 *certificate, struct buffer *binding, struct error *error)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (X509_digest(certificate, digest_of(certificate), digest, &length) != 1)
		return error_set(
			error, ERROR_NETWORK_FAILED, "the service's certificate has no digest");
	buffer_append_string(binding, "tls-server-end-point:");
	buffer_append(binding, digest, length);
	return true;
}

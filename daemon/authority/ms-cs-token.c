/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the enrollment service answers: a certificate, or that there will be one. */
#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>

#include "authority/issued.h"
#include "authority/ms-cs-private.h"
#include "common/alloc.h"

#define ID_MAX	  128 /* bytes of a request's number, which is any text [WSTEP 3.1.4.1.2.7] */
#define WORDS_MAX 300

DEFINE_CLEANUP(CMS_ContentInfo *, CMS_ContentInfo_free);

void ms_cs_token_clear(struct ms_cs_token *token)
{
	buffer_clear(&token->der);
	free(token->id);
	free(token->reference);
	free(token->words);
	*token = (struct ms_cs_token){0};
}

/* --- certificates --- */

static bool decode(const struct xml_element *element, struct buffer *bytes)
{
	_cleanup_free_ char *text = xml_text(element);

	return element && issued_decode_base64(text, bytes);
}

/* The certificate of the key among those of the CMC response, whose signature is not looked at. */
static bool find_in_response(
	const struct xml_element *element, const char *key_digest, struct buffer *der)
{
	_cleanup_buffer_ struct buffer bytes = BUFFER_INIT;
	bool found = false;

	if (!decode(element, &bytes))
		return false;
	const unsigned char *position = bytes.data;
	CMS_ContentInfo *cms _cleanup_(CMS_ContentInfo_freep) =
		d2i_CMS_ContentInfo(NULL, &position, (long)bytes.length);
	STACK_OF(X509) *certificates = cms ? CMS_get1_certs(cms) : NULL;
	for (int i = 0; !found && i < sk_X509_num(certificates); i++) {
		buffer_truncate(der, 0);
		found = issued_put(sk_X509_value(certificates, i), der) &&
			issued_has_key(der, key_digest);
	}
	sk_X509_pop_free(certificates, X509_free);
	ERR_clear_error();
	return found;
}

/* The one that is given as the certificate, or that of the key in the response. */
static bool take_certificate(struct ms_cs_token *token, const struct xml_element *given,
	const struct xml_element *response, const char *key_digest, struct error *error)
{
	bool is_readable = decode(given, &token->der);

	if (is_readable && issued_has_key(&token->der, key_digest))
		return true;
	if (find_in_response(response, key_digest, &token->der))
		return true;
	buffer_clear(&token->der);
	return error_set(error, ERROR_AUTHORITY_FAILED,
		is_readable ? "the CA gave a certificate for another key, which was not used"
			    : "the CA gave a certificate that cannot be read");
}

/* --- the answer --- */

static char *text_if_any(const struct xml_element *element)
{
	char *text = xml_is_nil(element) ? NULL : xml_text(element);

	if (text && !text[0])
		free(steal_pointer(&text));
	return text;
}

static bool take_id(struct ms_cs_token *token, const struct xml_element *response)
{
	token->id = text_if_any(xml_child(response, NS_ENROLLMENT, "RequestID"));
	return token->id && strlen(token->id) <= ID_MAX;
}

static void take_words(struct ms_cs_token *token, const struct xml_element *response)
{
	_cleanup_free_ char *text =
		text_if_any(xml_child(response, NS_ENROLLMENT, "DispositionMessage"));

	token->words = text ? issued_words(text, WORDS_MAX) : NULL;
}

/* What the answer is follows from what is in it: words are in the CA's language. */
bool ms_cs_token_read(struct ms_cs_token *token, const struct xml_element *collection,
	const char *key_digest, struct error *error)
{
	static const char name[] = "RequestSecurityTokenResponse";
	const struct xml_element *response = xml_child(collection, NS_TRUST, name);
	const struct xml_element *requested =
		xml_child(response, NS_TRUST, "RequestedSecurityToken");
	const struct xml_element *given = xml_child(requested, NS_SECURITY, "BinarySecurityToken");
	const struct xml_element *pending =
		xml_child(requested, NS_SECURITY, "SecurityTokenReference");

	if (!xml_is(collection, NS_TRUST, "RequestSecurityTokenResponseCollection") || !response ||
		xml_next(response, NS_TRUST, name))
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the service answers something else than a response to a request for a "
			"certificate");
	bool has_id = take_id(token, response);
	take_words(token, response);
	if (given)
		return take_certificate(token, given,
			xml_child(response, NS_SECURITY, "BinarySecurityToken"), key_digest, error);
	if (!pending || !has_id)
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the service answers neither with a certificate nor with the number of a "
			"pending request");
	token->reference = xml_attribute(xml_child(pending, NS_SECURITY, "Reference"), NULL, "URI");
	return true;
}

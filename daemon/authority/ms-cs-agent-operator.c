/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An enrollment agent's key on the card of the operator who asks. The operator is given the signed
 * attributes themselves (RFC 5652, 5.4), and not only their digest, so as to see what is signed.
 */
#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/cms.h>
#include <openssl/err.h>

#include "authority/ms-cs-agent.h"
#include "authority/ms-cs-check.h"
#include "common/alloc.h"
#include "core/signing-key.h"

struct ms_cs_operator_key {
	const struct authority_operator *operator;
	EVP_PKEY *public_key;
	CMS_SignerInfo *signer; /* whose attributes are signed */
	const char *requester;
};

/* SET OF Attribute, in the order of DER. OpenSSL's templates want names that are one word. */
typedef STACK_OF(X509_ATTRIBUTE) ATTRIBUTES;
ASN1_ITEM_TEMPLATE(ATTRIBUTES) = ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_ORDER, 0, attributes,
	X509_ATTRIBUTE) static_ASN1_ITEM_TEMPLATE_END(ATTRIBUTES)

	static bool put_attributes(CMS_SignerInfo * signer, struct buffer *content)
{
	STACK_OF(X509_ATTRIBUTE) *attributes = sk_X509_ATTRIBUTE_new_null();
	unsigned char *der = NULL;
	int length = -1, count = CMS_signed_get_attr_count(signer);

	for (int i = 0; attributes && i < count; i++)
		sk_X509_ATTRIBUTE_push(attributes, CMS_signed_get_attr(signer, i));
	if (attributes && sk_X509_ATTRIBUTE_num(attributes) == count)
		length = ASN1_item_i2d(
			(const ASN1_VALUE *)attributes, &der, ASN1_ITEM_rptr(ATTRIBUTES));
	if (length > 0)
		buffer_append(content, der, (size_t)length);
	OPENSSL_free(der);
	sk_X509_ATTRIBUTE_free(attributes);
	return length > 0 && !content->failed;
}

/* Whether what OpenSSL wants signed, a digest or the padded block around it, is that of the
 * content.
 */
static bool is_of(const struct ms_cs_operator_key *key, const struct buffer *content,
	const uint8_t *input, size_t length)
{
	bool is_long =
		EVP_PKEY_is_a(key->public_key, "EC") && EVP_PKEY_get_bits(key->public_key) > 256;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (EVP_Digest(content->data, content->length, digest, &size,
		    is_long ? EVP_sha384() : EVP_sha256(), NULL) != 1)
		return false;
	return length >= size ? memcmp(input + length - size, digest, size) == 0
			      : memcmp(input, digest, length) == 0;
}

static bool sign(void *context, const uint8_t *input, size_t length, struct buffer *output,
	struct error *error)
{
	const struct ms_cs_operator_key *key = context;
	_cleanup_buffer_ struct buffer content = BUFFER_INIT;

	if (!key->signer || !put_attributes(key->signer, &content) ||
		!is_of(key, &content, input, length))
		return error_set(error, ERROR_FAILED, "the signed attributes cannot be told");
	_cleanup_free_ char *words =
		xasprintf("a request for a certificate on behalf of %s", key->requester);
	return key->operator->sign(key->operator->context, &content, words, output, error);
}

bool ms_cs_agent_open_operator(
	const struct authority_operator *operator, struct ms_cs_agent * agent, struct error *error)
{
	if (!operator)
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"the enrollment agent's key is on an operator's card, and nobody is there "
			"to sign with it: an operator has to do this");
	agent->certificate = operator->certificate(operator->context, MS_CS_PURPOSE_AGENT, error);
	if (!agent->certificate)
		return false;
	struct ms_cs_operator_key *key = xnew(struct ms_cs_operator_key);
	agent->by_operator = key;
	key->operator= operator;
	key->public_key = X509_get0_pubkey(agent->certificate);
	agent->key = signing_key_new(key->public_key, sign, key, error);
	return agent->key != NULL;
}

void ms_cs_operator_key_free(struct ms_cs_operator_key *key)
{
	free(key);
}

void ms_cs_operator_key_prepare(
	struct ms_cs_operator_key *key, CMS_SignerInfo *signer, const char *requester)
{
	key->signer = signer;
	key->requester = requester;
}

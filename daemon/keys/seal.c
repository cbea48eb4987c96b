/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keys/seal.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "common/macros.h"
#include "core/signing-key.h"

DEFINE_CLEANUP(CMS_ContentInfo *, CMS_ContentInfo_free);
DEFINE_CLEANUP(BIO *, BIO_free);

static bool is_rsa(X509 *certificate)
{
	return EVP_PKEY_get_base_id(X509_get0_pubkey(certificate)) == EVP_PKEY_RSA;
}

static bool add_recipient(CMS_ContentInfo *cms, X509 *certificate)
{
	CMS_RecipientInfo *recipient =
		CMS_add1_recipient_cert(cms, certificate, CMS_USE_KEYID | CMS_KEY_PARAM);

	if (!recipient || !is_rsa(certificate))
		return recipient != NULL;
	EVP_PKEY_CTX *context = CMS_RecipientInfo_get0_pkey_ctx(recipient);
	return context && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1;
}

static bool append_der(CMS_ContentInfo *cms, struct buffer *sealed)
{
	unsigned char *der = NULL;
	int length = i2d_CMS_ContentInfo(cms, &der);

	if (length <= 0)
		return false;
	buffer_append(sealed, der, (size_t)length);
	OPENSSL_free(der);
	return !sealed->failed;
}

bool seal(const struct secret *secret, X509 *const *certificates, size_t count,
	struct buffer *sealed, struct error *error)
{
	BIO *content _cleanup_(BIO_freep) = BIO_new_mem_buf(secret->data, (int)secret->length);
	CMS_ContentInfo *cms _cleanup_(CMS_ContentInfo_freep) = CMS_encrypt(
		NULL, NULL, EVP_aes_256_cbc(), CMS_BINARY | CMS_PARTIAL | CMS_USE_KEYID);
	bool done = content && cms;

	for (size_t i = 0; done && i < count; i++)
		done = add_recipient(cms, certificates[i]);
	if (done && CMS_final(cms, content, NULL, CMS_BINARY) == 1 && append_der(cms, sealed))
		return true;
	return signing_key_error(ERROR_FAILED, "sealing a secret", error);
}

static bool read_content(BIO *content, size_t maximum, struct secret *secret)
{
	char *data;
	long length = BIO_get_mem_data(content, &data);

	if (length <= 0 || (size_t)length > maximum || !secret_allocate(secret, (size_t)length))
		return false;
	memcpy(secret->data, data, (size_t)length);
	OPENSSL_cleanse(data, (size_t)length);
	return true;
}

bool unseal(const struct buffer *sealed, X509 *certificate, EVP_PKEY *key, size_t maximum,
	struct secret *secret, struct error *error)
{
	const unsigned char *position = sealed->data;
	CMS_ContentInfo *cms _cleanup_(CMS_ContentInfo_freep) =
		d2i_CMS_ContentInfo(NULL, &position, (long)sealed->length);
	BIO *content _cleanup_(BIO_freep) = BIO_new(BIO_s_secmem());

	if (!cms || !content || position != sealed->data + sealed->length) {
		ERR_clear_error();
		return error_set(error, ERROR_DATA_INVALID, "what was sealed is damaged");
	}
	if (CMS_decrypt(cms, key, certificate, NULL, content, CMS_BINARY) != 1)
		return signing_key_error(
			ERROR_DATA_INVALID, "opening what was sealed to the card", error);
	return read_content(content, maximum, secret) ||
	       error_set(error, ERROR_DATA_INVALID, "what was sealed is damaged");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/public-key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "common/buffer.h"
#include "common/tlv.h"
#include "token/ckr.h"
#include "token/hsm-pair.h"

#define ATTRIBUTE_MAX 4096 /* bytes; more is no key */

DEFINE_CLEANUP(OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free);
DEFINE_CLEANUP(OSSL_PARAM *, OSSL_PARAM_free);
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free);
DEFINE_CLEANUP(BIGNUM *, BN_free);
DEFINE_CLEANUP(ASN1_OBJECT *, ASN1_OBJECT_free);

static bool attribute_read(struct session *session, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE type,
	struct buffer *value, struct error *error)
{
	CK_ATTRIBUTE attribute = {type, NULL, 0};
	CK_RV rv = session->functions->C_GetAttributeValue(session->handle, handle, &attribute, 1);

	if (rv != CKR_OK)
		return session_failed(session, rv, "reading a public key", error);
	if (attribute.ulValueLen == 0 || attribute.ulValueLen > ATTRIBUTE_MAX)
		return error_set(error, ERROR_TOKEN_FAILED,
			"the token gives a public key with an attribute of %lu bytes",
			attribute.ulValueLen);
	attribute.pValue = buffer_extend(value, attribute.ulValueLen);
	if (!attribute.pValue)
		return error_set(error, ERROR_FAILED, "out of memory");
	rv = session->functions->C_GetAttributeValue(session->handle, handle, &attribute, 1);
	return rv == CKR_OK || session_failed(session, rv, "reading a public key", error);
}

static EVP_PKEY *key_build(const char *type, OSSL_PARAM_BLD *builder, struct error *error)
{
	OSSL_PARAM *parameters _cleanup_(OSSL_PARAM_freep) = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context _cleanup_(EVP_PKEY_CTX_freep) =
		EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (parameters && context && EVP_PKEY_fromdata_init(context) == 1 &&
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1)
		return key;
	error_set(error, ERROR_TOKEN_FAILED, "the token gives a malformed %s public key", type);
	return NULL;
}

static EVP_PKEY *make_rsa(struct reader modulus, struct reader exponent, struct error *error)
{
	BIGNUM *n _cleanup_(BN_freep) = BN_bin2bn(modulus.data, (int)modulus.length, NULL);
	BIGNUM *e _cleanup_(BN_freep) = BN_bin2bn(exponent.data, (int)exponent.length, NULL);
	OSSL_PARAM_BLD *builder _cleanup_(OSSL_PARAM_BLD_freep) = OSSL_PARAM_BLD_new();
	if (!n || !e || !builder || !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) ||
		!OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e)) {
		error_set(error, ERROR_FAILED, "out of memory");
		return NULL;
	}
	return key_build("RSA", builder, error);
}

static EVP_PKEY *read_rsa(struct session *session, CK_OBJECT_HANDLE handle, struct error *error)
{
	_cleanup_buffer_ struct buffer modulus = BUFFER_INIT, exponent = BUFFER_INIT;

	if (!attribute_read(session, handle, CKA_MODULUS, &modulus, error) ||
		!attribute_read(session, handle, CKA_PUBLIC_EXPONENT, &exponent, error))
		return NULL;
	return make_rsa(reader_of(&modulus), reader_of(&exponent), error);
}

/* The name of the curve in CKA_EC_PARAMS (an object identifier), or NULL. */
static const char *curve_name(struct reader parameters)
{
	const unsigned char *position = parameters.data;
	ASN1_OBJECT *object _cleanup_(ASN1_OBJECT_freep) =
		d2i_ASN1_OBJECT(NULL, &position, (long)parameters.length);

	return object ? OBJ_nid2sn(OBJ_obj2nid(object)) : NULL;
}

/* CKA_EC_POINT is an OCTET STRING in DER (PKCS#11 2.40 curr, 2.3.3); some tokens leave it out. */
static struct reader point_of(struct reader attribute)
{
	struct reader point;

	if (tlv_find(attribute, 0x04, &point) && point.length > 0 &&
		point.data + point.length == attribute.data + attribute.length &&
		point.data[0] == 0x04)
		return point;
	return attribute;
}

static EVP_PKEY *make_ec(struct reader parameters, struct reader value, struct error *error)
{
	const char *curve = curve_name(parameters);
	struct reader point = point_of(value);
	OSSL_PARAM_BLD *builder _cleanup_(OSSL_PARAM_BLD_freep) = OSSL_PARAM_BLD_new();
	if (!curve || !builder ||
		!OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) ||
		!OSSL_PARAM_BLD_push_octet_string(
			builder, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.length)) {
		error_set(error, ERROR_TOKEN_FAILED, "the token gives a key on an unknown curve");
		return NULL;
	}
	return key_build("EC", builder, error);
}

static EVP_PKEY *read_ec(struct session *session, CK_OBJECT_HANDLE handle, struct error *error)
{
	_cleanup_buffer_ struct buffer parameters = BUFFER_INIT, value = BUFFER_INIT;

	if (!attribute_read(session, handle, CKA_EC_PARAMS, &parameters, error) ||
		!attribute_read(session, handle, CKA_EC_POINT, &value, error))
		return NULL;
	return make_ec(reader_of(&parameters), reader_of(&value), error);
}

EVP_PKEY *public_key_read(struct session *session, CK_OBJECT_HANDLE handle, struct error *error)
{
	CK_KEY_TYPE type = 0;
	CK_ATTRIBUTE attribute = {CKA_KEY_TYPE, &type, sizeof(type)};
	CK_RV rv = session->functions->C_GetAttributeValue(session->handle, handle, &attribute, 1);

	if (rv != CKR_OK) {
		session_failed(session, rv, "reading a public key", error);
		return NULL;
	}
	if (type == CKK_RSA)
		return read_rsa(session, handle, error);
	if (type == CKK_EC)
		return read_ec(session, handle, error);
	error_set(error, ERROR_NOT_SUPPORTED, "the token's key is neither RSA nor EC");
	return NULL;
}

static bool object_value(
	const struct hsm_object *object, CK_ATTRIBUTE_TYPE type, struct reader *value)
{
	size_t length = 0;
	const uint8_t *data = hsm_object_value(object, type, &length);

	*value = (struct reader)READER_INIT(data, length);
	return data && length > 0 && length <= ATTRIBUTE_MAX;
}

EVP_PKEY *hsm_object_public_key(const struct hsm_object *object, struct error *error)
{
	struct reader one, other;

	if (object_value(object, CKA_MODULUS, &one) &&
		object_value(object, CKA_PUBLIC_EXPONENT, &other))
		return make_rsa(one, other, error);
	if (object_value(object, CKA_EC_PARAMS, &one) && object_value(object, CKA_EC_POINT, &other))
		return make_ec(one, other, error);
	error_set(error, ERROR_NOT_SUPPORTED,
		"the token shows no RSA or EC public key with the private key");
	return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance/conformance.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

/* --- templates --- */

static CK_ATTRIBUTE *add_attribute(struct template *template, CK_ATTRIBUTE_TYPE type)
{
	CK_ATTRIBUTE *attribute = &template->attributes[template->count++];

	attribute->type = type;
	return attribute;
}

void template_number(struct template *template, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
	CK_ULONG *number = &template->numbers[template->count];

	*number = value;
	template_bytes(template, type, number, sizeof(*number));
}

void template_boolean(struct template *template, CK_ATTRIBUTE_TYPE type, bool value)
{
	CK_BBOOL *boolean = &template->booleans[template->count];

	*boolean = value ? CK_TRUE : CK_FALSE;
	template_bytes(template, type, boolean, sizeof(*boolean));
}

void template_bytes(
	struct template *template, CK_ATTRIBUTE_TYPE type, const void *value, size_t length)
{
	CK_ATTRIBUTE *attribute = add_attribute(template, type);

	attribute->pValue = (void *)value;
	attribute->ulValueLen = length;
}

/* --- attributes --- */

CK_RV attribute_bytes(
	CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *value, CK_ULONG *length)
{
	CK_ATTRIBUTE attribute = {type, value, *length};
	CK_RV rv = P11->C_GetAttributeValue(suite.session, object, &attribute, 1);

	*length = attribute.ulValueLen;
	return rv;
}

CK_ULONG attribute_number(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
	CK_ULONG number = CK_UNAVAILABLE_INFORMATION;
	CK_ULONG length = sizeof(number);

	if (attribute_bytes(object, type, &number, &length) != CKR_OK)
		return CK_UNAVAILABLE_INFORMATION;
	return number;
}

int attribute_boolean(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL boolean = CK_FALSE;
	CK_ULONG length = sizeof(boolean);

	if (attribute_bytes(object, type, &boolean, &length) != CKR_OK || length != 1)
		return -1;
	return boolean;
}

CK_ULONG find(
	CK_SESSION_HANDLE session, struct template *like, CK_OBJECT_HANDLE *objects, CK_ULONG room)
{
	CK_ULONG total = 0;

	if (P11->C_FindObjectsInit(
		    session, like ? like->attributes : NULL, like ? like->count : 0) != CKR_OK)
		return 0;
	for (;;) {
		CK_OBJECT_HANDLE some[16];
		CK_ULONG count = 0;
		if (P11->C_FindObjects(session, some, ARRAY_SIZE(some), &count) != CKR_OK || !count)
			break;
		for (CK_ULONG i = 0; i < count; i++) {
			if (total < room)
				objects[total] = some[i];
			total++;
		}
	}
	P11->C_FindObjectsFinal(session);
	return total;
}

/* --- key pairs --- */

/* The public half has the same CKA_ID; where a token has none, what it makes of it is what is used.
 */
static CK_OBJECT_HANDLE public_half(CK_OBJECT_HANDLE private)
{
	struct template like = {.count = 0};
	CK_BYTE id[128];
	CK_ULONG length = sizeof(id);
	CK_OBJECT_HANDLE public = CK_INVALID_HANDLE;

	if (attribute_bytes(private, CKA_ID, id, &length) != CKR_OK)
		return CK_INVALID_HANDLE;
	template_number(&like, CKA_CLASS, CKO_PUBLIC_KEY);
	template_bytes(&like, CKA_ID, id, length);
	find(suite.session, &like, &public, 1);
	return public;
}

static bool pair_on_token(CK_KEY_TYPE type, CK_ATTRIBUTE_TYPE usage, struct pair *pair)
{
	struct template like = {.count = 0};
	CK_OBJECT_HANDLE keys[64];

	template_number(&like, CKA_CLASS, CKO_PRIVATE_KEY);
	template_number(&like, CKA_KEY_TYPE, type);
	template_boolean(&like, usage, true);
	template_boolean(&like, CKA_TOKEN, true);
	CK_ULONG count = find(suite.session, &like, keys, ARRAY_SIZE(keys));
	for (CK_ULONG i = 0; i < count && i < ARRAY_SIZE(keys); i++) {
		if (attribute_boolean(keys[i], CKA_ALWAYS_AUTHENTICATE) == 1)
			continue;
		pair->private = keys[i];
		pair->public = public_half(keys[i]);
		if (pair->public)
			return true;
	}
	return false;
}

static CK_RV pair_generate(CK_KEY_TYPE type, CK_ATTRIBUTE_TYPE usage, struct pair *pair)
{
	static const CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	CK_MECHANISM mechanism = {
		type == CKK_RSA ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, NULL, 0};
	struct template public = {.count = 0}, private = {.count = 0};

	if (type == CKK_RSA)
		template_number(&public, CKA_MODULUS_BITS, 2048);
	else
		template_bytes(&public, CKA_EC_PARAMS, p256, sizeof(p256));
	template_boolean(&private, usage, true);
	if (usage == CKA_SIGN)
		template_boolean(&public, CKA_VERIFY, true);
	else if (usage == CKA_DECRYPT)
		template_boolean(&public, CKA_ENCRYPT, true);
	return P11->C_GenerateKeyPair(suite.session, &mechanism, public.attributes, public.count,
		private.attributes, private.count, &pair->public, &pair->private);
}

static bool have_login(const char *group)
{
	CK_RV rv = login();

	if (rv != CKR_OK)
		check_broken(group, "C_Login", rv);
	return rv == CKR_OK;
}

bool pair_of(const char *group, CK_KEY_TYPE type, CK_ATTRIBUTE_TYPE usage, struct pair *pair)
{
	if (!have_login(group))
		return false;
	if (pair_on_token(type, usage, pair) || pair_generate(type, usage, pair) == CKR_OK)
		return true;
	check_skip(group, "the token has no such key");
	return false;
}

bool pair_that_signs(const char *group, struct pair *pair, CK_MECHANISM *mechanism)
{
	*mechanism = (CK_MECHANISM){CKM_RSA_PKCS, NULL, 0};
	if (!have_login(group))
		return false;
	if (pair_on_token(CKK_RSA, CKA_SIGN, pair))
		return true;
	mechanism->mechanism = CKM_ECDSA;
	return pair_of(group, CKK_EC, CKA_SIGN, pair);
}

static EVP_PKEY *from_parameters(const char *type, OSSL_PARAM *parameters)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (EVP_PKEY_fromdata_init(context) <= 0 ||
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	return key;
}

static EVP_PKEY *rsa_public(CK_OBJECT_HANDLE object)
{
	CK_BYTE modulus[1024], exponent[16];
	CK_ULONG modulus_length = sizeof(modulus), exponent_length = sizeof(exponent);

	if (attribute_bytes(object, CKA_MODULUS, modulus, &modulus_length) != CKR_OK ||
		attribute_bytes(object, CKA_PUBLIC_EXPONENT, exponent, &exponent_length) != CKR_OK)
		return NULL;
	BIGNUM *n = BN_bin2bn(modulus, (int)modulus_length, NULL);
	BIGNUM *e = BN_bin2bn(exponent, (int)exponent_length, NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY *key = from_parameters("RSA", parameters);
	OSSL_PARAM_free(parameters);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	return key;
}

/* CKA_EC_POINT is an OCTET STRING around the point (mechanisms, 2.3.3). */
static EVP_PKEY *ec_public(CK_OBJECT_HANDLE object)
{
	CK_BYTE curve[64], point[256];
	CK_ULONG curve_length = sizeof(curve), point_length = sizeof(point);

	if (attribute_bytes(object, CKA_EC_PARAMS, curve, &curve_length) != CKR_OK ||
		attribute_bytes(object, CKA_EC_POINT, point, &point_length) != CKR_OK)
		return NULL;
	const unsigned char *place = curve;
	ASN1_OBJECT *oid = d2i_ASN1_OBJECT(NULL, &place, (long)curve_length);
	place = point;
	ASN1_OCTET_STRING *string = d2i_ASN1_OCTET_STRING(NULL, &place, (long)point_length);
	EVP_PKEY *key = NULL;
	if (oid && string) {
		OSSL_PARAM parameters[] = {
			OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
				(char *)OBJ_nid2sn(OBJ_obj2nid(oid)), 0),
			OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
				(void *)ASN1_STRING_get0_data(string),
				(size_t)ASN1_STRING_length(string)),
			OSSL_PARAM_construct_end(),
		};
		key = from_parameters("EC", parameters);
	}
	ASN1_OBJECT_free(oid);
	ASN1_OCTET_STRING_free(string);
	return key;
}

EVP_PKEY *pair_public(const struct pair *pair)
{
	if (attribute_number(pair->public, CKA_KEY_TYPE) == CKK_RSA)
		return rsa_public(pair->public);
	return ec_public(pair->public);
}

static const CK_ATTRIBUTE_TYPE all_usages[] = {
	CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP, CKA_UNWRAP, CKA_DERIVE};

static bool is_among(const CK_ATTRIBUTE_TYPE *usages, CK_ATTRIBUTE_TYPE usage)
{
	for (; *usages; usages++) {
		if (*usages == usage)
			return true;
	}
	return false;
}

CK_RV secret_key(CK_KEY_TYPE type, const void *value, size_t length, CK_OBJECT_HANDLE *key,
	const CK_ATTRIBUTE_TYPE *usages)
{
	struct template template = {.count = 0};

	template_number(&template, CKA_CLASS, CKO_SECRET_KEY);
	template_number(&template, CKA_KEY_TYPE, type);
	template_boolean(&template, CKA_TOKEN, false);
	template_boolean(&template, CKA_SENSITIVE, false);
	template_boolean(&template, CKA_EXTRACTABLE, true);
	template_bytes(&template, CKA_VALUE, value, length);
	/* Where nothing is said a token may allow what it likes (4.7). */
	for (size_t i = 0; i < ARRAY_SIZE(all_usages); i++)
		template_boolean(&template, all_usages[i], is_among(usages, all_usages[i]));
	return P11->C_CreateObject(suite.session, template.attributes, template.count, key);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/softhsm-guard.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

#include "common/alloc.h"
#include "token/attributes.h"

#define KEY_TYPE_EC_MONTGOMERY 0x41UL /* not in the headers */
#define PRINTABLE_STRING       0x13   /* X.680, 8.4 */
#define RSA_BITS_MIN	       512

DEFINE_CLEANUP(ASN1_OBJECT *, ASN1_OBJECT_free);
DEFINE_CLEANUP(EC_GROUP *, EC_GROUP_free);
DEFINE_CLEANUP(EC_POINT *, EC_POINT_free);
DEFINE_CLEANUP(ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free);
DEFINE_CLEANUP(BN_CTX *, BN_CTX_free);

/* PKCS#11 3.0, 2.3.10: curves that are named by a PrintableString. */
static const char *const edwards_names[] = {"edwards25519", "edwards448", "curve25519", "curve448"};
static const int edwards_identifiers[] = {NID_ED25519, NID_ED448, NID_X25519, NID_X448};

/* NID_undef for anything but one object identifier. */
static int read_identifier(const uint8_t *value, size_t length)
{
	const unsigned char *position = value;
	ASN1_OBJECT *object _cleanup_(ASN1_OBJECT_freep) =
		d2i_ASN1_OBJECT(NULL, &position, (long)length);

	return object && position == value + length ? OBJ_obj2nid(object) : NID_undef;
}

static bool is_edwards(const uint8_t *value, size_t length)
{
	int identifier = read_identifier(value, length);

	for (size_t i = 0; i < ARRAY_SIZE(edwards_identifiers); i++) {
		if (identifier == edwards_identifiers[i])
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(edwards_names); i++) {
		size_t name = strlen(edwards_names[i]);
		if (length == name + 2 && value[0] == PRINTABLE_STRING && value[1] == name &&
			memcmp(value + 2, edwards_names[i], name) == 0)
			return true;
	}
	return false;
}

static bool is_weierstrass(const uint8_t *value, size_t length)
{
	int identifier = read_identifier(value, length);
	EC_GROUP *group _cleanup_(EC_GROUP_freep) =
		identifier == NID_undef ? NULL : EC_GROUP_new_by_curve_name(identifier);

	return group != NULL;
}

/* What the key is, by the request as far as it says it. */
static CK_KEY_TYPE key_type_of(const struct hsm_request *request, struct reader template)
{
	if (request->operation != HSM_GENERATE_PAIR)
		return attributes_number(template, CKA_KEY_TYPE, CKK_EC);
	return request->mechanism == CKM_EC_KEY_PAIR_GEN ? CKK_EC : CKK_EC_EDWARDS;
}

/* A key that has no curve is used as one that has none, to the end of the process. */
static bool check_curve(
	const struct hsm_request *request, struct reader template, struct error *error)
{
	CK_KEY_TYPE type = key_type_of(request, template);
	bool is_elliptic =
		type == CKK_EC || type == CKK_EC_EDWARDS || type == KEY_TYPE_EC_MONTGOMERY;
	const uint8_t *value;
	size_t length;

	if (!is_elliptic || !attributes_find(template, CKA_EC_PARAMS, &value, &length))
		return true;
	return (type == CKK_EC ? is_weierstrass(value, length) : is_edwards(value, length)) ||
	       error_set_refused(error, CKR_CURVE_NOT_SUPPORTED, "the curve is not known");
}

/* --- keys that are brought --- */

static BIGNUM *number_of(struct reader template, CK_ATTRIBUTE_TYPE type)
{
	const uint8_t *value;
	size_t length;

	if (!attributes_find(template, type, &value, &length) || length == 0)
		return NULL;
	return BN_bin2bn(value, (int)length, NULL);
}

static const CK_ATTRIBUTE_TYPE rsa_parts[] = {CKA_MODULUS, CKA_PUBLIC_EXPONENT,
	CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2,
	CKA_COEFFICIENT};
enum { N, E, D, P, Q, DP, DQ, QINV };

/* What modular exponentiation takes for granted. */
static bool is_rsa_public(const BIGNUM *modulus, const BIGNUM *exponent)
{
	return modulus && exponent && BN_is_odd(modulus) && BN_is_odd(exponent) &&
	       BN_num_bits(modulus) >= RSA_BITS_MIN && !BN_is_one(exponent) &&
	       BN_cmp(exponent, modulus) < 0;
}

/* Whether each undoes the other. */
static bool exponents_fit(const BIGNUM *const number[], BN_CTX *context)
{
	BIGNUM *value = BN_CTX_get(context), *result = BN_CTX_get(context);

	return result && BN_cmp(number[D], number[N]) < 0 && BN_set_word(value, 2) == 1 &&
	       BN_mod_exp(result, value, number[E], number[N], context) == 1 &&
	       BN_mod_exp(result, result, number[D], number[N], context) == 1 &&
	       BN_cmp(result, value) == 0;
}

/* dp = d mod (p - 1) */
static bool is_remainder(
	const BIGNUM *remainder, const BIGNUM *exponent, const BIGNUM *prime, BN_CTX *context)
{
	BIGNUM *less = BN_CTX_get(context), *result = BN_CTX_get(context);

	return result && BN_copy(less, prime) && BN_sub_word(less, 1) == 1 && !BN_is_zero(less) &&
	       BN_nnmod(result, exponent, less, context) == 1 && BN_cmp(result, remainder) == 0;
}

static bool primes_fit(const BIGNUM *const number[], BN_CTX *context)
{
	BIGNUM *result = BN_CTX_get(context);

	return result && BN_is_odd(number[P]) && BN_is_odd(number[Q]) && !BN_is_one(number[P]) &&
	       !BN_is_one(number[Q]) && BN_mul(result, number[P], number[Q], context) == 1 &&
	       BN_cmp(result, number[N]) == 0 &&
	       is_remainder(number[DP], number[D], number[P], context) &&
	       is_remainder(number[DQ], number[D], number[Q], context) &&
	       BN_mod_mul(result, number[QINV], number[Q], number[P], context) == 1 &&
	       BN_is_one(result) && BN_cmp(number[QINV], number[P]) < 0;
}

static bool is_rsa_private(const BIGNUM *const number[])
{
	BN_CTX *context _cleanup_(BN_CTX_freep) = BN_CTX_new();
	bool fits = context != NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rsa_parts) && fits; i++)
		fits = number[i] != NULL;
	if (!fits || !is_rsa_public(number[N], number[E]))
		return false;
	BN_CTX_start(context);
	fits = exponents_fit(number, context) && primes_fit(number, context);
	BN_CTX_end(context);
	return fits;
}

static bool check_rsa(struct reader template, bool is_private)
{
	BIGNUM *numbers[ARRAY_SIZE(rsa_parts)];

	for (size_t i = 0; i < ARRAY_SIZE(rsa_parts); i++)
		numbers[i] = number_of(template, rsa_parts[i]);
	bool fits = is_private ? is_rsa_private((const BIGNUM *const *)numbers)
			       : is_rsa_public(numbers[N], numbers[E]);
	for (size_t i = 0; i < ARRAY_SIZE(rsa_parts); i++)
		BN_clear_free(numbers[i]);
	return fits;
}

static EC_GROUP *group_of(struct reader template)
{
	const uint8_t *value;
	size_t length;

	if (!attributes_find(template, CKA_EC_PARAMS, &value, &length))
		return NULL;
	int identifier = read_identifier(value, length);
	return identifier == NID_undef ? NULL : EC_GROUP_new_by_curve_name(identifier);
}

static bool is_scalar(struct reader template, const EC_GROUP *group)
{
	BIGNUM *number = number_of(template, CKA_VALUE);
	bool fits = number && !BN_is_zero(number) && BN_cmp(number, EC_GROUP_get0_order(group)) < 0;

	BN_clear_free(number);
	return fits;
}

/* In a DER OCTET STRING, and on the curve. */
static bool is_point(struct reader template, const EC_GROUP *group)
{
	const uint8_t *value;
	size_t length;

	if (!attributes_find(template, CKA_EC_POINT, &value, &length))
		return false;
	const unsigned char *position = value;
	ASN1_OCTET_STRING *octets _cleanup_(ASN1_OCTET_STRING_freep) =
		d2i_ASN1_OCTET_STRING(NULL, &position, (long)length);
	EC_POINT *point _cleanup_(EC_POINT_freep) = EC_POINT_new(group);
	return octets && position == value + length && point &&
	       EC_POINT_oct2point(group, point, ASN1_STRING_get0_data(octets),
		       (size_t)ASN1_STRING_length(octets), NULL) == 1;
}

static bool check_ec(struct reader template, bool is_private)
{
	EC_GROUP *group _cleanup_(EC_GROUP_freep) = group_of(template);

	return group && (is_private ? is_scalar(template, group) : is_point(template, group));
}

/* Of one of four lengths (RFC 8032 and RFC 7748); a public one with two bytes before it. */
static bool check_edwards(struct reader template, bool is_private)
{
	const uint8_t *value;
	size_t length;

	if (!attributes_find(template, CKA_EC_PARAMS, &value, &length) ||
		!attributes_find(template, is_private ? CKA_VALUE : CKA_EC_POINT, &value, &length))
		return false;
	length -= is_private ? 0 : 2;
	return length == 32 || length == 56 || length == 57;
}

static bool check_secret(struct reader template, CK_KEY_TYPE type)
{
	const uint8_t *value;
	size_t length;

	if (!attributes_find(template, CKA_VALUE, &value, &length) || length == 0)
		return false;
	switch (type) {
	case CKK_AES:
		return length == 16 || length == 24 || length == 32;
	case CKK_DES:
		return length == 8;
	case CKK_DES2:
		return length == 16;
	case CKK_DES3:
		return length == 24;
	default:
		return true;
	}
}

static bool is_sound(struct reader template, CK_OBJECT_CLASS object_class, CK_KEY_TYPE type)
{
	bool is_private = object_class == CKO_PRIVATE_KEY;

	if (object_class == CKO_SECRET_KEY)
		return check_secret(template, type);
	switch (type) {
	case CKK_RSA:
		return check_rsa(template, is_private);
	case CKK_EC:
		return check_ec(template, is_private);
	case CKK_EC_EDWARDS:
	case KEY_TYPE_EC_MONTGOMERY:
		return check_edwards(template, is_private);
	default:
		return false; /* nobody uses others */
	}
}

static bool has_all(struct reader template, const CK_ATTRIBUTE_TYPE *types, size_t count)
{
	const uint8_t *value;
	size_t length;

	for (size_t i = 0; i < count; i++) {
		if (!attributes_find(template, types[i], &value, &length))
			return false;
	}
	return true;
}

static bool is_complete(struct reader template, CK_OBJECT_CLASS object_class, CK_KEY_TYPE type)
{
	bool is_private = object_class == CKO_PRIVATE_KEY;
	const CK_ATTRIBUTE_TYPE secret = CKA_VALUE;
	const CK_ATTRIBUTE_TYPE elliptic[] = {CKA_EC_PARAMS, is_private ? CKA_VALUE : CKA_EC_POINT};

	if (type == CK_UNAVAILABLE_INFORMATION)
		return false;
	if (object_class == CKO_SECRET_KEY)
		return has_all(template, &secret, 1);
	switch (type) {
	case CKK_RSA:
		return has_all(template, rsa_parts, is_private ? ARRAY_SIZE(rsa_parts) : E + 1);
	case CKK_EC:
	case CKK_EC_EDWARDS:
	case KEY_TYPE_EC_MONTGOMERY:
		return has_all(template, elliptic, ARRAY_SIZE(elliptic));
	default:
		return true;
	}
}

static bool check_key(struct reader template, struct error *error)
{
	CK_OBJECT_CLASS object_class = attributes_number(template, CKA_CLASS, CKO_DATA);
	CK_KEY_TYPE type = attributes_number(template, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION);

	if (object_class != CKO_PRIVATE_KEY && object_class != CKO_PUBLIC_KEY &&
		object_class != CKO_SECRET_KEY)
		return true;
	if (is_sound(template, object_class, type))
		return true;
	return is_complete(template, object_class, type)
		       ? error_set_refused(error, CKR_ATTRIBUTE_VALUE_INVALID,
				 "the parts of the key do not fit together")
		       : error_set_refused(error, CKR_TEMPLATE_INCOMPLETE,
				 "some parts of the key are missing");
}

/* --- uses --- */

/* Bytes of an RSA key's modulus; 0 for other keys. */
static size_t modulus_of(const struct hsm_object *key)
{
	size_t length;
	const uint8_t *value = hsm_object_value(key, CKA_MODULUS, &length);

	for (; length > 0 && *value == 0; length--)
		value++;
	return length;
}

/* A bare RSA operation of more than the modulus has writes behind its memory. */
bool softhsm_survives_use(
	const struct hsm_request *request, const struct hsm_object *key, struct error *error)
{
	size_t most = modulus_of(key);

	if (request->operation > HSM_VERIFY || request->input.length <= most ||
		(most == 0 && request->mechanism != CKM_RSA_X_509))
		return true;
	return error_set(error, ERROR_DATA_LENGTH, "the key takes at most %zu bytes", most);
}

bool softhsm_survives(const struct hsm_request *request, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(request->templates); i++) {
		if (!check_curve(request, request->templates[i], error))
			return false;
	}
	return request->operation != HSM_CREATE || check_key(request->templates[0], error);
}

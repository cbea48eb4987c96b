/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/key.h"

#include <stdlib.h>
#include <string.h>

#include "common/tlv.h"

/* ASN.1 tags (X.690) */
#define TAG_INTEGER	 0x02
#define TAG_BIT_STRING	 0x03
#define TAG_OCTET_STRING 0x04
#define TAG_OID		 0x06
#define TAG_PRINTABLE	 0x13
#define TAG_SEQUENCE	 0x30
#define TAG_VERSION	 0xA0

#define POINT_UNCOMPRESSED 0x04
#define P521_FIELD_SIZE	   66

static const uint8_t rsa_algorithm[] = {/* rsaEncryption, NULL */
	0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00};
static const uint8_t ec_algorithm[] = {/* id-ecPublicKey */
	0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01};

/* Curves of RFC 8410: their algorithm says all. */
static const struct edwards {
	CK_KEY_TYPE type;
	uint8_t oid[5];
	const char *name;
	size_t size; /* of the public bytes */
} edwards_curves[] = {
	{CKK_EC_MONTGOMERY, {TAG_OID, 0x03, 0x2B, 0x65, 0x6E}, "curve25519", 32},
	{CKK_EC_MONTGOMERY, {TAG_OID, 0x03, 0x2B, 0x65, 0x6F}, "curve448", 56},
	{CKK_EC_EDWARDS, {TAG_OID, 0x03, 0x2B, 0x65, 0x70}, "edwards25519", 32},
	{CKK_EC_EDWARDS, {TAG_OID, 0x03, 0x2B, 0x65, 0x71}, "edwards448", 57},
};

/* The other curves that tokens have: OBJECT IDENTIFIER (SEC 2, RFC 5639) and bytes of a field. */
static const struct {
	uint8_t length, oid[11];
	size_t field;
} curves[] = {
	{10, {TAG_OID, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x01}, 24},
	{7, {TAG_OID, 5, 0x2B, 0x81, 0x04, 0x00, 0x21}, 28},
	{10, {TAG_OID, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07}, 32},
	{7, {TAG_OID, 5, 0x2B, 0x81, 0x04, 0x00, 0x0A}, 32},
	{7, {TAG_OID, 5, 0x2B, 0x81, 0x04, 0x00, 0x22}, 48},
	{7, {TAG_OID, 5, 0x2B, 0x81, 0x04, 0x00, 0x23}, P521_FIELD_SIZE},
	{11, {TAG_OID, 9, 0x2B, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07}, 32},
	{11, {TAG_OID, 9, 0x2B, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0B}, 48},
	{11, {TAG_OID, 9, 0x2B, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0D}, 64},
};

/* The next element, which must have this tag; whole, with its header, in *element if not NULL. */
static struct reader next(struct reader *reader, uint32_t tag, struct view *element)
{
	struct tlv tlv = {0};
	size_t start = reader->position;

	if (!tlv_next(reader, &tlv) || tlv.tag != tag) {
		reader->failed = true;
		return (struct reader){.failed = true};
	}
	if (element)
		*element = (struct view){reader->data + start, reader->position - start};
	return tlv.value;
}

static struct view rest(const struct reader *reader)
{
	size_t left = reader_left(reader);

	return (struct view){left ? reader->data + reader->position : NULL, left};
}

static struct view unsigned_integer(struct reader integer)
{
	struct view view = rest(&integer);

	while (view.length && view.data[0] == 0)
		view = (struct view){view.data + 1, view.length - 1};
	return view;
}

static CK_ULONG count_bits(struct view number)
{
	CK_ULONG bits = number.length * 8;

	for (uint8_t top = number.length ? number.data[0] : 0x80; !(top & 0x80); top <<= 1)
		bits--;
	return bits;
}

static bool parse_rsa(struct key *key, struct reader bits)
{
	struct reader numbers = next(&bits, TAG_SEQUENCE, NULL);

	key->type = CKK_RSA;
	key->modulus = unsigned_integer(next(&numbers, TAG_INTEGER, NULL));
	key->exponent = unsigned_integer(next(&numbers, TAG_INTEGER, NULL));
	key->bits = count_bits(key->modulus);
	return key->modulus.length && key->exponent.length;
}

static bool parse_ec(struct key *key, struct reader *algorithm, struct reader bits)
{
	key->type = CKK_EC;
	next(algorithm, TAG_OID, &key->parameters);
	key->point = rest(&bits);
	if (key->point.length < 3 || key->point.data[0] != POINT_UNCOMPRESSED)
		return false;
	key->field = (key->point.length - 1) / 2;
	key->bits = key->field * 8;
	tlv_append(&key->wrapped_point, TAG_OCTET_STRING, key->point.data, key->point.length);
	return key->parameters.length != 0;
}

static bool view_is(struct view view, const void *data, size_t length)
{
	return view.length == length && memcmp(view.data, data, length) == 0;
}

static bool parse_edwards(struct key *key, struct view oid, struct reader bits)
{
	for (size_t i = 0; i < ARRAY_SIZE(edwards_curves); i++) {
		const struct edwards *curve = &edwards_curves[i];
		if (!view_is(oid, curve->oid, sizeof(curve->oid)))
			continue;
		key->type = curve->type;
		key->parameters = oid;
		key->point = rest(&bits);
		key->field = curve->size;
		key->bits = curve->size * 8;
		tlv_append(
			&key->wrapped_point, TAG_OCTET_STRING, key->point.data, key->point.length);
		return key->point.length == curve->size;
	}
	return false;
}

static bool parse_public_key(struct key *key)
{
	struct reader der = reader_of(&key->public_key);
	struct reader info = next(&der, TAG_SEQUENCE, NULL);
	struct reader algorithm = next(&info, TAG_SEQUENCE, NULL);
	struct reader bits = next(&info, TAG_BIT_STRING, NULL);
	struct view oid = {0};

	next(&algorithm, TAG_OID, &oid);
	reader_u8(&bits); /* unused bits */
	if (view_is(oid, ec_algorithm, sizeof(ec_algorithm)))
		return parse_ec(key, &algorithm, bits);
	if (view_is(oid, rsa_algorithm, sizeof(rsa_algorithm) - 2)) /* without NULL */
		return parse_rsa(key, bits);
	return parse_edwards(key, oid, bits);
}

struct certificate_fields {
	struct view serial, issuer, subject, public_key;
};

/* RFC 5280, 4.1 */
static bool read_certificate(struct reader der, struct certificate_fields *parts)
{
	struct reader certificate = next(&der, TAG_SEQUENCE, NULL);
	struct reader fields = next(&certificate, TAG_SEQUENCE, NULL);

	if (reader_left(&fields) && fields.data[fields.position] == TAG_VERSION)
		next(&fields, TAG_VERSION, NULL);
	next(&fields, TAG_INTEGER, &parts->serial);
	next(&fields, TAG_SEQUENCE, NULL); /* signature algorithm */
	next(&fields, TAG_SEQUENCE, &parts->issuer);
	next(&fields, TAG_SEQUENCE, NULL); /* validity */
	next(&fields, TAG_SEQUENCE, &parts->subject);
	next(&fields, TAG_SEQUENCE, &parts->public_key);
	return !fields.failed;
}

/* A certificate that cannot be read shows its value only. */
static void parse_certificate(struct key *key)
{
	struct certificate_fields parts = {0};

	if (!read_certificate(reader_of(&key->certificate), &parts))
		return;
	key->serial = parts.serial;
	key->issuer = parts.issuer;
	key->subject = parts.subject;
}

struct view key_of_certificate(struct view certificate)
{
	struct reader der = READER_INIT(certificate.data, certificate.length);
	struct certificate_fields parts = {0};

	return read_certificate(der, &parts) ? parts.public_key : (struct view){0};
}

struct key *key_new(struct remote_key *remote, CK_RV *rv)
{
	struct key *key = calloc(1, sizeof(*key));

	*rv = CKR_HOST_MEMORY;
	if (!key)
		return NULL;
	key->references = 1;
	key->reference = remote->reference;
	key->flags = remote->flags;
	buffer_move(&key->certificate, &remote->certificate);
	buffer_move(&key->public_key, &remote->public_key);
	bool valid = parse_public_key(key);
	if (!valid || key->wrapped_point.failed) {
		*rv = valid ? CKR_HOST_MEMORY : CKR_DEVICE_ERROR;
		key_unref(key);
		return NULL;
	}
	parse_certificate(key);
	*rv = CKR_OK;
	return key;
}

/* By its OBJECT IDENTIFIER or by its name. */
static bool is_curve(const struct edwards *curve, struct view parameters)
{
	size_t length = strlen(curve->name);

	if (view_is(parameters, curve->oid, sizeof(curve->oid)))
		return true;
	return parameters.length == 2 + length && parameters.data[0] == TAG_PRINTABLE &&
	       parameters.data[1] == length &&
	       memcmp(parameters.data + 2, curve->name, length) == 0;
}

/* Type and length of the curve; leaves the key as it is for an unknown one. */
static void set_curve(struct key *key, struct view parameters)
{
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
		if (view_is(parameters, curves[i].oid, curves[i].length)) {
			key->type = CKK_EC;
			key->field = curves[i].field;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(edwards_curves); i++) {
		if (is_curve(&edwards_curves[i], parameters)) {
			key->type = edwards_curves[i].type;
			key->field = edwards_curves[i].size;
		}
	}
}

struct key *key_new_of_curve(struct view parameters, CK_RV *rv)
{
	struct key *key = calloc(1, sizeof(*key));

	*rv = CKR_HOST_MEMORY;
	if (!key)
		return NULL;
	key->references = 1;
	set_curve(key, parameters);
	key->bits = key->field * 8;
	*rv = key->field ? CKR_OK : CKR_DEVICE_ERROR;
	if (!key->field)
		key_unref(steal_pointer(&key));
	return key;
}

struct key *key_ref(struct key *key)
{
	if (key)
		key->references++;
	return key;
}

void key_unref(struct key *key)
{
	if (!key || --key->references > 0)
		return;
	buffer_clear(&key->certificate);
	buffer_clear(&key->public_key);
	buffer_clear(&key->wrapped_point);
	free(key);
}

static void append_integer(struct buffer *buffer, struct view number)
{
	while (number.length > 1 && number.data[0] == 0)
		number = (struct view){number.data + 1, number.length - 1};
	bool sign = number.length && number.data[0] & 0x80;
	tlv_append_header(buffer, TAG_INTEGER, number.length + sign);
	if (sign)
		buffer_append_u8(buffer, 0);
	buffer_append(buffer, number.data, number.length);
}

/* SEQUENCE { SEQUENCE { algorithm }, BIT STRING } */
static void append_info(struct buffer *out, const struct buffer *algorithm, struct view bits)
{
	_cleanup_buffer_ struct buffer body = BUFFER_INIT;

	tlv_append(&body, TAG_SEQUENCE, algorithm->data, algorithm->length);
	tlv_append_header(&body, TAG_BIT_STRING, bits.length + 1);
	buffer_append_u8(&body, 0);
	buffer_append(&body, bits.data, bits.length);
	tlv_append(out, TAG_SEQUENCE, body.data, body.length);
	out->failed = out->failed || body.failed || algorithm->failed;
}

void key_build_rsa(struct buffer *public_key, struct view modulus, struct view exponent)
{
	_cleanup_buffer_ struct buffer algorithm = BUFFER_INIT;
	_cleanup_buffer_ struct buffer numbers = BUFFER_INIT;
	_cleanup_buffer_ struct buffer sequence = BUFFER_INIT;

	buffer_append(&algorithm, rsa_algorithm, sizeof(rsa_algorithm));
	append_integer(&numbers, modulus);
	append_integer(&numbers, exponent);
	tlv_append(&sequence, TAG_SEQUENCE, numbers.data, numbers.length);
	append_info(public_key, &algorithm, (struct view){sequence.data, sequence.length});
	public_key->failed = public_key->failed || numbers.failed || sequence.failed;
}

/*
 * An uncompressed point (SEC 1, 2.3.3). It begins with 04 as an OCTET STRING does, and one of 256
 * has the string's length next, so that the whole length has to tell: fields are of whole 32-bit
 * words, but for P-521's, and the string's header never leaves such a length.
 */
static bool is_bare_point(struct view point)
{
	size_t field = point.length / 2;

	return point.length % 2 == 1 && point.data[0] == POINT_UNCOMPRESSED &&
	       (field % 4 == 0 || field == P521_FIELD_SIZE);
}

struct view key_unwrap_point(struct view point)
{
	struct reader der = READER_INIT(point.data, point.length);
	struct tlv tlv = {0};

	if (!is_bare_point(point) && tlv_next(&der, &tlv) && tlv.tag == TAG_OCTET_STRING &&
		reader_left(&der) == 0)
		return rest(&tlv.value);
	return point;
}

void key_build_ec(struct buffer *public_key, struct view parameters, struct view point)
{
	_cleanup_buffer_ struct buffer algorithm = BUFFER_INIT;

	buffer_append(&algorithm, ec_algorithm, sizeof(ec_algorithm));
	buffer_append(&algorithm, parameters.data, parameters.length);
	append_info(public_key, &algorithm, key_unwrap_point(point));
}

void key_build_edwards(struct buffer *public_key, struct view parameters, struct view point)
{
	_cleanup_buffer_ struct buffer algorithm = BUFFER_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(edwards_curves); i++) {
		const struct edwards *curve = &edwards_curves[i];
		if (!is_curve(curve, parameters))
			continue;
		struct view bare = point.length == curve->size ? point : key_unwrap_point(point);
		buffer_append(&algorithm, curve->oid, sizeof(curve->oid));
		append_info(public_key, &algorithm, bare);
	}
}

size_t key_modulus_size(const struct key *key)
{
	return key->modulus.length;
}

size_t key_field_size(const struct key *key)
{
	return key->field;
}

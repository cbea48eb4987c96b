/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard/attest.h"

#include <string.h>

#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/tlv.h"
#include "vcard/keys.h"

#define TAG_CERTIFICATE	     0x70
#define SERIAL_LENGTH	     16
#define FORM_FACTOR_KEYCHAIN 0x01

/* Yubico's arc for attestation extensions. */
#define OID_FIRMWARE	"1.3.6.1.4.1.41482.3.3"
#define OID_SERIAL	"1.3.6.1.4.1.41482.3.7"
#define OID_POLICY	"1.3.6.1.4.1.41482.3.8"
#define OID_FORM_FACTOR "1.3.6.1.4.1.41482.3.9"

#define _cleanup_x509_ _cleanup_(free_x509)

static void free_x509(X509 **certificate)
{
	X509_free(*certificate);
}

static bool add_extension(X509 *certificate, const char *oid, const uint8_t *value, size_t length)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension = NULL;
	bool done = object && octets && ASN1_OCTET_STRING_set(octets, value, (int)length) == 1;

	if (done)
		extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
	done = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(octets);
	ASN1_OBJECT_free(object);
	return done;
}

static bool add_serial_extension(X509 *certificate, uint32_t serial)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	unsigned char *der = NULL;
	int length = number && ASN1_INTEGER_set_uint64(number, serial) == 1
			     ? i2d_ASN1_INTEGER(number, &der)
			     : -1;
	bool done = length > 0 && add_extension(certificate, OID_SERIAL, der, (size_t)length);

	OPENSSL_free(der);
	ASN1_INTEGER_free(number);
	return done;
}

static bool add_key_extensions(
	X509 *certificate, const struct vcard *card, const struct card_key *key)
{
	uint32_t firmware = card->options.firmware;
	const uint8_t version[] = {
		(uint8_t)(firmware >> 16), (uint8_t)(firmware >> 8), (uint8_t)firmware};
	const uint8_t policy[] = {key->pin_policy, key->touch_policy};
	const uint8_t form_factor[] = {FORM_FACTOR_KEYCHAIN};

	return add_extension(certificate, OID_FIRMWARE, version, sizeof(version)) &&
	       (card->state.serial == 0 || add_serial_extension(certificate, card->state.serial)) &&
	       add_extension(certificate, OID_POLICY, policy, sizeof(policy)) &&
	       add_extension(certificate, OID_FORM_FACTOR, form_factor, sizeof(form_factor));
}

static bool set_random_serial(X509 *certificate)
{
	uint8_t bytes[SERIAL_LENGTH];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] = (bytes[0] & 0x3F) | 0x40;
	BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	bool done = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return done;
}

static bool set_name(X509_NAME *name, const char *common_name)
{
	return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
		       (const unsigned char *)common_name, -1, -1, 0) == 1;
}

/* Version 3, random serial number, public key and a fixed validity: the card has no clock. */
static X509 *new_certificate(EVP_PKEY *pkey, const char *subject)
{
	_cleanup_x509_ X509 *certificate = X509_new();

	if (!certificate || X509_set_version(certificate, X509_VERSION_3) != 1 ||
		!set_random_serial(certificate) || X509_set_pubkey(certificate, pkey) != 1 ||
		!ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), "20200101000000Z") ||
		!ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "20520101000000Z") ||
		!set_name(X509_get_subject_name(certificate), subject))
		return NULL;
	return steal_pointer(&certificate);
}

static bool add_basic_constraints(X509 *certificate)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(
		NULL, NULL, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	bool done = extension && X509_add_ext(certificate, extension, -1) == 1;

	X509_EXTENSION_free(extension);
	return done;
}

static bool store_certificate(struct vcard *card, X509 *certificate)
{
	_cleanup_buffer_ struct buffer object = BUFFER_INIT;
	unsigned char *der = NULL;
	int length = i2d_X509(certificate, &der);

	if (length <= 0)
		return false;
	tlv_append(&object, TAG_CERTIFICATE, der, (size_t)length);
	tlv_append(&object, 0x71, (uint8_t[]){0}, 1);
	tlv_append(&object, 0xFE, NULL, 0);
	OPENSSL_free(der);
	return state_put_object(&card->state, ATTESTATION_OBJECT, object.data, object.length);
}

bool attestation_set_up(struct vcard *card)
{
	static const char subject[] = "Tessera virtual card attestation";
	struct card_key *key = state_new_key(&card->state, SLOT_ATTESTATION);

	key->algorithm = ALGORITHM_P256;
	key->origin = ORIGIN_IMPORTED;
	key->pin_policy = PIN_NEVER;
	key->touch_policy = TOUCH_NEVER;
	key->pkey = EVP_EC_gen("P-256");
	_cleanup_x509_ X509 *certificate = key->pkey ? new_certificate(key->pkey, subject) : NULL;
	card->dirty = true;
	return certificate && set_name(X509_get_issuer_name(certificate), subject) &&
	       add_basic_constraints(certificate) &&
	       X509_sign(certificate, key->pkey, EVP_sha256()) > 0 &&
	       store_certificate(card, certificate);
}

static X509 *load_certificate(struct vcard *card)
{
	const struct card_object *object = state_object(&card->state, ATTESTATION_OBJECT);
	struct reader value;

	if (!object || !tlv_find(reader_of(&object->data), TAG_CERTIFICATE, &value))
		return NULL;
	long length = (long)reader_left(&value);
	const uint8_t *der = reader_bytes(&value, (size_t)length);
	return d2i_X509(NULL, &der, length);
}

uint16_t command_attest(struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	const struct card_key *signer = state_key(&card->state, SLOT_ATTESTATION);
	const struct card_key *key = state_key(&card->state, apdu->p1);
	_cleanup_x509_ X509 *issuer = load_certificate(card);
	char subject[64];

	if (apdu->p2 != 0)
		return SW_WRONG_PARAMETERS;
	if (!key || !signer || !issuer)
		return SW_REFERENCE_NOT_FOUND;
	if (key->origin != ORIGIN_GENERATED)
		return SW_WRONG_DATA;
	snprintf(subject, sizeof(subject), "YubiKey PIV Attestation %02x", apdu->p1);
	_cleanup_x509_ X509 *certificate = new_certificate(key->pkey, subject);
	if (!certificate || X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1 ||
		!add_key_extensions(certificate, card, key) ||
		X509_sign(certificate, signer->pkey, EVP_sha256()) <= 0)
		return SW_FAILED;
	unsigned char *der = NULL;
	int length = i2d_X509(certificate, &der);
	if (length <= 0)
		return SW_FAILED;
	buffer_append(response, der, (size_t)length);
	OPENSSL_free(der);
	return SW_SUCCESS;
}

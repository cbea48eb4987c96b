/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard/attest.h"

#include <string.h>

#include <openssl/x509v3.h>

#include "common/tlv.h"
#include "vcard/certificate.h"
#include "vcard/keys.h"

#define TAG_CERTIFICATE	     0x70
#define FORM_FACTOR_KEYCHAIN 0x01

/* Yubico's arc for attestation extensions. */
#define OID_FIRMWARE	"1.3.6.1.4.1.41482.3.3"
#define OID_POLICY	"1.3.6.1.4.1.41482.3.8"
#define OID_FORM_FACTOR "1.3.6.1.4.1.41482.3.9"

static bool add_key_extensions(
	X509 *certificate, const struct vcard *card, const struct card_key *key)
{
	uint32_t firmware = card->options.firmware;
	const uint8_t version[] = {
		(uint8_t)(firmware >> 16), (uint8_t)(firmware >> 8), (uint8_t)firmware};
	const uint8_t policy[] = {key->pin_policy, key->touch_policy};
	const uint8_t form_factor[] = {FORM_FACTOR_KEYCHAIN};

	return certificate_add_extension(certificate, OID_FIRMWARE, version, sizeof(version)) &&
	       certificate_add_device_serial(certificate, card->state.serial) &&
	       certificate_add_extension(certificate, OID_POLICY, policy, sizeof(policy)) &&
	       certificate_add_extension(
		       certificate, OID_FORM_FACTOR, form_factor, sizeof(form_factor));
}

static bool store_certificate(struct vcard *card, X509 *certificate)
{
	_cleanup_buffer_ struct buffer der = BUFFER_INIT, object = BUFFER_INIT;

	if (!certificate_append(certificate, &der))
		return false;
	tlv_append(&object, TAG_CERTIFICATE, der.data, der.length);
	tlv_append(&object, 0x71, (uint8_t[]){0}, 1);
	tlv_append(&object, 0xFE, NULL, 0);
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
	_cleanup_certificate_ X509 *certificate =
		key->pkey ? certificate_new(key->pkey, subject) : NULL;
	card->dirty = true;
	return certificate && certificate_set_name(X509_get_issuer_name(certificate), subject) &&
	       certificate_add_known_extension(
		       certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
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
	_cleanup_certificate_ X509 *issuer = load_certificate(card);
	char subject[64];

	if (apdu->p2 != 0)
		return SW_WRONG_PARAMETERS;
	if (!key || !signer || !issuer)
		return SW_REFERENCE_NOT_FOUND;
	if (key->origin != ORIGIN_GENERATED)
		return SW_WRONG_DATA;
	snprintf(subject, sizeof(subject), "YubiKey PIV Attestation %02x", apdu->p1);
	_cleanup_certificate_ X509 *certificate = certificate_new(key->pkey, subject);
	if (!certificate || X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1 ||
		!add_key_extensions(certificate, card, key) ||
		X509_sign(certificate, signer->pkey, EVP_sha256()) <= 0)
		return SW_FAILED;
	return certificate_append(certificate, response) ? SW_SUCCESS : SW_FAILED;
}

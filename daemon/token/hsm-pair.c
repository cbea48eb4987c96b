/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/hsm-pair.h"

#include <string.h>

#include <openssl/x509.h>

#include "common/alloc.h"
#include "token/attributes.h"
#include "token/token-private.h"

DEFINE_CLEANUP(X509 *, X509_free);

/* DER of the named curves' object identifiers (SEC 2; RFC 5480, 2.1.1.1). */
static const uint8_t curve_p256[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
static const uint8_t curve_p384[] = {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22};
static const uint8_t exponent[] = {1, 0, 1};

bool hsm_object_id(const struct hsm_object *object, struct reader *id)
{
	size_t length;
	const uint8_t *value = hsm_object_value(object, CKA_ID, &length);

	if (!value || length == 0)
		return false;
	*id = (struct reader)READER_INIT(value, length);
	return true;
}

static bool has_id(const struct hsm_object *object, const struct buffer *id)
{
	struct reader own;

	return hsm_object_id(object, &own) && own.length == id->length &&
	       memcmp(own.data, id->data, id->length) == 0;
}

/* NULL when there is none. */
static const struct hsm_object *find(
	const struct hsm_objects *objects, CK_OBJECT_CLASS object_class, const struct buffer *id)
{
	for (size_t i = 0; i < objects->count; i++) {
		if (objects->items[i]->object_class == object_class &&
			has_id(objects->items[i], id))
			return objects->items[i];
	}
	return NULL;
}

static bool is_of_pair(CK_OBJECT_CLASS object_class)
{
	return object_class == CKO_PRIVATE_KEY || object_class == CKO_PUBLIC_KEY ||
	       object_class == CKO_CERTIFICATE;
}

/* --- templates --- */

static void add_bool(struct buffer *template, CK_ATTRIBUTE_TYPE type, CK_BBOOL value)
{
	attributes_append(template, (uint32_t)type, &value, sizeof(value));
}

static void add_number(struct buffer *template, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
	attributes_append(template, (uint32_t)type, &value, sizeof(value));
}

static void add_names(struct buffer *template, const struct buffer *id, const char *label)
{
	attributes_append(template, CKA_LABEL, label, strlen(label));
	attributes_append(template, CKA_ID, id->data, id->length);
	add_bool(template, CKA_TOKEN, CK_TRUE);
}

/* The mechanism that makes the pair; the public template gets what it asks for. */
static bool add_algorithm(struct buffer *template, enum key_algorithm algorithm,
	uint32_t *mechanism, struct error *error)
{
	if (key_algorithm_is_rsa(algorithm)) {
		*mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
		add_number(template, CKA_MODULUS_BITS, key_algorithm_bits(algorithm));
		attributes_append(template, CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent));
		add_bool(template, CKA_ENCRYPT, CK_TRUE);
		return true;
	}
	*mechanism = CKM_EC_KEY_PAIR_GEN;
	if (algorithm == KEY_ALGORITHM_EC_P256)
		attributes_append(template, CKA_EC_PARAMS, curve_p256, sizeof(curve_p256));
	else if (algorithm == KEY_ALGORITHM_EC_P384)
		attributes_append(template, CKA_EC_PARAMS, curve_p384, sizeof(curve_p384));
	else
		return error_set(error, ERROR_NOT_SUPPORTED, "no key pairs of algorithm %s here",
			key_algorithm_name(algorithm) ? key_algorithm_name(algorithm) : "none");
	return true;
}

bool hsm_pair_make(struct hsm *hsm, const struct buffer *id, const char *label,
	enum key_algorithm algorithm, struct error *error)
{
	_cleanup_buffer_ struct buffer public = BUFFER_INIT, private = BUFFER_INIT;
	struct hsm_request request = {.operation = HSM_GENERATE_PAIR};
	struct hsm_reply reply = {0};

	add_names(&public, id, label);
	add_bool(&public, CKA_PRIVATE, CK_FALSE);
	add_bool(&public, CKA_VERIFY, CK_TRUE);
	if (!add_algorithm(&public, algorithm, &request.mechanism, error))
		return false;
	add_names(&private, id, label);
	add_bool(&private, CKA_PRIVATE, CK_TRUE);
	add_bool(&private, CKA_SENSITIVE, CK_TRUE);
	add_bool(&private, CKA_EXTRACTABLE, CK_FALSE);
	add_bool(&private, CKA_SIGN, CK_TRUE);
	if (key_algorithm_is_rsa(algorithm))
		add_bool(&private, CKA_DECRYPT, CK_TRUE);
	request.templates[0] = reader_of(&public);
	request.templates[1] = reader_of(&private);
	return hsm_call(hsm, NULL, &request, &reply, error) ||
	       error_prefix(error, "making a key pair");
}

/* --- finding --- */

EVP_PKEY *hsm_pair_public_key(struct hsm *hsm, const struct buffer *id, struct error *error)
{
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(hsm);
	const struct hsm_object *public_key = find(objects, CKO_PUBLIC_KEY, id);
	const struct hsm_object *private_key = find(objects, CKO_PRIVATE_KEY, id);

	if (!private_key) {
		error_set(error, ERROR_NOT_FOUND, "the token has no such private key any more");
		return NULL;
	}
	return hsm_object_public_key(public_key ? public_key : private_key, error);
}

bool hsm_pair_find(struct hsm *hsm, const char *label, struct buffer *id, struct error *error)
{
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(hsm);
	const struct hsm_object *found = NULL;
	struct reader value;

	for (size_t i = 0; i < objects->count; i++) {
		const struct hsm_object *object = objects->items[i];
		if (object->object_class != CKO_PRIVATE_KEY || strcmp(object->label, label) != 0)
			continue;
		if (found)
			return error_set(error, ERROR_EXISTS,
				"several keys of the token have the label \"%s\"", label);
		found = object;
	}
	if (!found)
		return error_set(error, ERROR_NOT_FOUND,
			"the token has no private key with the label \"%s\"", label);
	if (!hsm_object_id(found, &value))
		return error_set(error, ERROR_NOT_SUPPORTED,
			"the key \"%s\" has no CKA_ID that would tie a certificate to it", label);
	buffer_append(id, value.data, value.length);
	return true;
}

bool hsm_pair_label_is_taken(struct hsm *hsm, const char *label)
{
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(hsm);

	for (size_t i = 0; i < objects->count; i++) {
		if (is_of_pair(objects->items[i]->object_class) &&
			strcmp(objects->items[i]->label, label) == 0)
			return true;
	}
	return false;
}

/* --- use --- */

bool hsm_pair_sign(void *context, const uint8_t *input, size_t length, struct buffer *output,
	struct error *error)
{
	const struct hsm_pair_signer *signer = context;
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(signer->hsm);
	const struct hsm_object *key = find(objects, CKO_PRIVATE_KEY, signer->id);
	struct hsm_reply reply = {.output = output};
	size_t size;
	const uint8_t *type = key ? hsm_object_value(key, CKA_KEY_TYPE, &size) : NULL;
	CK_KEY_TYPE key_type = CKK_EC;

	if (!type || size != sizeof(key_type))
		return error_set(error, ERROR_NOT_FOUND, "the token has no such private key");
	memcpy(&key_type, type, sizeof(key_type));
	/* Few HSMs let keys do a bare RSA operation. */
	if (key_type == CKK_RSA && !token_padding_remove(&input, &length, error))
		return false;
	const struct hsm_request request = {.operation = HSM_SIGN,
		.object = key->number,
		.mechanism = key_type == CKK_RSA ? CKM_RSA_PKCS : CKM_ECDSA,
		.input = READER_INIT(input, length)};
	return hsm_call(signer->hsm, NULL, &request, &reply, error);
}

/* --- certificates --- */

static bool is_certificate(
	const struct hsm_object *object, const struct buffer *id, const struct buffer *der)
{
	size_t length;
	const uint8_t *value = hsm_object_value(object, CKA_VALUE, &length);

	return object->object_class == CKO_CERTIFICATE && has_id(object, id) &&
	       (!der || (value && length == der->length && memcmp(value, der->data, length) == 0));
}

/* PKCS #11 2.40, 4.6.3 */
static bool add_certificate(struct buffer *template, const struct buffer *der, struct error *error)
{
	const unsigned char *position = der->data;
	X509 *certificate _cleanup_(X509_freep) = d2i_X509(NULL, &position, (long)der->length);
	unsigned char *subject = NULL, *issuer = NULL, *serial = NULL;

	if (!certificate)
		return error_set(error, ERROR_FAILED, "a certificate cannot be read");
	int subject_length = i2d_X509_NAME(X509_get_subject_name(certificate), &subject);
	int issuer_length = i2d_X509_NAME(X509_get_issuer_name(certificate), &issuer);
	int serial_length = i2d_ASN1_INTEGER(X509_get_serialNumber(certificate), &serial);
	bool done = subject_length > 0 && issuer_length > 0 && serial_length > 0;
	if (done) {
		attributes_append(template, CKA_SUBJECT, subject, (size_t)subject_length);
		attributes_append(template, CKA_ISSUER, issuer, (size_t)issuer_length);
		attributes_append(template, CKA_SERIAL_NUMBER, serial, (size_t)serial_length);
		attributes_append(template, CKA_VALUE, der->data, der->length);
	}
	OPENSSL_free(subject);
	OPENSSL_free(issuer);
	OPENSSL_free(serial);
	return done || error_set(error, ERROR_FAILED, "a certificate cannot be encoded");
}

bool hsm_pair_write_certificate(struct hsm *hsm, const struct buffer *id, const char *label,
	const struct buffer *der, struct error *error)
{
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(hsm);
	_cleanup_buffer_ struct buffer template = BUFFER_INIT;
	struct hsm_reply reply = {0};

	for (size_t i = 0; i < objects->count; i++) {
		if (is_certificate(objects->items[i], id, der))
			return true;
	}
	add_number(&template, CKA_CLASS, CKO_CERTIFICATE);
	add_number(&template, CKA_CERTIFICATE_TYPE, CKC_X_509);
	add_names(&template, id, label);
	add_bool(&template, CKA_PRIVATE, CK_FALSE);
	if (!add_certificate(&template, der, error))
		return false;
	const struct hsm_request request = {
		.operation = HSM_CREATE, .templates = {reader_of(&template)}};
	return hsm_call(hsm, NULL, &request, &reply, error) ||
	       error_prefix(error, "writing the certificate");
}

static bool destroy(struct hsm *hsm, const struct hsm_object *object, struct error *error)
{
	const struct hsm_request request = {.operation = HSM_DESTROY, .object = object->number};
	struct hsm_reply reply = {0};

	return hsm_call(hsm, NULL, &request, &reply, error);
}

bool hsm_pair_remove_certificates(
	struct hsm *hsm, const struct buffer *id, const struct buffer *kept, struct error *error)
{
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(hsm);

	for (size_t i = 0; i < objects->count; i++) {
		const struct hsm_object *object = objects->items[i];
		if (is_certificate(object, id, NULL) &&
			!(kept && is_certificate(object, id, kept)) && !destroy(hsm, object, error))
			return error_prefix(error, "removing a certificate");
	}
	return true;
}

bool hsm_pair_remove_certificate(
	struct hsm *hsm, const struct buffer *id, const struct buffer *der, struct error *error)
{
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(hsm);

	for (size_t i = 0; i < objects->count; i++) {
		if (is_certificate(objects->items[i], id, der) &&
			!destroy(hsm, objects->items[i], error))
			return error_prefix(error, "removing a certificate");
	}
	return true;
}

/* --- the whole --- */

bool hsm_pair_set_label(
	struct hsm *hsm, const struct buffer *id, const char *label, struct error *error)
{
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(hsm);
	_cleanup_buffer_ struct buffer template = BUFFER_INIT;
	struct hsm_request request = {.operation = HSM_SET_ATTRIBUTES};
	struct hsm_reply reply = {0};

	attributes_append(&template, CKA_LABEL, label, strlen(label));
	request.templates[0] = reader_of(&template);
	for (size_t i = 0; i < objects->count; i++) {
		const struct hsm_object *object = objects->items[i];
		if (!is_of_pair(object->object_class) || !has_id(object, id) ||
			strcmp(object->label, label) == 0)
			continue;
		request.object = object->number;
		if (!hsm_call(hsm, NULL, &request, &reply, error))
			return error_prefix(error, "labelling the key \"%s\"", label);
	}
	return true;
}

/* The private key last: as long as it is there, the rest can be found by it. */
bool hsm_pair_destroy(struct hsm *hsm, const struct buffer *id, struct error *error)
{
	static const CK_OBJECT_CLASS classes[] = {CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY};
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(hsm);

	for (size_t c = 0; c < ARRAY_SIZE(classes); c++) {
		for (size_t i = 0; i < objects->count; i++) {
			const struct hsm_object *object = objects->items[i];
			if (object->object_class == classes[c] && has_id(object, id) &&
				!destroy(hsm, object, error))
				return error_prefix(error, "destroying a key");
		}
	}
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/operation.h"

#include <string.h>

#include "pkcs11/attribute.h"
#include "pkcs11/pad.h"

#define INPUT_MAXIMUM  2048 /* bytes that a mechanism without a digest may collect */
#define LABEL_MAXIMUM  4096
#define PKCS1_OVERHEAD 11 /* bytes (RFC 8017, 9.2) */

/* What a kind of operation asks of mechanism and key. */
static const struct {
	CK_FLAGS flag;
	CK_OBJECT_CLASS class;
	CK_ATTRIBUTE_TYPE permission;
} kinds[OPERATION_KIND_COUNT] = {
	[OPERATION_SIGN] = {CKF_SIGN, CKO_PRIVATE_KEY, CKA_SIGN},
	[OPERATION_VERIFY] = {CKF_VERIFY, CKO_PUBLIC_KEY, CKA_VERIFY},
	[OPERATION_ENCRYPT] = {CKF_ENCRYPT, CKO_PUBLIC_KEY, CKA_ENCRYPT},
	[OPERATION_DECRYPT] = {CKF_DECRYPT, CKO_PRIVATE_KEY, CKA_DECRYPT},
	[OPERATION_DIGEST] = {CKF_DIGEST, 0, 0},
};

void operation_clear(struct operation *operation)
{
	EVP_MD_CTX_free(operation->digest);
	object_unref(operation->object);
	buffer_clear(&operation->data);
	buffer_clear(&operation->label);
	buffer_clear(&operation->result);
	secret_clear(&operation->pin);
	*operation = (struct operation){0};
}

bool operation_needs_login(const struct operation *operation)
{
	return operation->active && operation->object && operation->object->is_private;
}

static CK_RV read_pss(struct operation *operation, const CK_MECHANISM *mechanism)
{
	const CK_RSA_PKCS_PSS_PARAMS *parameters = mechanism->pParameter;

	if (!parameters || mechanism->ulParameterLen != sizeof(*parameters))
		return CKR_MECHANISM_PARAM_INVALID;
	operation->hash = digest_of_mechanism(parameters->hashAlg);
	operation->mgf = digest_of_mgf(parameters->mgf);
	operation->salt_length = parameters->sLen;
	if (!operation->hash || !operation->mgf || parameters->sLen > INPUT_MAXIMUM)
		return CKR_MECHANISM_PARAM_INVALID;
	if (operation->mechanism->digest != NO_DIGEST &&
		operation->mechanism->digest != parameters->hashAlg)
		return CKR_MECHANISM_PARAM_INVALID;
	return CKR_OK;
}

static CK_RV read_oaep(struct operation *operation, const CK_MECHANISM *mechanism)
{
	const CK_RSA_PKCS_OAEP_PARAMS *parameters = mechanism->pParameter;

	if (!parameters || mechanism->ulParameterLen != sizeof(*parameters))
		return CKR_MECHANISM_PARAM_INVALID;
	operation->hash = digest_of_mechanism(parameters->hashAlg);
	operation->mgf = digest_of_mgf(parameters->mgf);
	size_t length = parameters->pSourceData ? parameters->ulSourceDataLen : 0;
	if (!operation->hash || !operation->mgf || length > LABEL_MAXIMUM ||
		(length && parameters->source != CKZ_DATA_SPECIFIED) ||
		(!parameters->pSourceData && parameters->ulSourceDataLen))
		return CKR_MECHANISM_PARAM_INVALID;
	buffer_append(&operation->label, parameters->pSourceData, length);
	return operation->label.failed ? CKR_HOST_MEMORY : CKR_OK;
}

static CK_RV read_parameters(struct operation *operation, const CK_MECHANISM *mechanism)
{
	switch (operation->mechanism->scheme) {
	case SCHEME_RSA_PSS:
		return read_pss(operation, mechanism);
	case SCHEME_RSA_OAEP:
		return read_oaep(operation, mechanism);
	default: /* programs pass what other versions of the standard want; it changes nothing */
		return CKR_OK;
	}
}

static CK_RV check_key(
	enum operation_kind kind, const struct mechanism *mechanism, const struct object *object)
{
	if (kind == OPERATION_DIGEST)
		return CKR_OK;
	if (object->class != kinds[kind].class || !object->key ||
		object->key->type != mechanism_key_type(mechanism))
		return CKR_KEY_TYPE_INCONSISTENT;
	return attribute_is_true(object, kinds[kind].permission) ? CKR_OK
								 : CKR_KEY_FUNCTION_NOT_PERMITTED;
}

static CK_RV prepare(struct operation *operation, const CK_MECHANISM *mechanism)
{
	CK_RV rv = read_parameters(operation, mechanism);

	if (rv != CKR_OK || operation->mechanism->digest == NO_DIGEST)
		return rv;
	operation->digest = digest_start(digest_of_mechanism(operation->mechanism->digest));
	return operation->digest ? CKR_OK : CKR_HOST_MEMORY;
}

CK_RV operation_start(struct operation *operation, enum operation_kind kind,
	const CK_MECHANISM *mechanism, struct object *object)
{
	const struct mechanism *known = mechanism_find(mechanism->mechanism);

	if (!known || !(known->flags & kinds[kind].flag))
		return CKR_MECHANISM_INVALID;
	CK_RV rv = check_key(kind, known, object);
	if (rv != CKR_OK)
		return rv;
	*operation = (struct operation){.active = true,
		.serial = ++module.last_operation,
		.kind = kind,
		.mechanism = known,
		.object = object ? object_ref(object) : NULL,
		.data = BUFFER_INIT_WIPE,
		.result = BUFFER_INIT_WIPE};
	operation->wants_pin = object && object->class == CKO_PRIVATE_KEY &&
			       object->key->flags & REMOTE_KEY_PIN_ALWAYS;
	rv = prepare(operation, mechanism);
	if (rv != CKR_OK)
		operation_clear(operation);
	return rv;
}

CK_RV operation_feed(struct operation *operation, const void *data, size_t length)
{
	if (length && !data)
		return CKR_ARGUMENTS_BAD;
	if (operation->digest)
		return EVP_DigestUpdate(operation->digest, data, length) ? CKR_OK
									 : CKR_FUNCTION_FAILED;
	if (length > INPUT_MAXIMUM - operation->data.length)
		return operation->kind == OPERATION_DECRYPT ? CKR_ENCRYPTED_DATA_LEN_RANGE
							    : CKR_DATA_LEN_RANGE;
	buffer_append(&operation->data, data, length);
	return operation->data.failed ? CKR_HOST_MEMORY : CKR_OK;
}

size_t operation_output_size(const struct operation *operation)
{
	if (operation->kind == OPERATION_DIGEST)
		return digest_of_mechanism(operation->mechanism->digest)->size;
	if (operation->has_result)
		return operation->result.length;
	if (operation->mechanism->scheme == SCHEME_ECDSA)
		return 2 * key_field_size(operation->object->key);
	return key_modulus_size(operation->object->key);
}

static bool finish_digest(struct operation *operation, struct buffer *hash)
{
	uint8_t *room = buffer_extend(hash, (size_t)EVP_MD_CTX_get_size(operation->digest));

	return room && EVP_DigestFinal_ex(operation->digest, room, NULL);
}

CK_RV operation_message(struct operation *operation, struct buffer *message)
{
	if (!operation->digest) {
		buffer_append(message, operation->data.data, operation->data.length);
		return message->failed ? CKR_HOST_MEMORY : CKR_OK;
	}
	const struct digest *digest = digest_of_mechanism(operation->mechanism->digest);
	if (operation->mechanism->scheme == SCHEME_RSA_PKCS1)
		buffer_append(message, digest->prefix, digest->prefix_length);
	return finish_digest(operation, message) && !message->failed ? CKR_OK : CKR_HOST_MEMORY;
}

/* The leftmost bytes of a digest that is longer than the curve's order (FIPS 186-4, 6.4). */
static CK_RV block_ecdsa(struct buffer *block, size_t size, struct buffer *message)
{
	if (message->length == 0)
		return CKR_DATA_LEN_RANGE;
	buffer_truncate(message, size);
	return pad_zeros(block, size, message);
}

/* The block or digest that a card's key gets. */
static CK_RV fill_block(struct operation *operation, struct buffer *message, struct buffer *block)
{
	const struct key *key = operation->object->key;
	size_t size = key_modulus_size(key);

	if (operation->kind == OPERATION_DECRYPT) {
		buffer_move(block, message);
		return block->length == size ? CKR_OK : CKR_ENCRYPTED_DATA_LEN_RANGE;
	}
	switch (operation->mechanism->scheme) {
	case SCHEME_RSA_PKCS1:
		return pad_pkcs1(block, size, message);
	case SCHEME_RSA_PSS:
		return pad_pss(block, key->bits, operation->hash, operation->mgf,
			operation->salt_length, message);
	case SCHEME_ECDSA:
		return block_ecdsa(block, key_field_size(key), message);
	default:
		return pad_zeros(block, size, message);
	}
}

/* As dbus/org.tessera1.Provider.xml has them. */
static CK_RV fill_parameter(const struct operation *operation, struct buffer *parameter)
{
	enum scheme scheme = operation->mechanism->scheme;

	if (scheme == SCHEME_RSA_PSS || scheme == SCHEME_RSA_OAEP) {
		buffer_append_u32(parameter, (uint32_t)operation->hash->mechanism);
		buffer_append_u32(parameter, (uint32_t)operation->mgf->mgf);
	}
	if (scheme == SCHEME_RSA_PSS)
		buffer_append_u32(parameter, (uint32_t)operation->salt_length);
	if (scheme == SCHEME_RSA_OAEP)
		buffer_append(parameter, operation->label.data, operation->label.length);
	return parameter->failed ? CKR_HOST_MEMORY : CKR_OK;
}

/* The mechanism of a scheme that leaves the digest, or the padding too, to whoever calls. */
static const struct {
	CK_MECHANISM_TYPE without_digest, bare;
} scheme_mechanisms[] = {
	[SCHEME_RSA_PKCS1] = {CKM_RSA_PKCS, CKM_RSA_X_509},
	[SCHEME_RSA_RAW] = {CKM_RSA_X_509, CKM_RSA_X_509},
	[SCHEME_RSA_PSS] = {CKM_RSA_PKCS_PSS, CKM_RSA_X_509},
	[SCHEME_RSA_OAEP] = {CKM_RSA_PKCS_OAEP, CKM_RSA_X_509},
	[SCHEME_ECDSA] = {CKM_ECDSA, CKM_ECDSA},
};

static bool does_mechanisms(const struct operation *operation)
{
	return operation->object->key->flags & REMOTE_KEY_MECHANISMS;
}

void request_clear(struct request *request)
{
	buffer_clear(&request->parameter);
	buffer_clear(&request->input);
}

CK_RV operation_request(struct operation *operation, struct request *request)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT_WIPE;
	enum scheme scheme = operation->mechanism->scheme;
	CK_RV rv = operation_message(operation, &message);

	if (rv != CKR_OK)
		return rv;
	if (!does_mechanisms(operation)) {
		request->mechanism = scheme_mechanisms[scheme].bare;
		return fill_block(operation, &message, &request->input);
	}
	if (scheme == SCHEME_RSA_PKCS1 && operation->kind == OPERATION_SIGN &&
		message.length + PKCS1_OVERHEAD > key_modulus_size(operation->object->key))
		return CKR_DATA_LEN_RANGE;
	request->mechanism = scheme_mechanisms[scheme].without_digest;
	if (scheme == SCHEME_ECDSA)
		buffer_truncate(&message, key_field_size(operation->object->key));
	buffer_move(&request->input, &message);
	return fill_parameter(operation, &request->parameter);
}

static CK_RV unpad(
	const struct operation *operation, const struct buffer *block, struct buffer *result)
{
	if (operation->mechanism->scheme == SCHEME_RSA_PKCS1)
		return unpad_pkcs1(result, block);
	return unpad_oaep(result, block, operation->hash, operation->mgf, &operation->label);
}

CK_RV operation_answer(
	const struct operation *operation, const struct buffer *answer, struct buffer *result)
{
	enum scheme scheme = operation->mechanism->scheme;
	const struct key *key = operation->object->key;
	size_t expected = scheme == SCHEME_ECDSA ? 2 * key_field_size(key) : key_modulus_size(key);
	bool is_plain = operation->kind == OPERATION_DECRYPT && does_mechanisms(operation);

	if (is_plain ? answer->length > expected : answer->length != expected)
		return CKR_DEVICE_ERROR;
	if (operation->kind == OPERATION_DECRYPT && !is_plain && scheme != SCHEME_RSA_RAW)
		return unpad(operation, answer, result);
	buffer_append(result, answer->data, answer->length);
	return result->failed ? CKR_HOST_MEMORY : CKR_OK;
}

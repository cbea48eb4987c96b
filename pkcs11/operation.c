/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/operation.h"

#include <string.h>

#include "pkcs11/attribute.h"
#include "pkcs11/pad.h"
#include "pkcs11/token-stream.h"

#define INPUT_MAXIMUM 2048 /* bytes that a mechanism without a digest may collect */
/* What one call to the daemon has room for, where the token works on all of the input. */
#define CALL_MAXIMUM   60000
#define LOCAL_MAXIMUM  (16 * 1024 * 1024) /* the same in this process: a public key's Ed25519 */
#define PKCS1_OVERHEAD 11		  /* bytes (RFC 8017, 9.2) */

/* What a kind of operation asks of mechanism and key; secret keys do all but recovering. */
static const struct {
	CK_FLAGS flag;
	CK_OBJECT_CLASS class;
	CK_ATTRIBUTE_TYPE permission;
} kinds[OPERATION_KIND_COUNT] = {
	[OPERATION_SIGN] = {CKF_SIGN, CKO_PRIVATE_KEY, CKA_SIGN},
	[OPERATION_SIGN_RECOVER] = {CKF_SIGN_RECOVER, CKO_PRIVATE_KEY, CKA_SIGN_RECOVER},
	[OPERATION_VERIFY] = {CKF_VERIFY, CKO_PUBLIC_KEY, CKA_VERIFY},
	[OPERATION_VERIFY_RECOVER] = {CKF_VERIFY_RECOVER, CKO_PUBLIC_KEY, CKA_VERIFY_RECOVER},
	[OPERATION_ENCRYPT] = {CKF_ENCRYPT, CKO_PUBLIC_KEY, CKA_ENCRYPT},
	[OPERATION_DECRYPT] = {CKF_DECRYPT, CKO_PRIVATE_KEY, CKA_DECRYPT},
	[OPERATION_DIGEST] = {CKF_DIGEST, 0, 0},
};

CK_FLAGS operation_flag(enum operation_kind kind)
{
	return kinds[kind].flag;
}

void operation_clear(struct operation *operation)
{
	token_stream_cancel(operation);
	EVP_MD_CTX_free(operation->digest);
	object_unref(operation->object);
	key_unref(operation->key);
	buffer_clear(&operation->data);
	parameter_clear(&operation->parameter);
	buffer_clear(&operation->result);
	secret_clear(&operation->pin);
	*operation = (struct operation){0};
}

bool operation_needs_login(const struct operation *operation)
{
	return operation->active && operation->object && operation->object->is_private;
}

bool operation_is_remote(const struct operation *operation)
{
	if (operation->kind == OPERATION_DIGEST)
		return false;
	return operation->object->class != CKO_PUBLIC_KEY;
}

static CK_RV check_key(
	enum operation_kind kind, const struct mechanism *mechanism, const struct object *object)
{
	CK_OBJECT_CLASS class =
		mechanism_is_symmetric(mechanism) ? CKO_SECRET_KEY : kinds[kind].class;

	if (kind == OPERATION_DIGEST)
		return CKR_OK;
	if (object->class != class || !mechanism_takes_key(mechanism, object->key_type))
		return CKR_KEY_TYPE_INCONSISTENT;
	if (!attribute_is_true(object, kinds[kind].permission))
		return CKR_KEY_FUNCTION_NOT_PERMITTED;
	if (class == CKO_SECRET_KEY)
		return object->number ? CKR_OK : CKR_KEY_FUNCTION_NOT_PERMITTED;
	return object_key(object) ? CKR_OK : CKR_KEY_TYPE_INCONSISTENT;
}

static CK_RV prepare(struct operation *operation, const CK_MECHANISM *given)
{
	CK_RV rv = parameter_read(&operation->parameter, operation->mechanism, given);

	if (rv != CKR_OK || !mechanism_digests(operation->mechanism))
		return rv;
	operation->digest = digest_start(digest_of_mechanism(operation->mechanism->digest));
	return operation->digest ? CKR_OK : CKR_HOST_MEMORY;
}

CK_RV operation_start(struct operation *operation, enum operation_kind kind,
	const struct mechanism *mechanism, const CK_MECHANISM *given, struct object *object)
{
	CK_RV rv = check_key(kind, mechanism, object);

	if (rv != CKR_OK)
		return rv;
	*operation = (struct operation){.active = true,
		.serial = ++module.last_operation,
		.kind = kind,
		.mechanism = mechanism,
		.object = object ? object_ref(object) : NULL,
		.key = object ? key_ref(object_key(object)) : NULL,
		.data = BUFFER_INIT_WIPE,
		.result = BUFFER_INIT_WIPE};
	operation->bare = object && object->is_of_card;
	operation->wants_pin = object && object->pin_always && operation_is_remote(operation);
	rv = prepare(operation, given);
	if (rv != CKR_OK)
		operation_clear(operation);
	return rv;
}

/* How much input may be collected. */
static size_t input_maximum(const struct operation *operation)
{
	if (operation->mechanism->scheme == SCHEME_EDDSA && !operation_is_remote(operation))
		return LOCAL_MAXIMUM;
	return mechanism_is_symmetric(operation->mechanism) ||
			       operation->mechanism->scheme == SCHEME_EDDSA
		       ? CALL_MAXIMUM
		       : INPUT_MAXIMUM;
}

bool operation_is_long(const struct operation *operation, size_t more)
{
	switch (operation->mechanism->scheme) {
	case SCHEME_AES_GCM:
	case SCHEME_AES_CMAC:
	case SCHEME_HMAC:
	case SCHEME_EDDSA:
		return operation->stream || (operation_is_remote(operation) &&
						    more > CALL_MAXIMUM - operation->data.length);
	default:
		return false;
	}
}

CK_RV operation_feed(struct operation *operation, const void *data, size_t length)
{
	if (length && !data)
		return CKR_ARGUMENTS_BAD;
	if (operation->digest)
		return EVP_DigestUpdate(operation->digest, data, length) ? CKR_OK
									 : CKR_FUNCTION_FAILED;
	if (length > input_maximum(operation) - operation->data.length)
		return operation->kind == OPERATION_DECRYPT ? CKR_ENCRYPTED_DATA_LEN_RANGE
							    : CKR_DATA_LEN_RANGE;
	buffer_append(&operation->data, data, length);
	return operation->data.failed ? CKR_HOST_MEMORY : CKR_OK;
}

/* Bytes of what a cipher of a secret key makes of that many. */
static size_t cipher_size(const struct operation *operation, size_t length, bool *exact)
{
	bool encrypts = operation->kind == OPERATION_ENCRYPT;
	size_t tag = operation->parameter.tag_bits / 8;

	switch (operation->mechanism->scheme) {
	case SCHEME_AES_GCM:
		return encrypts ? length + tag : length > tag ? length - tag : 0;
	case SCHEME_AES_CBC_PAD:
		*exact = encrypts;
		return encrypts ? length - length % AES_BLOCK + AES_BLOCK : length;
	default:
		return length;
	}
}

size_t operation_output_size(const struct operation *operation, size_t more, bool *exact)
{
	enum scheme scheme = operation->mechanism->scheme;

	*exact = true;
	if (operation->kind == OPERATION_DIGEST)
		return digest_of_mechanism(operation->mechanism->digest)->size;
	if (operation->has_result)
		return operation->result.length;
	if (scheme == SCHEME_HMAC || scheme == SCHEME_AES_CMAC)
		return operation->parameter.mac_length;
	if (mechanism_is_symmetric(operation->mechanism)) {
		size_t size = cipher_size(
			operation, operation->fed + operation->data.length + more, exact);
		return size > operation->given ? size - operation->given : 0;
	}
	*exact =
		operation->kind != OPERATION_DECRYPT && operation->kind != OPERATION_VERIFY_RECOVER;
	if (scheme == SCHEME_ECDSA || scheme == SCHEME_EDDSA)
		return 2 * key_field_size(operation->key);
	return key_modulus_size(operation->key);
}

static bool finish_message(struct operation *operation)
{
	const struct digest *digest = digest_of_mechanism(operation->mechanism->digest);
	struct buffer *data = &operation->data;

	if (operation->mechanism->scheme == SCHEME_RSA_PKCS1)
		buffer_append(data, digest->prefix, digest->prefix_length);
	uint8_t *room = buffer_extend(data, digest->size);
	if (!room || !EVP_DigestFinal_ex(operation->digest, room, NULL))
		return false;
	EVP_MD_CTX_free(steal_pointer(&operation->digest));
	return true;
}

/* May be asked again: a digest that is finished is the input from then on. */
CK_RV operation_message(struct operation *operation, struct buffer *message)
{
	if (operation->digest && !finish_message(operation))
		return CKR_HOST_MEMORY;
	buffer_append(message, operation->data.data, operation->data.length);
	return message->failed ? CKR_HOST_MEMORY : CKR_OK;
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
	const struct key *key = operation->key;
	size_t size = key_modulus_size(key);

	if (operation->kind == OPERATION_DECRYPT) {
		buffer_move(block, message);
		return block->length == size ? CKR_OK : CKR_ENCRYPTED_DATA_LEN_RANGE;
	}
	switch (operation->mechanism->scheme) {
	case SCHEME_RSA_PKCS1:
		return pad_pkcs1(block, size, message);
	case SCHEME_RSA_PSS:
		return pad_pss(block, key->bits, operation->parameter.hash,
			operation->parameter.mgf, operation->parameter.salt_length, message);
	case SCHEME_ECDSA:
		return block_ecdsa(block, key_field_size(key), message);
	default:
		return pad_zeros(block, size, message);
	}
}

void request_clear(struct request *request)
{
	buffer_clear(&request->parameter);
	buffer_clear(&request->input);
}

/* Ciphers without padding take whole blocks. */
static bool is_of_blocks(const struct operation *operation)
{
	enum scheme scheme = operation->mechanism->scheme;
	size_t length = operation->data.length;

	if (scheme == SCHEME_AES_CBC_PAD && operation->kind == OPERATION_DECRYPT)
		return length > 0 && length % AES_BLOCK == 0;
	return (scheme != SCHEME_AES_ECB && scheme != SCHEME_AES_CBC) || length % AES_BLOCK == 0;
}

/* Some tokens do worse things than to refuse a length. */
static bool has_right_length(const struct operation *operation)
{
	size_t length = operation->data.length;
	size_t size = operation->key ? key_modulus_size(operation->key) : 0;
	enum scheme scheme = operation->mechanism->scheme;
	bool is_rsa = scheme >= SCHEME_RSA_PKCS1 && scheme <= SCHEME_RSA_OAEP;

	if (operation->kind == OPERATION_DECRYPT && is_rsa)
		return length == size;
	switch (scheme) {
	case SCHEME_RSA_PKCS1:
		return length + PKCS1_OVERHEAD <= size;
	case SCHEME_RSA_RAW:
		return length <= size;
	case SCHEME_RSA_PSS:
		return length == operation->parameter.hash->size;
	case SCHEME_ECDSA:
		return length > 0;
	default:
		return is_of_blocks(operation);
	}
}

static CK_RV request_of_token(
	struct operation *operation, struct buffer *message, struct request *request)
{
	if (!has_right_length(operation))
		return operation->kind == OPERATION_DECRYPT ? CKR_ENCRYPTED_DATA_LEN_RANGE
							    : CKR_DATA_LEN_RANGE;
	if (operation->mechanism->scheme == SCHEME_ECDSA)
		buffer_truncate(message, key_field_size(operation->key));
	request->mechanism = mechanism_of_token(operation->mechanism);
	buffer_move(&request->input, message);
	return parameter_write(&operation->parameter, operation->mechanism, &request->parameter);
}

bool operation_make_bare(struct operation *operation)
{
	enum scheme scheme = operation->mechanism->scheme;

	if (operation->bare || operation->wants_pin ||
		(scheme != SCHEME_RSA_PSS && scheme != SCHEME_RSA_OAEP))
		return false;
	return operation->bare = true;
}

CK_RV operation_request(struct operation *operation, struct request *request)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT_WIPE;
	CK_RV rv = operation_message(operation, &message);

	if (rv != CKR_OK)
		return rv;
	if (!operation->bare)
		return request_of_token(operation, &message, request);
	request->mechanism = mechanism_of_card(operation->mechanism);
	return fill_block(operation, &message, &request->input);
}

static CK_RV unpad(
	const struct operation *operation, const struct buffer *block, struct buffer *result)
{
	const struct parameter *parameter = &operation->parameter;

	if (operation->mechanism->scheme == SCHEME_RSA_PKCS1)
		return unpad_pkcs1(result, block);
	return unpad_oaep(result, block, parameter->hash, parameter->mgf, &parameter->bytes);
}

CK_RV operation_answer(
	const struct operation *operation, const struct buffer *answer, struct buffer *result)
{
	bool exact;
	size_t expected = operation_output_size(operation, 0, &exact);
	bool bare = operation->bare;

	if (exact || bare ? answer->length != expected : answer->length > expected)
		return CKR_DEVICE_ERROR;
	if (operation->kind == OPERATION_DECRYPT && bare &&
		operation->mechanism->scheme != SCHEME_RSA_RAW)
		return unpad(operation, answer, result);
	buffer_append(result, answer->data, answer->length);
	return result->failed ? CKR_HOST_MEMORY : CKR_OK;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_DeriveKey: ECDH (PKCS#11 2.40 mechanisms, 2.3.8). The secret becomes a session object. */
#include <string.h>

#include "pkcs11/attribute.h"
#include "pkcs11/ckr.h"
#include "pkcs11/session.h"

#define SHARED_DATA_MAXIMUM 4096
#define VALUE_MAXIMUM	    4096

/* What is copied from the caller before the lock is given up. */
struct derivation {
	struct object *base;
	const struct digest *kdf; /* NULL: the x coordinate itself */
	struct buffer peer, shared_data;
	size_t length; /* bytes wanted; 0: all of the coordinate */
};

static void derivation_clear(struct derivation *derivation)
{
	object_unref(derivation->base);
	buffer_clear(&derivation->peer);
	buffer_clear(&derivation->shared_data);
}

static CK_RV read_parameters(struct derivation *derivation, const CK_MECHANISM *mechanism)
{
	const CK_ECDH1_DERIVE_PARAMS *parameters = mechanism->pParameter;

	if (!parameters || mechanism->ulParameterLen != sizeof(*parameters) ||
		!parameters->pPublicData)
		return CKR_MECHANISM_PARAM_INVALID;
	size_t shared_length = parameters->pSharedData ? parameters->ulSharedDataLen : 0;
	struct view peer = key_unwrap_point(
		(struct view){parameters->pPublicData, parameters->ulPublicDataLen});
	derivation->kdf = digest_of_kdf(parameters->kdf);
	if ((!derivation->kdf && parameters->kdf != CKD_NULL) ||
		(!derivation->kdf && shared_length) || shared_length > SHARED_DATA_MAXIMUM ||
		peer.length != derivation->base->key->point.length)
		return CKR_MECHANISM_PARAM_INVALID;
	buffer_append(&derivation->peer, peer.data, peer.length);
	buffer_append(&derivation->shared_data, parameters->pSharedData, shared_length);
	return derivation->peer.failed || derivation->shared_data.failed ? CKR_HOST_MEMORY : CKR_OK;
}

static CK_RV check_base(const struct object *base)
{
	if (base->class != CKO_PRIVATE_KEY || !base->key || base->key->type != CKK_EC)
		return CKR_KEY_TYPE_INCONSISTENT;
	return attribute_is_true(base, CKA_DERIVE) ? CKR_OK : CKR_KEY_FUNCTION_NOT_PERMITTED;
}

/* The new object without its value. */
static CK_RV read_template(struct derivation *derivation, struct object *object,
	const CK_ATTRIBUTE *template, CK_ULONG count)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_ULONG length = 0;
	const CK_ATTRIBUTE *label = template_find(template, count, CKA_LABEL);
	const CK_ATTRIBUTE *id = template_find(template, count, CKA_ID);

	template_number(template, count, CKA_CLASS, &class);
	template_number(template, count, CKA_VALUE_LEN, &length);
	object->key_type = CKK_GENERIC_SECRET;
	template_number(template, count, CKA_KEY_TYPE, &object->key_type);
	if (class != CKO_SECRET_KEY || length > VALUE_MAXIMUM ||
		(label && label->ulValueLen > VALUE_MAXIMUM) ||
		(id && id->ulValueLen > VALUE_MAXIMUM))
		return CKR_TEMPLATE_INCONSISTENT;
	if (template_boolean(template, count, CKA_TOKEN, false))
		return CKR_TOKEN_WRITE_PROTECTED;
	derivation->length = length;
	object->is_private = template_boolean(template, count, CKA_PRIVATE, false);
	object->sensitive = template_boolean(template, count, CKA_SENSITIVE, false);
	object->extractable = template_boolean(template, count, CKA_EXTRACTABLE, true);
	if (label)
		buffer_append(&object->label, label->pValue, label->ulValueLen);
	if (id)
		buffer_append(&object->id, id->pValue, id->ulValueLen);
	return object->label.failed || object->id.failed ? CKR_HOST_MEMORY : CKR_OK;
}

/* ANSI X9.63: Hash(Z || counter || shared data), as often as needed. */
static CK_RV stretch(const struct derivation *derivation, const struct buffer *secret,
	uint8_t *value, size_t length)
{
	uint8_t out[DIGEST_SIZE_MAXIMUM];

	for (uint32_t counter = 1; length > 0; counter++) {
		_cleanup_buffer_ struct buffer tail = BUFFER_INIT;
		buffer_append_u32(&tail, counter);
		buffer_append(&tail, derivation->shared_data.data, derivation->shared_data.length);
		if (tail.failed ||
			!digest_bytes(derivation->kdf, reader_of(secret), reader_of(&tail), out))
			return CKR_HOST_MEMORY;
		size_t part = length < derivation->kdf->size ? length : derivation->kdf->size;
		memcpy(value, out, part);
		value += part;
		length -= part;
	}
	explicit_bzero(out, sizeof(out));
	return CKR_OK;
}

static CK_RV set_value(
	const struct derivation *derivation, const struct buffer *secret, struct object *object)
{
	size_t length = derivation->length ? derivation->length
			: derivation->kdf  ? derivation->kdf->size
					   : secret->length;

	if (!derivation->kdf && length > secret->length)
		return CKR_TEMPLATE_INCONSISTENT;
	if (!secret_allocate(&object->value, length))
		return CKR_HOST_MEMORY;
	if (derivation->kdf)
		return stretch(derivation, secret, object->value.data, length);
	/* The standard takes bytes off the leading end. */
	memcpy(object->value.data, secret->data + secret->length - length, length);
	return CKR_OK;
}

/* The lock is given up around the round trip. */
static CK_RV ask(
	CK_SESSION_HANDLE handle, const struct derivation *derivation, struct buffer *secret)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	const struct secret no_pin = SECRET_INIT;
	const struct buffer no_parameter = BUFFER_INIT;
	struct slot *slot = slot_find(session_find(handle)->slot_id);
	CK_SLOT_ID slot_id = slot->id;
	const struct remote_use use = {.slot = slot->token.number,
		.key = derivation->base->key->reference,
		.operation = "derive",
		.mechanism = CKM_ECDH1_DERIVE,
		.parameter = &no_parameter,
		.pin = &no_pin,
		.input = &derivation->peer,
		.needs_no_login = slot_is_without_pin(slot)};
	size_t expected = key_field_size(derivation->base->key);
	unsigned epoch = module.epoch;
	struct remote *remote = module_call_begin();
	bool done = remote_use_key(remote, &use, secret, &error);

	if (!module_call_end(remote, epoch))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (error.code == ERROR_PIN_REQUIRED)
		slot_forget_login(slot_id);
	if (!done)
		return ckr_of(&error, CKR_CONTEXT_SIGN);
	if (!session_find(handle))
		return CKR_DEVICE_REMOVED;
	return secret->length == expected ? CKR_OK : CKR_DEVICE_ERROR;
}

static CK_RV enter(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base_key,
	struct derivation *derivation)
{
	struct session *session;
	struct slot *slot;
	CK_RV rv = session_enter(handle, &session, &slot);

	if (rv != CKR_OK)
		return rv;
	if (!mechanism)
		return CKR_ARGUMENTS_BAD;
	const struct mechanism *known = mechanism_find(mechanism->mechanism);
	if (!known || known->scheme != SCHEME_ECDH)
		return CKR_MECHANISM_INVALID;
	struct object *base = objects_find(&slot->objects, base_key);
	if (!base)
		return CKR_KEY_HANDLE_INVALID;
	if (base->is_private && !slot_is_open(slot))
		return CKR_USER_NOT_LOGGED_IN;
	rv = check_base(base);
	if (rv != CKR_OK)
		return rv;
	derivation->base = object_ref(base);
	return read_parameters(derivation, mechanism);
}

static CK_RV derive(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base_key,
	CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR created)
{
	_cleanup_(derivation_clear) struct derivation derivation = {0};
	_cleanup_buffer_ struct buffer secret = BUFFER_INIT_WIPE;
	_cleanup_object_ struct object *object = NULL;
	CK_RV rv = enter(handle, mechanism, base_key, &derivation);

	if (rv != CKR_OK)
		return rv;
	if (!created || (count && !template))
		return CKR_ARGUMENTS_BAD;
	object = object_new(CKO_SECRET_KEY);
	if (!object)
		return CKR_HOST_MEMORY;
	object->session = handle;
	rv = read_template(&derivation, object, template, count);
	if (rv == CKR_OK)
		rv = ask(handle, &derivation, &secret);
	if (rv == CKR_OK)
		rv = set_value(&derivation, &secret, object);
	if (rv != CKR_OK)
		return rv;
	struct slot *slot = slot_find(session_find(handle)->slot_id);
	rv = objects_add(&slot->objects, object_ref(object));
	if (rv == CKR_OK)
		*created = object->handle;
	return rv;
}

CK_RV C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base_key,
	CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR key)
{
	return MODULE_LOCKED(derive(session, mechanism, base_key, template, count, key));
}

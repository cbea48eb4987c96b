/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * C_DeriveKey: ECDH (PKCS#11 2.40 mechanisms, 2.3.8). A card tells the secret, which becomes a
 * session object here; another token makes the key itself.
 */
#include <string.h>

#include "pkcs11/attribute.h"
#include "pkcs11/change.h"
#include "pkcs11/public.h"
#include "pkcs11/schema.h"

#define VALUE_MAXIMUM 4096

/* What is copied from the caller before the lock is given up. */
struct derivation {
	const struct mechanism *mechanism;
	struct parameter parameter;
	struct object *base;
	/* Of a card's key. */
	const struct digest *kdf; /* NULL: the x coordinate itself */
	struct buffer peer;
	size_t length; /* bytes wanted; 0: all of the coordinate */
};

static void derivation_clear(struct derivation *derivation)
{
	object_unref(derivation->base);
	buffer_clear(&derivation->peer);
	parameter_clear(&derivation->parameter);
}

/* What the other token checks itself. */
static CK_RV check_card_parameter(struct derivation *derivation)
{
	const struct parameter *parameter = &derivation->parameter;
	struct view peer =
		key_unwrap_point((struct view){parameter->extra.data, parameter->extra.length});

	derivation->kdf = digest_of_kdf(parameter->kdf);
	if (!derivation->kdf && parameter->kdf != CKD_NULL)
		return CKR_MECHANISM_PARAM_INVALID;
	buffer_append(&derivation->peer, peer.data, peer.length);
	return derivation->peer.failed ? CKR_HOST_MEMORY : CKR_OK;
}

static CK_RV check_base(const struct derivation *derivation)
{
	const struct object *base = derivation->base;

	if (base->class != CKO_PRIVATE_KEY ||
		!mechanism_takes_key(derivation->mechanism, base->key_type))
		return CKR_KEY_TYPE_INCONSISTENT;
	return attribute_is_true(base, CKA_DERIVE) ? CKR_OK : CKR_KEY_FUNCTION_NOT_PERMITTED;
}

/* The new object without its value. */
static CK_RV read_template(struct derivation *derivation, struct object *object,
	const CK_ATTRIBUTE *template, CK_ULONG count)
{
	CK_ULONG length = 0;

	template_number(template, count, CKA_VALUE_LEN, &length);
	if (length > VALUE_MAXIMUM)
		return CKR_TEMPLATE_INCONSISTENT;
	derivation->length = length;
	return schema_apply(object, SCHEMA_DERIVE, template, count);
}

/* ANSI X9.63: Hash(Z || counter || shared data), as often as needed. */
static CK_RV stretch(const struct derivation *derivation, const struct buffer *secret,
	uint8_t *value, size_t length)
{
	uint8_t out[DIGEST_SIZE_MAXIMUM];

	for (uint32_t counter = 1; length > 0; counter++) {
		_cleanup_buffer_ struct buffer tail = BUFFER_INIT;
		buffer_append_u32(&tail, counter);
		buffer_append(&tail, derivation->parameter.bytes.data,
			derivation->parameter.bytes.length);
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
	_cleanup_buffer_ struct buffer value = BUFFER_INIT_WIPE;
	size_t length = derivation->length ? derivation->length
			: derivation->kdf  ? derivation->kdf->size
					   : secret->length;

	if (!derivation->kdf && length > secret->length)
		return CKR_TEMPLATE_INCONSISTENT;
	uint8_t *room = buffer_extend(&value, length);
	if (!room)
		return CKR_HOST_MEMORY;
	CK_RV rv = CKR_OK;
	if (derivation->kdf)
		rv = stretch(derivation, secret, room, length);
	else /* the standard takes bytes off the leading end */
		memcpy(room, secret->data + secret->length - length, length);
	if (rv != CKR_OK)
		return rv;
	rv = schema_set_value(object, value.data, value.length);
	return rv == CKR_ATTRIBUTE_VALUE_INVALID ? CKR_TEMPLATE_INCONSISTENT : rv;
}

/* The lock is given up around the round trip. */
static CK_RV ask(
	CK_SESSION_HANDLE handle, const struct derivation *derivation, struct buffer *secret)
{
	const struct secret no_pin = SECRET_INIT;
	const struct buffer no_parameter = BUFFER_INIT;
	struct session *session = session_find(handle);
	const struct remote_use use = {.slot = slot_find(session->slot_id)->token.number,
		.key = object_number(derivation->base),
		.operation = "derive",
		.mechanism = CKM_ECDH1_DERIVE,
		.parameter = &no_parameter,
		.pin = &no_pin,
		.input = &derivation->peer};
	size_t expected = key_field_size(derivation->base->key);
	struct errand errand;

	errand_begin(&errand, session);
	bool done = remote_use_key(errand.remote, &use, secret, &errand.error);
	CK_RV rv = errand_end(&errand, done, CKR_CONTEXT_DERIVE);
	return rv == CKR_OK && secret->length != expected ? CKR_DEVICE_ERROR : rv;
}

/* A card's key: the derived one is a session object of this process. */
static CK_RV derive_here(CK_SESSION_HANDLE handle, struct derivation *derivation,
	const CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE_PTR created)
{
	_cleanup_buffer_ struct buffer secret = BUFFER_INIT_WIPE;
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_SLOT_ID slot_id = session_find(handle)->slot_id;

	template_number(template, count, CKA_CLASS, &class);
	if (class != CKO_SECRET_KEY)
		return CKR_TEMPLATE_INCONSISTENT;
	CK_RV rv = check_card_parameter(derivation);
	if (rv != CKR_OK)
		return rv;
	_cleanup_object_ struct object *object = object_new(class, slot_id);
	if (!object)
		return CKR_HOST_MEMORY;
	object->key_type = CKK_GENERIC_SECRET; /* unless the template names another */
	object->session = handle;
	rv = read_template(derivation, object, template, count);
	if (rv == CKR_OK)
		rv = ask(handle, derivation, &secret);
	if (rv == CKR_OK)
		rv = set_value(derivation, &secret, object);
	if (rv != CKR_OK)
		return rv;
	rv = objects_add(&slot_find(slot_id)->objects, object_ref(object));
	if (rv == CKR_OK)
		*created = object->handle;
	return rv;
}

static CK_RV derive_there(CK_SESSION_HANDLE handle, struct derivation *derivation,
	const CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE_PTR created)
{
	_cleanup_buffer_ struct buffer wire = BUFFER_INIT;
	CK_RV rv = parameter_write(&derivation->parameter, derivation->mechanism, &wire);
	struct remote_change change = {.kind = REMOTE_DERIVE,
		.object = derivation->base->number,
		.mechanism = (uint32_t)mechanism_of_token(derivation->mechanism),
		.parameter = &wire,
		.input = &derivation->parameter.extra,
		.templates = {{template, count}}};

	return rv == CKR_OK
		       ? change_make(session_find(handle), &change, CKR_CONTEXT_DERIVE, created)
		       : rv;
}

/* Points off the curve are how keys are stolen from tokens that do not look. */
static bool has_valid_peer(const struct derivation *derivation)
{
	const struct buffer *point = &derivation->parameter.extra;
	const struct key *key = object_key(derivation->base);

	/* The curve of a private key alone may not be known: then the token says it. */
	return !key || !key->parameters.length ||
	       public_has_point(key, (struct view){point->data, point->length});
}

static CK_RV enter(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR given, CK_OBJECT_HANDLE base_key,
	struct derivation *derivation)
{
	struct session *session;
	CK_RV rv = session_enter(handle, &session, NULL);

	if (rv != CKR_OK)
		return rv;
	if (!given)
		return CKR_ARGUMENTS_BAD;
	CK_SLOT_ID slot_id = session->slot_id;
	rv = slot_learn_mechanisms(slot_id);
	session = rv == CKR_OK ? session_find(handle) : NULL;
	if (!session)
		return rv == CKR_OK ? CKR_SESSION_HANDLE_INVALID : rv;
	rv = mechanism_for(
		slot_find(slot_id), given->mechanism, CKF_DERIVE, &derivation->mechanism);
	struct object *base;
	if (rv == CKR_OK)
		rv = session_find_key(session, base_key, &base);
	if (rv != CKR_OK)
		return rv;
	derivation->base = object_ref(base);
	rv = check_base(derivation);
	if (rv == CKR_OK)
		rv = parameter_read(&derivation->parameter, derivation->mechanism, given);
	return rv == CKR_OK && !has_valid_peer(derivation) ? CKR_MECHANISM_PARAM_INVALID : rv;
}

static CK_RV derive(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR given, CK_OBJECT_HANDLE base_key,
	CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR created)
{
	_cleanup_(derivation_clear) struct derivation derivation = {0};
	CK_RV rv = enter(handle, given, base_key, &derivation);

	if (rv == CKR_OK && !created)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = change_check_template(template, count);
	if (rv == CKR_OK)
		rv = change_check_session(session_find(handle), template, count);
	if (rv != CKR_OK)
		return rv;
	return derivation.base->is_of_card
		       ? derive_here(handle, &derivation, template, count, created)
		       : derive_there(handle, &derivation, template, count, created);
}

CK_RV C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base_key,
	CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR key)
{
	return MODULE_LOCKED(derive(session, mechanism, base_key, template, count, key));
}

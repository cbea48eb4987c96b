/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * C_GenerateKey, C_GenerateKeyPair, C_WrapKey, C_UnwrapKey (PKCS#11 2.40, 5.13): in tokens that are
 * no cards. A card's keys come onto it when it is issued; it has no mechanism for these functions.
 */
#include <stdlib.h>
#include <string.h>

#include "common/tlv.h"
#include "pkcs11/attribute.h"
#include "pkcs11/change.h"
#include "pkcs11/schema.h"

/*
 * The session, and a mechanism that its token has for the use. The lock may be given up, and
 * *session is found again.
 */
static CK_RV enter(CK_SESSION_HANDLE handle, const CK_MECHANISM *given, CK_FLAGS use,
	struct session **session, const struct mechanism **mechanism)
{
	CK_RV rv = session_enter(handle, session, NULL);

	if (rv != CKR_OK)
		return rv;
	if (!given)
		return CKR_ARGUMENTS_BAD;
	CK_SLOT_ID slot_id = (*session)->slot_id;
	rv = slot_learn_mechanisms(slot_id);
	if (rv != CKR_OK)
		return rv;
	*session = session_find(handle);
	if (!*session)
		return CKR_SESSION_HANDLE_INVALID;
	return mechanism_for(slot_find(slot_id), given->mechanism, use, mechanism);
}

static CK_RV check_template(
	const struct session *session, const CK_ATTRIBUTE *template, CK_ULONG count)
{
	CK_RV rv = change_check_template(template, count);

	return rv == CKR_OK ? change_check_session(session, template, count) : rv;
}

/* What a mechanism without a parameter is given has to be none. */
static CK_RV check_no_parameter(const CK_MECHANISM *given)
{
	return given->ulParameterLen ? CKR_MECHANISM_PARAM_INVALID : CKR_OK;
}

/* Some tokens take what no cipher can use. */
static CK_RV check_length(const CK_MECHANISM *given, const CK_ATTRIBUTE *template, CK_ULONG count)
{
	CK_ULONG length = 0;

	if (given->mechanism != CKM_AES_KEY_GEN ||
		!template_number(template, count, CKA_VALUE_LEN, &length))
		return CKR_OK;
	return length == 16 || length == 24 || length == 32 ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

/* A curve is a DER element: its name or its parameters. */
static CK_RV check_curve(const CK_ATTRIBUTE *template, CK_ULONG count)
{
	const CK_ATTRIBUTE *curve = template_find(template, count, CKA_EC_PARAMS);
	struct tlv tlv;

	if (!curve)
		return CKR_OK;
	struct reader der = READER_INIT(curve->pValue, curve->ulValueLen);
	return tlv_next(&der, &tlv) && reader_left(&der) == 0 && reader_left(&tlv.value) > 0
		       ? CKR_OK
		       : CKR_DOMAIN_PARAMS_INVALID;
}

static CK_RV generate_key(CK_SESSION_HANDLE handle, const CK_MECHANISM *given,
	const CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE_PTR key)
{
	struct session *session;
	const struct mechanism *mechanism;
	CK_RV rv = enter(handle, given, CKF_GENERATE, &session, &mechanism);

	if (rv == CKR_OK && !key)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = check_no_parameter(given);
	if (rv == CKR_OK)
		rv = check_template(session, template, count);
	if (rv == CKR_OK)
		rv = check_length(given, template, count);
	if (rv != CKR_OK)
		return rv;
	struct remote_change change = {.kind = REMOTE_GENERATE_KEY,
		.mechanism = (uint32_t)given->mechanism,
		.templates = {{template, count}}};
	return change_make(session, &change, CKR_CONTEXT_GENERATE, key);
}

static CK_RV generate_pair(CK_SESSION_HANDLE handle, const CK_MECHANISM *given,
	const struct remote_template templates[2], CK_OBJECT_HANDLE_PTR public_key,
	CK_OBJECT_HANDLE_PTR private_key)
{
	CK_OBJECT_HANDLE handles[2];
	struct session *session;
	const struct mechanism *mechanism;
	CK_RV rv = enter(handle, given, CKF_GENERATE_KEY_PAIR, &session, &mechanism);

	if (rv == CKR_OK && (!public_key || !private_key))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = check_no_parameter(given);
	for (size_t i = 0; i < 2 && rv == CKR_OK; i++)
		rv = check_template(session, templates[i].attributes, templates[i].count);
	if (rv == CKR_OK)
		rv = check_curve(templates[0].attributes, templates[0].count);
	if (rv != CKR_OK)
		return rv;
	struct remote_change change = {.kind = REMOTE_GENERATE_PAIR,
		.mechanism = (uint32_t)given->mechanism,
		.templates = {templates[0], templates[1]}};
	rv = change_make(session, &change, CKR_CONTEXT_GENERATE, handles);
	if (rv == CKR_OK) {
		*public_key = handles[0];
		*private_key = handles[1];
	}
	return rv;
}

/* --- wrapping --- */

/* Answers what is_private and the wrong handle mean to these functions. */
static CK_RV find_key(const struct session *session, CK_OBJECT_HANDLE handle, CK_RV unknown,
	struct object **object)
{
	CK_RV rv = session_find_key(session, handle, object);

	return rv == CKR_KEY_HANDLE_INVALID ? unknown : rv;
}

static CK_RV check_user_of(const struct object *key, const struct mechanism *mechanism,
	CK_OBJECT_CLASS class, CK_ATTRIBUTE_TYPE permission, CK_RV wrong_type)
{
	if (mechanism_is_symmetric(mechanism))
		class = CKO_SECRET_KEY;
	if (key->class != class || !mechanism_takes_key(mechanism, key->key_type))
		return wrong_type;
	return attribute_is_true(key, permission) ? CKR_OK : CKR_KEY_FUNCTION_NOT_PERMITTED;
}

/* A public key of the session lives here; the token gets a copy of it for as long as it does. */
static CK_RV lend_to_token(struct session **session, struct object *key)
{
	CK_SESSION_HANDLE handle = (*session)->handle;
	struct errand errand;
	CK_ULONG count;

	if (key->number || key->copy)
		return CKR_OK;
	_cleanup_free_ CK_ATTRIBUTE *all = schema_template(key, &count);
	if (!all)
		return CKR_HOST_MEMORY;
	const struct buffer nothing = BUFFER_INIT;
	struct remote_change change = {.kind = REMOTE_CREATE,
		.parameter = &nothing,
		.input = &nothing,
		.templates = {{all, count}}};
	errand_begin(&errand, *session);
	change.slot = errand.slot;
	bool done = remote_change(errand.remote, &change, &errand.error);
	CK_RV rv = errand_end(&errand, done, CKR_CONTEXT_WRAP);
	if (rv != CKR_OK)
		return rv;
	key->copy = change.numbers[0];
	*session = session_find(handle);
	return CKR_OK;
}

static CK_RV ask_to_wrap(struct session *session, const struct object *wrapping,
	const struct mechanism *mechanism, const struct parameter *parameter,
	const struct object *key, struct buffer *wrapped)
{
	_cleanup_buffer_ struct buffer wire = BUFFER_INIT;
	CK_RV rv = parameter_write(parameter, mechanism, &wire);
	uint32_t number = key->number;
	struct errand errand;

	if (rv != CKR_OK)
		return rv;
	struct remote_use use = {.key = wrapping->number ? wrapping->number : wrapping->copy,
		.mechanism = (uint32_t)mechanism->type,
		.parameter = &wire};
	errand_begin(&errand, session);
	use.slot = errand.slot;
	bool done = remote_wrap_key(errand.remote, &use, number, wrapped, &errand.error);
	return errand_end(&errand, done, CKR_CONTEXT_WRAP);
}

static CK_RV check_wrap(const struct session *session, const struct mechanism *mechanism,
	CK_OBJECT_HANDLE wrapping_handle, CK_OBJECT_HANDLE handle, struct object **wrapping,
	struct object **key)
{
	CK_RV rv = find_key(session, wrapping_handle, CKR_WRAPPING_KEY_HANDLE_INVALID, wrapping);

	if (rv == CKR_OK)
		rv = check_user_of(*wrapping, mechanism, CKO_PUBLIC_KEY, CKA_WRAP,
			CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
	if (rv == CKR_OK)
		rv = find_key(session, handle, CKR_KEY_HANDLE_INVALID, key);
	if (rv != CKR_OK)
		return rv;
	if (((*key)->class != CKO_SECRET_KEY && (*key)->class != CKO_PRIVATE_KEY) ||
		!(*key)->number)
		return CKR_KEY_NOT_WRAPPABLE;
	return attribute_is_true(*key, CKA_EXTRACTABLE) ? CKR_OK : CKR_KEY_UNEXTRACTABLE;
}

/* The length is only known once it is wrapped, which changes nothing. */
static CK_RV hand_out(const struct buffer *wrapped, CK_BYTE_PTR out, CK_ULONG_PTR length)
{
	CK_ULONG room = *length;

	*length = wrapped->length;
	if (!out)
		return CKR_OK;
	if (room < wrapped->length)
		return CKR_BUFFER_TOO_SMALL;
	if (wrapped->length)
		memcpy(out, wrapped->data, wrapped->length);
	return CKR_OK;
}

static CK_RV wrap_key(CK_SESSION_HANDLE handle, const CK_MECHANISM *given,
	CK_OBJECT_HANDLE wrapping_handle, CK_OBJECT_HANDLE key_handle, CK_BYTE_PTR out,
	CK_ULONG_PTR length)
{
	_cleanup_(parameter_clear) struct parameter parameter = {0};
	_cleanup_buffer_ struct buffer wrapped = BUFFER_INIT;
	struct session *session;
	const struct mechanism *mechanism;
	struct object *wrapping, *key;
	CK_RV rv = enter(handle, given, CKF_WRAP, &session, &mechanism);

	if (rv == CKR_OK && !length)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = parameter_read(&parameter, mechanism, given);
	if (rv == CKR_OK)
		rv = check_wrap(session, mechanism, wrapping_handle, key_handle, &wrapping, &key);
	if (rv != CKR_OK)
		return rv;
	object_ref(wrapping);
	object_ref(key);
	rv = lend_to_token(&session, wrapping);
	if (rv == CKR_OK)
		rv = ask_to_wrap(session, wrapping, mechanism, &parameter, key, &wrapped);
	object_unref(wrapping);
	object_unref(key);
	return rv == CKR_OK ? hand_out(&wrapped, out, length) : rv;
}

/* --- unwrapping --- */

struct wrapped {
	const CK_BYTE *data;
	CK_ULONG length;
};

static CK_RV check_unwrap(const struct session *session, const struct mechanism *mechanism,
	CK_OBJECT_HANDLE handle, const struct wrapped *wrapped, struct object **unwrapping)
{
	CK_RV rv = find_key(session, handle, CKR_UNWRAPPING_KEY_HANDLE_INVALID, unwrapping);

	if (rv == CKR_OK)
		rv = check_user_of(*unwrapping, mechanism, CKO_PRIVATE_KEY, CKA_UNWRAP,
			CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
	if (rv == CKR_OK && !wrapped->data)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK && (wrapped->length == 0 || wrapped->length > CHANGE_INPUT_MAXIMUM))
		rv = CKR_WRAPPED_KEY_LEN_RANGE;
	return rv;
}

static CK_RV unwrap_key(CK_SESSION_HANDLE handle, const CK_MECHANISM *given,
	CK_OBJECT_HANDLE unwrapping_handle, const struct wrapped *wrapped,
	const struct remote_template *template, CK_OBJECT_HANDLE_PTR created)
{
	_cleanup_(parameter_clear) struct parameter parameter = {0};
	_cleanup_buffer_ struct buffer wire = BUFFER_INIT, input = BUFFER_INIT;
	struct session *session;
	const struct mechanism *mechanism;
	struct object *unwrapping;
	CK_RV rv = enter(handle, given, CKF_UNWRAP, &session, &mechanism);

	if (rv == CKR_OK && !created)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = parameter_read(&parameter, mechanism, given);
	if (rv == CKR_OK)
		rv = check_unwrap(session, mechanism, unwrapping_handle, wrapped, &unwrapping);
	if (rv == CKR_OK)
		rv = check_template(session, template->attributes, template->count);
	if (rv == CKR_OK)
		rv = parameter_write(&parameter, mechanism, &wire);
	if (rv != CKR_OK)
		return rv;
	buffer_append(&input, wrapped->data, wrapped->length);
	if (input.failed)
		return CKR_HOST_MEMORY;
	struct remote_change change = {.kind = REMOTE_UNWRAP,
		.object = unwrapping->number,
		.mechanism = (uint32_t)given->mechanism,
		.parameter = &wire,
		.input = &input,
		.templates = {*template}};
	return change_make(session, &change, CKR_CONTEXT_UNWRAP, created);
}

CK_RV C_GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
	CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR key)
{
	return MODULE_LOCKED(generate_key(session, mechanism, template, count, key));
}

CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
	CK_ATTRIBUTE_PTR public_template, CK_ULONG public_count, CK_ATTRIBUTE_PTR private_template,
	CK_ULONG private_count, CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key)
{
	const struct remote_template templates[2] = {
		{public_template, public_count}, {private_template, private_count}};

	return MODULE_LOCKED(generate_pair(session, mechanism, templates, public_key, private_key));
}

CK_RV C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
	CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key, CK_BYTE_PTR wrapped,
	CK_ULONG_PTR wrapped_len)
{
	return MODULE_LOCKED(wrap_key(session, mechanism, wrapping_key, key, wrapped, wrapped_len));
}

CK_RV C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
	CK_OBJECT_HANDLE unwrapping_key, CK_BYTE_PTR wrapped, CK_ULONG wrapped_len,
	CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR key)
{
	const struct wrapped from = {wrapped, wrapped_len};
	const struct remote_template attributes = {template, count};

	return MODULE_LOCKED(
		unwrap_key(session, mechanism, unwrapping_key, &from, &attributes, key));
}

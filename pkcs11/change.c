/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/change.h"

#include "pkcs11/attribute.h"
#include "pkcs11/told.h"

#define TEMPLATE_MAXIMUM 50000	      /* bytes of values: the daemon takes no longer messages */
#define ARRAY_OF_OTHERS	 0x40000000UL /* CKF_ARRAY_ATTRIBUTE */

CK_RV change_check_template(const CK_ATTRIBUTE *template, CK_ULONG count)
{
	size_t length = 0;

	if (count && !template)
		return CKR_ARGUMENTS_BAD;
	for (CK_ULONG i = 0; i < count; i++) {
		if (template[i].ulValueLen && !template[i].pValue)
			return CKR_ATTRIBUTE_VALUE_INVALID;
		if (template[i].type > UINT32_MAX ||
			(template[i].type & ARRAY_OF_OTHERS &&
				template[i].type != CKA_ALLOWED_MECHANISMS))
			return CKR_ATTRIBUTE_TYPE_INVALID;
		if (template[i].ulValueLen > TEMPLATE_MAXIMUM - length)
			return CKR_ATTRIBUTE_VALUE_INVALID;
		length += template[i].ulValueLen;
	}
	return CKR_OK;
}

CK_RV change_check_session(
	const struct session *session, const CK_ATTRIBUTE *template, CK_ULONG count)
{
	const struct slot *slot = slot_find(session->slot_id);

	if (template_boolean(template, count, CKA_TOKEN, false)) {
		if (!(session->flags & CKF_RW_SESSION))
			return CKR_SESSION_READ_ONLY;
		if (!(slot->token.flags & TOKEN_FIXED))
			return CKR_TOKEN_WRITE_PROTECTED;
	}
	if (template_boolean(template, count, CKA_PRIVATE, false) && !slot_is_open(slot))
		return CKR_USER_NOT_LOGGED_IN;
	return CKR_OK;
}

static unsigned count_new(const struct remote_change *change)
{
	switch (change->kind) {
	case REMOTE_SET:
	case REMOTE_DESTROY:
		return 0;
	case REMOTE_GENERATE_PAIR:
		return 2;
	default:
		return 1;
	}
}

/* The first number that has to be read. */
static uint32_t first_number(const struct remote_change *change)
{
	unsigned count = count_new(change);

	if (count == 0)
		return change->object;
	return count == 2 && change->numbers[1] < change->numbers[0] ? change->numbers[1]
								     : change->numbers[0];
}

/* The places of *handles are those of the numbers. */
static CK_RV put(struct slot *slot, const struct errand *errand, const struct remote_change *change,
	struct remote_keys *keys, CK_OBJECT_HANDLE *handles)
{
	uint32_t numbers[2] = {change->numbers[0], change->numbers[1]};
	unsigned count = count_new(change);

	if (change->kind == REMOTE_SET) {
		numbers[0] = change->object;
		count = 1;
	}
	for (unsigned i = 0; i < count; i++) {
		CK_RV rv = CKR_DEVICE_ERROR;
		for (size_t j = 0; j < keys->count && rv == CKR_DEVICE_ERROR; j++) {
			bool of_session = numbers[i] & SESSION_NUMBERS;
			if (keys->items[j].reference == numbers[i])
				rv = told_put(&slot->objects, slot->id,
					of_session ? errand->session : 0, &keys->items[j],
					handles ? &handles[i] : NULL);
		}
		if (rv != CKR_OK)
			return rv;
	}
	return CKR_OK;
}

static CK_RV follow(const struct errand *errand, const struct remote_change *change,
	struct remote_keys *keys, CK_OBJECT_HANDLE *handles)
{
	struct slot *slot = slot_find(errand->slot_id);
	CK_RV rv = CKR_OK;

	if (change->kind == REMOTE_DESTROY) {
		struct object *object = objects_find_number(&slot->objects, change->object);
		if (object)
			objects_remove(&slot->objects, object);
	} else {
		rv = put(slot, errand, change, keys, handles);
	}
	slot_note_change(slot, change->before, change->generation);
	return rv;
}

CK_RV change_make(const struct session *session, struct remote_change *change,
	enum ckr_context context, CK_OBJECT_HANDLE *handles)
{
	_cleanup_(remote_keys_clear) struct remote_keys keys = REMOTE_KEYS_INIT;
	const struct buffer nothing = BUFFER_INIT;
	struct errand errand;

	change->parameter = change->parameter ? change->parameter : &nothing;
	change->input = change->input ? change->input : &nothing;
	errand_begin(&errand, session);
	change->slot = errand.slot;
	bool done = remote_change(errand.remote, change, &errand.error);
	if (done && change->kind != REMOTE_DESTROY)
		done = remote_get_objects_from(
			errand.remote, errand.slot, first_number(change), &keys, &errand.error);
	CK_RV rv = errand_end(&errand, done, context);
	return rv == CKR_OK ? follow(&errand, change, &keys, handles) : rv;
}

CK_RV change_fetch_secret(
	const struct session *session, const struct object *object, struct buffer *secret)
{
	uint32_t number = object->number;
	struct errand errand;

	errand_begin(&errand, session);
	bool done = remote_get_secret(errand.remote, errand.slot, number, secret, &errand.error);
	return errand_end(&errand, done, CKR_CONTEXT_DESTROY);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects of an HSM: everything that may be shown, read once. */
#include <string.h>

#include "common/alloc.h"
#include "token/ckr.h"
#include "token/hsm-child.h"
#include "token/attributes.h"

#define FIND_AT_ONCE  256
#define OBJECTS_MAX   100000
#define ATTRIBUTE_MAX (64 * 1024) /* bytes; a longer one is not shown */
/* The daemon's own keys, should they lie in the same token: nobody is ever shown them. */
#define OWN_PREFIX "tessera "

/* What is read of each object; a token that lacks one says so. */
static const CK_ATTRIBUTE_TYPE types[] = {CKA_CLASS, CKA_TOKEN, CKA_PRIVATE, CKA_MODIFIABLE,
	ATTRIBUTE_COPYABLE, ATTRIBUTE_DESTROYABLE, CKA_LABEL, CKA_ID, CKA_APPLICATION,
	CKA_OBJECT_ID, CKA_CERTIFICATE_TYPE, ATTRIBUTE_CERTIFICATE_CATEGORY, CKA_TRUSTED,
	CKA_SUBJECT, CKA_ISSUER, CKA_SERIAL_NUMBER, CKA_KEY_TYPE, CKA_START_DATE, CKA_END_DATE,
	CKA_LOCAL, CKA_KEY_GEN_MECHANISM, CKA_ALLOWED_MECHANISMS, CKA_DERIVE, CKA_SIGN,
	CKA_SIGN_RECOVER, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP,
	CKA_UNWRAP, CKA_WRAP_WITH_TRUSTED, CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_EXTRACTABLE,
	CKA_NEVER_EXTRACTABLE, CKA_ALWAYS_AUTHENTICATE, CKA_MODULUS, CKA_MODULUS_BITS,
	CKA_PUBLIC_EXPONENT, CKA_EC_PARAMS, CKA_EC_POINT, CKA_PRIME, CKA_SUBPRIME, CKA_BASE,
	CKA_VALUE_LEN, CKA_CHECK_VALUE, CKA_OWNER, CKA_URL, ATTRIBUTE_PUBLIC_KEY_INFO,
	/* The last one: never of a private or secret key. */
	CKA_VALUE};

/* --- reading --- */

static bool list_handles(
	struct session *session, CK_OBJECT_HANDLE **handles, size_t *count, struct error *error)
{
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE template[] = {{CKA_TOKEN, &yes, sizeof(yes)}};
	CK_ULONG found = 0;
	CK_RV rv = session->functions->C_FindObjectsInit(session->handle, template, 1);

	if (rv != CKR_OK)
		return session_failed(session, rv, "searching the token", error);
	do {
		*handles = xreallocarray(*handles, *count + FIND_AT_ONCE, sizeof(**handles));
		rv = session->functions->C_FindObjects(
			session->handle, *handles + *count, FIND_AT_ONCE, &found);
		*count += rv == CKR_OK ? found : 0;
	} while (rv == CKR_OK && found > 0 && *count < OBJECTS_MAX);
	session->functions->C_FindObjectsFinal(session->handle);
	return rv == CKR_OK || session_failed(session, rv, "searching the token", error);
}

static CK_OBJECT_CLASS read_class(struct session *session, CK_OBJECT_HANDLE handle)
{
	CK_OBJECT_CLASS object_class = CK_UNAVAILABLE_INFORMATION;
	CK_ATTRIBUTE attribute = {CKA_CLASS, &object_class, sizeof(object_class)};

	session->functions->C_GetAttributeValue(session->handle, handle, &attribute, 1);
	return object_class;
}

static bool has_value(CK_OBJECT_CLASS object_class)
{
	return object_class == CKO_CERTIFICATE || object_class == CKO_DATA ||
	       object_class == CKO_PUBLIC_KEY;
}

/* The answers of a failed C_GetAttributeValue() count too: it says of each what is missing. */
static void read_attributes(
	struct session *session, CK_OBJECT_HANDLE handle, struct hsm_object *object)
{
	CK_ATTRIBUTE template[ARRAY_SIZE(types)];
	CK_ULONG asked = ARRAY_SIZE(types) - !has_value(object->object_class);
	CK_ULONG known = 0;

	for (CK_ULONG i = 0; i < asked; i++)
		template[i] = (CK_ATTRIBUTE){types[i], NULL, 0};
	session->functions->C_GetAttributeValue(session->handle, handle, template, asked);
	object->attributes = xcalloc(asked, sizeof(*object->attributes));
	for (CK_ULONG i = 0; i < asked; i++) {
		if (template[i].ulValueLen > ATTRIBUTE_MAX)
			continue;
		object->attributes[known] = (struct hsm_attribute){
			template[i].type, object->values.length, template[i].ulValueLen};
		buffer_fill(&object->values, 0, template[i].ulValueLen);
		template[known++] = template[i];
	}
	if (object->values.failed)
		abort();
	for (CK_ULONG i = 0; i < known; i++)
		template[i].pValue = object->values.data + object->attributes[i].offset;
	session->functions->C_GetAttributeValue(session->handle, handle, template, known);
	for (CK_ULONG i = 0; i < known; i++) {
		if (template[i].ulValueLen > object->attributes[i].length)
			continue; /* it has grown or gone in between */
		object->attributes[i].length = template[i].ulValueLen;
		object->attributes[object->attribute_count++] = object->attributes[i];
	}
}

static bool is_true(const struct hsm_object *object, CK_ATTRIBUTE_TYPE type)
{
	size_t length;
	const uint8_t *value = hsm_object_value(object, type, &length);

	return value && length == sizeof(CK_BBOOL) && *value != CK_FALSE;
}

void hsm_object_describe(struct hsm_object *object)
{
	size_t length;
	const uint8_t *value = hsm_object_value(object, CKA_CLASS, &length);

	object->object_class = CK_UNAVAILABLE_INFORMATION;
	if (value && length == sizeof(object->object_class))
		memcpy(&object->object_class, value, length);
	object->is_private = is_true(object, CKA_PRIVATE);
	object->wants_pin = is_true(object, CKA_ALWAYS_AUTHENTICATE);
	value = hsm_object_value(object, CKA_LABEL, &length);
	object->label = label_of_bytes(value, length);
}

struct hsm_object *hsm_read_object(struct session *session, CK_OBJECT_HANDLE handle)
{
	struct hsm_object *object = xnew(struct hsm_object);

	object->references = 1;
	object->handle = handle;
	object->object_class = read_class(session, handle);
	read_attributes(session, handle, object);
	hsm_object_describe(object);
	return object;
}

bool hsm_label_is_own(const char *label)
{
	return strncmp(label, OWN_PREFIX, strlen(OWN_PREFIX)) == 0;
}

static bool may_be_shown(const struct hsm_object *object)
{
	return object->object_class != CK_UNAVAILABLE_INFORMATION &&
	       !hsm_label_is_own(object->label);
}

/* One that is listed and not described is none. */
static void describe(const struct hsm *hsm, struct session *session, CK_MECHANISM_TYPE type,
	struct hsm_facts *facts)
{
	struct hsm_mechanism *mechanism = &facts->mechanisms[facts->mechanism_count];

	mechanism->type = type;
	if (session->functions->C_GetMechanismInfo(hsm->slot, type, &mechanism->info) == CKR_OK)
		facts->mechanism_count++;
}

static bool read_facts(const struct hsm *hsm, struct session *session, struct hsm_facts *facts,
	struct error *error)
{
	CK_RV rv = session->functions->C_GetTokenInfo(hsm->slot, &facts->info);

	if (rv != CKR_OK)
		return session_failed(session, rv, "asking the token who it is", error);
	CK_MECHANISM_TYPE types_[HSM_MECHANISMS_MAX];
	CK_ULONG count = HSM_MECHANISMS_MAX;
	rv = session->functions->C_GetMechanismList(hsm->slot, types_, &count);
	if (rv != CKR_OK)
		return session_failed(session, rv, "asking the token for its mechanisms", error);
	facts->mechanism_count = 0;
	for (CK_ULONG i = 0; i < count; i++)
		describe(hsm, session, types_[i], facts);
	return true;
}

static bool read_all(
	struct hsm *hsm, struct hsm_objects *objects, struct hsm_facts *facts, struct error *error)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	_cleanup_free_ CK_OBJECT_HANDLE *handles = NULL;
	size_t count = 0;

	if (!session_take(hsm->sessions, &session, error) ||
		!list_handles(&session, &handles, &count, error))
		return false;
	if (!read_facts(hsm, &session, facts, error))
		return false;
	objects->items = xcalloc(count + 1, sizeof(*objects->items));
	for (size_t i = 0; i < count; i++) {
		struct hsm_object *object = hsm_read_object(&session, handles[i]);
		if (may_be_shown(object))
			objects->items[objects->count++] = object;
		else
			hsm_object_unref(object);
	}
	return true;
}

/* --- numbers --- */

/* Where the object of a handle stands in a list. */
struct standing {
	CK_OBJECT_HANDLE handle;
	size_t place;
};

static int compare_handles(const void *one, const void *other)
{
	CK_OBJECT_HANDLE first = ((const struct standing *)one)->handle;
	CK_OBJECT_HANDLE second = ((const struct standing *)other)->handle;

	return first < second ? -1 : first > second;
}

/*
 * Objects that have kept their handle keep their number: others may look the same, and a program's
 * key must not become another one.
 */
static void number_by_handle(struct hsm_objects *fresh, const struct hsm_objects *old, bool *taken)
{
	_cleanup_free_ struct standing *known = xcalloc(old->count + 1, sizeof(*known));

	for (size_t i = 0; i < old->count; i++)
		known[i] = (struct standing){old->items[i]->handle, i};
	qsort(known, old->count, sizeof(*known), compare_handles);
	for (size_t i = 0; i < fresh->count; i++) {
		const struct standing wanted = {.handle = fresh->items[i]->handle};
		const struct standing *found =
			bsearch(&wanted, known, old->count, sizeof(*known), compare_handles);
		fresh->items[i]->number = 0;
		if (!found || taken[found->place] ||
			!hsm_object_is_same(old->items[found->place], fresh->items[i]))
			continue;
		taken[found->place] = true;
		fresh->items[i]->number = old->items[found->place]->number;
	}
}

/*
 * Where handles have ended with a login: the number of an object that looks the same; 0 for a new
 * one. It mostly stands at the same place.
 */
static uint32_t old_number(
	const struct hsm_objects *old, bool *taken, const struct hsm_object *object, size_t hint)
{
	for (size_t i = 0; i < old->count; i++) {
		size_t place = (hint + i) % old->count;
		if (!taken[place] && hsm_object_is_same(old->items[place], object)) {
			taken[place] = true;
			return old->items[place]->number;
		}
	}
	return 0;
}

static int compare_objects(const void *one, const void *other)
{
	uint32_t first = (*(struct hsm_object *const *)one)->number;
	uint32_t second = (*(struct hsm_object *const *)other)->number;

	return first < second ? -1 : first > second;
}

static void keep_private(
	struct hsm_objects *fresh, const struct hsm_objects *old, const bool *taken)
{
	fresh->items = xreallocarray(
		fresh->items, fresh->count + old->count + 1, sizeof(struct hsm_object *));
	for (size_t i = 0; i < old->count; i++) {
		if (!taken[i] && old->items[i]->is_private)
			fresh->items[fresh->count++] = hsm_object_ref(old->items[i]);
	}
}

/* Whether the objects are others than before. */
static bool number_all(struct hsm *hsm, struct hsm_objects *fresh, const struct hsm_objects *old,
	bool handles_hold)
{
	_cleanup_free_ bool *taken = xcalloc(old->count + 1, sizeof(*taken));
	bool changed = false;

	number_by_handle(fresh, old, taken);
	for (size_t i = 0; i < fresh->count; i++) {
		if (fresh->items[i]->number == 0 && !handles_hold)
			fresh->items[i]->number = old_number(old, taken, fresh->items[i], i);
		if (fresh->items[i]->number == 0) {
			fresh->items[i]->number = ++hsm->last_number;
			changed = true;
		}
	}
	if (hsm->keeps_private)
		keep_private(fresh, old, taken);
	qsort(fresh->items, fresh->count, sizeof(*fresh->items), compare_objects);
	return changed || fresh->count != old->count;
}

bool hsm_facts_differ(struct hsm *hsm, const struct hsm_facts *facts)
{
	pthread_mutex_lock(&hsm->objects_lock);
	const CK_TOKEN_INFO *known = &hsm->facts.info, *now = &facts->info;
	bool differ = (known->flags ^ now->flags) & CKF_USER_PIN_INITIALIZED ||
		      memcmp(known->label, now->label, sizeof(now->label)) != 0;
	pthread_mutex_unlock(&hsm->objects_lock);
	return differ;
}

bool hsm_refresh(struct hsm *hsm, bool *changed, struct error *error)
{
	_cleanup_hsm_objects_ struct hsm_objects *old = NULL;
	struct hsm_facts facts;

	if (hsm->child)
		return hsm_child_refresh(hsm->child, changed, error);
	struct hsm_objects *fresh = hsm_objects_new();
	pthread_mutex_lock(&hsm->reading_lock);
	unsigned login_changes = session_pool_login_changes(hsm->sessions);
	if (!read_all(hsm, fresh, &facts, error)) {
		pthread_mutex_unlock(&hsm->reading_lock);
		hsm_objects_unref(fresh);
		return false;
	}
	old = hsm_objects(hsm);
	if (session_pool_is_logged_in(hsm->sessions))
		hsm->keeps_private = false;
	bool handles_hold = hsm->has_read && hsm->read_at == login_changes;
	hsm->has_read = true;
	hsm->read_at = login_changes;
	if (number_all(hsm, fresh, old, handles_hold) || hsm_facts_differ(hsm, &facts))
		*changed = true;
	pthread_mutex_lock(&hsm->objects_lock);
	hsm->facts = facts;
	hsm->objects = fresh; /* handles may be others even where nothing changed */
	pthread_mutex_unlock(&hsm->objects_lock);
	session_pool_forget_ready(hsm->sessions);
	pthread_mutex_unlock(&hsm->reading_lock);
	hsm_objects_unref(old); /* the reference that hsm had */
	return true;
}

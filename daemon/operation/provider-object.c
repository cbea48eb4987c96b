/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects of slots: the one place where it is decided who may make, change and end them. */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "operation/provider-private.h"
#include "token/attributes.h"

#define BIT(operation) (1U << (operation))

/* An object that a request names, as it was when its rules were looked at. */
struct named {
	char *label;
	CK_OBJECT_CLASS object_class;
	bool is_own; /* of this client alone: no rules are for it */
	bool is_private;
};

/* An object that is to be made, by its template. */
struct coming {
	char *label;
	CK_OBJECT_CLASS object_class;
	bool stays; /* in the token, for all to see */
	bool is_private;
};

/* One request on its way. */
struct asking {
	struct provider_client *client;
	struct slot *slot;
	const struct hsm_request *request;
	struct named object, second;
	struct coming coming[2];
};

static void asking_clear(struct asking *asking)
{
	free(asking->object.label);
	free(asking->second.label);
	free(asking->coming[0].label);
	free(asking->coming[1].label);
}

/* What a request is about, and what a record of it says. */
static const struct {
	const char *record; /* in the audit trail; NULL: none */
	bool names_object, names_second;
	unsigned makes;		    /* objects, by templates */
	CK_OBJECT_CLASS classes[2]; /* of these; unavailable: the template says */
} facts[HSM_OPERATION_COUNT] = {
	[HSM_VERIFY] = {NULL, true, false, 0, {0}},
	[HSM_CREATE] = {"create-object", false, false, 1, {CK_UNAVAILABLE_INFORMATION}},
	[HSM_COPY] = {"copy-object", true, false, 1, {CK_UNAVAILABLE_INFORMATION}},
	[HSM_SET_ATTRIBUTES] = {"change-object", true, false, 0, {0}},
	[HSM_DESTROY] = {"destroy-object", true, false, 0, {0}},
	[HSM_GENERATE_KEY] = {"generate-key", false, false, 1, {CKO_SECRET_KEY}},
	[HSM_GENERATE_PAIR] = {"generate-key-pair", false, false, 2,
		{CKO_PUBLIC_KEY, CKO_PRIVATE_KEY}},
	[HSM_WRAP] = {"wrap-key", true, true, 0, {0}},
	[HSM_UNWRAP] = {"unwrap-key", true, false, 1, {CK_UNAVAILABLE_INFORMATION}},
	[HSM_DERIVE_KEY] = {"derive-key", true, false, 1, {CKO_SECRET_KEY}},
	[HSM_GET_VALUE] = {"read-key", true, false, 0, {0}},
};

static bool is_key(CK_OBJECT_CLASS object_class)
{
	return object_class == CKO_PRIVATE_KEY || object_class == CKO_SECRET_KEY;
}

/* --- what is asked for --- */

static bool find_named(const struct asking *asking, struct hsm *hsm, uint32_t number,
	struct named *named, struct error *error)
{
	struct provider_client *client = asking->client;
	bool is_own = number >= HSM_SESSION_OBJECT;
	_cleanup_hsm_objects_ struct hsm_objects *objects =
		is_own ? provider_own_objects(client, asking->slot) : hsm_objects(hsm);
	const struct hsm_object *object = objects ? hsm_objects_find(objects, number) : NULL;

	if (!object || (!is_own && !provider_may_see(client, asking->slot, object,
					   provider_is_logged_in(client, asking->slot))))
		return error_set(error, ERROR_NOT_FOUND, "the slot has no object %u", number);
	*named = (struct named){.label = xstrdup(object->label),
		.object_class = object->object_class,
		.is_own = is_own,
		.is_private = object->is_private};
	return true;
}

/* Where a template does not say it, a copy is as its origin, and keys and data are private. */
static void read_coming(struct asking *asking, size_t which)
{
	struct reader template = asking->request->templates[which];
	const struct named *origin =
		asking->request->operation == HSM_COPY ? &asking->object : NULL;
	CK_OBJECT_CLASS object_class = facts[asking->request->operation].classes[which];
	struct coming *coming = &asking->coming[which];

	if (object_class == CK_UNAVAILABLE_INFORMATION)
		object_class = origin ? origin->object_class
				      : attributes_number(template, CKA_CLASS, CKO_DATA);
	coming->object_class = object_class;
	coming->stays = attributes_flag(template, CKA_TOKEN, origin && !origin->is_own);
	coming->is_private = attributes_flag(template, CKA_PRIVATE,
		origin ? origin->is_private : is_key(object_class) || object_class == CKO_DATA);
	coming->label = attributes_label(template);
	if (!coming->label)
		coming->label = xstrdup(origin ? origin->label : "");
}

static bool read_request(struct asking *asking, struct hsm *hsm, struct error *error)
{
	const struct hsm_request *request = asking->request;

	for (size_t i = 0; i < ARRAY_SIZE(request->templates); i++) {
		if (!attributes_check(request->templates[i], error))
			return false;
	}
	if (facts[request->operation].names_object &&
		!find_named(asking, hsm, request->object, &asking->object, error))
		return false;
	if (facts[request->operation].names_second &&
		!find_named(asking, hsm, request->second, &asking->second, error))
		return false;
	for (size_t i = 0; i < facts[request->operation].makes; i++)
		read_coming(asking, i);
	return true;
}

/* --- who may --- */

static unsigned allowed(const struct asking *asking, const char *label)
{
	return slot_allows(asking->slot, provider_client_user(asking->client), label);
}

static bool may(const struct asking *asking, enum slot_operation operation, const char *label,
	struct error *error)
{
	return allowed(asking, label) & BIT(operation) ||
	       error_set(error, ERROR_ACCESS_DENIED,
		       "the rules of the slot \"%s\" do not let this user %s with the label \"%s\"",
		       slot_record(asking->slot)->name, slot_operation_name(operation), label);
}

static bool may_with(const struct asking *asking, enum slot_operation operation,
	const struct named *object, struct error *error)
{
	return object->is_own || may(asking, operation, object->label, error);
}

/* Nobody gains rights to a key by a copy of it, or another label, that other rules are for. */
static bool gains_nothing(const struct asking *asking, const struct named *origin,
	unsigned rights_after, struct error *error)
{
	unsigned gained = rights_after & SLOT_OPERATIONS_USE & ~allowed(asking, origin->label);

	for (enum slot_operation i = 0; i < SLOT_OPERATION_COUNT; i++) {
		if (!origin->is_own && is_key(origin->object_class) && gained & BIT(i))
			return may(asking, i, origin->label, error);
	}
	return true;
}

/* tesserad's own keys may lie in the same token, and are told by their labels. */
static bool check_label(const char *label, struct error *error)
{
	return !hsm_label_is_own(label) ||
	       error_set(error, ERROR_ACCESS_DENIED,
		       "labels that begin as \"%.16s\" does are tesserad's own", label);
}

/* What comes needs `generate` for its label; what does not stay, only where always is set. */
static bool may_make(const struct asking *asking, bool always, struct error *error)
{
	for (size_t i = 0; i < facts[asking->request->operation].makes; i++) {
		const struct coming *coming = &asking->coming[i];
		if (!check_label(coming->label, error))
			return false;
		if ((coming->stays || always) && !may(asking, SLOT_GENERATE, coming->label, error))
			return false;
	}
	return true;
}

static bool may_copy(const struct asking *asking, struct error *error)
{
	const struct coming *copy = &asking->coming[0];

	return may_make(asking, false, error) &&
	       gains_nothing(asking, &asking->object,
		       copy->stays ? allowed(asking, copy->label) : SLOT_OPERATIONS_ALL, error);
}

/* These make another object of it: that is what copying is for (PKCS#11 2.40, 4.1.2). */
static bool check_changes(const struct asking *asking, struct error *error)
{
	static const CK_ATTRIBUTE_TYPE fixed[] = {
		CKA_CLASS, CKA_TOKEN, CKA_PRIVATE, CKA_MODIFIABLE, CKA_KEY_TYPE};
	const uint8_t *value;
	size_t length;

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (attributes_find(asking->request->templates[0], fixed[i], &value, &length))
			return error_set_refused(error, CKR_ATTRIBUTE_READ_ONLY,
				"attribute 0x%lX cannot be changed", fixed[i]);
	}
	return true;
}

static bool may_change(const struct asking *asking, struct error *error)
{
	const struct named *object = &asking->object;
	_cleanup_free_ char *label = attributes_label(asking->request->templates[0]);

	if (!check_changes(asking, error) || (label && !check_label(label, error)))
		return false;
	if (object->is_own)
		return true;
	if (!may(asking, SLOT_GENERATE, object->label, error))
		return false;
	return !label || strcmp(label, object->label) == 0 ||
	       (may(asking, SLOT_GENERATE, label, error) &&
		       gains_nothing(asking, object, allowed(asking, label), error));
}

/* A public key wraps for anybody. */
static bool may_wrap(const struct asking *asking, struct error *error)
{
	return (!is_key(asking->object.object_class) ||
		       may_with(asking, SLOT_WRAP, &asking->object, error)) &&
	       may_with(asking, SLOT_WRAP, &asking->second, error);
}

/* As pairs that are made: a token trusts the numbers of a key that it unwraps. */
static bool is_pair_key(const struct asking *asking)
{
	return asking->coming[0].object_class == CKO_PRIVATE_KEY;
}

static bool may_do(const struct asking *asking, struct error *error)
{
	const struct named *object = &asking->object;

	switch (asking->request->operation) {
	case HSM_VERIFY:
		return may_with(asking, SLOT_SIGN, object, error);
	case HSM_CREATE:
		return may_make(asking, false, error);
	case HSM_COPY:
		return may_copy(asking, error);
	case HSM_SET_ATTRIBUTES:
		return may_change(asking, error);
	case HSM_DESTROY:
		return may_with(asking, SLOT_DESTROY, object, error);
	case HSM_GENERATE_KEY:
	case HSM_GENERATE_PAIR:
		return may_make(asking, true, error);
	case HSM_WRAP:
		return may_wrap(asking, error);
	case HSM_UNWRAP:
		return may_with(asking, SLOT_WRAP, object, error) &&
		       may_make(asking, is_pair_key(asking), error);
	case HSM_DERIVE_KEY:
		return may_with(asking, SLOT_DERIVE, object, error) &&
		       may_make(asking, false, error);
	case HSM_GET_VALUE:
		return may_with(asking, SLOT_WRAP, object, error);
	default: /* random numbers */
		return true;
	}
}

/* The token may be logged in for another client: that one's login is not this one's. */
static bool check_login(const struct asking *asking, struct error *error)
{
	bool is_private = asking->object.is_private || asking->second.is_private;

	for (size_t i = 0; i < facts[asking->request->operation].makes; i++)
		is_private |= asking->coming[i].is_private;
	return !is_private || provider_is_logged_in(asking->client, asking->slot) ||
	       error_set(error, ERROR_PIN_REQUIRED, "log in first");
}

/* --- the audit trail --- */

/* What programs make for themselves leaves no record. */
static bool is_recorded(const struct asking *asking)
{
	const struct hsm_request *request = asking->request;
	bool makes = facts[request->operation].makes > 0;

	if (!facts[request->operation].record)
		return false;
	if (makes)
		return asking->coming[0].stays || asking->coming[1].stays;
	return request->operation == HSM_WRAP ? !asking->second.is_own : !asking->object.is_own;
}

static const char *noun(CK_OBJECT_CLASS object_class)
{
	switch (object_class) {
	case CKO_PRIVATE_KEY:
		return "private key";
	case CKO_PUBLIC_KEY:
		return "public key";
	case CKO_SECRET_KEY:
		return "secret key";
	case CKO_CERTIFICATE:
		return "certificate";
	default:
		return "object";
	}
}

/* "private key "tls" of slot web"; heap. */
static char *describe(const struct asking *asking)
{
	const char *slot = slot_record(asking->slot)->name;
	enum hsm_operation operation = asking->request->operation;
	_cleanup_free_ char *label = operation == HSM_SET_ATTRIBUTES
					     ? attributes_label(asking->request->templates[0])
					     : NULL;

	if (operation == HSM_WRAP)
		return xasprintf("%s \"%s\" with %s \"%s\" of slot %s",
			noun(asking->second.object_class), asking->second.label,
			noun(asking->object.object_class), asking->object.label, slot);
	if (label && strcmp(label, asking->object.label) != 0)
		return xasprintf("%s \"%s\" of slot %s, now \"%s\"",
			noun(asking->object.object_class), asking->object.label, slot, label);
	if (facts[operation].makes == 0)
		return xasprintf("%s \"%s\" of slot %s", noun(asking->object.object_class),
			asking->object.label, slot);
	const struct coming *coming = &asking->coming[facts[operation].makes - 1];
	return xasprintf("%s \"%s\" of slot %s", noun(coming->object_class), coming->label, slot);
}

/* Denials of all that is recorded, and what came of the rest. */
static void note(const struct asking *asking, const struct error *failure)
{
	bool denied = failure && failure->code == ERROR_ACCESS_DENIED;

	if (!denied && !is_recorded(asking))
		return;
	_cleanup_free_ char *detail = describe(asking);
	const char *record = facts[asking->request->operation].record;
	provider_record(asking->client, record ? record : "use-key", detail, failure);
}

/* --- the call --- */

static bool call(
	struct asking *asking, struct hsm *hsm, struct provider_reply *reply, struct error *error)
{
	struct hsm_owner *owner = provider_owner(asking->client, asking->slot, true);

	reply->generation_before = reply->generation = slot_generation(asking->slot);
	if (!hsm_call(hsm, owner, asking->request, &reply->hsm, error))
		return false;
	if (reply->hsm.changed)
		slot_renew(asking->slot, &reply->generation_before, &reply->generation);
	return true;
}

bool provider_call(struct provider_client *client, unsigned number,
	const struct hsm_request *request, struct provider_reply *reply, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (number < SLOT_NUMBER_FIRST)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"objects of cards are managed by their templates");
	_cleanup_slot_ struct slot *slot = provider_visible_slot(client, number, error);
	struct hsm *hsm = slot ? slot_hsm(slot, error) : NULL;
	struct asking asking _cleanup_(asking_clear) = {
		.client = client, .slot = slot, .request = request};
	if (!hsm)
		return false;
	bool is_read = read_request(&asking, hsm, &failure);
	bool done = is_read && may_do(&asking, &failure) && check_login(&asking, &failure) &&
		    call(&asking, hsm, reply, &failure);
	if (is_read)
		note(&asking, done ? NULL : &failure);
	else if (facts[request->operation].record)
		provider_record_login(client, slot, facts[request->operation].record, &failure);
	return done || error_move(error, &failure);
}

bool provider_information(struct provider_client *client, unsigned number,
	struct hsm_information *information, struct error *error)
{
	if (number < SLOT_NUMBER_FIRST)
		return error_set(error, ERROR_NOT_SUPPORTED, "a card has no mechanisms of its own");
	_cleanup_slot_ struct slot *slot = provider_visible_slot(client, number, error);
	struct hsm *hsm = slot ? slot_hsm(slot, error) : NULL;

	if (hsm)
		hsm_information(hsm, information);
	return hsm != NULL;
}

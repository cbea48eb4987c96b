/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The provider's side of slots: the one place where the uses of their keys are decided. What else
 * is done with their objects is provider-object.c's.
 */
#include <stdlib.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/provider-private.h"
#include "operation/slot-keys.h"
#include "operation/slots.h"

/* Of attributes in one answer: far below what a connection may have waiting. */
#define PAGE_BYTES_MAX	   (256 * 1024)
#define ATTRIBUTE_OVERHEAD 16

/* One slot that this client is logged in to. */
struct slot_login {
	struct slot *slot;
	struct slot_login *next;
};

static struct slot_login **find_login(struct provider_client *client, unsigned number)
{
	struct slot_login **login = &client->slot_logins;

	while (*login && slot_record((*login)->slot)->number != number)
		login = &(*login)->next;
	return login;
}

/* One to the slot as it was before it was changed is none. */
static bool has_login(struct provider_client *client, const struct slot *slot)
{
	pthread_mutex_lock(&client->slots_lock);
	const struct slot_login *login = *find_login(client, (unsigned)slot_record(slot)->number);
	bool found = login && login->slot == slot;
	pthread_mutex_unlock(&client->slots_lock);
	return found;
}

static void add_login(struct provider_client *client, struct slot *slot)
{
	struct slot_login *login = xnew(struct slot_login);

	pthread_mutex_lock(&client->slots_lock);
	*login = (struct slot_login){slot_ref(slot), client->slot_logins};
	client->slot_logins = login;
	pthread_mutex_unlock(&client->slots_lock);
}

/* False when there is none. */
static bool remove_login(struct provider_client *client, unsigned number)
{
	pthread_mutex_lock(&client->slots_lock);
	struct slot_login **position = find_login(client, number);
	struct slot_login *login = *position;
	if (login)
		*position = login->next;
	pthread_mutex_unlock(&client->slots_lock);
	if (!login)
		return false;
	provider_log_out_owner(client, login->slot);
	struct hsm *hsm = slot_hsm(login->slot, NULL);
	if (hsm)
		hsm_logout(hsm);
	slot_unref(login->slot);
	free(login);
	return true;
}

static void end_all(struct provider_client *client)
{
	provider_end_owners(client);
	while (client->slot_logins)
		remove_login(client, (unsigned)slot_record(client->slot_logins->slot)->number);
}

/* --- the audit trail --- */

/* What costs the caller nothing is written at most 30 times a minute. */
void provider_record(struct provider_client *client, const char *operation, const char *detail,
	const struct error *failure)
{
	struct services *services = client->services;
	struct error error _cleanup_error_ = ERROR_INIT;
	bool written = failure ? audit_write_refusal(services->store, &services->refusals,
					 client->actor, operation, NULL, 0, failure, detail, &error)
			       : audit_write(services->store, client->actor, operation, NULL, 0,
					 NULL, detail, &error);

	if (!written)
		log_error("audit record not written: %s", error_message(&error));
}

void provider_record_login(struct provider_client *client, const struct slot *slot,
	const char *operation, const struct error *failure)
{
	_cleanup_free_ char *detail = xasprintf("slot %s", slot_record(slot)->name);

	provider_record(client, operation, detail, failure);
}

static const char *const use_names[] = {[KEY_USE_SIGN] = "sign",
	[KEY_USE_DECRYPT] = "decrypt",
	[KEY_USE_DERIVE] = "derive",
	[KEY_USE_ENCRYPT] = "encrypt"};

static void record_use(struct provider_client *client, const struct slot *slot, enum key_use use,
	const char *label, const struct error *failure)
{
	_cleanup_free_ char *detail = xasprintf(
		"%s with key \"%s\" of slot %s", use_names[use], label, slot_record(slot)->name);

	provider_record(client, "use-key", detail, failure);
}

void provider_record_use(struct provider_client *client, const struct slot *slot, enum key_use use,
	const char *label)
{
	if (slot_record(slot)->audit_uses)
		record_use(client, slot, use, label, NULL);
}

/* --- who may --- */

/* A slot that the user may not use looks as if it were not there. */
struct slot *provider_visible_slot(
	struct provider_client *client, unsigned number, struct error *error)
{
	_cleanup_slot_ struct slot *slot =
		slots_find_number(client->services->slots, number, error);

	if (!slot || slot_is_visible(slot, provider_client_user(client)))
		return steal_pointer(&slot);
	struct error denial _cleanup_error_ = ERROR_INIT;
	error_set(&denial, ERROR_ACCESS_DENIED, "no rule of the slot is for this user");
	provider_record_login(client, slot, "use-slot", &denial);
	error_set(error, ERROR_NOT_FOUND, "there is no slot %u", number);
	return NULL;
}

static bool check_access(struct provider_client *client, struct slot *slot, const char *label,
	const struct provider_use *use, struct error *error)
{
	unsigned needed = slot_use_needs(use->use, use->mechanism);
	unsigned allowed = slot_allows(slot, provider_client_user(client), label);
	struct error denial _cleanup_error_ = ERROR_INIT;

	if ((allowed & needed) == needed)
		return true;
	error_set(&denial, ERROR_ACCESS_DENIED,
		"the rules of the slot \"%s\" do not let this user %s with the key \"%s\"",
		slot_record(slot)->name, use_names[use->use], label);
	record_use(client, slot, use->use, label, &denial);
	return error_move(error, &denial);
}

/* --- login --- */

static bool prove_pin(struct provider_client *client, struct slot *slot, struct hsm *hsm,
	const struct secret *pin, struct error *error)
{
	bool changed = false;

	if (!slot_may_try_pin(slot))
		return error_set(error, ERROR_PIN_BLOCKED,
			"too many wrong PINs: wait a minute and try again");
	if (!hsm_login(hsm, pin, &changed, error)) {
		if (error->code == ERROR_PIN_WRONG)
			slot_note_wrong_pin(slot);
		return false;
	}
	add_login(client, slot);
	if (changed)
		slot_touch(slot);
	return true;
}

/* Where the daemon keeps the PIN, programs that log in all the same are let: they prove nothing. */
static bool log_in(struct provider_client *client, unsigned number, const struct secret *pin,
	bool *audited, struct error *error)
{
	_cleanup_slot_ struct slot *slot = provider_visible_slot(client, number, error);
	struct error failure _cleanup_error_ = ERROR_INIT;

	*audited = true;
	if (!slot)
		return false;
	struct hsm *hsm = slot_hsm(slot, error);
	if (!hsm)
		return false;
	if (slot_record(slot)->pin != SLOT_PIN_CALLER)
		return true;
	pthread_mutex_lock(&client->login_lock);
	bool is_new = !has_login(client, slot);
	if (is_new)
		remove_login(client, number);
	bool done = is_new && prove_pin(client, slot, hsm, pin, &failure);
	pthread_mutex_unlock(&client->login_lock);
	if (!is_new)
		return error_set(error, ERROR_ALREADY_LOGGED_IN, "already logged in");
	provider_record_login(client, slot, "login", done ? NULL : &failure);
	return done || error_move(error, &failure);
}

static bool log_out(struct provider_client *client, unsigned number, struct error *error)
{
	pthread_mutex_lock(&client->login_lock);
	bool done = remove_login(client, number);
	pthread_mutex_unlock(&client->login_lock);
	if (done)
		return true;
	_cleanup_slot_ struct slot *slot = provider_visible_slot(client, number, error);
	if (!slot)
		return false;
	return slot_record(slot)->pin != SLOT_PIN_CALLER ||
	       error_set(error, ERROR_PIN_REQUIRED, "not logged in");
}

bool provider_is_logged_in(struct provider_client *client, const struct slot *slot)
{
	const struct slot_record *settings = slot_record(slot);

	return settings->pin != SLOT_PIN_CALLER || has_login(client, slot);
}

/* --- what is shown --- */

void slot_view_clear(struct slot_view *view)
{
	hsm_objects_unref(view->objects);
	hsm_objects_unref(view->own);
	free(view->shown);
	*view = (struct slot_view){0};
}

bool provider_may_see(struct provider_client *client, struct slot *slot,
	const struct hsm_object *object, bool logged_in)
{
	switch (object->object_class) {
	case CKO_PRIVATE_KEY:
	case CKO_SECRET_KEY:
		return slot_allows(slot, provider_client_user(client), object->label) != 0;
	default:
		return logged_in || !object->is_private;
	}
}

/* Adds those of a list; false when the page is full. */
static bool fill_view(struct provider_client *client, struct slot *slot, uint32_t after,
	const struct hsm_objects *objects, struct slot_view *view)
{
	bool logged_in = provider_is_logged_in(client, slot);

	for (size_t i = hsm_objects_after(objects, after); i < objects->count; i++) {
		const struct hsm_object *object = objects->items[i];
		if (object->number < HSM_SESSION_OBJECT &&
			!provider_may_see(client, slot, object, logged_in))
			continue;
		view->bytes += object->values.length + object->attribute_count * ATTRIBUTE_OVERHEAD;
		if (view->bytes > PAGE_BYTES_MAX && view->count > 0) {
			view->next = view->shown[view->count - 1]->number;
			return false;
		}
		view->shown[view->count++] = object;
	}
	return true;
}

bool provider_view_slot(struct provider_client *client, unsigned number, uint32_t after,
	struct slot_view *view, struct error *error)
{
	_cleanup_slot_ struct slot *slot = provider_visible_slot(client, number, error);
	struct hsm *hsm = slot ? slot_hsm(slot, error) : NULL;

	if (!hsm)
		return false;
	/* The generation first: what changes in between is read again. */
	view->generation = slot_generation(slot);
	view->pin_for_each_use = slot_record(slot)->pin == SLOT_PIN_CALLER;
	view->objects = hsm_objects(hsm);
	view->own = provider_own_objects(client, slot);
	size_t most = view->objects->count - hsm_objects_after(view->objects, after) +
		      (view->own ? view->own->count : 0);
	view->shown = xcalloc(most + 1, sizeof(*view->shown));
	if (fill_view(client, slot, after, view->objects, view) && view->own)
		fill_view(client, slot, after, view->own, view);
	return true;
}

/* --- use --- */

bool provider_check_use(struct provider_client *client, struct slot *slot,
	const struct provider_use *use, char **label, struct error *error)
{
	struct hsm *hsm = slot_hsm(slot, error);
	_cleanup_hsm_objects_ struct hsm_objects *objects =
		!hsm				 ? NULL
		: use->key >= HSM_SESSION_OBJECT ? provider_own_objects(client, slot)
						 : hsm_objects(hsm);
	const struct hsm_object *object = objects ? hsm_objects_find(objects, use->key) : NULL;

	if (!hsm)
		return false;
	if (!object)
		return error_set(error, ERROR_NOT_FOUND, "the slot has no key %u", use->key);
	if (use->key < HSM_SESSION_OBJECT) {
		*label = xstrdup(object->label);
		if (!check_access(client, slot, *label, use, error) ||
			!slot_keys_check_use(slot, object, error))
			return false;
	}
	return !object->is_private || provider_is_logged_in(client, slot) ||
	       error_set(error, ERROR_PIN_REQUIRED, "log in first");
}

static bool is_as_before(const struct provider_habit *habit, const struct provider_use *use)
{
	return habit->slot == use->slot && habit->key == use->key && habit->use == use->use &&
	       habit->mechanism == use->mechanism;
}

/* Whoever has signed twice in the same way will likely do it again after this one. */
static void prepare_next(struct slot *slot, const struct provider_use *use)
{
	struct provider_habit *habit = use->habit;
	struct hsm *hsm = slot_hsm(slot, NULL);

	if (habit)
		habit->is_prepared = hsm && habit->times >= 2 && is_as_before(habit, use) &&
				     hsm_make_ready_aside(hsm, use->key, use->use, use->mechanism);
}

/* A use that was let and done. */
static void note_habit(const struct provider_use *use)
{
	struct provider_habit *habit = use->habit;

	if (!habit)
		return;
	*habit = (struct provider_habit){.slot = use->slot,
		.key = use->key,
		.use = use->use,
		.mechanism = use->mechanism,
		.times = is_as_before(habit, use) ? habit->times + 1 : 1,
		.is_fresh = !habit->is_prepared};
}

static bool use_key(
	struct provider_client *client, const struct provider_use *use, struct error *error)
{
	_cleanup_slot_ struct slot *slot = provider_visible_slot(client, use->slot, error);
	_cleanup_free_ char *label = NULL;
	const struct hsm_request request = {.operation = (enum hsm_operation)use->use,
		.object = use->key,
		.mechanism = use->mechanism,
		.parameter = use->parameter,
		.input = READER_INIT(use->input, use->length),
		.pin = use->pin};
	struct hsm_reply reply = {.output = use->output};

	if (!slot || !provider_check_use(client, slot, use, &label, error))
		return false;
	prepare_next(slot, use);
	bool done = hsm_call(
		slot_hsm(slot, NULL), provider_owner(client, slot, false), &request, &reply, error);
	if (!done && error && error->code == ERROR_PIN_WRONG)
		provider_record_login(client, slot, "login", error);
	if (done)
		note_habit(use);
	if (done && label)
		provider_record_use(client, slot, use->use, label);
	return done;
}

/* --- what comes next --- */

/* By this thread, where no other one does it. */
static void make_ready(struct provider_client *client, struct provider_habit *habit)
{
	if (!habit->is_fresh || habit->times < 2)
		return;
	habit->is_fresh = false;
	_cleanup_slot_ struct slot *slot =
		slots_find_number(client->services->slots, habit->slot, NULL);
	struct hsm *hsm = slot ? slot_hsm(slot, NULL) : NULL;
	if (hsm)
		hsm_make_ready(hsm, habit->key, habit->use, habit->mechanism);
}

const struct provider_kind provider_slots = {.end = end_all,
	.login = log_in,
	.idle = make_ready,
	.logout = log_out,
	.use_key = use_key,
	.change_pin = provider_slot_change_pin,
	.change_officer_pin = provider_slot_change_officer_pin,
	.check_code = provider_slot_check_code,
	.init_pin = provider_slot_init_pin};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/contact-private.h"

#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/log.h"

/* How long a caller waits for a card that was just inserted to be read. */
#define FIRST_CONTACT_SECONDS 10

struct contact *contact_find(struct contacts *contacts, unsigned number)
{
	return number > 0 && number <= contacts->count && contacts->items[number - 1]->attached
		       ? contacts->items[number - 1]
		       : NULL;
}

void contact_touch(struct contacts *contacts, struct contact *contact)
{
	contact->generation = ++contacts->generation;
}

void contact_notify(struct contacts *contacts, unsigned number, bool gone)
{
	contacts->changed(contacts->context, number, gone);
}

/* --- life --- */

struct contacts *contacts_new(struct services *services, contacts_changed changed, void *context)
{
	struct contacts *contacts = xnew(struct contacts);

	contacts->services = services;
	contacts->changed = changed;
	contacts->context = context;
	pthread_mutex_init(&contacts->lock, NULL);
	pthread_cond_init(&contacts->settled, NULL);
	return contacts;
}

bool contacts_start(struct contacts *contacts, struct error *error)
{
	contacts->watch = reader_watch_start(&contact_events, contacts, error);
	return contacts->watch != NULL;
}

void contacts_free(struct contacts *contacts)
{
	if (!contacts)
		return;
	if (contacts->watch)
		reader_watch_stop(contacts->watch);
	pthread_mutex_lock(&contacts->lock);
	while (contacts->first_contacts > 0)
		pthread_cond_wait(&contacts->settled, &contacts->lock);
	pthread_mutex_unlock(&contacts->lock);
	for (size_t i = 0; i < contacts->count; i++) {
		contact_view_clear(&contacts->items[i]->view);
		buffer_clear(&contacts->items[i]->atr);
		remote_reader_unref(contacts->items[i]->remote);
		free(contacts->items[i]->reader_name);
		free(contacts->items[i]->user_name);
		free(contacts->items[i]);
	}
	free(contacts->items);
	free(contacts->claims);
	pthread_mutex_destroy(&contacts->lock);
	pthread_cond_destroy(&contacts->settled);
	free(contacts);
}

/* --- queries --- */

bool contacts_service_available(struct contacts *contacts)
{
	pthread_mutex_lock(&contacts->lock);
	bool available = contacts->service_available;
	pthread_mutex_unlock(&contacts->lock);
	return available;
}

uint64_t contacts_next_generation(struct contacts *contacts)
{
	pthread_mutex_lock(&contacts->lock);
	uint64_t generation = ++contacts->generation;
	pthread_mutex_unlock(&contacts->lock);
	return generation;
}

uint64_t contacts_generation(struct contacts *contacts)
{
	pthread_mutex_lock(&contacts->lock);
	uint64_t generation = contacts->generation;
	pthread_mutex_unlock(&contacts->lock);
	return generation;
}

unsigned *contacts_list(struct contacts *contacts, size_t *count)
{
	pthread_mutex_lock(&contacts->lock);
	unsigned *numbers = xcalloc(contacts->count, sizeof(*numbers));
	*count = 0;
	for (size_t i = 0; i < contacts->count; i++) {
		if (contacts->items[i]->attached)
			numbers[(*count)++] = contacts->items[i]->number;
	}
	pthread_mutex_unlock(&contacts->lock);
	return numbers;
}

void contact_status_clear(struct contact_status *status)
{
	free(status->reader_name);
	free(status->user_name);
	buffer_clear(&status->atr);
	free(status->card_type);
	free(status->model);
	free(status->manufacturer);
	free(status->serial);
	free(status->label);
	free(status->problem);
	credential_free(status->credential);
	*status = (struct contact_status){0};
}

static const char *label_of(const struct contact_view *view)
{
	const char *name = view->credential ? fields_get(&view->credential->holder, "name") : NULL;

	return name ? name : view->card->info.model;
}

static bool wants_no_pin(const struct contact_view *view)
{
	for (size_t i = 0; i < view->key_count; i++) {
		if (view->keys[i].pin != PIN_USE_NEVER)
			return false;
	}
	return view->key_count > 0;
}

static void copy_card(struct contact_status *status, const struct contact_view *view)
{
	const struct card_info *info = &view->card->info;

	status->is_encrypted = info->is_encrypted;
	status->model = xstrdup(info->model);
	status->manufacturer = xstrdup(info->manufacturer);
	status->serial = xstrdup(info->serial);
	status->label = xstrdup(label_of(view));
	status->pin_minimum = info->pin_minimum;
	status->pin_maximum = info->pin_maximum;
	status->pin = view->pin;
	status->pin_expires_at = view->pin_expires_at;
	status->unblock_code_until = view->unblock_code_until;
	status->certificates_end = view->certificates_end;
	status->without_pin = wants_no_pin(view);
	if (!view->credential)
		return;
	status->credential = credential_copy(view->credential);
	credential_apply_expiry(status->credential, time(NULL)); /* may have come since */
}

/* What a card without driver is. */
static void copy_type(struct contact_status *status, const struct card_type *type)
{
	status->card_type = xstrdup(type->name);
	if (!status->model)
		status->model = xstrdup(type->title);
	if (!status->manufacturer)
		status->manufacturer = xstrdup(type->manufacturer);
}

bool contacts_status(struct contacts *contacts, unsigned number, struct contact_status *status,
	struct error *error)
{
	contact_status_clear(status);
	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = contact_find(contacts, number);
	if (contact) {
		status->number = number;
		status->reader_name = xstrdup(contact->reader_name);
		status->is_remote = contact->is_remote;
		status->user = contact->user;
		status->user_name = xstrdup(contact->user_name);
		status->card_present = contact->card_present;
		buffer_append(&status->atr, contact->atr.data, contact->atr.length);
		status->problem = xstrdup(contact->view.problem);
		status->generation = contact->generation;
		if (contact->view.card)
			copy_card(status, &contact->view);
		if (contact->view.type)
			copy_type(status, contact->view.type);
	}
	pthread_mutex_unlock(&contacts->lock);
	if (!contact)
		return error_set(error, ERROR_NOT_FOUND, "there is no reader %u", number);
	return true;
}

/* How near a reader is to somebody: 0 for one out of reach. */
static int nearness(const struct contact *contact, const struct contact_reach *reach)
{
	if (!contact->is_remote)
		return 3;
	if (reach->kind != REACH_HERE && contact->user == reach->user)
		return 2;
	return reach->kind == REACH_ALL;
}

unsigned contacts_find_within(
	struct contacts *contacts, const struct contact_reach *reach, int64_t credential_id)
{
	unsigned number = 0;
	int nearest = 0;

	pthread_mutex_lock(&contacts->lock);
	for (size_t i = 0; i < contacts->count; i++) {
		const struct contact *contact = contacts->items[i];
		const struct credential *credential = contact->view.credential;
		if (!credential || credential->id != credential_id ||
			nearness(contact, reach) <= nearest)
			continue;
		number = contact->number;
		nearest = nearness(contact, reach);
	}
	pthread_mutex_unlock(&contacts->lock);
	return number;
}

unsigned contacts_find(struct contacts *contacts, int64_t credential_id)
{
	static const struct contact_reach everywhere = {.kind = REACH_ALL, .user = (uid_t)-1};

	return contacts_find_within(contacts, &everywhere, credential_id);
}

bool contact_check_reach(
	const struct contact_status *status, const struct contact_reach *reach, struct error *error)
{
	const struct contact contact = {.is_remote = status->is_remote, .user = status->user};

	return nearness(&contact, reach) > 0 ||
	       error_set(error, ERROR_ACCESS_DENIED,
		       "reader %u is on the machine of user %s, and not for this use by you",
		       status->number, status->user_name);
}

/* Under the lock. */
static bool being_read(const struct contact *contact)
{
	return contact->attached && contact->card_present && !contact->view.problem &&
	       !contact->view.card;
}

/* number 0: any within reach. */
static bool any_being_read(
	struct contacts *contacts, unsigned number, const struct contact_reach *reach)
{
	bool found = false;

	for (size_t i = 0; i < contacts->count && !found; i++) {
		const struct contact *contact = contacts->items[i];
		found = (number ? contact->number == number : nearness(contact, reach) > 0) &&
			being_read(contact);
	}
	return found;
}

static void await_any(struct contacts *contacts, unsigned number, const struct contact_reach *reach)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += FIRST_CONTACT_SECONDS;
	pthread_mutex_lock(&contacts->lock);
	while (contacts->first_contacts > 0 && any_being_read(contacts, number, reach) &&
		pthread_cond_timedwait(&contacts->settled, &contacts->lock, &until) == 0)
		;
	pthread_mutex_unlock(&contacts->lock);
}

void contacts_await(struct contacts *contacts, unsigned number)
{
	static const struct contact_reach here = {.kind = REACH_HERE};

	await_any(contacts, number, &here);
}

void contacts_await_within(struct contacts *contacts, const struct contact_reach *reach)
{
	await_any(contacts, 0, reach);
}

/* Why the card cannot be used, in the caller's error. Under the lock. */
static bool usable(const struct contact *contact, unsigned number, struct error *error)
{
	if (!contact)
		return error_set(error, ERROR_NOT_FOUND, "there is no reader %u", number);
	if (!contact->card_present)
		return error_set(error, ERROR_NO_CARD, "there is no card in reader %u", number);
	if (contact->view.problem)
		return error_set(error,
			contact->view.problem_code == ERROR_CARD_UNKNOWN ? ERROR_CARD_UNKNOWN
									 : ERROR_CARD_FAILED,
			"%s", contact->view.problem);
	if (!contact->view.card)
		return error_set(
			error, ERROR_BUSY, "the card in reader %u is still being read", number);
	return true;
}

bool contacts_keys(struct contacts *contacts, unsigned number, uint64_t *generation,
	struct contact_key **keys, size_t *count, struct error *error)
{
	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = contact_find(contacts, number);
	bool ok = usable(contact, number, error);
	if (ok) {
		const struct contact_view *view = &contact->view;
		*generation = contact->generation;
		*count = view->key_count;
		*keys = xcalloc(view->key_count, sizeof(**keys));
		for (size_t i = 0; i < view->key_count; i++) {
			const struct contact_key *from = &view->keys[i];
			struct contact_key *to = &(*keys)[i];
			*to = (struct contact_key){.slot = from->slot,
				.label = xstrdup(from->label),
				.algorithm = from->algorithm,
				.pin = from->pin};
			buffer_append(
				&to->certificate, from->certificate.data, from->certificate.length);
			buffer_append(
				&to->public_key, from->public_key.data, from->public_key.length);
		}
	}
	pthread_mutex_unlock(&contacts->lock);
	return ok;
}

bool contacts_key_info(struct contacts *contacts, unsigned number, key_slot slot,
	enum key_algorithm *algorithm, enum pin_use *pin)
{
	bool found = false;

	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = contact_find(contacts, number);
	for (size_t i = 0; contact && !found && i < contact->view.key_count; i++) {
		const struct contact_key *key = &contact->view.keys[i];
		found = key->slot == slot;
		if (found) {
			*algorithm = key->algorithm;
			*pin = key->pin;
		}
	}
	pthread_mutex_unlock(&contacts->lock);
	return found;
}

static struct card *usable_card(struct contacts *contacts, unsigned number, struct error *error)
{
	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = contact_find(contacts, number);
	struct card *card = usable(contact, number, error) ? card_ref(contact->view.card) : NULL;
	pthread_mutex_unlock(&contacts->lock);
	return card;
}

struct card *contacts_card(struct contacts *contacts, unsigned number, struct error *error)
{
	contact_retry(contacts, number, false, NULL);
	return usable_card(contacts, number, error);
}

struct card *contacts_card_claimed(
	struct contacts *contacts, unsigned number, const char *serial, struct error *error)
{
	contact_retry(contacts, number, false, serial);
	return usable_card(contacts, number, error);
}

struct transport *contacts_open(struct contacts *contacts, unsigned number, struct error *error)
{
	struct contact_place place = {0};

	pthread_mutex_lock(&contacts->lock);
	const struct contact *contact = contact_find(contacts, number);
	if (contact)
		place = contact_place_of(contact);
	pthread_mutex_unlock(&contacts->lock);
	if (!contact) {
		error_set(error, ERROR_NOT_FOUND, "there is no reader %u", number);
		return NULL;
	}
	struct transport *transport = contact_place_open(&place, error);
	contact_place_clear(&place);
	return transport;
}

/* --- changes --- */

/* The card is read into a view of its own first: no device is touched under the lock. */
void contacts_refresh(struct contacts *contacts, unsigned number, bool objects)
{
	struct contact_view fresh = CONTACT_VIEW_INIT;

	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = contact_find(contacts, number);
	if (contact && contact->view.card)
		fresh.card = card_ref(contact->view.card);
	if (contact && contact->view.type)
		fresh.type = card_type_ref(contact->view.type);
	pthread_mutex_unlock(&contacts->lock);
	if (!fresh.card) {
		contact_view_clear(&fresh);
		return;
	}
	contact_view_refresh(&fresh, contacts->services, objects);
	pthread_mutex_lock(&contacts->lock);
	contact = contact_find(contacts, number);
	bool same = contact && contact->view.card == fresh.card;
	if (same) {
		if (!objects) {
			contact_keys_free(fresh.keys, fresh.key_count);
			fresh.keys = steal_pointer(&contact->view.keys);
			fresh.key_count = contact->view.key_count;
			fresh.certificates_end = contact->view.certificates_end;
			contact->view.key_count = 0;
		}
		contact_view_clear(&contact->view);
		contact->view = fresh;
		fresh = (struct contact_view)CONTACT_VIEW_INIT;
		contact_touch(contacts, contact);
	}
	pthread_mutex_unlock(&contacts->lock);
	contact_view_clear(&fresh);
	if (same)
		contact_notify(contacts, number, false);
}

void contacts_note_pin(
	struct contacts *contacts, unsigned number, const struct card_secret_state *pin)
{
	bool changed = false;

	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = contact_find(contacts, number);
	if (contact && contact->view.card) {
		changed = contact->view.pin.tries_left != pin->tries_left ||
			  contact->view.pin.blocked != pin->blocked;
		contact->view.pin.tries_left = pin->tries_left;
		contact->view.pin.blocked = pin->blocked;
		if (changed)
			contact_touch(contacts, contact);
	}
	pthread_mutex_unlock(&contacts->lock);
	if (changed)
		contact_notify(contacts, number, false);
}

bool contacts_pin_has_expired(struct contacts *contacts, unsigned number)
{
	bool expired = false, news = false;

	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = contact_find(contacts, number);
	if (contact && contact->view.card && contact->view.pin_expires_at) {
		struct contact_view *view = &contact->view;
		expired = time(NULL) >= view->pin_expires_at;
		news = expired && !view->pin_expiry_told;
		view->pin_expiry_told |= expired;
		if (news)
			contact_touch(contacts, contact);
	}
	pthread_mutex_unlock(&contacts->lock);
	if (news)
		contact_notify(contacts, number, false);
	return expired;
}

unsigned contacts_count_login(
	struct contacts *contacts, unsigned number, const struct card *card, int change)
{
	unsigned logins = 0;

	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = contact_find(contacts, number);
	if (contact && contact->view.card == card) {
		if (change > 0)
			contact->logins++;
		else if (contact->logins > 0)
			contact->logins--;
		logins = contact->logins;
	}
	pthread_mutex_unlock(&contacts->lock);
	return logins;
}

void contacts_credential_changed(struct contacts *contacts, int64_t credential_id)
{
	unsigned number = contacts_find(contacts, credential_id);
	struct error error _cleanup_error_ = ERROR_INIT;

	if (number == 0)
		return;
	struct credential *fresh =
		store_credential_by_id(contacts->services->store, credential_id, &error);
	if (!fresh) {
		log_error("credential cannot be read: %s", error_message(&error));
		return;
	}
	int64_t unblock_code_until = contact_unblock_code_until(contacts->services, fresh);
	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = contact_find(contacts, number);
	if (contact && contact->view.credential && contact->view.credential->id == credential_id) {
		contact->view.unblock_code_until = unblock_code_until;
		credential_free(contact->view.credential);
		contact->view.credential = steal_pointer(&fresh);
		contact_touch(contacts, contact);
	}
	pthread_mutex_unlock(&contacts->lock);
	credential_free(fresh);
	contact_notify(contacts, number, false);
}

/* --- claims --- */

char *contact_claim_name(const char *serial, unsigned reader)
{
	return serial ? xstrdup(serial) : xasprintf("in reader %u", reader);
}

/* Index of the claim, or claim_count. Under the lock. */
static size_t find_claim(const struct contacts *contacts, const char *serial)
{
	size_t i = 0;

	while (i < contacts->claim_count && strcmp(contacts->claims[i], serial) != 0)
		i++;
	return i;
}

bool contacts_claim(struct contacts *contacts, const char *serial, struct error *error)
{
	pthread_mutex_lock(&contacts->lock);
	bool free_to_take = find_claim(contacts, serial) == contacts->claim_count;
	if (free_to_take) {
		contacts->claims = xreallocarray(
			contacts->claims, contacts->claim_count + 1, sizeof(*contacts->claims));
		contacts->claims[contacts->claim_count++] = xstrdup(serial);
	}
	pthread_mutex_unlock(&contacts->lock);
	if (!free_to_take)
		return error_set(error, ERROR_BUSY,
			"another operation is under way on card %s; wait until it has ended",
			serial);
	return true;
}

void contacts_release(struct contacts *contacts, const char *serial)
{
	pthread_mutex_lock(&contacts->lock);
	size_t i = find_claim(contacts, serial);
	if (i < contacts->claim_count) {
		free(contacts->claims[i]);
		contacts->claims[i] = contacts->claims[--contacts->claim_count];
	}
	pthread_mutex_unlock(&contacts->lock);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readers and cards that come and go, and the first contact with a card. */
#include <string.h>

#include <openssl/crypto.h>

#include "common/alloc.h"
#include "common/log.h"
#include "core/thread.h"
#include "operation/contact-private.h"
#include "operation/login.h"

#define THREAD_STACK_BYTES (512 * 1024)

struct first_contact {
	struct contacts *contacts;
	unsigned number;
	unsigned insertion;
	struct contact_place place;
};

/* One of the readers here. Under the lock. */
static struct contact *find_by_name(struct contacts *contacts, const char *reader_name)
{
	for (size_t i = 0; i < contacts->count; i++) {
		if (!contacts->items[i]->is_remote &&
			strcmp(contacts->items[i]->reader_name, reader_name) == 0)
			return contacts->items[i];
	}
	return NULL;
}

struct contact_place contact_place_of(const struct contact *contact)
{
	return (struct contact_place){.reader_name = xstrdup(contact->reader_name),
		.remote = contact->remote ? remote_reader_ref(contact->remote) : NULL,
		.is_remote = contact->is_remote};
}

static unsigned number_by_name(struct contacts *contacts, const char *reader_name)
{
	pthread_mutex_lock(&contacts->lock);
	const struct contact *contact = find_by_name(contacts, reader_name);
	unsigned number = contact ? contact->number : 0;
	pthread_mutex_unlock(&contacts->lock);
	return number;
}

struct contact *contact_add(struct contacts *contacts)
{
	struct contact *contact = xnew(struct contact);

	contact->number = (unsigned)contacts->count + 1;
	contacts->items =
		xreallocarray(contacts->items, contacts->count + 1, sizeof(*contacts->items));
	contacts->items[contacts->count++] = contact;
	return contact;
}

void contact_attach(struct contacts *contacts, struct contact *contact)
{
	contact->attached = true;
	contact_touch(contacts, contact);
	log_info("reader attached reader=%u name=%s", contact->number, contact->reader_name);
}

static void reader_added(void *context, const char *reader_name)
{
	struct contacts *contacts = context;

	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = find_by_name(contacts, reader_name);
	if (!contact) {
		contact = contact_add(contacts);
		contact->reader_name = xstrdup(reader_name);
	}
	contact_attach(contacts, contact);
	unsigned number = contact->number;
	pthread_mutex_unlock(&contacts->lock);
	contact_notify(contacts, number, false);
}

void contact_detach(struct contacts *contacts, struct contact *contact)
{
	contact->attached = false;
	contact_touch(contacts, contact);
	log_info("reader removed reader=%u name=%s", contact->number, contact->reader_name);
}

static void reader_removed(void *context, const char *reader_name)
{
	struct contacts *contacts = context;
	unsigned number = 0;

	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = find_by_name(contacts, reader_name);
	if (contact) {
		contact_detach(contacts, contact);
		number = contact->number;
	}
	pthread_mutex_unlock(&contacts->lock);
	if (number)
		contact_notify(contacts, number, true);
}

/* Keeps the view unless the card went while it was read. */
static bool publish(
	struct contacts *contacts, const struct first_contact *first, struct contact_view *view)
{
	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = contact_find(contacts, first->number);
	bool current = contact && contact->card_present && contact->insertion == first->insertion;
	if (current) {
		contact_view_clear(&contact->view);
		contact->view = *view;
		*view = (struct contact_view)CONTACT_VIEW_INIT;
		contact_touch(contacts, contact);
	}
	pthread_mutex_unlock(&contacts->lock);
	return current;
}

static void first_contact_free(struct first_contact *first)
{
	contact_place_clear(&first->place);
	free(first);
}

static void end_first_contact(struct contacts *contacts, unsigned number)
{
	pthread_mutex_lock(&contacts->lock);
	contacts->first_contacts--;
	contacts->items[number - 1]->being_read--;
	pthread_cond_broadcast(&contacts->settled);
	pthread_mutex_unlock(&contacts->lock);
}

static void *read_first_contact(void *argument)
{
	struct first_contact *first = argument;
	struct contacts *contacts = first->contacts;
	struct contact_view view = CONTACT_VIEW_INIT;

	contact_view_open(&view, contacts->services, &first->place, NULL);
	if (publish(contacts, first, &view))
		contact_notify(contacts, first->number, false);
	contact_view_clear(&view);
	unsigned number = first->number;
	first_contact_free(first);
	OPENSSL_thread_stop(); /* the process may end before this thread has */
	end_first_contact(contacts, number);
	return NULL;
}

/* contacts_free() waits for these threads through first_contacts. */
static void start_first_contact(struct contacts *contacts, struct first_contact *first)
{
	if (thread_start_detached(NULL, read_first_contact, first, THREAD_STACK_BYTES) == 0)
		return;
	log_error("no thread for the card in reader=%u", first->number);
	end_first_contact(contacts, first->number);
	first_contact_free(first);
}

/* Under the lock. */
static struct contact *find_reader(
	struct contacts *contacts, unsigned number, const struct remote_reader *remote)
{
	struct contact *contact = contact_find(contacts, number);

	return contact && contact->remote == remote ? contact : NULL;
}

/* Counts the thread that will read the card. Under the lock. */
static struct first_contact *first_contact_new(struct contacts *contacts, struct contact *contact)
{
	struct first_contact *first = xnew(struct first_contact);

	*first = (struct first_contact){
		contacts, contact->number, contact->insertion, contact_place_of(contact)};
	contacts->first_contacts++;
	contact->being_read++;
	return first;
}

void contact_put_card_in(struct contacts *contacts, unsigned number,
	const struct remote_reader *remote, const uint8_t *atr, size_t atr_length)
{
	struct first_contact *first = NULL;

	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = find_reader(contacts, number, remote);
	if (contact) {
		contact->card_present = true;
		contact->insertion++;
		buffer_clear(&contact->atr);
		buffer_append(&contact->atr, atr, atr_length);
		contact_touch(contacts, contact);
		first = first_contact_new(contacts, contact);
	}
	pthread_mutex_unlock(&contacts->lock);
	if (!first)
		return;
	log_info("card inserted reader=%u", first->number);
	contact_notify(contacts, first->number, false);
	start_first_contact(contacts, first);
}

static void card_inserted(
	void *context, const char *reader_name, const uint8_t *atr, size_t atr_length)
{
	contact_put_card_in(context, number_by_name(context, reader_name), NULL, atr, atr_length);
}

void contact_take_card_out(
	struct contacts *contacts, unsigned number, const struct remote_reader *remote)
{
	struct contact_view view = CONTACT_VIEW_INIT;

	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = find_reader(contacts, number, remote);
	if (contact) {
		contact->card_present = false;
		contact->insertion++;
		contact->logins = 0;
		buffer_clear(&contact->atr);
		view = contact->view;
		contact->view = (struct contact_view)CONTACT_VIEW_INIT;
		contact_touch(contacts, contact);
	}
	pthread_mutex_unlock(&contacts->lock);
	if (view.card)
		atomic_fetch_add(&view.card->epoch, 1);
	if (view.card && view.card->info.serial && contacts->services->logins)
		logins_card_removed(contacts->services->logins, number, view.card->info.serial);
	contact_view_clear(&view);
	if (!contact)
		return;
	log_info("card removed reader=%u", number);
	contact_notify(contacts, number, false);
}

static void card_removed(void *context, const char *reader_name)
{
	contact_take_card_out(context, number_by_name(context, reader_name), NULL);
}

static void service_changed(void *context, bool available)
{
	struct contacts *contacts = context;

	pthread_mutex_lock(&contacts->lock);
	contacts->service_available = available;
	pthread_mutex_unlock(&contacts->lock);
	if (available)
		log_info("pcscd is there");
	else
		log_warning("pcscd is not running: waiting for it");
	contact_notify(contacts, 0, false);
}

const struct reader_events contact_events = {
	.reader_added = reader_added,
	.reader_removed = reader_removed,
	.card_inserted = card_inserted,
	.card_removed = card_removed,
	.service_changed = service_changed,
};

/* Whether the card in a reader is worth another look. Under the lock. */
static bool wants_look(const struct contact *contact, bool others)
{
	return contact && contact->card_present &&
	       (contact->view.problem ||
		       (others && contact->view.card && !contact->view.credential));
}

void contact_retry(struct contacts *contacts, unsigned number, bool others, const char *claimed)
{
	struct first_contact again = {.contacts = contacts, .number = number};
	struct contact_view view = CONTACT_VIEW_INIT;

	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = contact_find(contacts, number);
	if (wants_look(contact, others)) {
		again.insertion = contact->insertion;
		again.place = contact_place_of(contact);
	}
	pthread_mutex_unlock(&contacts->lock);
	if (!again.place.reader_name)
		return;
	contact_view_open(&view, contacts->services, &again.place, claimed);
	if (publish(contacts, &again, &view))
		contact_notify(contacts, number, false);
	contact_view_clear(&view);
	contact_place_clear(&again.place);
}

/* Nobody waits for a card on another machine but who wants that one. */
static bool retry_aside(struct contacts *contacts, unsigned number, bool others)
{
	struct first_contact *first = NULL;

	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = contact_find(contacts, number);
	bool is_remote = contact && contact->is_remote;
	if (is_remote && contact->being_read == 0 && wants_look(contact, others))
		first = first_contact_new(contacts, contact);
	pthread_mutex_unlock(&contacts->lock);
	if (first)
		start_first_contact(contacts, first);
	return is_remote;
}

/* The claim keeps verbs away from a card that is about to be another object. */
static void look_again(struct contacts *contacts, unsigned number)
{
	_cleanup_contact_status_ struct contact_status status = {0};

	if (retry_aside(contacts, number, true) ||
		!contacts_status(contacts, number, &status, NULL))
		return;
	_cleanup_free_ char *name = contact_claim_name(status.serial, number);
	if (!contacts_claim(contacts, name, NULL))
		return;
	contact_retry(contacts, number, true, name);
	contacts_release(contacts, name);
}

void contacts_look_again(struct contacts *contacts)
{
	size_t count;
	_cleanup_free_ unsigned *numbers = contacts_list(contacts, &count);

	for (size_t i = 0; i < count; i++)
		look_again(contacts, numbers[i]);
}

void contacts_retry(struct contacts *contacts)
{
	size_t count;
	_cleanup_free_ unsigned *numbers = contacts_list(contacts, &count);

	for (size_t i = 0; i < count; i++) {
		if (!retry_aside(contacts, numbers[i], false))
			contact_retry(contacts, numbers[i], false, NULL);
	}
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readers on other machines among the contacts. Agents are strangers: what they can have is
 * counted. */
#include <string.h>

#include "card/transport-remote.h"
#include "common/alloc.h"
#include "operation/contact-private.h"

#define READERS_OF_A_USER_MAX 8
#define READERS_MAX	      64
#define NAME_BYTES_MAX	      128

/* Under the lock, as all up to the functions of contact.h. */
static struct contact *find_offer(struct contacts *contacts, const struct remote_reader *remote)
{
	for (size_t i = 0; i < contacts->count; i++) {
		if (contacts->items[i]->remote == remote)
			return contacts->items[i];
	}
	return NULL;
}

static bool check_room(const struct contacts *contacts, uid_t user, struct error *error)
{
	unsigned all = 0, of_user = 0;

	for (size_t i = 0; i < contacts->count; i++) {
		const struct contact *contact = contacts->items[i];
		all += contact->remote != NULL;
		of_user += contact->remote != NULL && contact->user == user;
	}
	if (of_user >= READERS_OF_A_USER_MAX)
		return error_set(error, ERROR_BUSY, "you offer %u readers already", of_user);
	return all < READERS_MAX ||
	       error_set(error, ERROR_BUSY, "too many readers of other machines are offered");
}

/* The entry that had this name before, or one that nobody needs, or a new one. */
static struct contact *entry_for(struct contacts *contacts, uid_t user, const char *name)
{
	struct contact *free_entry = NULL;

	for (size_t i = 0; i < contacts->count; i++) {
		struct contact *contact = contacts->items[i];
		if (!contact->is_remote || contact->remote || contact->being_read > 0)
			continue;
		if (contact->user == user && strcmp(contact->reader_name, name) == 0)
			return contact;
		free_entry = contact;
	}
	size_t entries = 0;
	for (size_t i = 0; i < contacts->count; i++)
		entries += contacts->items[i]->is_remote;
	return entries < 2 * READERS_MAX || !free_entry ? contact_add(contacts) : free_entry;
}

/* The reader of that name whose agent is still thought to be there, or NULL. A reference. */
static struct remote_reader *find_former(
	const struct contacts *contacts, uid_t user, const char *name)
{
	for (size_t i = 0; i < contacts->count; i++) {
		const struct contact *contact = contacts->items[i];
		if (contact->remote && contact->user == user &&
			strcmp(contact->reader_name, name) == 0)
			return remote_reader_ref(contact->remote);
	}
	return NULL;
}

static unsigned add(struct contacts *contacts, const struct remote_offer *offer, const char *name,
	struct error *error)
{
	if (!check_room(contacts, offer->user, error))
		return 0;
	struct contact *contact = entry_for(contacts, offer->user, name);
	free(contact->reader_name);
	free(contact->user_name);
	contact->reader_name = xstrdup(name);
	contact->user_name = xstrdup(offer->user_name);
	contact->user = offer->user;
	contact->is_remote = true;
	contact->remote = remote_reader_ref(offer->remote);
	contact_attach(contacts, contact);
	return contact->number;
}

/* --- names --- */

/* Short, and nothing in it that would do something to a terminal; valid UTF-8 comes in. */
static bool is_name(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)name[i];
		/* C1 controls are C2 80 to C2 9F. */
		if (byte < 0x20 || byte == 0x7F ||
			(byte == 0xC2 && (unsigned char)name[i + 1] < 0xA0))
			return false;
	}
	return length > 0 && length <= NAME_BYTES_MAX;
}

static char *make_name(const struct remote_offer *offer, struct error *error)
{
	if (is_name(offer->machine) && !strpbrk(offer->machine, " :@") &&
		is_name(offer->reader_name))
		return xasprintf("%s@%s: %s", offer->user_name, offer->machine, offer->reader_name);
	error_set(error, ERROR_INVALID_ARGUMENT,
		"names of machine and reader are of 1 to %u bytes, without control characters",
		NAME_BYTES_MAX);
	return NULL;
}

/* --- what agents do --- */

unsigned contacts_offer(
	struct contacts *contacts, const struct remote_offer *offer, struct error *error)
{
	_cleanup_free_ char *name = make_name(offer, error);

	if (!name)
		return 0;
	pthread_mutex_lock(&contacts->lock);
	struct remote_reader *former = find_former(contacts, offer->user, name);
	pthread_mutex_unlock(&contacts->lock);
	if (former) {
		contacts_withdraw(contacts, former);
		remote_reader_unref(former);
	}
	pthread_mutex_lock(&contacts->lock);
	unsigned number = add(contacts, offer, name, error);
	pthread_mutex_unlock(&contacts->lock);
	if (number)
		contact_notify(contacts, number, false);
	return number;
}

bool contacts_offer_inserted(struct contacts *contacts, struct remote_reader *remote,
	const struct remote_card *card, struct error *error)
{
	const struct contact *contact;

	contacts_offer_removed(contacts, remote);
	pthread_mutex_lock(&contacts->lock);
	while ((contact = find_offer(contacts, remote)) && contact->being_read > 0)
		pthread_cond_wait(&contacts->settled, &contacts->lock);
	unsigned number = contact ? contact->number : 0;
	pthread_mutex_unlock(&contacts->lock);
	if (number == 0)
		return error_set(error, ERROR_NOT_FOUND, "the reader is offered by another agent");
	if (!remote_reader_insert(remote, card, error))
		return false;
	contact_put_card_in(contacts, number, remote, card->atr, card->atr_length);
	return true;
}

void contacts_offer_removed(struct contacts *contacts, struct remote_reader *remote)
{
	remote_reader_remove(remote);
	pthread_mutex_lock(&contacts->lock);
	const struct contact *contact = find_offer(contacts, remote);
	unsigned number = contact && contact->card_present ? contact->number : 0;
	pthread_mutex_unlock(&contacts->lock);
	if (number)
		contact_take_card_out(contacts, number, remote);
}

void contacts_withdraw(struct contacts *contacts, struct remote_reader *remote)
{
	remote_reader_close(remote);
	contacts_offer_removed(contacts, remote);
	pthread_mutex_lock(&contacts->lock);
	struct contact *contact = find_offer(contacts, remote);
	unsigned number = contact ? contact->number : 0;
	if (contact) {
		contact->remote = NULL;
		contact_detach(contacts, contact);
	}
	pthread_mutex_unlock(&contacts->lock);
	if (number == 0)
		return;
	contact_notify(contacts, number, true);
	remote_reader_unref(remote);
}

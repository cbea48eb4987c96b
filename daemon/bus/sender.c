/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/sender.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "dbus/message.h"

#define SENDERS_MAX 256
#define WAITING_MAX 64

struct sender *senders_find(struct senders *senders, const char *name)
{
	for (size_t i = 0; i < senders->count; i++) {
		if (strcmp(senders->items[i].name, name) == 0) {
			senders->items[i].used = ++senders->uses;
			return &senders->items[i];
		}
	}
	return NULL;
}

struct sender *senders_find_question(struct senders *senders, dbus_uint32_t serial)
{
	for (size_t i = 0; i < senders->count; i++) {
		if (!senders->items[i].is_known && senders->items[i].serial == serial)
			return &senders->items[i];
	}
	return NULL;
}

static void sender_clear(struct sender *sender)
{
	for (size_t i = 0; i < sender->waiting_count; i++)
		dbus_message_unref(sender->waiting[i]);
	free(sender->waiting);
	free(sender->name);
	free(sender->caller);
	free(sender->actor);
}

void senders_remove(struct senders *senders, struct sender *sender)
{
	sender_clear(sender);
	*sender = senders->items[--senders->count];
}

void senders_clear(struct senders *senders)
{
	while (senders->count > 0)
		senders_remove(senders, &senders->items[senders->count - 1]);
	free(senders->items);
	*senders = (struct senders){0};
}

static void forget_one(struct senders *senders)
{
	struct sender *oldest = &senders->items[0];

	for (size_t i = 1; i < senders->count; i++) {
		if (senders->items[i].used < oldest->used)
			oldest = &senders->items[i];
	}
	senders_remove(senders, oldest);
}

struct sender *senders_add(struct senders *senders, const char *name)
{
	if (!senders->items)
		senders->items = xcalloc(SENDERS_MAX, sizeof(*senders->items));
	if (senders->count == SENDERS_MAX)
		forget_one(senders);
	struct sender *sender = &senders->items[senders->count++];
	*sender = (struct sender){.name = xstrdup(name),
		.caller = xasprintf("system %s", name),
		.used = ++senders->uses};
	return sender;
}

bool sender_keep(struct sender *sender, DBusMessage *message)
{
	if (sender->waiting_count == WAITING_MAX)
		return false;
	sender->waiting =
		xreallocarray(sender->waiting, sender->waiting_count + 1, sizeof(DBusMessage *));
	sender->waiting[sender->waiting_count++] = dbus_message_ref(message);
	return true;
}

/* An entry of a{sv} whose value is a number. */
static bool entry_number(DBusMessageIter *entries, const char *name, uint32_t *number)
{
	DBusMessageIter entry, value;

	dbus_message_iter_recurse(entries, &entry);
	if (strcmp(message_read_string(&entry), name) != 0)
		return false;
	dbus_message_iter_recurse(&entry, &value);
	if (dbus_message_iter_get_arg_type(&value) != DBUS_TYPE_UINT32)
		return false;
	*number = message_read_u32(&value);
	return true;
}

bool credentials_read(DBusMessage *reply, uid_t *uid, pid_t *pid)
{
	DBusMessageIter iter, entries;
	uint32_t user = 0, process = 0;
	bool found = false;

	if (!dbus_message_has_signature(reply, "a{sv}"))
		return false;
	dbus_message_iter_init(reply, &iter);
	dbus_message_iter_recurse(&iter, &entries);
	for (; dbus_message_iter_get_arg_type(&entries) != DBUS_TYPE_INVALID;
		dbus_message_iter_next(&entries)) {
		found |= entry_number(&entries, "UnixUserID", &user);
		entry_number(&entries, "ProcessID", &process);
	}
	*uid = user;
	*pid = (pid_t)process;
	return found;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Slot's methods for keys that are credentials. */
#include <string.h>

#include "bus/bus-private.h"
#include "bus/verb.h"
#include "common/alloc.h"
#include "operation/slot-keys.h"

static bool read_option(
	void *context, const char *name, DBusMessageIter *value, struct error *error)
{
	struct verb *verb = context;

	if (strcmp(name, "pin") == 0)
		return option_read_secret(name, value, &verb->pin, error);
	if (verb->which == LIFECYCLE_ENROLL && strcmp(name, "existing-key") == 0)
		return option_read_bool(name, value, &verb->existing_key, error);
	if (verb->which == LIFECYCLE_ENROLL && strcmp(name, "expires-at") == 0)
		return option_read_i64(name, value, &verb->expires_at, error);
	if (verb->which == LIFECYCLE_RENEW && strcmp(name, "new-key") == 0)
		return option_read_bool(name, value, &verb->new_key, error);
	if (verb->which == LIFECYCLE_RETIRE && strcmp(name, "keep-key") == 0)
		return option_read_bool(name, value, &verb->keep_key, error);
	if (verb->which == LIFECYCLE_RETIRE && strcmp(name, "reason") == 0)
		return option_read_string(name, value, &verb->text, error);
	return option_unknown(name,
		verb->which == LIFECYCLE_ENROLL	 ? "existing-key, expires-at, pin"
		: verb->which == LIFECYCLE_RENEW ? "new-key, pin"
						 : "keep-key, pin, reason",
		error);
}

static struct verb *verb_of_slot(struct bus_call *call, enum lifecycle_verb which)
{
	struct verb *verb = verb_new(call, which);

	verb->slot = xstrdup(call->name);
	verb->label = xstrdup(message_read_string(&call->in));
	return verb;
}

static bool start(struct bus_call *call, struct verb **verb, struct error *error)
{
	_cleanup_free_ char *subject = xasprintf("%s, key %s", (*verb)->slot, (*verb)->label);

	return verb_start(call, steal_pointer(verb), subject, error);
}

bool slot_enroll_call(struct bus_call *call, struct error *error)
{
	_cleanup_verb_ struct verb *verb = verb_of_slot(call, LIFECYCLE_ENROLL);

	verb->text = xstrdup(message_read_string(&call->in));
	return read_fields(&call->in, &verb->holder, error) &&
	       options_each(&call->in, read_option, verb, error) && start(call, &verb, error);
}

/* Of a key that is there by now. */
static bool find_credential(struct bus_call *call, struct verb *verb, struct error *error)
{
	struct bus *bus = call->context;
	_cleanup_hsm_key_ struct hsm_key key = HSM_KEY_INIT;

	if (!slot_key_find(bus->services, verb->slot, verb->label, &key, error))
		return false;
	verb->credential_id = key.credential_id;
	return true;
}

static bool change(struct bus_call *call, enum lifecycle_verb which, struct error *error)
{
	_cleanup_verb_ struct verb *verb = verb_of_slot(call, which);

	return options_each(&call->in, read_option, verb, error) &&
	       find_credential(call, verb, error) && start(call, &verb, error);
}

bool slot_renew_call(struct bus_call *call, struct error *error)
{
	return change(call, LIFECYCLE_RENEW, error);
}

bool slot_retire_call(struct bus_call *call, struct error *error)
{
	return change(call, LIFECYCLE_RETIRE, error);
}

static void append_entry(DBusMessageIter *array, const struct slot_key_entry *entry)
{
	DBusMessageIter item;

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_string(&item, entry->label);
	message_append_bytes(&item, entry->id.data, entry->id.length);
	message_append_string(&item, entry->algorithm);
	append_number_path(&item, &credential_kind, entry->credential_id);
	message_append_string(&item, lifecycle_state_name(entry->state));
	message_append_string(&item, entry->subject);
	message_append_i64(&item, entry->not_after);
	message_close(array, &item);
}

bool slot_get_keys_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct slot_key_entry *entries;
	DBusMessageIter array;
	size_t count;

	if (!slot_key_list(
		    bus->services, (struct slot *)(uintptr_t)call->object, &entries, &count, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, SLOT_KEY_SIGNATURE, &array);
	for (size_t i = 0; i < count; i++)
		append_entry(&array, &entries[i]);
	message_close(&call->out, &array);
	slot_key_list_free(entries, count);
	return true;
}

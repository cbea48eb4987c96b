/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods of org.tessera1.Credential that keep the card's PIN: Update and Renew. */
#include <string.h>

#include "bus/bus-private.h"
#include "bus/verb.h"
#include "common/alloc.h"

static bool read_update_option(
	void *context, const char *name, DBusMessageIter *value, struct error *error)
{
	struct verb *verb = context;

	if (strcmp(name, "keep-fields") == 0)
		return option_read_bool(name, value, &verb->keep_fields, error);
	return strcmp(name, "reissue") == 0
		       ? option_read_bool(name, value, &verb->may_reissue, error)
		       : option_unknown(name, "reissue, keep-fields", error);
}

bool credential_reissue_keeping_fields(struct bus_call *call, struct error *error)
{
	_cleanup_verb_ struct verb *verb = credential_verb(call, LIFECYCLE_REISSUE);
	const char *template = message_read_string(&call->in);

	verb->text = template[0] ? xstrdup(template) : NULL;
	verb->keep_fields = true;
	return credential_start(call, &verb, error);
}

bool credential_update(struct bus_call *call, struct error *error)
{
	_cleanup_verb_ struct verb *verb = credential_verb(call, LIFECYCLE_UPDATE);

	return options_each(&call->in, read_update_option, verb, error) &&
	       credential_start(call, &verb, error);
}

static bool read_renew_option(
	void *context, const char *name, DBusMessageIter *value, struct error *error)
{
	struct verb *verb = context;
	_cleanup_free_ char *slot = NULL;

	if (strcmp(name, "new-key") == 0)
		return option_read_bool(name, value, &verb->new_key, error);
	if (strcmp(name, "slot") != 0)
		return option_unknown(name, "new-key, slot", error);
	if (!option_read_string(name, value, &slot, error))
		return false;
	verb->key = key_slot_from_name(slot);
	return verb->key != KEY_SLOT_NONE || error_set_field(error, ERROR_INVALID_ARGUMENT, "slot",
						     "there is no key slot \"%.32s\"", slot);
}

bool credential_renew(struct bus_call *call, struct error *error)
{
	_cleanup_verb_ struct verb *verb = credential_verb(call, LIFECYCLE_RENEW);

	return message_read_secret(&call->in, &verb->pin, error) &&
	       options_each(&call->in, read_renew_option, verb, error) &&
	       credential_start(call, &verb, error);
}

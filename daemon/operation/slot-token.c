/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which token a slot has. It is found by its label, which a program may change (C_InitToken); its
 * serial number is in the store before that, so that the token is found whenever the daemon, the
 * module's process or the store ends in between.
 */
#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "operation/slots-private.h"

char *slot_token_label(struct slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	char *label = xstrdup(slot->token_label);
	pthread_mutex_unlock(&slot->lock);
	return label;
}

char *slot_token_serial(struct slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	char *serial = xstrdup(slot->token_serial);
	pthread_mutex_unlock(&slot->lock);
	return serial;
}

static bool save(struct slot *slot, const char *label, const char *serial, struct error *error)
{
	if (!store_slot_set_token(
		    slot->slots->services->store, slot->record->name, label, serial, error))
		return false;
	pthread_mutex_lock(&slot->lock);
	free(slot->token_label);
	free(slot->token_serial);
	slot->token_label = xstrdup(label);
	slot->token_serial = xstrdup(serial);
	pthread_mutex_unlock(&slot->lock);
	return true;
}

/* Whether another slot of the module goes by that label, also where its token is not there now. */
static bool label_is_taken(struct slot *slot, const char *label)
{
	size_t count;
	struct slot **list = slots_list(slot->slots, &count);
	bool is_taken = false;

	for (size_t i = 0; i < count && !is_taken; i++) {
		_cleanup_free_ char *other = slot_token_label(list[i]);
		is_taken = strcmp(list[i]->record->name, slot->record->name) != 0 &&
			   strcmp(list[i]->record->module, slot->record->module) == 0 &&
			   strcmp(other, label) == 0;
	}
	slots_list_free(list, count);
	return is_taken;
}

static bool check_new_label(struct slot *slot, const char *label, struct error *error)
{
	if (!slot_token_label_check(label, "label", error))
		return false;
	/* That one is found by its label, too. */
	if (strcmp(label, slot->slots->options.own_label) == 0)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "label",
			"the label \"%s\" is that of tesserad's own token", label);
	return !label_is_taken(slot, label) ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, "label",
		       "another slot has the token labelled \"%s\"", label);
}

static bool save_serial(struct slot *slot, struct hsm *hsm, const char *label, struct error *error)
{
	struct hsm_information token _cleanup_(hsm_information_clear) = {0};

	hsm_information(hsm, &token);
	return token.serial[0] ? save(slot, label, token.serial, error)
			       : error_set_field(error, ERROR_INVALID_ARGUMENT, "label",
					 "the token keeps its label, \"%s\": it has no serial "
					 "number by which it could be found",
					 label);
}

bool slot_accept_token(
	struct slot *slot, struct hsm *hsm, const struct slot_request *request, struct error *error)
{
	struct hsm_information token _cleanup_(hsm_information_clear) = {0};
	_cleanup_free_ char *label = slot_token_label(slot);

	hsm_information(hsm, &token);
	if (strcmp(token.label, label) == 0)
		return true;
	if (request)
		return error_set(error, ERROR_NOT_FOUND,
			"the token with the serial number %s has another label, \"%s\"",
			token.serial, token.label);
	return !label_is_taken(slot, token.label) ||
	       error_set(error, ERROR_EXISTS,
		       "the token \"%s\" has become \"%s\", which is that of another slot", label,
		       token.label);
}

bool slot_follow_token(struct slot *slot, struct hsm *hsm)
{
	struct hsm_information token _cleanup_(hsm_information_clear) = {0};
	_cleanup_free_ char *label = slot_token_label(slot);
	_cleanup_free_ char *serial = slot_token_serial(slot);
	struct error error _cleanup_error_ = ERROR_INIT;

	hsm_information(hsm, &token);
	if (strcmp(token.label, label) == 0)
		return false;
	bool saved = save(slot, token.label, serial, &error);
	if (saved)
		log_notice("a slot's token has another label: \"%s\" slot=%s", token.label,
			slot->record->name);
	else /* its serial number is there, so that it is found all the same */
		log_error("a token's new label is not saved: %s slot=%s", error_message(&error),
			slot->record->name);
	return saved;
}

bool slot_begin_anew(struct slot *slot, struct hsm *hsm, const char *new_label,
	bool (*begin)(const char *label, void *context, struct error *error), void *context,
	struct error *error)
{
	pthread_mutex_lock(&slot->slots->labels);
	_cleanup_free_ char *label = slot_token_label(slot);
	bool is_other = strcmp(label, new_label) != 0;
	bool done = !is_other || (check_new_label(slot, new_label, error) &&
					 save_serial(slot, hsm, label, error));
	done = done && begin(is_other ? new_label : "", context, error);
	bool has_changed = slot_follow_token(slot, hsm);
	pthread_mutex_unlock(&slot->slots->labels);
	if (has_changed)
		slot_touch(slot);
	return done;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/slots-private.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/log.h"
#include "core/state-folder.h"
#include "keys/at-rest.h"
#include "operation/contact.h"
#include "operation/slot-keys.h"
#include "operation/vault.h"

/* How long a caller waits for the first opening. */
#define FIRST_OPENING_SECONDS	10
#define CREDENTIAL		"credential:"
#define WRONG_PINS_A_MINUTE_MAX 10

/* --- one slot --- */

struct slot *slot_new(struct slots *slots, struct slot_record *record)
{
	struct slot *slot = xnew(struct slot);

	slot->references = 1;
	slot->slots = slots;
	slot->record = record;
	slot->rules = steal_pointer(&record->rules);
	slot->rule_count = record->rule_count;
	record->rule_count = 0;
	slot->token_label = xstrdup(record->token_label);
	slot->token_serial = xstrdup(record->token_serial);
	pthread_mutex_init(&slot->opening, NULL);
	pthread_mutex_init(&slot->lock, NULL);
	slot->generation = contacts_next_generation(slots->services->contacts);
	return slot;
}

struct slot *slot_ref(struct slot *slot)
{
	slot->references++;
	return slot;
}

void slot_unref(struct slot *slot)
{
	if (!slot || --slot->references > 0)
		return;
	hsm_close(slot->hsm);
	slot_record_free(slot->record);
	slot_rules_free(slot->rules, slot->rule_count);
	free(slot->token_label);
	free(slot->token_serial);
	free(slot->keys);
	free(slot->problem);
	pthread_mutex_destroy(&slot->opening);
	pthread_mutex_destroy(&slot->lock);
	free(slot);
}

const struct slot_record *slot_record(const struct slot *slot)
{
	return slot->record;
}

struct hsm *slot_hsm(struct slot *slot, struct error *error)
{
	pthread_mutex_lock(&slot->lock);
	struct hsm *hsm = slot->hsm;
	if (!hsm)
		error_set(error, ERROR_TOKEN_FAILED, "%s",
			slot->problem ? slot->problem : "the slot is not open");
	pthread_mutex_unlock(&slot->lock);
	return hsm;
}

uint64_t slot_generation(struct slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	uint64_t generation = slot->generation;
	pthread_mutex_unlock(&slot->lock);
	return generation;
}

static void renew(struct slot *slot, uint64_t *before, uint64_t *after)
{
	pthread_mutex_lock(&slot->lock);
	*before = slot->generation;
	*after = slot->generation = contacts_next_generation(slot->slots->services->contacts);
	pthread_mutex_unlock(&slot->lock);
}

void slot_renew(struct slot *slot, uint64_t *before, uint64_t *after)
{
	renew(slot, before, after);
	slot->slots->changed(slot->slots->context, true);
}

void slot_touch(struct slot *slot)
{
	uint64_t before, after;

	renew(slot, &before, &after);
	slot->slots->changed(slot->slots->context, false);
}

static int64_t this_minute(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec / 60;
}

bool slot_may_try_pin(struct slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	bool may = slot->wrong_pin_minute != this_minute() ||
		   slot->wrong_pins < WRONG_PINS_A_MINUTE_MAX;
	pthread_mutex_unlock(&slot->lock);
	return may;
}

void slot_note_wrong_pin(struct slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	if (slot->wrong_pin_minute != this_minute())
		slot->wrong_pins = 0;
	slot->wrong_pin_minute = this_minute();
	slot->wrong_pins++;
	pthread_mutex_unlock(&slot->lock);
}

/* --- opening --- */

char *slot_pin_purpose(const char *name)
{
	return xasprintf("slot %s", name);
}

static bool read_pin_file(const char *file, struct secret *pin, struct error *error)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	if (strncmp(file, CREDENTIAL, strlen(CREDENTIAL)) != 0)
		return pin_file_read(file, pin, error);
	if (!folder)
		return error_set(error, ERROR_NOT_FOUND,
			"the service was started without credentials ($CREDENTIALS_DIRECTORY)");
	_cleanup_free_ char *path = xasprintf("%s/%s", folder, file + strlen(CREDENTIAL));
	return pin_file_read(path, pin, error);
}

/* Leaves pin unset where programs give it. */
static bool find_pin(struct slot *slot, struct secret *pin, struct error *error)
{
	struct services *services = slot->slots->services;
	const struct slot_record *record = slot->record;

	switch (record->pin) {
	case SLOT_PIN_FILE:
		return read_pin_file(record->pin_file, pin, error);
	case SLOT_PIN_SEALED: {
		_cleanup_free_ char *purpose = slot_pin_purpose(record->name);
		return vault_check_open(services, error) &&
		       at_rest_open(services->token, purpose, &record->sealed_pin, pin, error);
	}
	default:
		return true;
	}
}

/* The daemon's own token holds the master key: no program is led to it. */
static bool refuse_own_token(const struct slot *slot, const char *label, struct error *error)
{
	const struct slots_options *options = &slot->slots->options;
	_cleanup_free_ char *own = realpath(options->own_module, NULL);
	_cleanup_free_ char *wanted = realpath(slot->record->module, NULL);

	if (!own || !wanted || strcmp(own, wanted) != 0 || strcmp(options->own_label, label) != 0)
		return true;
	return error_set(error, ERROR_ACCESS_DENIED,
		"the token \"%s\" is tesserad's own and cannot be a slot", options->own_label);
}

/* Proves the PIN. It stays the token's login where the daemon keeps it. */
static bool prove_pin(
	const struct slot *slot, struct hsm *hsm, const struct secret *pin, struct error *error)
{
	bool changed;

	if (!secret_is_set(pin))
		return true;
	if (!hsm_login(hsm, pin, &changed, error))
		return false;
	if (slot->record->pin == SLOT_PIN_CALLER)
		hsm_logout(hsm);
	return true;
}

static struct hsm *open_token(struct slot *slot, const struct secret *pin,
	const struct slot_request *request, struct error *error)
{
	const struct slot_record *record = slot->record;
	_cleanup_free_ char *label = slot_token_label(slot);
	_cleanup_free_ char *serial = slot_token_serial(slot);
	const char *folder = slot->slots->options.embedded_folder;
	const struct child_options process = {.program = slot->slots->options.token_program,
		.name = record->name,
		.variables = record->variables,
		.timeout_ms = record->timeout * 1000};
	bool in_daemon = record->process == SLOT_PROCESS_DAEMON;
	struct hsm *former = slot->former ? slot_hsm(slot->former, NULL) : NULL;
	_cleanup_hsm_objects_ struct hsm_objects *known = former ? hsm_objects(former) : NULL;
	const struct hsm_options options = {.module = record->module,
		.label = label,
		.serial = serial[0] ? serial : NULL,
		.new_pin = request && request->create && secret_is_set(pin) ? pin : NULL,
		.process = in_daemon ? NULL : &process,
		.known = known,
		.last_number = former ? hsm_last_number(former) : 0};

	/* SoftHSM2 has one configuration for the process, and the daemon's own token needs it. */
	if (!refuse_own_token(slot, label, error) ||
		(in_daemon && folder && !token_embedded_prepare(folder, error)))
		return NULL;
	struct hsm *hsm = hsm_open(&options, error);
	if (!hsm ||
		(slot_accept_token(slot, hsm, request, error) && prove_pin(slot, hsm, pin, error)))
		return hsm;
	hsm_close(hsm);
	return NULL;
}

/* The token's own words tell why. */
static void note_opening(struct slot *slot, struct hsm *hsm, const struct error *failure)
{
	pthread_mutex_lock(&slot->lock);
	free(slot->problem);
	slot->problem = hsm ? NULL : xstrdup(error_message(failure));
	slot->hsm = hsm;
	pthread_mutex_unlock(&slot->lock);
}

static bool find_any_pin(struct slot *slot, const struct slot_request *request, struct secret *pin,
	struct error *error)
{
	if (request && secret_is_set(request->pin))
		return secret_copy(pin, request->pin) ||
		       error_set(error, ERROR_FAILED, "out of memory");
	return find_pin(slot, pin, error);
}

bool slot_open(struct slot *slot, const struct slot_request *request, struct error *error)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	struct error failure _cleanup_error_ = ERROR_INIT;
	struct hsm *hsm = NULL;

	pthread_mutex_lock(&slot->opening);
	bool done = slot_hsm(slot, NULL) != NULL;
	if (!done) {
		done = find_any_pin(slot, request, &pin, &failure) &&
		       (hsm = open_token(slot, &pin, request, &failure));
		note_opening(slot, hsm, &failure);
		if (done)
			slot_follow_token(slot, hsm);
	}
	pthread_mutex_unlock(&slot->opening);
	return done || error_move(error, &failure);
}

/* --- the list --- */

struct slots *slots_new(struct services *services, const struct slots_options *options,
	slots_changed changed, void *context)
{
	struct slots *slots = xnew(struct slots);

	slots->services = services;
	slots->options = *options;
	slots->changed = changed;
	slots->context = context;
	pthread_mutex_init(&slots->labels, NULL);
	pthread_mutex_init(&slots->lock, NULL);
	pthread_cond_init(&slots->opened, NULL);
	return slots;
}

void slots_add(struct slots *slots, struct slot *slot)
{
	pthread_mutex_lock(&slots->lock);
	slots->items = xreallocarray(slots->items, slots->count + 1, sizeof(struct slot *));
	slots->items[slots->count++] = slot_ref(slot);
	pthread_mutex_unlock(&slots->lock);
}

/* Programs that are in the middle of something keep nothing of a token that is theirs no more. */
static void end_streams(struct slot *slot)
{
	struct hsm *hsm = slot ? slot_hsm(slot, NULL) : NULL;

	if (hsm)
		hsm_end_streams(hsm);
}

void slots_drop(struct slots *slots, struct slot *slot)
{
	struct slot *dropped = NULL;

	pthread_mutex_lock(&slots->lock);
	for (size_t i = 0; i < slots->count; i++) {
		if (slots->items[i] != slot)
			continue;
		memmove(&slots->items[i], &slots->items[i + 1],
			(--slots->count - i) * sizeof(struct slot *));
		dropped = slot;
		break;
	}
	pthread_mutex_unlock(&slots->lock);
	end_streams(dropped);
	slot_unref(dropped);
}

bool slots_replace(struct slots *slots, const struct slot *old, struct slot *slot)
{
	struct slot *dropped = NULL;

	pthread_mutex_lock(&slots->lock);
	for (size_t i = 0; i < slots->count && !dropped; i++) {
		if (slots->items[i] != old)
			continue;
		dropped = slots->items[i];
		slots->items[i] = slot_ref(slot);
	}
	pthread_mutex_unlock(&slots->lock);
	end_streams(dropped);
	slot_unref(dropped);
	return dropped != NULL;
}

void slots_await(struct slots *slots)
{
	struct timespec deadline;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += FIRST_OPENING_SECONDS;
	pthread_mutex_lock(&slots->lock);
	/* An HSM that does not answer holds its first asker up, not everybody ever after. */
	while (slots->is_opening) {
		if (pthread_cond_timedwait(&slots->opened, &slots->lock, &deadline) != 0)
			slots->is_opening = false;
	}
	pthread_mutex_unlock(&slots->lock);
}

struct slot **slots_list(struct slots *slots, size_t *count)
{
	pthread_mutex_lock(&slots->lock);
	struct slot **list = xcalloc(slots->count + 1, sizeof(struct slot *));
	*count = slots->count;
	for (size_t i = 0; i < slots->count; i++)
		list[i] = slot_ref(slots->items[i]);
	pthread_mutex_unlock(&slots->lock);
	return list;
}

void slots_list_free(struct slot **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		slot_unref(list[i]);
	free(list);
}

struct slot *slots_find(struct slots *slots, const char *name, struct error *error)
{
	struct slot *found = NULL;

	pthread_mutex_lock(&slots->lock);
	for (size_t i = 0; i < slots->count && !found; i++) {
		if (strcmp(slots->items[i]->record->name, name) == 0)
			found = slot_ref(slots->items[i]);
	}
	pthread_mutex_unlock(&slots->lock);
	if (!found)
		error_set(error, ERROR_NOT_FOUND, "there is no slot \"%.64s\"", name);
	return found;
}

struct slot *slots_find_number(struct slots *slots, unsigned number, struct error *error)
{
	struct slot *found = NULL;

	pthread_mutex_lock(&slots->lock);
	for (size_t i = 0; i < slots->count && !found; i++) {
		if (slots->items[i]->record->number == number)
			found = slot_ref(slots->items[i]);
	}
	pthread_mutex_unlock(&slots->lock);
	if (!found)
		error_set(error, ERROR_NOT_FOUND, "there is no slot %u", number);
	return found;
}

void slots_open_closed(struct slots *slots)
{
	size_t count;
	struct slot **list = slots_list(slots, &count);
	bool opened = false;
	uint64_t before, after;

	for (size_t i = 0; i < count; i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		if (slot_hsm(list[i], NULL))
			continue;
		if (slot_open(list[i], NULL, &error)) {
			opened = true;
			slot_keys_tidy(list[i], false);
			renew(list[i], &before, &after);
		} else {
			log_warning("a slot is not open: %s slot=%s", error_message(&error),
				list[i]->record->name);
		}
	}
	slots_list_free(list, count);
	if (opened)
		slots->changed(slots->context, false);
}

static void *run_opener(void *argument)
{
	struct slots *slots = argument;

	slots_open_closed(slots);
	pthread_mutex_lock(&slots->lock);
	slots->is_opening = false;
	pthread_cond_broadcast(&slots->opened);
	pthread_mutex_unlock(&slots->lock);
	return NULL;
}

bool slots_load(struct slots *slots, struct error *error)
{
	struct slot_record **records;
	size_t count;
	bool loaded = true;

	if (!store_slot_list(slots->services->store, &records, &count, error))
		return false;
	for (size_t i = 0; i < count && loaded; i++) {
		struct slot *slot = slot_new(slots, steal_pointer(&records[i]));
		loaded = slot_keys_load(slot, error);
		slots_add(slots, slot);
		slot_unref(slot);
	}
	slot_records_free(records, count);
	slots->is_opening = count > 0;
	return loaded;
}

bool slots_start(struct slots *slots, struct error *error)
{
	if (!slots->is_opening)
		return true;
	slots->has_opener = pthread_create(&slots->opener, NULL, run_opener, slots) == 0;
	return slots->has_opener ||
	       error_set(error, ERROR_FAILED, "no thread that opens the slots");
}

void slots_free(struct slots *slots)
{
	if (!slots)
		return;
	if (slots->has_opener)
		pthread_join(slots->opener, NULL);
	slots_list_free(slots->items, slots->count);
	pthread_cond_destroy(&slots->opened);
	pthread_mutex_destroy(&slots->labels);
	pthread_mutex_destroy(&slots->lock);
	free(slots);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store's licence, and whether one more card may be managed. */
#include "operation/licence.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "core/text-file.h"

#define LICENCE_VALUE "licence"
#define KEY_BYTES_MAX 4096
#define DATE_BYTES    32

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);

const char *licence_state_name(enum licence_state state)
{
	static const char *const names[] = {[LICENCE_NONE] = "none",
		[LICENCE_VALID] = "valid",
		[LICENCE_EXPIRED] = "expired",
		[LICENCE_REJECTED] = "rejected"};

	return (size_t)state < ARRAY_SIZE(names) ? names[state] : NULL;
}

void licence_status_clear(struct licence_status *status)
{
	licence_clear(&status->licence);
	free(status->problem);
	*status = (struct licence_status)LICENCE_STATUS_INIT;
}

static EVP_PKEY *public_key(struct services *services, struct error *error)
{
	const char *path = services->licensing.public_key_file;

	if (!path) {
		error_set(error, ERROR_NOT_SUPPORTED,
			"no licence-public-key-file is configured to verify licences with");
		return NULL;
	}
	_cleanup_free_ char *pem = text_file_read(path, KEY_BYTES_MAX, error);
	EVP_PKEY *key = pem ? licence_public_key(pem, error) : NULL;
	if (pem && !key)
		error_prefix(error, "%s", path);
	return key;
}

/* Signature and store; not the time. */
static bool verify(struct services *services, const char *document, struct licence *licence,
	struct error *error)
{
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = public_key(services, error);

	return key && licence_parse(document, key, licence, error) &&
	       licence_check(licence, store_id(services->store), 0, error);
}

static void judge(struct services *services, const char *document, struct licence_status *status)
{
	struct error problem _cleanup_error_ = ERROR_INIT;

	if (!verify(services, document, &status->licence, &problem)) {
		licence_clear(&status->licence);
		status->state = LICENCE_REJECTED;
		status->problem = xstrdup(error_message(&problem));
	} else if (licence_has_expired(&status->licence, time(NULL))) {
		status->state = LICENCE_EXPIRED;
		status->limit = 0;
	} else {
		status->state = LICENCE_VALID;
		status->limit = status->licence.credentials;
	}
}

bool licence_status_read(
	struct services *services, struct licence_status *status, struct error *error)
{
	struct buffer document _cleanup_buffer_ = BUFFER_INIT;
	struct error failure _cleanup_error_ = ERROR_INIT;

	*status = (struct licence_status){.limit = LICENCE_EVALUATION_CREDENTIALS};
	if (!store_value_get(services->store, LICENCE_VALUE, &document, &failure))
		return failure.code == ERROR_NOT_FOUND || error_move(error, &failure);
	buffer_append_u8(&document, '\0');
	judge(services, (const char *)document.data, status);
	return true;
}

/* --- the limit --- */

static bool refuse(const struct licence_status *status, struct error *error)
{
	const struct licence *licence = &status->licence;
	char date[DATE_BYTES] = "";
	struct tm parts;

	if (status->state == LICENCE_VALID)
		return error_set(error, ERROR_LIMIT_REACHED,
			"the licence \"%s\" is for %" PRId64
			" cards, and no place is left; those that are managed keep working",
			licence->id, status->limit);
	if (status->state == LICENCE_EXPIRED && gmtime_r(&licence->not_after, &parts)) {
		strftime(date, sizeof(date), "%Y-%m-%d", &parts);
		return error_set(error, ERROR_LIMIT_REACHED,
			"the licence \"%s\" has expired on %s: no new cards; those that are "
			"managed keep working",
			licence->id, date);
	}
	error_set(error, ERROR_LIMIT_REACHED,
		"evaluation mode is for %d cards, and no place is left; those that are managed "
		"keep working",
		LICENCE_EVALUATION_CREDENTIALS);
	return !status->problem
		       ? false
		       : error_prefix(error, "the licence is not used (%s)", status->problem);
}

static bool check(
	struct services *services, const struct licence_status *status, struct error *error)
{
	bool has_room;

	if (!store_credential_has_room(services->store, status->limit, &has_room, error))
		return false;
	return has_room || refuse(status, error);
}

/* An interrupted verb keeps its card's place. */
static bool has_place(struct services *services, const char *serial)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_serial(services->store, serial, NULL);
	struct intent *intents = NULL;
	size_t count = 0;

	if (credential && lifecycle_is_managed(credential->state))
		return true;
	store_intent_list(services->store, serial, &intents, &count, NULL);
	intents_free(intents, count);
	return count > 0;
}

bool licence_check_room(struct services *services, const char *serial, struct error *error)
{
	struct licence_status status _cleanup_licence_status_ = LICENCE_STATUS_INIT;

	return (serial && has_place(services, serial)) ||
	       (licence_status_read(services, &status, error) && check(services, &status, error));
}

bool licence_begin(
	struct services *services, const struct credential *credential, struct error *error)
{
	struct licence_status status _cleanup_licence_status_ = LICENCE_STATUS_INIT;

	if (lifecycle_is_managed(credential->state))
		return store_begin(services->store, error);
	if (!licence_status_read(services, &status, error) || !store_begin(services->store, error))
		return false;
	if (check(services, &status, error))
		return true;
	store_rollback(services->store);
	return false;
}

/* --- getting and losing one --- */

bool licence_install(
	struct services *services, const char *document, char **id, struct error *error)
{
	struct licence licence _cleanup_licence_ = LICENCE_INIT;

	if (!verify(services, document, &licence, error) ||
		!licence_check(&licence, store_id(services->store), time(NULL), error) ||
		!store_value_set(services->store, LICENCE_VALUE, (const uint8_t *)document,
			strlen(document), error))
		return false;
	*id = steal_pointer(&licence.id);
	return true;
}

bool licence_remove(struct services *services, struct error *error)
{
	struct buffer document _cleanup_buffer_ = BUFFER_INIT;
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (store_value_get(services->store, LICENCE_VALUE, &document, &failure))
		return store_value_remove(services->store, LICENCE_VALUE, error);
	if (failure.code == ERROR_NOT_FOUND)
		error_set(
			&failure, ERROR_NOT_FOUND, "there is no licence: this is evaluation mode");
	return error_move(error, &failure);
}

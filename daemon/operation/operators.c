/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/operators.h"

#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/log.h"
#include "operation/owner.h"
#include "operation/remaining.h"
#include "operation/roles.h"
#include "operation/vault.h"

DEFINE_CLEANUP(X509 *, X509_free);

bool operators_initialised(struct services *services)
{
	struct buffer value _cleanup_buffer_ = BUFFER_INIT;

	/* It never becomes false again. */
	if (!services->initialised &&
		store_value_get(services->store, VALUE_INITIALISED, &value, NULL))
		services->initialised = true;
	return services->initialised;
}

static bool card_is_active(struct services *services, int64_t credential_id)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(services->store, credential_id, NULL);

	return credential && credential->state == LIFECYCLE_ACTIVE;
}

permission_set operators_permissions(struct services *services, int64_t credential_id)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;

	if (!store_operator_get(services->store, credential_id, &record, NULL) || !record.active ||
		!card_is_active(services, credential_id))
		return 0;
	return roles_permissions_of(services, record.roles, record.role_count);
}

char *operators_note_login(struct services *services, int64_t credential_id)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;

	if (!store_operator_get(services->store, credential_id, &record, NULL))
		return NULL;
	record.last_login_at = time(NULL);
	if (!store_operator_save(services->store, &record, &error))
		log_warning("the time of a login was not kept: %s", error_message(&error));
	_cleanup_free_ char *roles = operator_roles_text(&record);
	return xasprintf("%s (%s)", record.id, roles);
}

/* --- changes --- */

bool operators_check_roles(
	struct services *services, const struct operator_change *change, struct error *error)
{
	permission_set permissions;

	if (!change || change->role_count == 0 || change->role_count > OPERATOR_ROLES_MAX)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "roles",
			"an operator has 1 to %d roles", OPERATOR_ROLES_MAX);
	for (size_t i = 0; i < change->role_count; i++) {
		const char *name = change->roles[i];
		if (strcmp(name, ROLE_SYSTEM_OWNER) == 0 || strcmp(name, ROLE_SELF) == 0)
			return error_set_field(error, ERROR_INVALID_ARGUMENT, "roles",
				"the role %s is not given to operators", name);
		if (!roles_permissions(services, name, &permissions, NULL))
			return error_set_field(error, ERROR_INVALID_ARGUMENT, "roles",
				"there is no role \"%.64s\"", name);
	}
	return true;
}

/* Whether another active system owner with an active card is left. */
static bool has_other_owner(struct services *services, int64_t credential_id)
{
	struct operator_record *operators = NULL;
	size_t count = 0;
	bool found = false;

	if (!store_operator_list(services->store, &operators, &count, NULL))
		return false;
	for (size_t i = 0; i < count && !found; i++) {
		found = operators[i].credential_id != credential_id && operators[i].active &&
			operator_has_role(&operators[i], ROLE_SYSTEM_OWNER) &&
			card_is_active(services, operators[i].credential_id);
	}
	operators_free(operators, count);
	return found;
}

bool operators_check_dispensable(
	struct services *services, int64_t credential_id, bool for_good, struct error *error)
{
	const struct supposition without = {.credential_id = credential_id, .suspended = !for_good};
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	struct error absence _cleanup_error_ = ERROR_INIT;

	if (!store_operator_get(services->store, credential_id, &record, &absence))
		return absence.code == ERROR_NOT_FOUND || error_move(error, &absence);
	if (operator_has_role(&record, ROLE_SYSTEM_OWNER) &&
		!has_other_owner(services, credential_id))
		return error_set(error, ERROR_IN_USE,
			"this is the last system owner's card; add another owner first");
	return remaining_check(services, &without, error);
}

X509 *operators_seal_certificate(
	struct services *services, int64_t credential_id, struct error *error)
{
	struct certificates certificates _cleanup_certificates_ = CERTIFICATES_INIT;
	X509 *certificate = NULL;

	if (!store_certificate_list(services->store, credential_id, &certificates, error))
		return NULL;
	for (size_t i = certificates.count; i-- > 0 && !certificate;) {
		const unsigned char *position = certificates.items[i].der.data;
		if (certificates.items[i].slot == KEY_SLOT_KEY_MANAGEMENT &&
			certificates.items[i].status != CERTIFICATE_REVOKED)
			certificate =
				d2i_X509(NULL, &position, (long)certificates.items[i].der.length);
	}
	if (!certificate)
		error_set(error, ERROR_NOT_SUPPORTED,
			"the card has no valid key-management certificate to seal to");
	return certificate;
}

static bool seal_to(struct services *services, struct operator_record *record, struct error *error)
{
	X509 *certificate _cleanup_(X509_freep) =
		operators_seal_certificate(services, record->credential_id, error);

	buffer_clear(&record->sealed);
	return certificate && vault_seal(services->vault, certificate, &record->sealed, error);
}

bool operators_reseal(struct services *services, int64_t credential_id, struct error *error)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	struct error absence _cleanup_error_ = ERROR_INIT;

	if (!store_operator_get(services->store, credential_id, &record, &absence))
		return absence.code == ERROR_NOT_FOUND || error_move(error, &absence);
	return record.sealed.length == 0 ||
	       (seal_to(services, &record, error) &&
		       store_operator_save(services->store, &record, error));
}

bool operators_make(struct services *services, struct operator_record *record, bool custodian,
	struct error *error)
{
	/* The card may have a new key since it was sealed to. */
	bool seal_now = custodian && (services->token || record->sealed.length == 0);

	if (!custodian)
		buffer_clear(&record->sealed);
	return (!seal_now || seal_to(services, record, error)) &&
	       store_operator_save(services->store, record, error);
}

bool operators_seal_anew(struct services *services, struct error *error)
{
	struct operator_record *operators = NULL;
	size_t count = 0;
	bool done = store_operator_list(services->store, &operators, &count, error);

	for (size_t i = 0; done && i < count; i++) {
		struct error failure _cleanup_error_ = ERROR_INIT;
		if (operators_reseal(services, operators[i].credential_id, &failure))
			continue;
		/* A card without a certificate cannot unlock anyway, and keeps no other from it. */
		if (failure.code == ERROR_NOT_SUPPORTED)
			log_warning("the token's PIN is not sealed to the card of operator %s: %s",
				operators[i].id, error_message(&failure));
		else
			done = error_move(error, &failure);
	}
	operators_free(operators, count);
	return done;
}

/* The record as it is, or a new one for a card whose template is for operators. */
static bool find_or_new(struct services *services, int64_t credential_id,
	struct operator_record *record, struct error *error)
{
	struct error lookup _cleanup_error_ = ERROR_INIT;
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(services->store, credential_id, error);

	if (!credential)
		return false;
	if (store_operator_get(services->store, credential_id, record, &lookup))
		return true;
	if (lookup.code != ERROR_NOT_FOUND)
		return error_move(error, &lookup);
	const char *id = fields_get(&credential->holder, OPERATOR_ID_FIELD);
	struct template *template _cleanup_template_ =
		credential->template_name
			? store_template_get(services->store, credential->template_name,
				  credential->template_version, NULL)
			: NULL;
	if (!template || template->operator_kind == OPERATOR_NONE || !id)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"the card was not issued by a template for operators");
	record->credential_id = credential_id;
	record->id = xstrdup(id);
	return true;
}

bool operators_set(struct services *services, int64_t credential_id,
	const struct operator_change *change, struct error *error)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;

	if (!operators_check_roles(services, change, error) ||
		!find_or_new(services, credential_id, &record, error))
		return false;
	if (operator_has_role(&record, ROLE_SYSTEM_OWNER))
		return error_set(
			error, ERROR_ACCESS_DENIED, "the roles of a system owner are not changed");
	const struct supposition changed = {.credential_id = credential_id,
		.permissions = change->active ? roles_permissions_of(
							services, change->roles, change->role_count)
					      : 0};
	if (!remaining_check(services, &changed, error))
		return false;
	operator_set_roles(&record, change->roles, change->role_count);
	record.active = change->active;
	return operators_make(services, &record, change->custodian, error);
}

bool operators_move(struct services *services, int64_t old_credential_id, int64_t new_credential_id,
	struct error *error)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	struct error absence _cleanup_error_ = ERROR_INIT;

	if (!store_operator_get(services->store, old_credential_id, &record, &absence))
		return absence.code == ERROR_NOT_FOUND || error_move(error, &absence);
	record.credential_id = new_credential_id;
	return store_operator_remove(services->store, old_credential_id, error) &&
	       operators_make(services, &record, record.sealed.length > 0, error);
}

bool operators_check_template(struct services *services, int64_t credential_id,
	const struct template *template, struct error *error)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	struct error absence _cleanup_error_ = ERROR_INIT;

	if (!store_operator_get(services->store, credential_id, &record, &absence))
		return absence.code == ERROR_NOT_FOUND || error_move(error, &absence);
	return record.sealed.length == 0 || template_has_slot(template, KEY_SLOT_KEY_MANAGEMENT) ||
	       error_set_field(error, ERROR_NOT_SUPPORTED, "/keys",
		       "the card unlocks the master key, and the template \"%s\" has no "
		       "key-management key for that",
		       template->name);
}

bool operators_remove(struct services *services, int64_t credential_id, struct error *error)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;

	return store_operator_get(services->store, credential_id, &record, error) &&
	       operators_check_dispensable(services, credential_id, true, error) &&
	       store_operator_remove(services->store, credential_id, error);
}

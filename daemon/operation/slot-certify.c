/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What enroll and renew share: a key in a slot, its template, its certificate. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/rand.h>

#include "common/alloc.h"
#include "common/log.h"
#include "model/card-type.h"
#include "operation/slot-keys.h"
#include "operation/vault.h"

bool slot_key_find(struct services *services, const char *slot, const char *label,
	struct hsm_key *key, struct error *error)
{
	struct hsm_key *keys;
	size_t count;
	bool found = false;

	if (!store_hsm_key_list_labelled(services->store, slot, label, &keys, &count, error))
		return false;
	for (size_t i = 0; i < count && !found; i++) {
		_cleanup_credential_ struct credential *credential =
			store_credential_by_id(services->store, keys[i].credential_id, NULL);
		found = credential && lifecycle_is_managed(credential->state);
		if (found) {
			*key = keys[i];
			keys[i] = (struct hsm_key)HSM_KEY_INIT;
		}
	}
	hsm_keys_free(keys, count);
	return found ||
	       error_set(error, ERROR_NOT_FOUND,
		       "the slot \"%s\" has no enrolled key with the label \"%.64s\"", slot, label);
}

bool slot_key_random_id(struct buffer *id, struct error *error)
{
	uint8_t *bytes = buffer_extend(id, HSM_KEY_ID_BYTES);

	return (bytes && RAND_bytes(bytes, HSM_KEY_ID_BYTES) == 1) ||
	       error_set(error, ERROR_FAILED, "no random numbers");
}

/* --- what is found out before anything is changed --- */

void slot_key_plan_clear(struct slot_key_plan *plan)
{
	enroll_names_clear(&plan->names);
	certificates_clear(&plan->before);
	template_free(plan->template);
	*plan = (struct slot_key_plan){0};
}

static bool check_template(const struct template *template, struct error *error)
{
	if (!template_is_hsm_key(template))
		return error_set_field(error, ERROR_NOT_SUPPORTED, "/card-type",
			"the template \"%s\" is for cards; one for keys in HSM slots has the card "
			"type " HSM_KEY_TYPE,
			template->name);
	return template->enabled || error_set_field(error, ERROR_WRONG_STATE, "/enabled",
					    "the template \"%s\" is not enabled", template->name);
}

static bool expand_names(struct services *services, const struct credential *credential,
	struct slot_key_plan *plan, struct error *error)
{
	struct fields fields _cleanup_fields_ = FIELDS_INIT;

	fields_copy(&fields, &credential->holder);
	fields_set(&fields, "serial", credential->serial);
	return template_check_holder(plan->template, &credential->holder, error) &&
	       enroll_names_expand(
		       services, &plan->template->keys[0], &fields, &plan->names, error);
}

bool slot_key_plan_make(struct services *services, const char *template_name,
	const struct credential *credential, struct slot_key_plan *plan, struct error *error)
{
	plan->template = vault_check_open(services, error)
				 ? store_template_get(services->store, template_name, 0, error)
				 : NULL;
	return plan->template && check_template(plan->template, error) &&
	       expand_names(services, credential, plan, error) &&
	       store_certificate_list(services->store, credential->id, &plan->before, error);
}

/* --- the work, which renew shares --- */

static bool check_algorithm(
	EVP_PKEY *public_key, const struct template *template, struct error *error)
{
	enum key_algorithm algorithm = template->keys[0].algorithm;
	bool is_rsa = EVP_PKEY_get_base_id(public_key) == EVP_PKEY_RSA;

	return (is_rsa == key_algorithm_is_rsa(algorithm) &&
		       EVP_PKEY_get_bits(public_key) == (int)key_algorithm_bits(algorithm)) ||
	       error_set_field(error, ERROR_NOT_SUPPORTED, "/keys/0/algorithm",
		       "the template \"%s\" wants a key of algorithm %s, and this one is another: "
		       "it needs a new key",
		       template->name, key_algorithm_name(algorithm));
}

static bool get_certificate(struct operation *operation, struct hsm *hsm, const struct buffer *id,
	const struct credential *credential, const struct slot_key_plan *plan,
	struct certificate *certificate, struct error *error)
{
	EVP_PKEY *public_key _cleanup_(EVP_PKEY_freep) = hsm_pair_public_key(hsm, id, error);
	struct hsm_pair_signer signer = {hsm, id};
	const struct enroll_request request = {.credential = credential,
		.key = &plan->template->keys[0],
		.names = &plan->names,
		.before = &plan->before,
		.signer = {public_key, hsm_pair_sign, &signer}};

	return public_key && check_algorithm(public_key, plan->template, error) &&
	       enroll_certificate(operation, &request, certificate, error);
}

bool slot_key_certify(struct operation *operation, struct hsm *hsm, struct hsm_key *key,
	struct credential *credential, const struct slot_key_plan *plan, const char *new_label,
	struct error *error)
{
	const struct buffer *id = key->new_id.length > 0 ? &key->new_id : &key->id;
	struct certificate certificate _cleanup_certificate_ = CERTIFICATE_INIT;

	if (new_label) {
		enum key_algorithm algorithm = plan->template->keys[0].algorithm;
		job_progress(
			operation->job, 20, "making the key (%s)", key_algorithm_name(algorithm));
		if (!job_continue(operation->job, error) ||
			!hsm_pair_make(hsm, id, new_label, algorithm, error))
			return false;
	}
	job_progress(operation->job, 50, "asking for the certificate");
	if (!job_continue(operation->job, error) ||
		!get_certificate(operation, hsm, id, credential, plan, &certificate, error))
		return false;
	/* It comes later, and is settled then (slot_key_arrived). */
	if (certificate.status == CERTIFICATE_PENDING)
		return true;
	job_progress(operation->job, 80, "writing the certificate");
	free(credential->template_name);
	credential->template_name = xstrdup(plan->template->name);
	credential->template_version = plan->template->version;
	return slot_key_settle(operation->services, hsm, key, credential, &certificate, error);
}

void slot_key_take_back(struct services *services, struct hsm *hsm, int64_t credential_id)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	_cleanup_hsm_key_ struct hsm_key key = HSM_KEY_INIT;
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(services->store, credential_id, &error);

	/* As the store has it: what failed may have been saving it. */
	if (!credential || !store_hsm_key_get(services->store, credential_id, &key, &error) ||
		!slot_key_undo(services, hsm, &key, credential, NULL, &error))
		log_warning("what is left of a failed operation is tidied later: %s",
			error_message(&error));
}

/* --- begin and end --- */

static bool last_certificate(
	struct services *services, int64_t credential_id, int64_t *last, struct error *error)
{
	struct certificates all _cleanup_certificates_ = CERTIFICATES_INIT;

	*last = 0;
	if (!store_certificate_list(services->store, credential_id, &all, error))
		return false;
	for (size_t i = 0; i < all.count; i++) {
		if (all.items[i].id > *last)
			*last = all.items[i].id;
	}
	return true;
}

/* What is to be done is on disk before the token is asked. */
bool slot_key_begin(struct services *services, struct hsm_key *key, struct credential *credential,
	struct error *error)
{
	if (!last_certificate(services, credential->id, &key->last_certificate, error) ||
		!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	if (!store_credential_save(transaction, credential, error))
		return false;
	key->credential_id = credential->id;
	return store_hsm_key_save(transaction, key, error) && store_commit(transaction, error);
}

void slot_key_tell_result(struct session *session)
{
	char id[32];

	snprintf(id, sizeof(id), "%" PRId64, session->credential->id);
	job_result(session->operation->job, "serial", session->credential->serial);
	job_result(session->operation->job, "credential-id", id);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/enroll.h"

#include <openssl/x509.h>
#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "core/signing-key.h"
#include "operation/certificates.h"
#include "operation/session.h"
#include "operation/tasks.h"

DEFINE_CLEANUP(X509_REQ *, X509_REQ_free);

static void extensions_free(STACK_OF(X509_EXTENSION) * *extensions)
{
	sk_X509_EXTENSION_pop_free(*extensions, X509_EXTENSION_free);
}

static void rules_free(struct name_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(rules[i].type);
		free(rules[i].pattern);
	}
	free(rules);
}

void enroll_names_clear(struct enroll_names *names)
{
	rules_free(names->subject, names->subject_count);
	rules_free(names->san, names->san_count);
	rules_free(names->fields, names->field_count);
	*names = (struct enroll_names){0};
}

static bool expand(const struct name_rule *rules, size_t count, const struct fields *holder,
	struct name_rule **expanded, size_t *expanded_count, struct error *error)
{
	*expanded = xcalloc(count, sizeof(**expanded));
	for (size_t i = 0; i < count; i++) {
		char *value = pattern_expand(rules[i].pattern, holder, error);
		if (!value)
			return false;
		(*expanded)[i] = (struct name_rule){xstrdup(rules[i].type), value};
		*expanded_count = i + 1;
	}
	return true;
}

static bool expand_fields(const struct authority_profile *profile, const struct template_key *key,
	const struct fields *holder, struct enroll_names *names, struct error *error)
{
	names->fields = xcalloc(profile->field_count + 1, sizeof(*names->fields));
	for (size_t i = 0; i < profile->field_count; i++) {
		const struct authority_field *field = &profile->fields[i];
		const char *pattern = field->fixed ? NULL : authority_field_pattern(field, key);
		char *value = pattern ? pattern_expand(pattern, holder, error) : NULL;
		if (pattern && !value)
			return error_prefix(
				error, "for %s of the profile \"%s\"", field->name, profile->name);
		if (value)
			names->fields[names->field_count++] =
				(struct name_rule){xstrdup(field->name), value};
	}
	return true;
}

/* Also finds out whether the authority and the profile are there. */
static bool expand_for_profile(struct services *services, const struct template_key *key,
	const struct fields *holder, struct enroll_names *names, struct error *error)
{
	_cleanup_authority_ struct authority *authority =
		authority_open(&services->connections, key->authority, error);
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;

	if (!authority || !authority->driver->profiles(authority, &profiles, error))
		return false;
	const struct authority_profile *profile =
		authority_profiles_find(&profiles, key->profile, error);
	if (!profile)
		return error_prefix(error, "authority %s", key->authority);
	return expand_fields(profile, key, holder, names, error);
}

bool enroll_names_expand(struct services *services, const struct template_key *key,
	const struct fields *holder, struct enroll_names *names, struct error *error)
{
	return expand(key->subject, key->subject_count, holder, &names->subject,
		       &names->subject_count, error) &&
	       expand(key->san, key->san_count, holder, &names->san, &names->san_count, error) &&
	       (!key->authority || expand_for_profile(services, key, holder, names, error));
}

static bool set_subject(X509_REQ *request, const struct enroll_names *names, struct error *error)
{
	X509_NAME *subject = X509_REQ_get_subject_name(request);

	for (size_t i = 0; i < names->subject_count; i++) {
		const struct name_rule *rule = &names->subject[i];
		if (!X509_NAME_add_entry_by_txt(subject, rule->type, MBSTRING_UTF8,
			    (const unsigned char *)rule->pattern, -1, -1, 0))
			return error_set_field(error, ERROR_INVALID_ARGUMENT, rule->type,
				"\"%s\" is no valid value for %s in a certificate's subject",
				rule->pattern, rule->type);
	}
	return true;
}

/* One key on its way to a certificate. */
struct enrollment {
	struct operation *operation;
	const struct credential *credential;
	const struct template_key *key;
	const struct enroll_names *names;
	const struct certificates *before;
	struct authority *authority;
	struct certificate certificate;
	enum enroll_outcome outcome;
};

static void enrollment_clear(struct enrollment *enrollment)
{
	certificate_clear(&enrollment->certificate);
	authority_close(enrollment->authority);
}

/* What the authority is asked; the request itself is added once it is signed. */
static struct authority_request question_of(const struct enrollment *enrollment)
{
	const struct enroll_names *names = enrollment->names;

	return (struct authority_request){.profile = enrollment->key->profile,
		.subject = names->subject,
		.subject_count = names->subject_count,
		.san = names->san,
		.san_count = names->san_count,
		.fields = names->fields,
		.field_count = names->field_count,
		.not_after = enrollment->credential->expires_at};
}

static bool add_extensions(
	const struct enrollment *enrollment, X509_REQ *request, struct error *error)
{
	struct authority *authority = enrollment->authority;
	const struct authority_request question = question_of(enrollment);
	STACK_OF(X509_EXTENSION) * extensions _cleanup_(extensions_free) =
		sk_X509_EXTENSION_new_null();

	if (!authority->driver->request_extensions)
		return true;
	if (!authority->driver->request_extensions(authority, &question, extensions, error))
		return false;
	return sk_X509_EXTENSION_num(extensions) == 0 ||
	       X509_REQ_add_extensions(request, extensions) == 1 ||
	       signing_key_error(ERROR_FAILED, "extensions of a certificate request", error);
}

static X509_REQ *make_request(const struct enrollment *enrollment,
	const struct enroll_signer *signer, struct error *error)
{
	X509_REQ *request _cleanup_(X509_REQ_freep) = X509_REQ_new();
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) =
		signing_key_new(signer->public_key, signer->sign, signer->context, error);
	bool is_long = EVP_PKEY_get_base_id(signer->public_key) == EVP_PKEY_EC &&
		       EVP_PKEY_get_bits(signer->public_key) > 256;

	if (!key || !set_subject(request, enrollment->names, error) ||
		!add_extensions(enrollment, request, error))
		return NULL;
	if (!X509_REQ_set_version(request, X509_REQ_VERSION_1) ||
		!X509_REQ_set_pubkey(request, signer->public_key) ||
		!X509_REQ_sign(request, key, is_long ? EVP_sha384() : EVP_sha256())) {
		signing_key_error(ERROR_FAILED, "certificate request", error);
		return NULL;
	}
	return steal_pointer(&request);
}

static void describe(struct enrollment *enrollment)
{
	struct certificate *certificate = &enrollment->certificate;
	const struct template_key *key = enrollment->key;

	certificate->credential_id = enrollment->credential->id;
	certificate->slot = key->slot;
	if (!certificate->authority)
		certificate->authority = xstrdup(key->authority);
	if (!certificate->profile)
		certificate->profile = xstrdup(key->profile);
}

/* What is being asked for is on the list before the authority hears of it. */
static bool note(void *context, struct certificate *certificate, struct error *error)
{
	struct enrollment *enrollment = context;
	struct services *services = enrollment->operation->services;

	describe(enrollment);
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return store_certificate_save(transaction, certificate, error) &&
	       task_note_request(services, certificate, error) && store_commit(transaction, error);
}

/* After a refusal there is nothing to collect; what may still come stays on the list. */
static void give_up(struct enrollment *enrollment)
{
	struct services *services = enrollment->operation->services;
	const struct certificate *certificate = &enrollment->certificate;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (certificate->id != 0 && !certificate->request &&
		!store_certificate_remove(services->store, certificate->id, &error))
		log_error("a certificate that was refused is not forgotten: %s",
			error_message(&error));
}

/* Whether all values that the new certificate would have stand in the old one. */
static bool says_the_same(const struct certificate *old, const struct enroll_names *names)
{
	for (size_t i = 0; i < names->field_count; i++) {
		bool is_of_seat = strncmp(names->fields[i].type, "seat.", strlen("seat.")) == 0;
		if (!is_of_seat && !certificate_has_text(old, names->fields[i].pattern))
			return false;
	}
	return true;
}

/* The valid certificate that the new one takes the place of, or NULL. */
static const struct certificate *find_renewable(const struct enrollment *enrollment)
{
	const struct template_key *key = enrollment->key;
	const struct certificates *before = enrollment->before;

	for (size_t i = 0; before && i < before->count; i++) {
		const struct certificate *old = &before->items[i];
		if (old->slot == key->slot && old->status == CERTIFICATE_VALID &&
			old->der.length > 0 && old->profile &&
			strcmp(old->authority, key->authority) == 0 &&
			strcmp(old->profile, key->profile) == 0 &&
			says_the_same(old, enrollment->names))
			return old;
	}
	return NULL;
}

static bool renew_or_enroll(
	struct enrollment *enrollment, const struct authority_request *asked, struct error *error)
{
	struct authority *authority = enrollment->authority;
	const struct authority_driver *driver = authority->driver;
	const struct certificate *old = driver->renew ? find_renewable(enrollment) : NULL;
	_cleanup_error_ struct error failure = ERROR_INIT;

	if (old && driver->renew(authority, old, asked, &enrollment->certificate,
			   &enrollment->outcome, &failure))
		return true;
	if (old && failure.code != ERROR_NOT_SUPPORTED)
		return error_move(error, &failure);
	return driver->enroll(
		authority, asked, &enrollment->certificate, &enrollment->outcome, error);
}

static bool ask_authority(struct enrollment *enrollment, X509_REQ *request, struct error *error)
{
	struct authority_request asked = question_of(enrollment);

	asked.request = request;
	asked.note = note;
	asked.note_context = enrollment;
	if (renew_or_enroll(enrollment, &asked, error) &&
		(enrollment->outcome == ENROLL_PENDING ||
			authority_check_key(&enrollment->certificate, request, error)))
		return true;
	give_up(enrollment);
	return error_prefix(error, "authority %s", enrollment->key->authority);
}

/* *refused: it must not be used, and its authority has to hear that it is revoked. */
static bool save(struct enrollment *enrollment, bool refused, struct error *error)
{
	struct services *services = enrollment->operation->services;
	struct certificate *certificate = &enrollment->certificate;
	int64_t id = certificate->id;

	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return store_certificate_save(transaction, certificate, error) &&
	       (id == 0 || store_task_remove(transaction, id, error)) &&
	       (!refused || task_note_status(services, certificate, error)) &&
	       store_commit(transaction, error);
}

static bool check_end(const struct credential *credential, const struct certificate *certificate,
	struct error *error)
{
	if (!credential->expires_at || certificate->not_after <= credential->expires_at)
		return true;
	return error_set(error, ERROR_AUTHORITY_FAILED,
		"authority %s gave a certificate that is valid beyond the card's end date",
		certificate->authority);
}

static bool check_issued(struct enrollment *enrollment, struct error *error)
{
	struct authority *authority = enrollment->authority;
	const struct template_key *key = enrollment->key;
	_cleanup_free_ char *warning = NULL;

	if (!authority->driver->check_issued)
		return true;
	if (!authority->driver->check_issued(authority, &enrollment->certificate,
		    &enrollment->credential->holder, &warning, error))
		return error_prefix(error, "authority %s", key->authority);
	if (warning)
		operation_warn(enrollment->operation, key_slot_name(key->slot), warning);
	return true;
}

static void tell_refused(struct enrollment *enrollment)
{
	const struct certificates refused = {&enrollment->certificate, 1};
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!certificates_tell(enrollment->operation->services, &refused, &error))
		log_warning("%s", error_message(&error));
}

static bool fail_save(
	const struct certificate *certificate, struct error *failure, struct error *error)
{
	return failure->code == ERROR_EXISTS
		       ? error_set(error, ERROR_AUTHORITY_FAILED,
				 "authority %s gave the serial number %s a second time: the "
				 "certificate was not used",
				 certificate->authority, certificate->serial_hex)
		       : error_move(error, failure);
}

/*
 * In the store first: a certificate that exists can be revoked, whatever happens next. One that
 * must not be used is never there as a good one.
 */
static bool keep(struct enrollment *enrollment, struct error *error)
{
	struct certificate *certificate = &enrollment->certificate;
	struct error failure _cleanup_error_ = ERROR_INIT;
	struct error refusal _cleanup_error_ = ERROR_INIT;

	describe(enrollment);
	bool is_good = check_end(enrollment->credential, certificate, &refusal) &&
		       check_issued(enrollment, &refusal);
	if (!is_good)
		certificate_refuse(certificate);
	if (!save(enrollment, !is_good, &failure)) {
		give_up(enrollment);
		return fail_save(certificate, &failure, error);
	}
	if (is_good)
		return true;
	tell_refused(enrollment);
	return error_move(error, &refusal);
}

static bool leave_pending(struct enrollment *enrollment, struct error *error)
{
	struct operation *operation = enrollment->operation;
	_cleanup_free_ char *name = xasprintf("pending-%s", key_slot_name(enrollment->key->slot));

	job_result(operation->job, name, enrollment->key->authority);
	return task_note_status(operation->services, &enrollment->certificate, error);
}

bool enroll_certificate(struct operation *operation, const struct enroll_request *request,
	struct certificate *certificate, struct error *error)
{
	struct enrollment enrollment _cleanup_(enrollment_clear) = {.operation = operation,
		.credential = request->credential,
		.key = request->key,
		.names = request->names,
		.before = request->before};

	enrollment.authority =
		authority_open(&operation->services->connections, request->key->authority, error);
	if (!enrollment.authority)
		return error_prefix(error, "authority %s", request->key->authority);
	X509_REQ *signed_request _cleanup_(X509_REQ_freep) =
		make_request(&enrollment, &request->signer, error);
	if (!signed_request || !ask_authority(&enrollment, signed_request, error))
		return false;
	bool done = enrollment.outcome == ENROLL_PENDING ? leave_pending(&enrollment, error)
							 : keep(&enrollment, error);
	*certificate = enrollment.certificate;
	enrollment.certificate = (struct certificate)CERTIFICATE_INIT;
	return done;
}

/* What the card needs to sign the request. */
struct card_signer {
	struct card *card;
	const struct template_key *key;
	const struct secret *pin;
};

static bool sign_on_card(void *context, const uint8_t *input, size_t length, struct buffer *output,
	struct error *error)
{
	struct card_signer *signer = context;
	struct card *card = signer->card;

	if (signer->key->pin != PIN_USE_NEVER &&
		!card->driver->authenticate(card, CARD_SECRET_PIN, signer->pin, error))
		return false;
	return card->driver->use_key(card, signer->key->slot, signer->key->algorithm, KEY_USE_SIGN,
		input, length, output, error);
}

/* One that is pending: the key has none yet, and not that of the key before it either. */
static bool write_certificate(struct card *card, const struct certificate *certificate,
	int64_t *expires_at, struct error *error)
{
	if (certificate->status == CERTIFICATE_PENDING)
		return card->driver->write(
			card, CARD_OBJECT_CERTIFICATE, certificate->slot, NULL, 0, error);
	if (certificate->not_after > *expires_at)
		*expires_at = certificate->not_after;
	return card->driver->write(card, CARD_OBJECT_CERTIFICATE, certificate->slot,
		certificate->der.data, certificate->der.length, error);
}

bool enroll_on_card(struct operation *operation, struct card *card, const struct enroll_card *asked,
	struct certificate *certificate, struct error *error)
{
	struct card_signer signer = {card, asked->key, asked->pin};
	const struct enroll_request request = {.credential = asked->credential,
		.key = asked->key,
		.names = asked->names,
		.before = asked->before,
		.signer = {asked->public_key, sign_on_card, &signer}};

	return enroll_certificate(operation, &request, certificate, error);
}

bool enroll_key(struct operation *operation, struct card *card, const struct credential *credential,
	const struct template_key *key, const struct enroll_names *names,
	const struct certificates *before, const struct secret *pin, int64_t *expires_at,
	struct error *error)
{
	EVP_PKEY *public_key _cleanup_(EVP_PKEY_freep) = NULL;
	struct certificate certificate _cleanup_certificate_ = CERTIFICATE_INIT;

	if (!card->driver->generate_key(
		    card, key->slot, key->algorithm, key->pin, key->touch, &public_key, error))
		return false;
	if (!key->authority)
		return card->driver->write(
			card, CARD_OBJECT_CERTIFICATE, key->slot, NULL, 0, error);
	const struct enroll_card asked = {.credential = credential,
		.key = key,
		.names = names,
		.before = before,
		.public_key = public_key,
		.pin = pin};
	return enroll_on_card(operation, card, &asked, &certificate, error) &&
	       write_certificate(card, &certificate, expires_at, error);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/enroll.h"

#include <openssl/x509.h>
#include <string.h>

#include "common/alloc.h"
#include "core/signing-key.h"

DEFINE_CLEANUP(X509_REQ *, X509_REQ_free);

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

bool enroll_names_expand(const struct template_key *key, const struct fields *holder,
	struct enroll_names *names, struct error *error)
{
	return expand(key->subject, key->subject_count, holder, &names->subject,
		       &names->subject_count, error) &&
	       expand(key->san, key->san_count, holder, &names->san, &names->san_count, error);
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

static X509_REQ *make_request(
	const struct enroll_signer *signer, const struct enroll_names *names, struct error *error)
{
	X509_REQ *request _cleanup_(X509_REQ_freep) = X509_REQ_new();
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) =
		signing_key_new(signer->public_key, signer->sign, signer->context, error);
	bool is_long = EVP_PKEY_get_base_id(signer->public_key) == EVP_PKEY_EC &&
		       EVP_PKEY_get_bits(signer->public_key) > 256;

	if (!key || !set_subject(request, names, error))
		return NULL;
	if (!X509_REQ_set_version(request, X509_REQ_VERSION_1) ||
		!X509_REQ_set_pubkey(request, signer->public_key) ||
		!X509_REQ_sign(request, key, is_long ? EVP_sha384() : EVP_sha256())) {
		signing_key_error(ERROR_FAILED, "certificate request", error);
		return NULL;
	}
	return steal_pointer(&request);
}

static bool ask_authority(struct operation *operation, const struct template_key *key,
	const struct enroll_names *names, X509_REQ *request, int64_t not_after,
	struct certificate *certificate, struct error *error)
{
	struct authority *authority _cleanup_authority_ =
		authority_open(&operation->services->authority, key->authority, error);
	struct authority_request asked = {.profile = key->profile,
		.request = request,
		.subject = names->subject,
		.subject_count = names->subject_count,
		.san = names->san,
		.san_count = names->san_count,
		.not_after = not_after};
	enum enroll_outcome outcome;

	if (!authority ||
		!authority->driver->enroll(authority, &asked, certificate, &outcome, error))
		return error_prefix(error, "authority %s", key->authority);
	return true;
}

/* Kept before it is refused: so it is revoked. */
static bool check_end(const struct credential *credential, const struct certificate *certificate,
	struct error *error)
{
	if (!credential->expires_at || certificate->not_after <= credential->expires_at)
		return true;
	return error_set(error, ERROR_AUTHORITY_FAILED,
		"authority %s gave a certificate that is valid beyond the card's end date",
		certificate->authority);
}

/* In the store first: a certificate that exists can be revoked, whatever happens next. */
static bool keep(struct operation *operation, const struct credential *credential,
	const struct template_key *key, struct certificate *certificate, struct error *error)
{
	certificate->credential_id = credential->id;
	certificate->slot = key->slot;
	certificate->authority = xstrdup(key->authority);
	certificate->profile = xstrdup(key->profile);
	return store_certificate_save(operation->services->store, certificate, error) &&
	       check_end(credential, certificate, error);
}

bool enroll_certificate(struct operation *operation, const struct credential *credential,
	const struct template_key *key, const struct enroll_names *names,
	const struct enroll_signer *signer, struct certificate *certificate, struct error *error)
{
	X509_REQ *request _cleanup_(X509_REQ_freep) = make_request(signer, names, error);

	return request &&
	       ask_authority(operation, key, names, request, credential->expires_at, certificate,
		       error) &&
	       keep(operation, credential, key, certificate, error);
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

bool enroll_key(struct operation *operation, struct card *card, const struct credential *credential,
	const struct template_key *key, const struct enroll_names *names, const struct secret *pin,
	int64_t *expires_at, struct error *error)
{
	EVP_PKEY *public_key _cleanup_(EVP_PKEY_freep) = NULL;
	struct certificate certificate _cleanup_(certificate_clear) = {0};
	struct card_signer card_signer = {card, key, pin};

	if (!card->driver->generate_key(
		    card, key->slot, key->algorithm, key->pin, key->touch, &public_key, error))
		return false;
	if (!key->authority)
		return card->driver->write(
			card, CARD_OBJECT_CERTIFICATE, key->slot, NULL, 0, error);
	const struct enroll_signer signer = {public_key, sign_on_card, &card_signer};
	if (!enroll_certificate(operation, credential, key, names, &signer, &certificate, error) ||
		!card->driver->write(card, CARD_OBJECT_CERTIFICATE, key->slot, certificate.der.data,
			certificate.der.length, error))
		return false;
	if (certificate.not_after > *expires_at)
		*expires_at = certificate.not_after;
	return true;
}

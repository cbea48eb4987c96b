/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One key of a template: made, certified, the certificate written. */
#ifndef TESSERA_OPERATION_ENROLL_H
#define TESSERA_OPERATION_ENROLL_H

#include "card/card.h"
#include "core/signing-key.h"
#include "model/template.h"
#include "operation/services.h"

/*
 * The names of one template key with the holder's values in place of patterns.
 * Prepared for all keys before the card is touched, so that a missing field costs nothing.
 */
struct enroll_names {
	struct name_rule *subject;
	size_t subject_count;
	struct name_rule *san;
	size_t san_count;
	struct name_rule *fields; /* of the authority's profile */
	size_t field_count;
};
void enroll_names_clear(struct enroll_names *names);
/* ERROR_INVALID_ARGUMENT; the field is the missing holder field. Errors of authority_open() and
 * authority_profiles_find(). */
bool enroll_names_expand(struct services *services, const struct template_key *key,
	const struct fields *holder, struct enroll_names *names, struct error *error);

/* Who signs the request, wherever the private key is; all outlive the call. */
struct enroll_signer {
	EVP_PKEY *public_key;
	signing_function sign;
	void *context;
};
struct enroll_request {
	const struct credential *credential;
	const struct template_key *key;
	const struct enroll_names *names;
	const struct certificates *before; /* as of enroll_key(); or NULL */
	struct enroll_signer signer;
};
/*
 * Proves the key with a PKCS#10 request, asks the authority of the template's key, and saves the
 * certificate, which may be pending. *certificate (clear it) may be saved also where this fails,
 * and is revoked then. ERROR_AUTHORITY_*.
 */
bool enroll_certificate(struct operation *operation, const struct enroll_request *request,
	struct certificate *certificate, struct error *error);

/* A key that is on a card. */
struct enroll_card {
	const struct credential *credential;
	const struct template_key *key;
	const struct enroll_names *names;
	const struct certificates *before; /* as of enroll_key(); or NULL */
	EVP_PKEY *public_key;
	const struct secret *pin; /* the present one, where the key wants it */
};
/* enroll_certificate() for it; nothing is written to the card. */
bool enroll_on_card(struct operation *operation, struct card *card, const struct enroll_card *asked,
	struct certificate *certificate, struct error *error);

/*
 * Makes the key, proves it with a PKCS#10 request signed by the card, asks the
 * authority and writes the certificate; it is in the store before it is on the
 * card. One that is pending is collected later, and written at the card's next contact.
 * before: the card's certificates so far; the one of the slot is renewed where its authority does
 * that now, and the new one would say the same. pin: the
 * card's present PIN. *expires_at is raised to the certificate's end.
 */
bool enroll_key(struct operation *operation, struct card *card, const struct credential *credential,
	const struct template_key *key, const struct enroll_names *names,
	const struct certificates *before, const struct secret *pin, int64_t *expires_at,
	struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates that were collected while their card was away. */
#include <string.h>

#include <openssl/x509.h>

#include "operation/ownership.h"
#include "operation/tasks.h"

/* Whether the card has the key of the certificate, and not the certificate itself. */
static bool is_wanted(
	struct card *card, const struct certificate *certificate, bool *wanted, struct error *error)
{
	struct card_key key _cleanup_(card_key_clear) = {0};
	const unsigned char *position = certificate->der.data;
	X509 *x509 = d2i_X509(NULL, &position, (long)certificate->der.length);

	*wanted = false;
	if (!x509 || !card->driver->read_key(card, certificate->slot, &key, error)) {
		X509_free(x509);
		return !x509;
	}
	bool same_key = !key.public_key || EVP_PKEY_eq(key.public_key, X509_get0_pubkey(x509)) == 1;
	bool is_there =
		key.certificate.length == certificate->der.length &&
		memcmp(key.certificate.data, certificate->der.data, certificate->der.length) == 0;
	X509_free(x509);
	*wanted = same_key && !is_there;
	return true;
}

static bool write_one(struct services *services, struct card *card,
	const struct credential *credential, const struct certificate *certificate,
	struct error *error)
{
	bool wanted = false;

	if (certificate->der.length == 0 || (certificate->status != CERTIFICATE_VALID &&
						    certificate->status != CERTIFICATE_ON_HOLD))
		return true;
	if (!is_wanted(card, certificate, &wanted, error))
		return false;
	return !wanted ||
	       (ownership_authenticate(services, card, credential->key_version, error) &&
		       card->driver->write(card, CARD_OBJECT_CERTIFICATE, certificate->slot,
			       certificate->der.data, certificate->der.length, error));
}

bool task_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error)
{
	_cleanup_certificates_ struct certificates all = CERTIFICATES_INIT;

	if (!store_certificate_list(services->store, credential->id, &all, error))
		return false;
	for (size_t i = 0; i < all.count; i++) {
		if (!write_one(services, card, credential, &all.items[i], error))
			return error_prefix(error, "writing the collected certificate");
	}
	return store_intent_remove(services->store, intent->id, error);
}

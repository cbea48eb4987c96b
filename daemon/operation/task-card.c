/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates that were collected while their card was away. */
#include <string.h>

#include <openssl/x509.h>

#include "common/alloc.h"
#include "common/log.h"
#include "operation/certificates.h"
#include "operation/ownership.h"
#include "operation/tasks.h"

/* What is found on the card for a certificate. */
enum presence { IS_THERE, IS_WANTED, IS_FOR_ANOTHER_KEY };

static bool look(struct card *card, const struct certificate *certificate, enum presence *presence,
	struct error *error)
{
	struct card_key key _cleanup_(card_key_clear) = {0};
	const unsigned char *position = certificate->der.data;
	X509 *x509 = d2i_X509(NULL, &position, (long)certificate->der.length);

	*presence = IS_FOR_ANOTHER_KEY;
	if (!x509 || !card->driver->read_key(card, certificate->slot, &key, error)) {
		X509_free(x509);
		return !x509;
	}
	bool same_key = !key.public_key || EVP_PKEY_eq(key.public_key, X509_get0_pubkey(x509)) == 1;
	bool is_there =
		key.certificate.length == certificate->der.length &&
		memcmp(key.certificate.data, certificate->der.data, certificate->der.length) == 0;
	X509_free(x509);
	if (same_key)
		*presence = is_there ? IS_THERE : IS_WANTED;
	return true;
}

static bool is_good(const struct certificate *certificate)
{
	return certificate->der.length > 0 && (certificate->status == CERTIFICATE_VALID ||
						      certificate->status == CERTIFICATE_ON_HOLD);
}

static bool is_newest(const struct certificates *all, size_t index)
{
	for (size_t i = index + 1; i < all->count; i++) {
		if (is_good(&all->items[i]) && all->items[i].slot == all->items[index].slot)
			return false;
	}
	return is_good(&all->items[index]);
}

static bool write_one(struct services *services, struct card *card,
	const struct credential *credential, const struct certificate *certificate, bool *is_there,
	struct error *error)
{
	enum presence presence;

	if (!look(card, certificate, &presence, error))
		return false;
	*is_there = presence != IS_FOR_ANOTHER_KEY;
	return presence != IS_WANTED ||
	       (ownership_authenticate(services, card, credential->key_version, error) &&
		       card->driver->write(card, CARD_OBJECT_CERTIFICATE, certificate->slot,
			       certificate->der.data, certificate->der.length, error));
}

/* The certificates whose places they have taken go, once they are on the card. */
static bool settle(struct services *services, const struct intent *intent,
	const struct certificates *all, const bool *is_there, struct certificates *superseded,
	struct error *error)
{
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	for (size_t i = 0; i < all->count; i++) {
		const struct certificate *each = &all->items[i];
		if (is_there[i] && each->status == CERTIFICATE_VALID &&
			!certificates_supersede(services, each->credential_id, each->slot,
				each->id - 1, superseded, error))
			return false;
	}
	return store_intent_remove(transaction, intent->id, error) &&
	       store_commit(transaction, error);
}

bool task_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error)
{
	_cleanup_certificates_ struct certificates all = CERTIFICATES_INIT,
						   superseded = CERTIFICATES_INIT;
	_cleanup_error_ struct error failure = ERROR_INIT;

	if (!store_certificate_list(services->store, credential->id, &all, error))
		return false;
	_cleanup_free_ bool *is_there = xcalloc(all.count + 1, sizeof(*is_there));
	for (size_t i = 0; i < all.count; i++) {
		if (is_newest(&all, i) &&
			!write_one(services, card, credential, &all.items[i], &is_there[i], error))
			return error_prefix(error, "writing the collected certificate");
	}
	if (!settle(services, intent, &all, is_there, &superseded, error))
		return false;
	if (!certificates_tell(services, &superseded, &failure))
		log_warning("%s card=%s", error_message(&failure), credential->serial);
	return true;
}

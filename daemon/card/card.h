/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A card: a transport, the driver that speaks its language, and what is known
 * of it. Every function that talks to the card needs card_begin() before and
 * card_end() after, by the same thread.
 */
#ifndef TESSERA_CARD_CARD_H
#define TESSERA_CARD_CARD_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdatomic.h>

#include "card/card-type.h"
#include "pcsc/transport.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/secret.h"
#include "model/key.h"

/* What a card is and can do; filled by the driver's identify. */
struct card_info {
	const char *type; /* name of the credential type, card->type's: "yubikey-5", "piv" */
	char *serial; /* stable and unique: "yubikey-12345678", "guid-<32 hex>"; NULL if it has none
			 yet */
	char *model;  /* for people: "YubiKey 5.4.3" */
	char *manufacturer; /* for people */
	unsigned firmware;  /* 0x050403, or 0 if it does not tell */
	bool has_metadata;
	bool can_set_admin_key;
	bool can_reset;
	bool can_set_tries; /* of PIN and PUK, see reset */
	bool can_attest;
	bool can_encrypt;  /* its firmware knows SCP11b */
	bool is_encrypted; /* what is said to it can be read and changed by nobody on the way */
	uint8_t admin_algorithm; /* PIV algorithm reference of the present management key, 0x03 if
				    it does not tell */
	uint8_t preferred_admin_algorithm; /* the strongest that it can hold */
	unsigned pin_minimum, pin_maximum; /* length in bytes */
	unsigned algorithms; /* bit (1 << enum key_algorithm) for each that it generates */
};

/* Tries of a PIN on a card as it comes, for one that does not tell. */
#define CARD_PIN_TRIES 3

enum card_secret { CARD_SECRET_PIN, CARD_SECRET_PUK, CARD_SECRET_ADMIN };

/* What the card tells about a secret. */
struct card_secret_state {
	int tries_left;	 /* -1: it does not tell */
	int tries_total; /* after a right one; -1: it does not tell */
	bool blocked;
	bool known_default; /* the card tells whether the value is the factory one ... */
	bool is_default;    /* ... and it is */
};
/* How many tries there are when none was lost. */
static inline int card_secret_tries(const struct card_secret_state *state)
{
	return state->tries_total > 0 ? state->tries_total : CARD_PIN_TRIES;
}

/* How many wrong tries in a row block the PIN and the PUK. */
struct card_tries {
	unsigned pin, puk; /* 1 to 255 */
};

/* Data objects; the certificate is that of a key slot. */
enum card_object {
	CARD_OBJECT_CHUID,
	CARD_OBJECT_CCC,
	CARD_OBJECT_DISCOVERY, /* only read */
	CARD_OBJECT_CERTIFICATE
};

/* A key that is on the card. */
struct card_key {
	key_slot slot;
	enum key_algorithm
		algorithm; /* KEY_ALGORITHM_NONE: no key is there or the card does not tell */
	enum pin_use pin;
	enum touch_use touch;
	EVP_PKEY *public_key;	   /* or NULL when it can be had neither from the card nor from the
				      certificate */
	struct buffer certificate; /* DER, uncompressed; empty when there is none */
};
void card_key_clear(struct card_key *key);

struct card;

struct card_driver {
	const char *name; /* "piv" */
	/* Selects the application and fills card->info. ERROR_CARD_UNKNOWN when it is not there. */
	bool (*identify)(struct card *, struct error *);
	/*
	 * Reads an object (slot: KEY_SLOT_NONE but for certificates, which come as DER);
	 * ERROR_NOT_FOUND when the card has none.
	 */
	bool (*read)(struct card *, enum card_object, key_slot, struct buffer *, struct error *);
	/*
	 * Writes an object (length 0 deletes it). Needs CARD_SECRET_ADMIN: ERROR_CARD_FAILED with
	 * detail 6982 without it. The first CHUID gives a card without serial its info.serial; a
	 * CHUID with another GUID than the serial number's is ERROR_INVALID_ARGUMENT.
	 */
	bool (*write)(
		struct card *, enum card_object, key_slot, const uint8_t *, size_t, struct error *);
	/* Everything public about one key: certificate, public key, policies. An empty slot is no
	 * error. */
	bool (*read_key)(struct card *, key_slot, struct card_key *, struct error *);
	/*
	 * Makes a key pair on the card; the caller frees *public_key. Needs CARD_SECRET_ADMIN, as
	 * write. ERROR_NOT_SUPPORTED for an algorithm or policy that the card does not have.
	 */
	bool (*generate_key)(struct card *, key_slot, enum key_algorithm, enum pin_use,
		enum touch_use, EVP_PKEY **public_key, struct error *);
	/*
	 * ERROR_PIN_REQUIRED when the card wants the PIN first; ERROR_DATA_LENGTH and
	 * ERROR_DATA_INVALID for input that does not fit; ERROR_NOT_SUPPORTED for a use that the
	 * algorithm does not have. output is replaced.
	 */
	bool (*use_key)(struct card *, key_slot, enum key_algorithm, enum key_use,
		const uint8_t *input, size_t length, struct buffer *output, struct error *);
	/*
	 * Proves a secret to the card. ADMIN: mutual authentication; ERROR_CARD_FOREIGN when the
	 * key is another. PIN, PUK is not provable alone. ERROR_PIN_WRONG (detail: tries left),
	 * ERROR_PIN_BLOCKED, ERROR_PIN_LENGTH (no try is spent). A NULL secret ends what was proven
	 * (PIN); the epoch grows then, as it does after a wrong PIN, which ends it too.
	 */
	bool (*authenticate)(
		struct card *, enum card_secret, const struct secret *, struct error *);
	/*
	 * Sets secret to `fresh`, on the strength of `authority` with value `old`: PIN by PIN
	 * (change), PIN by PUK (unblock), PUK by PUK (change), ADMIN by ADMIN (old is ignored: it
	 * must be authenticated; its algorithm becomes info.preferred_admin_algorithm).
	 * ERROR_PIN_WRONG (also of the PUK), ERROR_PIN_BLOCKED, ERROR_PUK_BLOCKED,
	 * ERROR_PIN_LENGTH.
	 */
	bool (*change_secret)(struct card *, enum card_secret, enum card_secret authority,
		const struct secret *old, const struct secret *fresh, struct error *);
	bool (*secret_state)(
		struct card *, enum card_secret, struct card_secret_state *, struct error *);
	/*
	 * Without tries: back to the factory's state, keys and data gone, factory secrets set. PIN
	 * and PUK must be blocked first where the card wants that (YubiKey): the driver does not
	 * block them. With tries (info.can_set_tries): PIN and PUK alone get the factory's values
	 * back, and these counts; needs CARD_SECRET_ADMIN and the PIN, ERROR_PIN_REQUIRED without.
	 */
	bool (*reset)(struct card *, const struct card_tries *, struct error *);
};

/*
 * Shared, counted by card_ref/card_unref. `begun` and everything behind the
 * driver belong to the thread between card_begin and card_end.
 */
struct card {
	const struct card_driver *driver;
	struct transport *transport; /* owned */
	struct card_type *type;	     /* owned reference; NULL before it is identified */
	struct card_info info;
	/*
	 * Grows whenever the card may have lost its security state (reset, removed, used by another
	 * program): a proven PIN counts only while this is unchanged.
	 */
	atomic_uint epoch;
	/* Grows whenever the PIN has become another one: a PIN that was kept from before is stale.
	 */
	atomic_uint pin_changes;
	/* private to card.c and the drivers: */
	struct card_private *private;
};

/*
 * Connects a card: tries each driver's identify. Takes the transport, also on
 * failure. *type (may be NULL, a reference that the caller drops) is what the
 * card was recognised as, also when it cannot be used since its driver is not
 * there yet. trust (may be NULL): CAs of cards that channels are opened to, when
 * they are far away (security-domain.h). ERROR_CARD_UNKNOWN, ERROR_CARD_FOREIGN,
 * ERROR_NO_CARD, ERROR_CARD_FAILED.
 */
struct card *card_connect(struct transport *transport, struct card_types *types, X509_STORE *trust,
	struct card_type **type, struct error *error);
/*
 * A card of whatever kind, without a driver: only card_begin(), card_end() and
 * card_application_is_there() may be used with it. Takes the transport.
 */
struct card *card_open(struct transport *transport);
struct card *card_ref(struct card *card);
void card_unref(struct card *card);
DEFINE_CLEANUP(struct card *, card_unref);
#define _cleanup_card_ _cleanup_(card_unrefp)

/*
 * Takes the card for this thread, waiting for our other threads at most timeout_ms (ERROR_BUSY);
 * a PC/SC transaction of another program is waited for as long as it lasts. After a reset by others
 * the application is selected again and the epoch grows. Not nested.
 */
bool card_begin(struct card *card, unsigned timeout_ms, struct error *error);
void card_end(struct card *card);
/* For scopes: struct card *held _cleanup_(card_endp) = card; after a successful card_begin. */
static inline void card_endp(struct card **card)
{
	if (*card)
		card_end(*card);
}

/*
 * *has: whether the card has a key for encrypted channels that a CA of trust vouches for; left as
 * it is where the card's answers do not tell. What was proven to the card is lost. ERROR_NO_CARD,
 * ERROR_NO_READER_SERVICE; ERROR_CARD_FAILED when the application cannot be selected again.
 */
bool card_has_channel_key(struct card *card, X509_STORE *trust, bool *has, struct error *error);

/*
 * Wrong tries with random values until the card says blocked. CARD_SECRET_PIN or CARD_SECRET_PUK.
 * ERROR_CARD_FAILED for a card that never says so.
 */
bool card_block(struct card *card, enum card_secret secret, struct error *error);

/*
 * The factory value of a secret for this card type. The management key is as the factory gave it:
 * it may be of another length than info.admin_algorithm wants, and authenticate() then answers
 * ERROR_CARD_FOREIGN. ERROR_NOT_SUPPORTED when the factory's secrets are not known.
 */
bool card_factory_secret(
	const struct card *card, enum card_secret which, struct secret *value, struct error *error);

#endif

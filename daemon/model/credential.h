/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A credential (a managed card, or a key in an HSM slot) and its certificates, as the store keeps
 * them. */
#ifndef TESSERA_MODEL_CREDENTIAL_H
#define TESSERA_MODEL_CREDENTIAL_H

#include <stdint.h>

#include "common/buffer.h"
#include "common/fields.h"
#include "common/macros.h"
#include "model/key.h"
#include "model/lifecycle.h"
#include "model/person.h"

struct credential {
	int64_t id;	 /* given by the store; 0 before */
	char *serial;	 /* the card's own: "yubikey-12345678", "guid-..."; unique */
	char *card_type; /* name in the table of card types */
	enum lifecycle_state state;
	struct fields holder;
	char *template_name; /* NULL while only registered */
	int64_t template_version;
	/* Ownership: how this card's secrets are derived (design, decision 4). */
	char *kdf;		    /* "SP800-108-CMAC-AES256" */
	uint32_t key_version;	    /* of the master key */
	uint8_t key_check_value[3]; /* of the derived management key */
	uint8_t admin_algorithm;    /* PIV algorithm reference of the management key */
	/* Decimal user id of the user who issued it to themselves; NULL: an operator issued it. */
	char *user_id;
	struct person_link person;   /* of a directory, whose card it is */
	enum lifecycle_state before; /* of an inactive card: what it is again once it is resumed */
	char *reason;		     /* of the last suspend, report, revoke or retire; or NULL */
	int64_t expires_at;	     /* end of a temporary card, seconds since 1970; 0: none */
	int64_t replaces;	     /* id of the card that this one was issued for; 0: none */
	int64_t replaced_by;	     /* id of the card that was issued for this one; 0: none */
	int64_t created_at;	     /* seconds since 1970 */
	int64_t changed_at;
};

/* ownership of a heap credential passes with the pointer */
void credential_free(struct credential *credential);
struct credential *credential_copy(const struct credential *credential);
DEFINE_CLEANUP(struct credential *, credential_free);
#define _cleanup_credential_ _cleanup_(credential_freep)

/* Nobody's any more: without holder, person, user, template, reason, end date and replacements. */
void credential_forget(struct credential *credential);
/* Makes the state LIFECYCLE_EXPIRED when the end date of a card with keys has come. */
void credential_apply_expiry(struct credential *credential, int64_t now);

/* Whether it is a key in an HSM slot and no card. */
bool credential_is_key(const struct credential *credential);
/*
 * lifecycle_check() for the card (lifecycle_check_key() for a key), and the state after the verb:
 * resume leads back to the state that the card had. ERROR_WRONG_STATE, ERROR_NOT_SUPPORTED.
 */
bool credential_check(const struct credential *credential, enum lifecycle_verb verb,
	enum lifecycle_state *next, struct error *error);
/* Puts the card into a state; one that becomes inactive remembers what it was. */
void credential_set_state(struct credential *credential, enum lifecycle_state state);
/* Whether it has never been activated: nobody knows its PIN. */
bool credential_waits_for_pin(const struct credential *credential);

enum certificate_status {
	CERTIFICATE_PENDING, /* asked for, not there yet */
	CERTIFICATE_VALID,
	CERTIFICATE_ON_HOLD,
	CERTIFICATE_REVOKED,
	CERTIFICATE_STATUS_COUNT
};
const char *certificate_status_name(enum certificate_status status); /* "on-hold"; NULL for none */
/* CERTIFICATE_STATUS_COUNT for an unknown name. */
enum certificate_status certificate_status_from_name(const char *name);

struct certificate {
	int64_t id; /* given by the store */
	int64_t credential_id;
	key_slot slot;
	char *authority; /* name of the connection */
	char *profile;
	char *serial_hex; /* the certificate's serial number, lower-case hex */
	char *subject;	  /* RFC 4514 string, for display */
	int64_t not_before, not_after;
	enum certificate_status status;
	enum certificate_status status_before_hold; /* restored by resume */
	char *reason;				    /* of the revocation, or NULL */
	int64_t revoked_at;			    /* or 0 */
	struct buffer der;
	/* While the authority's answer is outstanding: what its driver finds it by; or NULL. */
	char *request;
};

/* Frees what it holds; it may be used again. */
void certificate_clear(struct certificate *certificate);
#define CERTIFICATE_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_certificate_ _cleanup_(certificate_clear)

struct certificates {
	struct certificate *items;
	size_t count;
};
#define CERTIFICATES_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_certificates_ _cleanup_(certificates_clear)
void certificates_clear(struct certificates *certificates);
/* Takes over what *certificate holds and leaves it empty. */
void certificates_take(struct certificates *certificates, struct certificate *certificate);

/*
 * Fills subject, serial_hex, not_before, not_after and der from an encoded
 * certificate. ERROR_AUTHORITY_FAILED if it is not exactly one, or beyond sane
 * limits (64 KiB, serial number of 20 octets); *certificate is then unchanged.
 */
bool certificate_from_der(
	struct certificate *certificate, const uint8_t *der, size_t length, struct error *error);
/*
 * Whether the certificate has a value of exactly this text (of one byte a character), be it in a
 * name, an extension or its issuer: not merely as a part of a longer one. True for "".
 */
bool certificate_has_text(const struct certificate *certificate, const char *text);

/* Reasons for revoking, RFC 5280 section 5.3.1, by their names there. */
struct revocation_reason {
	const char *name; /* "keyCompromise" */
	int code;
};
/* NULL for an unknown name. NULL as name gives "unspecified". */
const struct revocation_reason *revocation_reason_find(const char *name);

#endif

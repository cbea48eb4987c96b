/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credential types are data: a JSON document says how a kind of card or token
 * is recognised, which driver speaks to it, what it can do and what its factory
 * gave it. docs/guide/types.md describes the documents.
 */
#ifndef TESSERA_MODEL_CARD_TYPE_H
#define TESSERA_MODEL_CARD_TYPE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/macros.h"

/*
 * The type of keys in HSM slots, and its driver: they are in no reader, have no PIN of their own,
 * and their document has neither /match nor /pin.
 */
#define HSM_KEY_TYPE "hsm-key"

/* An answer to reset; mask has as many bytes, and its 1 bits count. */
struct card_atr {
	struct buffer value, mask;
};

/* How the management PIN of a blocked card is set again. */
enum card_unblock { CARD_UNBLOCK_NONE, CARD_UNBLOCK_PUK, CARD_UNBLOCK_ADMIN_KEY };

/* YubiKey's commands beside SP 800-73 that a type may be without, though it answers to them. */
enum card_extension {
	CARD_EXTENSION_VERSION,
	CARD_EXTENSION_SERIAL,
	CARD_EXTENSION_METADATA,
	CARD_EXTENSION_ATTESTATION,
	CARD_EXTENSION_RESET,
	CARD_EXTENSION_SET_MANAGEMENT_KEY,
	CARD_EXTENSION_SET_TRIES,
	CARD_EXTENSION_SCP11,
	CARD_EXTENSION_COUNT
};
#define CARD_EXTENSIONS_ALL ((1U << CARD_EXTENSION_COUNT) - 1)

/* Immutable once parsed; shared, counted by card_type_ref/card_type_unref. */
struct card_type {
	atomic_uint references;
	char *name;	    /* "yubikey-5" */
	char *title;	    /* for people, "YubiKey"; followed by the firmware version */
	char *manufacturer; /* for people */
	char *driver;	    /* "piv", "gids", "pkcs11", "hsm-key" */
	char *notes;	    /* or NULL */
	bool is_shipped;    /* set by whoever loads it: not to be removed */
	/* How it is recognised: any of the ATRs, the firmware, all applications, the library. */
	struct card_atr *atrs;
	size_t atr_count;
	unsigned firmware_from, firmware_to; /* 0x050403, both included; 0, 0: not asked for */
	struct buffer *applications; /* application identifiers, cut at the right or whole */
	size_t application_count;
	char *library; /* manufacturer in CK_INFO of the PKCS#11 module, or NULL */
	/* What it can do. */
	unsigned pin_minimum, pin_maximum; /* length in bytes */
	enum card_unblock unblock;
	unsigned algorithms; /* bit (1 << enum key_algorithm) for each it generates */
	unsigned extensions; /* bit (1 << enum card_extension) for each that it has if it says so */
	/* What its factory gave it; published values, no secrets. NULL: each card has its own. */
	char *factory_pin, *factory_puk;
	char *factory_admin_key;	 /* hex */
	uint8_t factory_admin_algorithm; /* PIV algorithm reference; 0 without the key */
	char *document;			 /* the JSON it was made from */
};

/* Parses and checks a document. NULL with ERROR_INVALID_TYPE and the JSON pointer as field. */
struct card_type *card_type_parse(const char *document, struct error *error);
struct card_type *card_type_ref(struct card_type *type);
void card_type_unref(struct card_type *type); /* NULL is allowed */
DEFINE_CLEANUP(struct card_type *, card_type_unref);
#define _cleanup_card_type_ _cleanup_(card_type_unrefp)

/* The drivers that a document may name, with NULL past the end ... */
const char *card_driver_name_at(size_t index);
/* ... and whether this program has the driver, so that such cards can be used. */
bool card_driver_is_there(const char *name);

/* "3des", "aes-256" of a PIV algorithm reference (SP 800-78-4, table 6-2); NULL for another. */
const char *admin_algorithm_name(uint8_t algorithm);
/* Length in bytes of a management key of a PIV algorithm reference; 0 if unknown. */
size_t admin_key_length(uint8_t algorithm);
/* Heap; "5.4.3" of 0x050403. */
char *firmware_text(unsigned firmware);

/* What is known of a card whose type is asked for. */
struct card_evidence {
	const char *driver; /* that has identified it, or NULL when none did */
	const uint8_t *atr;
	size_t atr_length;
	unsigned firmware; /* 0 when it does not tell */
	/* Whether the card has the application; may ask the card. Called for the types whose other
	 * conditions hold. */
	bool (*has_application)(void *context, const struct buffer *application);
	void *context;
};

/*
 * How well the type fits: 0 when it does not, else more for the one that says more: a type that was
 * added over a shipped one, then more bits of the ATR, then firmware, then applications.
 */
unsigned card_type_fit(const struct card_type *type, const struct card_evidence *evidence);

#endif

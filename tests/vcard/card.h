/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of the virtual card: what its command families share. */
#ifndef TESSERA_VCARD_CARD_H
#define TESSERA_VCARD_CARD_H

#include "vcard/apdu.h"
#include "vcard/secure-channel.h"
#include "vcard/state.h"
#include "vcard/vcard.h"

#define BLOCK_MAXIMUM 16 /* bytes of an AES block */

/* Key references (SP 800-73-4 part 1, table 4b; YubiKey: F9). */
enum {
	REFERENCE_PIN = 0x80,
	REFERENCE_PUK = 0x81,
	SLOT_RETIRED_FIRST = 0x82,
	SLOT_RETIRED_LAST = 0x95,
	SLOT_AUTHENTICATION = 0x9A,
	SLOT_MANAGEMENT = 0x9B,
	SLOT_SIGNATURE = 0x9C,
	SLOT_KEY_MANAGEMENT = 0x9D,
	SLOT_CARD_AUTHENTICATION = 0x9E,
	SLOT_ATTESTATION = 0xF9,
};

enum applet {
	APPLET_NONE = 0,
	APPLET_PIV = 1,
	APPLET_MANAGEMENT = 2,
	APPLET_OTP = 4,
	APPLET_SECURITY_DOMAIN = 8,
};

enum pin_policy { PIN_DEFAULT, PIN_NEVER, PIN_ONCE, PIN_ALWAYS };
enum touch_policy { TOUCH_DEFAULT, TOUCH_NEVER, TOUCH_ALWAYS, TOUCH_CACHED };

/* What is lost with power. */
struct security_status {
	enum applet applet;
	bool pin_verified;
	bool pin_fresh;			 /* verified, and no PIN ALWAYS key was used since */
	bool management;		 /* 9B authenticated */
	uint8_t expected[BLOCK_MAXIMUM]; /* answer that a challenge or witness expects */
	uint8_t expected_tag;		 /* 82 (challenge) or 80 (witness); 0: none outstanding */
};

struct vcard {
	struct vcard_options options;
	struct state state;
	bool dirty; /* state differs from its file */
	bool gone;
	uint64_t count;
	struct buffer atr;
	bool is_t0; /* the ATR offers T=0 first, which readers then use */
	struct security_status status;
	struct secure_channel channel; /* to the selected application */
	struct buffer chain;	       /* data of a command chain so far */
	uint8_t chain_header[3];       /* its INS P1 P2 */
	bool chaining;
	struct buffer pending; /* response data not yet fetched, from pending_at on */
	size_t pending_at;
};

static inline bool card_is_nist(const struct vcard *card)
{
	return card->options.profile == VCARD_PROFILE_NIST;
}

/* What a wrong key reference or algorithm in P1 or P2 gives. */
static inline uint16_t card_wrong_slot(const struct vcard *card)
{
	return card_is_nist(card) ? SW_WRONG_PARAMETERS : SW_WRONG_DATA;
}

/* A slot for an asymmetric key that this card has. */
bool card_has_slot(const struct vcard *card, uint8_t slot);

/* Sets PIN, PUK and management key to factory values and drops keys and objects, except F9's. */
void card_restore_factory(struct vcard *card);

/* Sets PIN and PUK to factory values with these retry counts. */
void card_restore_references(struct vcard *card, uint8_t pin_tries, uint8_t puk_tries);

/* Whether PIN, PUK (references 80, 81) or management key (9B) have their factory value. */
bool card_is_factory_value(const struct vcard *card, uint8_t reference);

/* The card has an SCP11b key, and so a security domain that tells of it. */
bool card_has_scp11(const struct vcard *card);

/* PIN and management key have to be proved anew. */
void card_forget_proofs(struct vcard *card);

/* With the channel go the proofs, and what is not yet fetched of its last answer. */
void card_end_channel(struct vcard *card);

/* A user touched the card, or the policy does not ask for it. */
bool card_touched(const struct vcard *card, uint8_t touch_policy);

/* A command does its work, appends response data and answers a status word. */
typedef uint16_t card_command(struct vcard *card, const struct apdu *apdu, struct buffer *response);

card_command command_select, command_read_config, command_otp;	   /* applets.c */
card_command command_get_data, command_put_data;		   /* data.c */
card_command command_verify, command_change_reference_data;	   /* pin.c */
card_command command_reset_retry_counter, command_set_pin_retries; /* pin.c */
card_command command_general_authenticate;			   /* authenticate.c */
card_command command_generate_key, command_import_key;		   /* generate.c */
card_command command_get_version, command_get_serial;		   /* yubikey.c */
card_command command_set_management_key, command_get_metadata;	   /* yubikey.c */
card_command command_reset, command_move_key;			   /* yubikey.c */
card_command command_attest;					   /* attest.c */
card_command command_internal_authenticate;			   /* scp11.c */
card_command command_get_domain_data;				   /* security-domain.c */

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Card templates: JSON documents with a strict schema. Every unknown, missing
 * or wrong member is ERROR_INVALID_TEMPLATE with its path (JSON Pointer, RFC
 * 6901) in the error's field and the allowed values in the message.
 *
 *    member                        value, and what a missing one means
 *    /name                         name of the template; required
 *    /card-type                    "piv"; required
 *    /comment                      text of at most 1024 bytes; none
 *    /operator                     object: cards of this template are operators'; none
 *      /kind                       operator, system-owner; required
 *      /id-length                  characters of the simple ID, 4 to 16; 5
 *    /keys                         array of 1 to 24 keys; required
 *    /keys/N/slot                  name of a key slot, each used once; required
 *    /keys/N/algorithm             rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384; required
 *    /keys/N/pin                   default, never, once, always; default
 *    /keys/N/touch                 default, never, always, cached; default
 *    /keys/N/certificate           object; none: the key gets no certificate
 *      .../authority               name of a connection; required
 *      .../profile                 name of one of its profiles; required
 *      .../subject                 array of [type, pattern]; [["CN", "{name}"]]
 *      .../san                     array of [type, pattern], or object of them; none
 *    /rotate-at-contact            true, false: whether cards of an older master key change over
 *                                  at their next contact, whatever tesserad.conf says; false
 *    /pin-policy                   object; pin_policy_default
 *      /minimum-length             6 to 8; 6
 *      /maximum-length             6 to 8, not below minimum-length; 8
 *      /characters                 digits, alphanumeric, any; any
 *      /required                 object of least numbers of digits, letters, upper, lower,
 *                                special; none
 *      /maximum-repeats          equal characters in a row, 0 to 8, 0 is no limit; 0
 *      /maximum-sequence         ascending or descending run, 0 to 8, 0 is no limit; 0
 *      /weak-list                none, shipped; none
 *      /forbidden                array of at most 256 words of 3 to maximum-length bytes; none
 *      /holder-data              allowed, refused; allowed
 *      /history                  last PINs that may not come again, 0 to 24; 0
 *      /maximum-age-days         0 to 3650, 0 is no limit; 0
 *      /pin-tries, /puk-tries    3 to 15; as the card has them, or 3 if one of them is given
 */
#ifndef TESSERA_MODEL_TEMPLATE_H
#define TESSERA_MODEL_TEMPLATE_H

#include <stdint.h>

#include "common/error.h"
#include "common/fields.h"
#include "model/key.h"
#include "model/pin-policy.h"

/* One attribute of a subject ("CN" = "{name}") or of a SAN ("email" = "{email}"). */
struct name_rule {
	char *type;    /* subject: CN, O, OU, C, L, ST, serialNumber, UID, DC, emailAddress, GN, SN;
			  SAN: email, upn, dns, uri */
	char *pattern; /* text with {field} of the holder; {serial} is the card's */
};

struct template_key {
	key_slot slot;
	enum key_algorithm algorithm;
	enum pin_use pin;
	enum touch_use touch;
	char *authority; /* name of a connection; NULL: the key gets no certificate */
	char *profile;	 /* of the authority; NULL with it */
	struct name_rule *subject;
	size_t subject_count;
	struct name_rule *san;
	size_t san_count;
};

/* Whose cards a template is for. */
enum operator_kind { OPERATOR_NONE, OPERATOR_ORDINARY, OPERATOR_OWNER };

struct template
{
	char *name;	 /* lower-case letters, digits and '-', at most 64 */
	char *card_type; /* name of a credential type or of a driver: "yubikey-5", "piv" */
	char *comment;	 /* or NULL */
	struct template_key *keys;
	size_t key_count;
	struct pin_policy pin_policy;
	enum operator_kind operator_kind;
	bool rotate_at_contact; /* cards of older master keys change over at their next contact */
	unsigned operator_id_length; /* characters; 0 for a template that is not for operators */
	int64_t version;	     /* given by the store */
	char *document;		     /* the JSON it was made from */
};

void template_free(struct template *template);
DEFINE_CLEANUP(struct template *, template_free);
#define _cleanup_template_ _cleanup_(template_freep)

/* Whether the template has a key for the slot. */
bool template_has_slot(const struct template *template, key_slot slot);

/* Parses and checks a document. NULL with ERROR_INVALID_TEMPLATE. */
struct template *template_parse(const char *document, struct error *error);

/*
 * Adds the names of all holder fields that the template's patterns use (with
 * empty values); {serial}, which is the card's, is not among them. Caller clears.
 */
void template_required_fields(const struct template *template, struct fields *fields);

/* Whether the pattern is well-formed. *why (static text) says what is wrong if not. */
bool pattern_check(const char *pattern, const char **why);

/*
 * The pattern with each {field} replaced by the holder's value ("{{" is a
 * brace). ERROR_INVALID_ARGUMENT (field: its name) when the holder lacks one
 * or it is empty, or the pattern is malformed. Heap.
 */
char *pattern_expand(const char *pattern, const struct fields *holder, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Card templates: JSON documents with a strict schema. Every unknown, missing
 * or wrong member is ERROR_INVALID_TEMPLATE with its path (JSON Pointer, RFC
 * 6901) in the error's field and the allowed values in the message.
 *
 *    member                        value, and what a missing one means
 *    /name                         name of the template; required
 *    /card-type                    name of a credential type or driver; required, unless
 *    /card-types                   array of 1 to 16 such names
 *    /comment                      text of at most 1024 bytes; none
 *    /enabled                      false: nothing is issued by it; true
 *    /operator                     object: cards of this template are operators'; none
 *      /kind                       operator, system-owner; required
 *      /id-length                  characters of the simple ID, 4 to 16; 5
 *    /keys                         array of 1 to 24 keys; required
 *    /keys/N/slot                  name of a key slot, each used once; required, but not of hsm-key
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
 *    /issue                        object (template-issue.c)
 *      /by                       operator, user (to themselves); operator
 *      /authentication           with /issue/by user: array of the ways to prove to whom; user-id
 *      /holder                   object: who gets the card
 *        /from                   fields (given at issue), simple-id, directory (a person there),
 *                                system-user (who issues, as the system's user database has
 *                                them; with by user, and only then); fields
 *        /id-length              characters of the simple ID, 4 to 16; 5
 *        /directory              of directory (template-directory.c): name of a connection;
 * required /further                array of 1 to 16 fields that may be given where the directory
 * has none; none /one-each               whether nobody gets a second card of the template; false
 *        /if-disabled, /if-gone  report, suspend: what is done with cards of people whom the
 *                                directory has disabled, or has not any more; report
 *        /if-back                report, resume: the same of cards that were suspended so; report
 *      /auto-initiate            whether the PIN is given, and the card active, at issue; false
 *      /chuid                    object: the card's identity for doors and the like
 *        /agency, /system        4 digits; 9999
 *        /credential, /person    pattern of at most 6 and 10 digits; 999999, 0
 *        /series, /issue         a digit; 0, 1
 *        /category               federal, state, commercial, foreign; commercial
 *        /organisation           4 digits; 0000
 *        /association            employee, civil, executive, uniformed, contractor, affiliate,
 *                                beneficiary; employee
 *        /expiry-days            1 to 7300; as long as the longest certificate
 *    /unblock                      object (template-unblock.c)
 *      /online                   whether an operator may unblock the card in a reader; true
 *      /offline                  whether an unblock code may be given out; true
 *      /roles                    array of the roles whose operators may; all with the right
 *    /self-service                 object (template-self-service.c): what holders may do
 *      /activate, /unblock, /reissue, /report-lost, /retire
 *                                  array of the ways to prove whose the card is (card, user-id,
 *                                  system-user, directory, code); true: user-id for activate, else
 *                                  card; false
 *      /directory                  connection that checks passwords; none
 *      /system-users               separate, directory: the system's users have the names of the
 *                                  holders' fields user or upn; separate
 *    /renewal                      object (template-renewal.c): before certificates end
 *      /days                       so long before that a renewal is due, 1 to 365; required
 *      /automatic                  of hsm-key: tesserad renews it by itself; false
 *    /reminders                    object (template-renewal.c): mail to the holder
 *      /days                       array of 1 to 8 numbers of days before the end; required
 *      /to                         pattern of the address; {email}
 *      /subject, /text             patterns, also of {serial}, {end} and {days}, the text may be an
 *                                  array of its lines; some words of ours
 *    /lifecycle                    object (template-lifecycle.c)
 *      /block-pin                whether the PIN is blocked until it is activated; true
 *      /on-retire                what retiring does to certificates: revoke, keep; revoke
 *
 * A template of the card type hsm-key (template-hsm-key.c) is for keys in HSM slots: it has one key
 * with algorithm and certificate, and of the other members only those that are about certificates.
 */
#ifndef TESSERA_MODEL_TEMPLATE_H
#define TESSERA_MODEL_TEMPLATE_H

#include <stdint.h>

#include "common/error.h"
#include "common/fields.h"
#include "model/key.h"
#include "model/pin-policy.h"
#include "model/self-service.h"

/* One attribute of a subject ("CN" = "{name}") or of a SAN ("email" = "{email}"). */
struct name_rule {
	char *type;    /* subject: CN, O, OU, C, L, ST, serialNumber, UID, DC, emailAddress, GN, SN;
			  SAN: email, upn, dns, ip, uri */
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

/* Who issues. */
enum issue_by { ISSUE_BY_OPERATOR, ISSUE_BY_USER };

/* Where the holder's fields come from: given at issue, a generated simple ID, the system's user
 * database, or a connection to a directory. */
enum issue_holder {
	ISSUE_HOLDER_FIELDS,
	ISSUE_HOLDER_SIMPLE_ID,
	ISSUE_HOLDER_SYSTEM_USER,
	ISSUE_HOLDER_DIRECTORY
};
const char *issue_by_name(enum issue_by by);		 /* "user" */
const char *issue_holder_name(enum issue_holder holder); /* "system-user" */

/* The holder's fields that the user database gives. */
#define HOLDER_USER	 "user" /* login name */
#define HOLDER_USER_ID	 "uid"	/* decimal */
#define HOLDER_USER_NAME "name" /* full name */

/* What is written into the CHUID (SP 800-73-4 part 1, 3.1.2; FASC-N: TIG SCEPACS 2.3, 2.1). */
struct template_chuid {
	char agency[5], system[5], organisation[5]; /* digits */
	char *credential, *person;		    /* patterns of at most 6 and 10 digits */
	char series, issue, category, association;  /* a digit each */
	unsigned expiry_days;			    /* 0: as long as the longest certificate */
};

#define TEMPLATE_FURTHER_MAX 16

/* What is done when the directory has a holder disabled, or no more, or again. */
enum person_policy { PERSON_REPORTED, PERSON_TAKES_EFFECT };
/* "report", "suspend"; of those who are back "report", "resume". */
const char *person_policy_name(enum person_policy policy, bool is_back);

/* Holders that are people of a directory. */
struct template_directory {
	char *connection; /* its name; NULL: holders come from elsewhere */
	char **further;	  /* fields that may be given where the directory has none */
	size_t further_count;
	bool one_each; /* nobody gets a second card of this template */
	enum person_policy if_disabled, if_gone, if_back;
};

struct template_issue {
	enum issue_by by;
	enum issue_holder holder;
	struct template_directory directory;
	bool auto_initiate;
	struct template_chuid chuid;
};

struct template_unblock {
	bool online, offline;
	char **roles; /* of the operators who may; NULL: all roles with the permission */
	size_t role_count;
};

/* What holders may do with their own cards, and issue to themselves. */
struct template_self_service {
	self_ways ways[SELF_SERVICE_COUNT]; /* that are good enough; 0: they may not */
	char *directory;		    /* connection that checks passwords; or NULL */
	bool system_users_are_directory;    /* the system's user names are those of holders */
};

enum retire_certificates { RETIRE_REVOKES, RETIRE_KEEPS };

struct template_lifecycle {
	bool block_pin;
	enum retire_certificates on_retire;
};

/* Before certificates end: when that is a task. */
struct template_renewal {
	unsigned days; /* 0: never */
	bool automatic;
};

#define TEMPLATE_REMINDERS_MAX 8

/* Mail to the holder of what ends. */
struct template_reminders {
	unsigned days[TEMPLATE_REMINDERS_MAX];
	size_t count;
	char *to, *subject, *text; /* patterns; NULL with a count of 0 */
};

#define TEMPLATE_CARD_TYPES_MAX 16

struct template
{
	char *name;	   /* lower-case letters, digits and '-', at most 64 */
	char **card_types; /* names of credential types or drivers: "yubikey-5", "piv"; one or more
			    */
	size_t card_type_count;
	char *comment; /* or NULL */
	bool enabled;
	struct template_key *keys;
	size_t key_count;
	struct pin_policy pin_policy;
	enum operator_kind operator_kind;
	bool rotate_at_contact; /* cards of older master keys change over at their next contact */
	unsigned id_length;	/* characters of the holder's simple ID; 0: there is none */
	struct template_issue issue;
	struct template_unblock unblock;
	struct template_self_service self_service;
	struct template_lifecycle lifecycle;
	struct template_renewal renewal;
	struct template_reminders reminders;
	int64_t version; /* given by the store */
	char *document;	 /* the JSON it was made from */
};

void template_free(struct template *template);
DEFINE_CLEANUP(struct template *, template_free);
#define _cleanup_template_ _cleanup_(template_freep)

/* Whether it is for keys in HSM slots; it has one key then, whose slot is KEY_SLOT_HSM. */
bool template_is_hsm_key(const struct template *template);
/* Whether the template has a key for the slot. */
bool template_has_slot(const struct template *template, key_slot slot);
/* The template's key for the slot, or NULL. */
const struct template_key *template_find_key(const struct template *template, key_slot slot);
/* Whether it is for cards of this type or driver. */
bool template_names_card_type(const struct template *template, const char *name);
/* "piv, yubikey-5": heap. */
char *template_card_types_text(const struct template *template);

/* The words for the digits of /issue/chuid; NULL for none (template-issue.c). */
const char *chuid_category_name(char digit);
const char *chuid_association_name(char digit);

/* Whether a field of the holder may be given although holders come from a directory. */
bool template_takes_further(const struct template *template, const char *field);

/* Parses and checks a document. NULL with ERROR_INVALID_TEMPLATE. */
struct template *template_parse(const char *document, struct error *error);

/*
 * Adds the names of all holder fields that the template's patterns use (with
 * empty values); {serial}, which is the card's, is not among them. Caller clears.
 */
void template_required_fields(const struct template *template, struct fields *fields);

/*
 * Whether the holder has all of them, not empty. ERROR_INVALID_ARGUMENT names all that are missing
 * (field: the first).
 */
bool template_check_holder(
	const struct template *template, const struct fields *holder, struct error *error);

/*
 * Adds the names of the holder fields that a pattern uses, with this value (NULL: ""); {serial},
 * which is the card's, is not among them.
 */
void pattern_add_fields(const char *pattern, const char *value, struct fields *fields);

/* Whether the pattern is well-formed. *why (static text) says what is wrong if not. */
bool pattern_check(const char *pattern, const char **why);

/*
 * The pattern with each {field} replaced by the holder's value ("{{" is a
 * brace). ERROR_INVALID_ARGUMENT (field: its name) when the holder lacks one
 * or it is empty, or the pattern is malformed. Heap.
 */
char *pattern_expand(const char *pattern, const struct fields *holder, struct error *error);

#endif

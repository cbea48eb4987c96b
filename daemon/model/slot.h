/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A slot: a token of a PKCS#11 module (an HSM) that programs use through the
 * daemon, and the rules that say who may use which of its keys, and how.
 */
#ifndef TESSERA_MODEL_SLOT_H
#define TESSERA_MODEL_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/macros.h"
#include "model/key.h"

/* Readers are numbered from 1; slots from here on. */
#define SLOT_NUMBER_FIRST 0x10000

/*
 * What a rule lets one do with a key. In the order of the bits that the store keeps, the first
 * three in that of enum key_use.
 */
enum slot_operation {
	SLOT_SIGN,    /* also makes and verifies MACs */
	SLOT_DECRYPT, /* also encrypts with secret keys */
	SLOT_DERIVE,
	SLOT_WRAP,     /* takes a key out of the token, and wraps and unwraps others with it */
	SLOT_GENERATE, /* makes keys and other objects of that label, and changes them */
	SLOT_DESTROY,
	SLOT_OPERATION_COUNT
};
#define SLOT_OPERATIONS_ALL ((1U << SLOT_OPERATION_COUNT) - 1)
/* What is done with a key as it is. */
#define SLOT_OPERATIONS_USE                                                                        \
	(1U << SLOT_SIGN | 1U << SLOT_DECRYPT | 1U << SLOT_DERIVE | 1U << SLOT_WRAP)

/* "sign", "wrap"; NULL for none. */
const char *slot_operation_name(enum slot_operation operation);
/* SLOT_OPERATION_COUNT for an unknown name. */
enum slot_operation slot_operation_from_name(const char *name);

#define SLOT_ANYONE  "anyone"
#define SLOT_ANY_KEY "*"

struct slot_rule {
	char *subject;	     /* "user:1000", "group:50" or "anyone" */
	char *key;	     /* the label of keys, or "*" for all */
	unsigned operations; /* a bit for each enum slot_operation; never 0 */
};

/* Where the PIN comes from. */
enum slot_pin {
	SLOT_PIN_CALLER, /* each program gives it */
	SLOT_PIN_FILE,	 /* the daemon reads it from a file */
	SLOT_PIN_SEALED, /* the daemon keeps it, sealed by a key in its own token */
	SLOT_PIN_COUNT
};
/* "caller", "file", "sealed"; NULL for none. */
const char *slot_pin_name(enum slot_pin pin);
enum slot_pin slot_pin_from_name(const char *name); /* SLOT_PIN_COUNT for an unknown name */

/* Where a slot's module runs. */
enum slot_process {
	SLOT_PROCESS_DAEMON, /* in the daemon itself */
	SLOT_PROCESS_OWN,    /* in a process of its own */
	SLOT_PROCESS_COUNT
};
/* "daemon", "own"; NULL for none. */
const char *slot_process_name(enum slot_process process);
enum slot_process slot_process_from_name(const char *name); /* SLOT_PROCESS_COUNT: unknown */

/* Seconds that a module in a process of its own may take for a call. */
#define SLOT_TIMEOUT_DEFAULT 60
#define SLOT_TIMEOUT_MAX     3600
#define SLOT_VARIABLES_MAX   32

struct slot_record {
	char *name;
	int64_t number;	    /* that programs know it by; never given twice */
	char *module;	    /* absolute path */
	char *token_label;  /* 1 to 32 bytes */
	char *token_serial; /* "": any */
	enum slot_pin pin;
	char *pin_file;		  /* of SLOT_PIN_FILE: a path, or "credential:NAME"; else "" */
	struct buffer sealed_pin; /* of SLOT_PIN_SEALED */
	bool audit_uses;	  /* each use of a key gets a record */
	enum slot_process process;
	/* Of SLOT_PROCESS_OWN. */
	unsigned timeout; /* seconds */
	char **variables; /* of the environment: NAME=VALUE, NULL at the end; or NULL */
	struct slot_rule *rules;
	size_t rule_count;
};
void slot_rules_free(struct slot_rule *rules, size_t count);
void slot_record_free(struct slot_record *record);
DEFINE_CLEANUP(struct slot_record *, slot_record_free);
#define _cleanup_slot_record_ _cleanup_(slot_record_freep)

/*
 * Whether a new slot's record can be: its name, an absolute path as its module, a label, a file for
 * a PIN that is in one, and slot_process_check(). ERROR_INVALID_ARGUMENT.
 */
bool slot_record_check(const struct slot_record *record, struct error *error);
/* Whether it can be a token's label. field: what the error is about. ERROR_INVALID_ARGUMENT. */
bool slot_token_label_check(const char *label, const char *field, struct error *error);
/* Whether process, timeout and variables go together and are what they must be. */
bool slot_process_check(const struct slot_record *record, struct error *error);

/* Variables as lines of text, and the other way; heap. */
char *slot_variables_text(char *const *variables);
char **slot_variables_from_text(const char *text);
char **slot_variables_copy(char *const *variables, size_t count);
void slot_variables_free(char **variables); /* NULL is allowed */

/* Who asks. */
struct slot_user {
	uid_t uid;
	bool is_manager; /* may do everything */
	const gid_t *groups;
	size_t group_count;
};

/* The operations that the rules let a user do with a key of that label: bits. */
unsigned slot_access(const struct slot_rule *rules, size_t count, const struct slot_user *user,
	const char *label);
/* Only by rules for all keys. */
unsigned slot_access_to_all(
	const struct slot_rule *rules, size_t count, const struct slot_user *user);
/* Whether there is any key that the user may do anything with. */
bool slot_is_open_to(const struct slot_rule *rules, size_t count, const struct slot_user *user);

/*
 * What a use needs. A bare RSA operation, with the padding left to the caller (CKM_RSA_X_509), is
 * signing and decrypting at once.
 */
unsigned slot_use_needs(enum key_use use, unsigned long mechanism);

#endif

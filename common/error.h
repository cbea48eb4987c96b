/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one error type. A fallible function returns bool (or a pointer) and, on
 * failure, fills the struct error that its caller passed; a caller that does
 * not care passes NULL. A function logs an error or returns it, never both.
 */
#ifndef TESSERA_COMMON_ERROR_H
#define TESSERA_COMMON_ERROR_H

#include <stdbool.h>

#include "common/macros.h"

/*
 * One code per thing that a caller can do something about. The table in
 * error.c gives each its D-Bus name (org.tessera1.Error.NAME), its CKR_ value
 * and the exit status of the command.
 */
enum error_code {
	ERROR_NONE = 0,
	ERROR_FAILED,		  /* an internal failure; nothing better is known */
	ERROR_INVALID_ARGUMENT,	  /* an argument is malformed; the field says which */
	ERROR_NOT_FOUND,	  /* no such reader, credential, template, job, key, ... */
	ERROR_EXISTS,		  /* the name is taken */
	ERROR_ACCESS_DENIED,	  /* the caller may not do this */
	ERROR_NOT_SUPPORTED,	  /* the card, token or authority cannot do this */
	ERROR_BUSY,		  /* another operation holds the card */
	ERROR_CANCELLED,	  /* the job was cancelled */
	ERROR_TIMEOUT,		  /* no answer in time */
	ERROR_NO_CARD,		  /* no card in the reader, or it was pulled */
	ERROR_CARD_FAILED,	  /* the card answered with an unexpected status or data */
	ERROR_CARD_UNKNOWN,	  /* no driver or card type fits the card */
	ERROR_CARD_FOREIGN,	  /* the card's secrets are neither factory ones nor ours */
	ERROR_WRONG_STATE,	  /* the credential's state does not allow this operation */
	ERROR_PIN_WRONG,	  /* wrong PIN; the message says how many tries are left */
	ERROR_PIN_BLOCKED,	  /* the PIN is blocked: unblock the card */
	ERROR_PIN_LENGTH,	  /* the PIN is shorter or longer than allowed */
	ERROR_PIN_POLICY,	  /* the PIN breaks the template's policy; the message says how */
	ERROR_PIN_REQUIRED,	  /* not logged in */
	ERROR_PIN_EXPIRED,	  /* the PIN is too old: change it first */
	ERROR_CODE_EXPIRED,	  /* no unblock code of the card is good now: ask for one */
	ERROR_PUK_BLOCKED,	  /* the PUK is blocked: only a reset helps */
	ERROR_ALREADY_LOGGED_IN,  /* this client is logged in to this token */
	ERROR_INVALID_TEMPLATE,	  /* a template document is rejected; the field is its path */
	ERROR_INVALID_CONNECTION, /* a connection document is rejected; the field is its path */
	ERROR_INVALID_TYPE,	/* a credential type document is rejected; the field is its path */
	ERROR_IN_USE,		/* something else refers to it */
	ERROR_AUTHORITY_FAILED, /* the certification authority failed */
	ERROR_AUTHORITY_REJECTED, /* the certification authority refused the request */
	ERROR_DIRECTORY_FAILED,	  /* the directory of people failed or refused */
	ERROR_STORE_FAILED,	  /* the store failed */
	ERROR_STORE_FULL,	  /* no space is left for the store */
	ERROR_STORE_READ_ONLY,	  /* the store cannot be written */
	ERROR_TOKEN_FAILED,	  /* the token (HSM) failed or is not there */
	ERROR_NO_READER_SERVICE,  /* pcscd is not running */
	ERROR_DATA_INVALID,	  /* the key refused the input data */
	ERROR_DATA_LENGTH,	  /* the input data has the wrong length */
	ERROR_AUDIT_BROKEN,	  /* the audit trail, or an export of it, was changed */
	ERROR_NO_SERVICE,	  /* tesserad is not running or went away */
	ERROR_LIMIT_REACHED,	  /* the licence, or evaluation mode, allows no more credentials */
	ERROR_INVALID_LICENCE,	  /* a licence is rejected; the field is the member */
	ERROR_NETWORK_FAILED,	  /* a service on the network cannot be reached or trusted */
	ERROR_LOCKED,		  /* the master key is locked: an owner or custodian must log in */
	ERROR_NOT_INITIALIZED,	  /* there is no system owner yet */
	ERROR_QUORUM_MISSING,	  /* other operators have to log in besides */
	ERROR_TOKEN_REFUSED,	  /* the token does not do this; `ckr` says why */
	ERROR_SIGNATURE_INVALID,  /* the signature, or MAC, is not that of the data */
	ERROR_CODE_COUNT
};

struct error {
	enum error_code code;
	char *message;	   /* a sentence for a person, heap */
	char *field;	   /* path or name of what is wrong, heap, or NULL */
	long detail;	   /* tries left for ERROR_PIN_WRONG, status word for ERROR_CARD_FAILED */
	unsigned long ckr; /* of ERROR_TOKEN_REFUSED: what the token answered */
};

#define ERROR_INIT                                                                                 \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_error_ _cleanup_(error_clear)

/* Fills error (if not NULL), replacing what it held. Returns false, for `return error_set(...)`. */
bool error_set(struct error *error, enum error_code code, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* The same with the path or name of the part that is wrong ("/keys/0/slot"). */
bool error_set_field(struct error *error, enum error_code code, const char *field,
	const char *format, ...) PRINTF_LIKE(4, 5);

/* ERROR_TOKEN_REFUSED with that CKR_ value. Returns false. */
bool error_set_refused(struct error *error, unsigned long ckr, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* Puts "context: " before the message. Returns false. Keeps code, field and detail. */
bool error_prefix(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/* Sets the detail number. Returns false. */
bool error_set_detail(struct error *error, long detail);

/* Moves *from to *to (freeing what *to held) and leaves *from empty. Returns false. */
bool error_move(struct error *to, struct error *from);

/* Frees what the error holds; it may be used again. */
void error_clear(struct error *error);

/* The message, or a general one for the code; never NULL. */
const char *error_message(const struct error *error);

/* "org.tessera1.Error.PinWrong" */
const char *error_dbus_name(enum error_code code);
/* The code of a D-Bus error name; ERROR_FAILED if it is none of ours. */
enum error_code error_from_dbus_name(const char *name);
/* The short name, "PinWrong": for audit records and JSON. */
const char *error_name(enum error_code code);
/* CKR_ value (PKCS#11 2.40, section 11.1). */
unsigned long error_ckr(enum error_code code);
/* Exit status of the tessera command, as its manual page lists them. */
int error_exit_status(enum error_code code);

#endif

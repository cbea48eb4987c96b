/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon and the process of a slot's module say to each other, as bytes of messages
 * (token/frame.h). Numbers have their most significant byte first. The daemon takes what it reads
 * for hostile: whoever owns a vendor's module may own its process.
 *
 * A question begins with its kind. It is answered by a message that begins with an outcome; that of
 * WIRE_SYNC by those of token/hsm-sync.h; WIRE_READY, WIRE_END_OWNER and WIRE_CLOSE by none.
 */
#ifndef TESSERA_TOKEN_HSM_WIRE_H
#define TESSERA_TOKEN_HSM_WIRE_H

#include "token/hsm.h"

enum wire_kind {
	WIRE_OPEN = 1,	   /* options, the PIN to log in with, the last number given; then the
			    * objects known so far */
	WIRE_LOGIN,	   /* PIN: always proved */
	WIRE_LOGOUT,	   /* */
	WIRE_REFRESH,	   /* */
	WIRE_SYNC,	   /* whose objects, the serial of those that are known */
	WIRE_CALL,	   /* owner, request */
	WIRE_READY,	   /* object, use, mechanism */
	WIRE_END_OWNER,	   /* owner */
	WIRE_LOGOUT_OWNER, /* owner */
	WIRE_CLOSE,	   /* the process ends */
};

/* Numbers of owners; there is none of this number: the token's own objects. */
#define WIRE_NOBODY 0

void wire_put_u64(struct buffer *message, uint64_t value);
uint64_t wire_get_u64(struct reader *message);
void wire_put_bytes(struct buffer *message, const void *data, size_t length);
struct reader wire_get_bytes(struct reader *message);
/* NULL comes back as NULL; heap. */
void wire_put_string(struct buffer *message, const char *string);
char *wire_get_string(struct reader *message);
/* An unset one, or NULL, comes back unset. Fails the reader where there is no memory. */
void wire_put_secret(struct buffer *message, const struct secret *secret);
void wire_get_secret(struct reader *message, struct secret *secret);

/* What a question is answered with. */
struct wire_outcome {
	bool done;
	uint64_t token_serial, owner_serial; /* of what is shown now; the owner's: 0 for none */
	struct hsm_reply reply;		     /* where done; its output is appended to */
};
/* failure: where it is not done. */
void wire_put_outcome(
	struct buffer *message, const struct wire_outcome *outcome, const struct error *failure);
/* False for what makes no sense. failure is filled where the outcome is not `done`. */
bool wire_get_outcome(struct reader message, struct wire_outcome *outcome, struct error *failure);

/* Without the PINs' memory, which the reader of a request owns. */
void wire_put_request(struct buffer *message, const struct hsm_request *request);
/* Fills the secrets and points request to them and into the message. */
bool wire_get_request(struct reader *message, struct hsm_request *request, struct secret *pin,
	struct secret *new_pin);

/* The object, without its handle. wire_get_object() answers NULL for what makes no sense. */
void wire_put_object(struct buffer *message, const struct hsm_object *object);
struct hsm_object *wire_get_object(struct reader *message);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One operation of a session: sign, verify, encrypt, decrypt or digest, at once
 * or in parts (PKCS#11 2.40, 5.8 to 5.13). All under the module lock.
 */
#ifndef TESSERA_PKCS11_OPERATION_H
#define TESSERA_PKCS11_OPERATION_H

#include "common/secret.h"
#include "pkcs11/object.h"
#include "pkcs11/parameter.h"

enum operation_kind {
	OPERATION_SIGN,
	OPERATION_SIGN_RECOVER,
	OPERATION_VERIFY,
	OPERATION_VERIFY_RECOVER,
	OPERATION_ENCRYPT,
	OPERATION_DECRYPT,
	OPERATION_DIGEST,
	OPERATION_KIND_COUNT
};

struct operation {
	bool active;
	uint64_t serial; /* tells it from the next one in the same place */
	bool calling;	 /* a thread has given the lock up to ask the daemon */
	bool in_parts;	 /* an Update function was called */
	bool bare;	 /* padding is made and undone here, as for a card's key */
	bool wants_pin;	 /* the key wants C_Login(CKU_CONTEXT_SPECIFIC) for each use */
	enum operation_kind kind;
	const struct mechanism *mechanism;
	struct object *object; /* the key; NULL for a digest */
	struct key *key;       /* its public part; NULL for a digest and a secret key */
	EVP_MD_CTX *digest;    /* or NULL: the input is collected in data */
	struct buffer data;
	struct secret pin;
	struct parameter parameter; /* in a cipher by parts: with the IV of the next part */
	/* Where its input became too long for one call: in the token (pkcs11/token-stream.h). */
	uint32_t stream, stream_slot; /* the use's number, or 0; its slot, as the daemon calls it */
	size_t fed;		      /* bytes of input that are there */
	size_t given;		      /* bytes of output that the program has */
	/* A plain text that the caller's buffer was too small for. */
	bool has_result;
	struct buffer result; /* also what an Update function had no room for */
};

/* Ends it, whatever its state; it may be used again. */
void operation_clear(struct operation *operation);
/*
 * Starts it with a key that fits (NULL for a digest) and a mechanism that the slot has for this
 * kind.
 */
CK_RV operation_start(struct operation *operation, enum operation_kind kind,
	const struct mechanism *mechanism, const CK_MECHANISM *given, struct object *object);
/* The CKF_ flag of a kind. */
CK_FLAGS operation_flag(enum operation_kind kind);
/* Whether a logout ends it. */
bool operation_needs_login(const struct operation *operation);
/* Whether the token, not this process, does it. */
bool operation_is_remote(const struct operation *operation);
/*
 * Whether its input may be of any length, though the token works on all of it; and whether one call
 * to the daemon has no room for so much more.
 */
bool operation_is_long(const struct operation *operation, size_t more);
/* Takes more input. */
CK_RV operation_feed(struct operation *operation, const void *data, size_t length);

/*
 * Bytes of the output when `more` bytes of input are still to come; *exact is false where it may be
 * less.
 */
size_t operation_output_size(const struct operation *operation, size_t more, bool *exact);
/* What the key works on, after a digest: the digest, a DigestInfo, or the input itself. */
CK_RV operation_message(struct operation *operation, struct buffer *message);

/* What the daemon is asked to do with a key. */
struct request {
	CK_MECHANISM_TYPE mechanism;
	struct buffer parameter, input;
};
#define REQUEST_INIT                                                                               \
	{                                                                                          \
		.input = BUFFER_INIT_WIPE                                                          \
	}
void request_clear(struct request *request);
/*
 * A card gets a block that is padded here, or a digest, for its bare operation. Another token gets
 * the mechanism without its digest.
 */
CK_RV operation_request(struct operation *operation, struct request *request);
/*
 * After the token has refused the mechanism's parameter: whether the padding can be left to this
 * process, as some tokens know few hash functions. The operation is then asked for again.
 */
bool operation_make_bare(struct operation *operation);
/* What came of it, as the program gets it. */
CK_RV operation_answer(
	const struct operation *operation, const struct buffer *answer, struct buffer *result);

#endif

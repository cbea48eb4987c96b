/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of streams share: uses of keys whose input comes in parts (token/hsm.h). */
#ifndef TESSERA_TOKEN_HSM_STREAM_H
#define TESSERA_TOKEN_HSM_STREAM_H

#include "token/hsm-private.h"

/* One of them; its session is not of the pool: those are lent for moments. */
struct stream {
	struct stream *next;
	struct hsm_owner *owner;
	uint32_t number;
	/* What it was begun with. */
	enum hsm_operation use;
	uint32_t key, mechanism;
	struct buffer parameter;
	struct secret pin; /* until it is certain that the token needs it no more */
	bool is_private;
	/* Guarded by the lock of the list. */
	bool is_busy, is_unwanted; /* unwanted: ends when it is busy no more */
	size_t held;
	int64_t used_ms;
	/* Of who has it busy. */
	CK_SESSION_HANDLE session; /* CK_INVALID_HANDLE: none */
	bool collects, has_input, has_ended;
	struct buffer collected;
	size_t in_token;      /* bytes of text that the token has and has not given */
	struct buffer output; /* that nobody has taken yet, from `taken` on */
	size_t taken;
	struct buffer room; /* where the token writes to */
};

/* Whether text comes of it, not a MAC or a signature. */
static inline bool stream_is_text(const struct stream *stream)
{
	return stream->use == HSM_ENCRYPT || stream->use == HSM_DECRYPT;
}

/* Ends one that is in no list. */
void stream_free(struct hsm *hsm, struct stream *stream);
void stream_close_session(struct hsm *hsm, struct stream *stream);

/* Puts it in the list, busy with who adds it. ERROR_EXISTS; ERROR_TOKEN_REFUSED for too many. */
bool streams_add(struct hsm_streams *streams, struct stream *stream, struct error *error);
/*
 * That of the call, which has it busy from then on. NULL with error; then it ends, unless another
 * call has it.
 */
struct stream *streams_enter(const struct hsm_work *work, struct error *error);
/* After one of the two above. has_ended: nobody is to find it any more. */
void streams_leave(struct hsm *hsm, struct stream *stream, bool has_ended);
/* Ends the one of that number, and of no number all, of an owner; NULL: of all. */
void streams_cancel(struct hsm *hsm, const struct hsm_owner *owner, uint32_t number);

#endif

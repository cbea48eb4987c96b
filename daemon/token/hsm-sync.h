/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A list of objects on its way between the daemon and the process of a slot's module: whole, or as
 * what has become different since an older one. It is a row of messages, so that none gets long.
 */
#ifndef TESSERA_TOKEN_HSM_SYNC_H
#define TESSERA_TOKEN_HSM_SYNC_H

#include "token/hsm-private.h"

/* What comes before the objects, in the first message. */
struct sync_head {
	bool is_whole; /* false: what has become different */
	uint64_t serial;
	/* Of the token itself: what it says of itself. Not of an owner's objects. */
	const struct hsm_facts *facts;
};

/* Takes a message, which it may empty; false ends the writing. */
typedef bool (*sync_send)(void *context, struct buffer *message);
/* old: what the reader has, where the head says that it is not whole; else NULL. */
bool sync_write(const struct sync_head *head, const struct hsm_objects *old,
	const struct hsm_objects *objects, sync_send send, void *context);

/* A list that is being read. */
struct sync_reader {
	const struct hsm_objects *old; /* as in sync_write(); stays the caller's */
	uint32_t first, last;	       /* the numbers that objects may have */
	struct hsm_facts *facts;       /* of the token itself, to be filled; or NULL */
	struct hsm_objects *fresh;
	uint64_t serial;
	/* Private. */
	bool is_begun;
	size_t place; /* in old */
	size_t bytes;
	uint32_t number; /* the last one */
};

/* Empty but for old, first, last and facts. */
void sync_begin(struct sync_reader *reader);
/* *done: that was the last message, and fresh is the whole list. False for what makes no sense. */
bool sync_read(struct sync_reader *reader, struct reader message, bool *done);
/* fresh is freed unless it was taken. */
void sync_clear(struct sync_reader *reader);

#endif

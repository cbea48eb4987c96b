/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An HSM whose module runs in a process of its own (token/child.h): what struct hsm asks of it. The
 * process is started again when it has ended, at the next question, and logged in again with the
 * PIN that the token took; but not more than three times in a minute. What was under way when it
 * ended fails, and is not tried again: it may have been what ended it. Session objects are gone
 * then. Errors are those of token/hsm.h, and ERROR_TIMEOUT, ERROR_BUSY.
 */
#ifndef TESSERA_TOKEN_HSM_CHILD_H
#define TESSERA_TOKEN_HSM_CHILD_H

#include "token/hsm-private.h"

struct hsm_child;

/* options has a process, and is copied. Nothing is started yet. */
struct hsm_child *hsm_child_new(struct hsm *hsm, const struct hsm_options *options);
/* Ends the process; it has some seconds to close its session. NULL is allowed. */
void hsm_child_free(struct hsm_child *child);

/* Starts the process, has the token opened and its objects read. */
bool hsm_child_open(struct hsm_child *child, struct error *error);
/* Proves the PIN, which is kept for the next start. changed: as of hsm_login(). */
bool hsm_child_login(
	struct hsm_child *child, const struct secret *pin, bool *changed, struct error *error);
void hsm_child_logout(struct hsm_child *child);
/* False also when the PIN that was kept did not fit any more. */
bool hsm_child_is_logged_in(struct hsm_child *child);

bool hsm_child_refresh(struct hsm_child *child, bool *changed, struct error *error);
bool hsm_child_call(struct hsm_child *child, struct hsm_owner *owner,
	const struct hsm_request *request, struct hsm_reply *reply, struct error *error);
void hsm_child_make_ready(
	struct hsm_child *child, uint32_t object, enum key_use use, uint32_t mechanism);

/* Owners' session objects. */
void hsm_child_end_owner(struct hsm_child *child, struct hsm_owner *owner);
void hsm_child_logout_owner(struct hsm_child *child, struct hsm_owner *owner);
/* Whether the process that has them has ended. */
bool hsm_child_has_lost(struct hsm_child *child, const struct hsm_owner *owner);

#endif

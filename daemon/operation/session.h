/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The frame around every verb: the credential, its card taken for this verb
 * alone, what was interrupted recovered, and at the end the audit record.
 */
#ifndef TESSERA_OPERATION_SESSION_H
#define TESSERA_OPERATION_SESSION_H

#include "card/card.h"
#include "model/credential.h"
#include "operation/services.h"

struct session {
	struct operation *operation;
	struct credential *credential;
	enum lifecycle_state next; /* the credential's state when the verb has succeeded */
	unsigned reader;	   /* 0: the card is not held */
	struct card *card;	   /* held while reader is set */
	char *claim;		   /* serial that is claimed for this verb, or NULL */
	bool objects_changed;	   /* set by verbs that change keys or certificates */
};
#define SESSION_INIT                                                                               \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_session_ _cleanup_(session_close)

/*
 * Claims the credential for this verb, loads it and checks the verb against its state; a verb that
 * gives a card up is not for the last owner's or administrator's (ERROR_IN_USE).
 * ERROR_NOT_FOUND, ERROR_BUSY, ERROR_WRONG_STATE.
 */
bool session_open(struct session *session, struct operation *operation, enum lifecycle_verb verb,
	int64_t credential_id, struct error *error);
/*
 * Takes the credential's card and recovers what was interrupted; the state is checked again
 * after that. ERROR_NO_CARD when it is in no reader, ERROR_BUSY.
 */
bool session_take_card(struct session *session, enum lifecycle_verb verb, struct error *error);
/* Claims and takes the card in a reader, whoever's it is; session->credential stays unset. */
bool session_take_reader(
	struct session *session, struct operation *operation, unsigned reader, struct error *error);
/*
 * Takes the credential's card if it is in a reader, and recovers what was interrupted, or is to be
 * done at the next contact. What cannot be done now keeps its intent.
 */
void session_touch_card(struct session *session);
/*
 * After a failure: recovers the card at once if it is still there, so that nobody has to wait
 * for the next contact. What cannot be recovered now keeps its intent.
 */
void session_recover(struct session *session);
/* Shows the changes to programs, lets the card go, frees. */
void session_close(struct session *session);

/*
 * Says what the operator should know of the certificate of a key ("authentication") although it can
 * be used: in the job's result ("warning-authentication"), in the log, and in the audit record of
 * session_finish().
 */
void operation_warn(struct operation *operation, const char *key, const char *text);

/*
 * The end of a verb: writes the audit record of what `result` says, with its warnings, moves a
 * failure to *error and returns whether the verb succeeded. detail may be NULL.
 */
bool session_finish(struct operation *operation, enum lifecycle_verb verb, const char *serial,
	const char *detail, struct error *result, struct error *error);

#endif

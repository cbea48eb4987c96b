/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What authorities are still to be asked or told, kept in the store until it is done: pending
 * certificates are collected, revocations, holds and resumptions are told and looked at until the
 * authority shows them. Attempts are repeated with longer and longer pauses.
 */
#ifndef TESSERA_OPERATION_TASKS_H
#define TESSERA_OPERATION_TASKS_H

#include "card/card.h"
#include "operation/services.h"

/* A collected certificate is written to its card at the next contact. */
#define INTENT_CERTIFICATE "certificate"

/*
 * Puts the task of a certificate whose status has changed, inside the caller's transaction, unless
 * its authority needs none.
 */
bool task_note_status(
	struct services *services, const struct certificate *certificate, struct error *error);
/* Puts the task of a certificate that is being asked for: due when that must be over. */
bool task_note_request(
	struct services *services, const struct certificate *certificate, struct error *error);
/*
 * Does now what is to be done of one certificate. False with the authority's error when it is not
 * done: it stays on the list. ERROR_BUSY while another thread is at it.
 */
bool task_run(struct services *services, int64_t certificate_id, struct error *error);
/* The same of one that an operator names by its number: ERROR_NOT_FOUND. */
bool task_run_by_id(struct services *services, int64_t id, struct error *error);
/*
 * Takes a task off the list that is over: a renewal that nobody wants, or a request that the
 * authority refuses when it is asked once more; the certificate that never was is forgotten with
 * it. ERROR_NOT_FOUND; ERROR_WRONG_STATE for what an authority may still do or must still be told;
 * ERROR_INVALID_ARGUMENT without a reason. Writes the audit record.
 */
bool task_remove(struct services *services, const struct audit_actor *actor, int64_t id,
	const char *reason, struct error *error);
/*
 * An operator says that the authority knows what it was to be told, by hand or otherwise. *is_done:
 * the task is over; else its CRL or OCSP is looked at from now on until it shows it (TASK_SEE),
 * which may be confirmed, too. *what (heap, also after a failure, or NULL): for the audit trail.
 * ERROR_NOT_FOUND; ERROR_WRONG_STATE for a certificate that is asked for; ERROR_BUSY.
 */
bool task_confirm_by_id(
	struct services *services, int64_t id, bool *is_done, char **what, struct error *error);
/* Starts a job for those that are due, if there are any. */
bool tasks_start(struct services *services, struct error *error);

/* Writes the collected certificates that are not on the card yet. Part of recover_card(). */
bool task_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One call to the daemon on behalf of a session: the lock is given up for it, and afterwards all
 * has to be found again.
 */
#ifndef TESSERA_PKCS11_ERRAND_H
#define TESSERA_PKCS11_ERRAND_H

#include "pkcs11/ckr.h"
#include "pkcs11/session.h"

struct errand {
	CK_SESSION_HANDLE session;
	CK_SLOT_ID slot_id;
	uint32_t slot; /* its number at the daemon */
	struct remote *remote;
	struct error error;

	/* private to errand.c */
	unsigned life, epoch;
	enum operation_kind kind;
	uint64_t serial;
};

/* Gives the lock up. Between this and errand_end() only remote functions may be called. */
void errand_begin(struct errand *errand, const struct session *session);
/*
 * Takes the lock again. done: whether the call went well; otherwise the answer is what its error
 * means in that context. CKR_DEVICE_REMOVED when the session or its card went meanwhile,
 * CKR_CRYPTOKI_NOT_INITIALIZED (the lock is held) when C_Finalize came.
 */
CK_RV errand_end(struct errand *errand, bool done, enum ckr_context context);
/*
 * The same for an operation of the session, which no other thread may touch meanwhile. *operation
 * is NULL until the end, and afterwards when it has gone: then never CKR_OK.
 */
void errand_begin_operation(
	struct errand *errand, const struct session *session, struct operation **operation);
CK_RV errand_end_operation(
	struct errand *errand, bool done, enum ckr_context context, struct operation **operation);

#endif

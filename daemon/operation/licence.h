/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Evaluation and production: the store's licence, and whether one more card may
 * be managed. Only cards that are not managed yet are ever refused: whatever
 * becomes of the licence, those that are keep their whole service.
 */
#ifndef TESSERA_OPERATION_LICENCE_H
#define TESSERA_OPERATION_LICENCE_H

#include "common/secret.h"
#include "model/credential.h"
#include "model/licence.h"
#include "operation/services.h"

enum licence_state {
	LICENCE_NONE, /* evaluation mode */
	LICENCE_VALID,
	LICENCE_EXPIRED,
	LICENCE_REJECTED, /* evaluation mode: there is one, but it cannot be verified */
};
/* "none", "valid", "expired", "rejected" */
const char *licence_state_name(enum licence_state state);

/* How things are now. */
struct licence_status {
	enum licence_state state;
	struct licence licence; /* empty unless the state is valid or expired */
	char *problem;		/* why it is rejected, or NULL */
	int64_t limit;		/* managed credentials that are allowed; 0 when expired */
};
#define LICENCE_STATUS_INIT                                                                        \
	{                                                                                          \
		0                                                                                  \
	}
void licence_status_clear(struct licence_status *status);
#define _cleanup_licence_status_ _cleanup_(licence_status_clear)
/* Reads and verifies the stored licence. Errors are the store's. */
bool licence_status_read(
	struct services *services, struct licence_status *status, struct error *error);

/*
 * For the begin of a verb that makes cards managed, before the card is sent anything: whether
 * there is room for the card with this serial (NULL: it has none yet). ERROR_LIMIT_REACHED.
 */
bool licence_check_room(struct services *services, const char *serial, struct error *error);
/*
 * store_begin() for the transaction that makes a credential managed, or writes the intent to:
 * the last place is given once. `credential` is as the store has it. ERROR_LIMIT_REACHED.
 */
bool licence_begin(
	struct services *services, const struct credential *credential, struct error *error);

/*
 * What whoever distributes Tessera needs to make a licence for this store: a JSON document, heap.
 * code: the activation code, or NULL. ERROR_INVALID_ARGUMENT for a malformed code.
 */
char *licence_request(struct services *services, const struct secret *code, struct error *error);
/*
 * Verifies a signed licence and keeps it in place of an older one. *id (heap) is its id.
 * ERROR_INVALID_LICENCE; ERROR_NOT_SUPPORTED when no public key is configured.
 */
bool licence_install(
	struct services *services, const char *document, char **id, struct error *error);
/*
 * Has the configured service make a licence of an activation code, and installs it.
 * ERROR_NOT_SUPPORTED when none is configured, ERROR_INVALID_ARGUMENT when it refuses the code,
 * ERROR_NETWORK_FAILED, ERROR_TIMEOUT, ERROR_INVALID_LICENCE.
 */
bool licence_activate(
	struct services *services, const struct secret *code, char **id, struct error *error);
/* Back to evaluation mode. ERROR_NOT_FOUND when there is no licence. */
bool licence_remove(struct services *services, struct error *error);

#endif

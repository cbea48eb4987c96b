/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The module's one state and its lock. Every C_ function enters, works, and
 * leaves; the lock is never held while the daemon is asked (module_call_begin),
 * so that one thread's slow card stops no other thread.
 *
 * Order of locks: remote.c's call lock is taken without the module lock;
 * module lock, then remote.c's bus lock.
 */
#ifndef TESSERA_PKCS11_MODULE_H
#define TESSERA_PKCS11_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pkcs11/cryptoki.h"

#include "common/macros.h"

/* All members are guarded by the module lock. Pointers into slots, sessions
 * and objects are valid until the lock is given up. */
struct module {
	bool initialized;
	unsigned epoch; /* counts C_Initialize */
	struct remote *remote;

	struct slot **slots; /* only grows until C_Finalize */
	size_t slot_count;
	size_t listed;	     /* slots that C_GetSlotList has told so far */
	bool loaded;	     /* the slots show what the daemon told on `connection` */
	uint64_t connection; /* number of the connection to the daemon, 0: none */
	uint64_t generation; /* of the tokens as loaded */

	struct session **sessions; /* by ascending handle */
	size_t session_count;
	CK_SESSION_HANDLE last_session;
	CK_OBJECT_HANDLE last_object;
	uint64_t last_operation;
};

extern struct module module;

/*
 * Takes the lock. CKR_CRYPTOKI_NOT_INITIALIZED (and no lock) before C_Initialize, after
 * C_Finalize and in a child process that has not called C_Initialize itself.
 */
CK_RV module_enter(void);
/* Gives the lock up. Returns rv. */
CK_RV module_leave(CK_RV rv);

/* The value of a CK_RV expression that is evaluated inside the lock. */
#define MODULE_LOCKED(expression)                                                                  \
	({                                                                                         \
		CK_RV entered_ = module_enter();                                                   \
		entered_ == CKR_OK ? module_leave(expression) : entered_;                          \
	})

/* Starts and ends the life between C_Initialize and C_Finalize (PKCS#11 2.40, 5.4). */
CK_RV module_start(void);
CK_RV module_stop(void);

/* Gives the lock up for a call to the daemon and answers the connection, referenced. */
struct remote *module_call_begin(void);
/* Takes the lock again. False when C_Finalize came meanwhile (the lock is held anyway). */
bool module_call_end(struct remote *remote, unsigned epoch);

/* Writes a line to standard error if TESSERA_PKCS11_DEBUG is in the environment. */
void module_debug(const char *format, ...) PRINTF_LIKE(1, 2);

#endif

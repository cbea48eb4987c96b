/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A PKCS#11 module loaded into the daemon. */
#ifndef TESSERA_TOKEN_MODULE_H
#define TESSERA_TOKEN_MODULE_H

#include <p11-kit/pkcs11.h>

#include "common/error.h"
#include "common/macros.h"

struct module {
	char *path; /* resolved */
	CK_FUNCTION_LIST *functions;
	bool initialized;
	/*
	 * SoftHSM2 2.6.1 fails and crashes when several threads make or end objects and sessions in
	 * it (SoftHSMv2 issues 464, 573 and 688): the functions below keep them apart.
	 */
	bool is_softhsm;
};

/*
 * Loads the module at an absolute path and initialises it. ERROR_TOKEN_FAILED, also for Tessera's
 * own module and p11-kit's proxy, through which the daemon would wait for itself. What was done
 * until it failed is for module_close().
 */
bool module_open(struct module *module, const char *path, struct error *error);
/* Takes a module that is empty or half open. */
void module_close(struct module *module);

/*
 * Around all calls of a module that is SoftHSM2, which is one for the whole process, however many
 * tokens it has: alone, or beside others that use keys and make or remove nothing that stays. Taken
 * without a session pool's lock; who wants to be alone goes first, so that busy keys cannot keep
 * the daemon from its own token. Other modules take care of themselves.
 */
void module_enter_alone(const struct module *module);
void module_enter_beside_others(const struct module *module);
void module_leave(const struct module *module);

/* Slots with a token in them; heap array. */
bool module_list_slots(
	const struct module *module, CK_SLOT_ID **slots, CK_ULONG *count, struct error *error);
/* A field of CK_TOKEN_INFO without its padding; heap. */
char *module_unpad(const CK_UTF8CHAR *field, size_t length);

#endif

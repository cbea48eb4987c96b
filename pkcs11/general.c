/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_Initialize and C_Finalize (PKCS#11 2.40, 5.4). */
#include "pkcs11/module.h"

/*
 * The module locks with the system's mutexes. A program that insists on its own (callbacks without
 * CKF_OS_LOCKING_OK) cannot be served.
 */
static CK_RV check_arguments(const CK_C_INITIALIZE_ARGS *arguments)
{
	if (!arguments)
		return CKR_OK;
	int callbacks = !!arguments->CreateMutex + !!arguments->DestroyMutex +
			!!arguments->LockMutex + !!arguments->UnlockMutex;
	if (arguments->pReserved || (callbacks != 0 && callbacks != 4))
		return CKR_ARGUMENTS_BAD;
	return callbacks && !(arguments->flags & CKF_OS_LOCKING_OK) ? CKR_CANT_LOCK : CKR_OK;
}

CK_RV C_Initialize(void *arguments)
{
	CK_RV rv = check_arguments(arguments);

	return rv == CKR_OK ? module_start() : rv;
}

CK_RV C_Finalize(void *reserved)
{
	return reserved ? CKR_ARGUMENTS_BAD : module_stop();
}

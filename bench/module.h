/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the programs that measure PKCS#11 modules share. What fails ends the process with a message.
 */
#ifndef TESSERA_BENCH_MODULE_H
#define TESSERA_BENCH_MODULE_H

#include <stddef.h>

#include <p11-kit/pkcs11.h>

/* Ends the process unless rv is CKR_OK. */
void must(CK_RV rv, const char *what);
/* Seconds. */
double now(void);
/* The value below which that part of them lies; sorts them. */
double quantile(double *values, size_t count, double part);

/* Loads the module; C_Initialize is not called. */
CK_FUNCTION_LIST *module_load(const char *path);
/* A session with the token of that label. */
CK_SESSION_HANDLE module_open_session(
	CK_FUNCTION_LIST *functions, const char *label, CK_FLAGS flags);
void module_log_in(CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, const char *pin);
/* The first private key of that type. */
CK_OBJECT_HANDLE module_find_key(
	CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, CK_KEY_TYPE type);
/* Signs a digest that has the number in it, so that no two are the same. */
CK_RV module_sign(CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
	CK_MECHANISM_TYPE type, unsigned long number);

#endif

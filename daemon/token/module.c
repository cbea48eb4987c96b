/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/module.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/p11-kit.h>

#include "common/alloc.h"
#include "token/ckr.h"

/* Loading one of these would make the daemon wait for itself: how their files' names begin. */
static const char *const own_files[] = {"tessera-pkcs11.so", "p11-kit-proxy.so", "libp11-kit.so"};
/* And what they say of themselves under another name. */
static const char *const own_descriptions[] = {"Tessera managed cards", "PKCS#11 Kit Proxy Module"};

static bool refuse_own(const char *path, struct error *error)
{
	return error_set(error, ERROR_TOKEN_FAILED,
		"%s is Tessera's own module, or leads to it: the daemon would wait for itself",
		path);
}

static bool check_path(const char *path, char resolved[PATH_MAX], struct error *error)
{
	if (path[0] != '/')
		return error_set(error, ERROR_TOKEN_FAILED,
			"the PKCS#11 module \"%s\" must be an absolute path", path);
	if (!realpath(path, resolved))
		return error_set(error, ERROR_TOKEN_FAILED, "the PKCS#11 module %s: %m", path);
	const char *file = strrchr(resolved, '/') + 1;
	for (size_t i = 0; i < ARRAY_SIZE(own_files); i++) {
		if (strncmp(file, own_files[i], strlen(own_files[i])) == 0)
			return refuse_own(path, error);
	}
	return true;
}

static bool check_information(struct module *module, struct error *error)
{
	CK_INFO info;
	CK_RV rv = module->functions->C_GetInfo(&info);

	if (rv != CKR_OK)
		return ckr_error(rv, "asking the PKCS#11 module who it is", error);
	for (size_t i = 0; i < ARRAY_SIZE(own_descriptions); i++) {
		if (memcmp(info.libraryDescription, own_descriptions[i],
			    strlen(own_descriptions[i])) == 0)
			return refuse_own(module->path, error);
	}
	module->is_softhsm = memcmp(info.manufacturerID, "SoftHSM", strlen("SoftHSM")) == 0;
	return true;
}

bool module_open(struct module *module, const char *path, struct error *error)
{
	char resolved[PATH_MAX];

	if (!check_path(path, resolved, error))
		return false;
	module->path = xstrdup(resolved);
	/* Managed (flags 0): p11-kit counts the users of a module in this process. */
	module->functions = p11_kit_module_load(path, 0);
	if (!module->functions) {
		const char *message = p11_kit_message();
		return error_set(error, ERROR_TOKEN_FAILED, "cannot load %s: %s", path,
			message ? message : "not a PKCS#11 module");
	}
	/* Initialises with CKF_OS_LOCKING_OK. */
	CK_RV rv = p11_kit_module_initialize(module->functions);
	if (rv != CKR_OK)
		return ckr_error(rv, "initialising the PKCS#11 module", error);
	module->initialized = true;
	return check_information(module, error);
}

void module_close(struct module *module)
{
	if (module->initialized)
		p11_kit_module_finalize(module->functions);
	if (module->functions)
		p11_kit_module_release(module->functions);
	free(module->path);
	*module = (struct module){0};
}

static pthread_rwlock_t softhsm = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

void module_enter_alone(const struct module *module)
{
	if (module->is_softhsm)
		pthread_rwlock_wrlock(&softhsm);
}

void module_enter_beside_others(const struct module *module)
{
	if (module->is_softhsm)
		pthread_rwlock_rdlock(&softhsm);
}

void module_leave(const struct module *module)
{
	if (module->is_softhsm)
		pthread_rwlock_unlock(&softhsm);
}

bool module_list_slots(
	const struct module *module, CK_SLOT_ID **slots, CK_ULONG *count, struct error *error)
{
	CK_RV rv = module->functions->C_GetSlotList(CK_TRUE, NULL, count);

	if (rv != CKR_OK)
		return ckr_error(rv, "listing the slots", error);
	*slots = xcalloc(*count + 1, sizeof(**slots));
	rv = module->functions->C_GetSlotList(CK_TRUE, *slots, count);
	return rv == CKR_OK || ckr_error(rv, "listing the slots", error);
}

char *module_unpad(const CK_UTF8CHAR *field, size_t length)
{
	while (length > 0 && (field[length - 1] == ' ' || field[length - 1] == '\0'))
		length--;
	return xasprintf("%.*s", (int)length, (const char *)field);
}

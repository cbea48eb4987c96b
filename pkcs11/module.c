/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/module.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "pkcs11/remote.h"
#include "pkcs11/session.h"
#include "pkcs11/slot.h"

struct module module;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards module */
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
/* The process that the state belongs to: a child made without fork handlers must not touch it. */
static _Atomic pid_t owner;

/*
 * In a child: the state and the connection are the parent's. Nothing is freed or sent; the
 * descriptors are closed, and the lock, which another thread of the parent may have held, is new.
 */
static void forget_parent(void)
{
	remote_forget_all();
	lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	module = (struct module){.epoch = module.epoch + 1};
	owner = 0;
}

static void after_fork(void)
{
	remote_fork_child();
	forget_parent();
}

static void watch_forks(void)
{
	pthread_atfork(remote_fork_prepare, remote_fork_parent, after_fork);
}

CK_RV module_enter(void)
{
	if (owner != getpid())
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	pthread_mutex_lock(&lock);
	if (module.initialized)
		return CKR_OK;
	pthread_mutex_unlock(&lock);
	return CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV module_leave(CK_RV rv)
{
	pthread_mutex_unlock(&lock);
	return rv;
}

static CK_RV start(void)
{
	if (module.initialized)
		return CKR_CRYPTOKI_ALREADY_INITIALIZED;
	struct remote *remote = remote_new(NULL);
	if (!remote)
		return CKR_HOST_MEMORY;
	module = (struct module){.initialized = true, .epoch = module.epoch + 1, .remote = remote};
	owner = getpid();
	return CKR_OK;
}

CK_RV module_start(void)
{
	pthread_once(&fork_once, watch_forks);
	if (owner != 0 && owner != getpid())
		forget_parent();
	pthread_mutex_lock(&lock);
	return module_leave(start());
}

CK_RV module_stop(void)
{
	CK_RV rv = module_enter();

	if (rv != CKR_OK)
		return rv;
	module.initialized = false;
	remote_stop(module.remote);
	sessions_free();
	slots_free();
	struct remote *remote = steal_pointer(&module.remote);
	module_leave(CKR_OK);
	remote_unref(remote);
	return CKR_OK;
}

struct remote *module_call_begin(void)
{
	struct remote *remote = remote_ref(module.remote);

	pthread_mutex_unlock(&lock);
	return remote;
}

bool module_call_end(struct remote *remote, unsigned epoch)
{
	remote_unref(remote);
	pthread_mutex_lock(&lock);
	return module.initialized && module.epoch == epoch;
}

void module_debug(const char *format, ...)
{
	va_list arguments;
	_cleanup_free_ char *line = NULL;

	if (!secure_getenv("TESSERA_PKCS11_DEBUG"))
		return;
	va_start(arguments, format);
	if (vasprintf(&line, format, arguments) < 0)
		line = NULL;
	va_end(arguments);
	if (line)
		log_info("tessera-pkcs11: %s", line);
}

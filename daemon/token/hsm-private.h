/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the HSM share. */
#ifndef TESSERA_TOKEN_HSM_PRIVATE_H
#define TESSERA_TOKEN_HSM_PRIVATE_H

#include <pthread.h>

#include "token/hsm.h"
#include "token/session.h"

#define HSM_MECHANISMS_MAX 512

struct hsm {
	struct module module;
	CK_SLOT_ID slot;
	struct session_pool *sessions;
	/* Guards logins and pin; held through a login, and taken before the other one. */
	pthread_mutex_t login_lock;
	unsigned logins;
	struct secret pin; /* set while there are logins */
	atomic_uint relogins;
	/* Guards all below but the next lock; nothing slow happens under it. */
	pthread_mutex_t objects_lock;
	/* As they were when the objects were read. */
	CK_TOKEN_INFO info;
	CK_MECHANISM_TYPE mechanisms[HSM_MECHANISMS_MAX];
	CK_ULONG mechanism_count;
	struct hsm_objects *objects;
	/* Guards last_number; held while objects are read. */
	pthread_mutex_t reading_lock;
	uint32_t last_number;
};

/*
 * Logs in again, and reads the objects again, after the token lost its login; unless another thread
 * has done so since `relogins` was what it is here. ERROR_PIN_REQUIRED without a PIN.
 */
bool hsm_login_again(struct hsm *hsm, unsigned relogins, struct error *error);

#endif

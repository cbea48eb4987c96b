/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cards whose end date has come. */
#ifndef TESSERA_OPERATION_EXPIRY_H
#define TESSERA_OPERATION_EXPIRY_H

#include "operation/services.h"

/*
 * Starts a job that expires them if there are any. They are refused from the very second of the
 * date on (model/credential.h); the job revokes their certificates, and says so. ERROR_BUSY, and
 * the store's.
 */
bool expiry_start(struct services *services, struct error *error);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SoftHSM2 2.6.1 trusts what it is given, and it lives in our process: some of it would end both.
 */
#ifndef TESSERA_TOKEN_SOFTHSM_GUARD_H
#define TESSERA_TOKEN_SOFTHSM_GUARD_H

#include "token/hsm.h"

/*
 * Whether SoftHSM2 survives the request, whose attributes have been checked. ERROR_TOKEN_REFUSED:
 * CKR_CURVE_NOT_SUPPORTED for a key on a curve that OpenSSL does not know, and what else the
 * standard has for it.
 */
bool softhsm_survives(const struct hsm_request *request, struct error *error);

#endif

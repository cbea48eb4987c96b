/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The embedded certification authority: its key is in the token ("tessera ca
 * NAME"), its certificate and its CRL are in the store ("ca-certificate/NAME",
 * "ca-crl/NAME") and in the publish folder.
 *
 * Members of its connection document ("key-algorithm", "subject" and
 * "validity-days" count when the CA is made and are not looked at again):
 *
 *   name, kind ("local-ca"), comment (optional)
 *   key-algorithm   ec-p256 (default), ec-p384, rsa-3072, rsa-4096
 *   subject         [["CN", "..."], ...] of the CA
 *   validity-days   of the CA's certificate, default 3650
 *   crl-days        until the next CRL is due, default 7
 *   crl-url         optional: where card certificates say the CRL is
 *   profiles        {NAME: {validity-days (default 365), key-usage,
 *                           extended-key-usage (optional)}, ...}
 */
#ifndef TESSERA_AUTHORITY_LOCAL_CA_H
#define TESSERA_AUTHORITY_LOCAL_CA_H

#include "authority/authority.h"

extern const struct authority_driver local_ca_driver;

#endif

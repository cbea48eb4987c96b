/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SCP11b of the card (GlobalPlatform Card Specification 2.3 Amendment F 1.3), as YubiKeys have it
 * from firmware 5.7.2 on: who knows the card's public key opens a secure channel to it.
 */
#ifndef TESSERA_VCARD_SCP11_H
#define TESSERA_VCARD_SCP11_H

#include "vcard/card.h"

/* The key SK.SD.ECKA: its identifier, which says SCP11b, and its version. */
#define SCP11_KEY_IDENTIFIER 0x13
#define SCP11_KEY_VERSION    0x01

/*
 * Makes the key, and a certificate for it from the CA of options.scp11_ca, unless the state has
 * them. ERROR_INVALID_ARGUMENT if that file does not hold a CA.
 */
bool scp11_set_up(struct vcard *card, struct error *error);

#endif

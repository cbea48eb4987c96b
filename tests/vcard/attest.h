/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attestation in the YubiKey's manner: slot F9 certifies keys that were made on the card. */
#ifndef TESSERA_VCARD_ATTEST_H
#define TESSERA_VCARD_ATTEST_H

#include "vcard/card.h"

#define ATTESTATION_OBJECT 0x5FFF01

/* Makes the key in slot F9 and its self-signed certificate. False if OpenSSL fails. */
bool attestation_set_up(struct vcard *card);

#endif

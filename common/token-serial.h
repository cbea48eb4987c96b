/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The serial number of a card's PKCS#11 token: what the module shows and the command prints. */
#ifndef TESSERA_COMMON_TOKEN_SERIAL_H
#define TESSERA_COMMON_TOKEN_SERIAL_H

#define TOKEN_SERIAL_LENGTH 16 /* room in CK_TOKEN_INFO */

/* Of the card's serial what fits, which is a part of the same string: its end tells more. */
const char *token_serial(const char *card_serial);

#endif

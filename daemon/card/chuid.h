/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contents of the two data objects that tell PIV cards apart (SP 800-73-4 part 1, appendix A). */
#ifndef TESSERA_CARD_CHUID_H
#define TESSERA_CARD_CHUID_H

#include <stdint.h>
#include <time.h>

#include "common/buffer.h"

#define CHUID_GUID_LENGTH 16

/*
 * Card Holder Unique Identifier: the FASC-N of a non-federal issuer (agency and
 * system 9999), a GUID, the expiry day (UTC), no issuer signature.
 */
void chuid_build(const uint8_t guid[CHUID_GUID_LENGTH], time_t expires_at, struct buffer *object);

/* Card Capability Container with a card identifier of 14 bytes. */
#define CCC_CARD_ID_LENGTH 14
void ccc_build(const uint8_t card_id[CCC_CARD_ID_LENGTH], struct buffer *object);

#endif

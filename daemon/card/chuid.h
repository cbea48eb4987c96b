/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contents of the data objects that tell PIV cards apart (SP 800-73-4 part 1, appendix A). */
#ifndef TESSERA_CARD_CHUID_H
#define TESSERA_CARD_CHUID_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/buffer.h"

#define CHUID_GUID_LENGTH 16

/* Fields of a FASC-N (TIG SCEPACS 2.3, section 2.1), decimal digits. */
struct fasc_n {
	char agency[5], system[5], credential[7], series[2], issue[2], person[11];
	char category[2], organisation[5], association[2];
};
/* That of a non-federal issuer: agency and system 9999. */
extern const struct fasc_n fasc_n_default;

/* Card Holder Unique Identifier: FASC-N, GUID, the expiry day (UTC), no issuer signature. */
void chuid_build(const struct fasc_n *fasc_n, const uint8_t guid[CHUID_GUID_LENGTH],
	time_t expires_at, struct buffer *object);

/* Card Capability Container with a card identifier of 14 bytes. */
#define CCC_CARD_ID_LENGTH 14
void ccc_build(const uint8_t card_id[CCC_CARD_ID_LENGTH], struct buffer *object);

/* Views into what was parsed; members that are not there are empty. */
struct chuid {
	bool has_fasc_n;
	struct fasc_n fasc_n;
	struct reader guid;
	char expires[9]; /* "20301231" */
	bool is_signed;
};
struct ccc {
	struct reader card_identifier;
	uint8_t container_version, grammar_version; /* 0x21: 2.1 */
	uint8_t data_model;
};
/* SP 800-73-4 part 1, 3.3.2: which PINs the card takes. */
#define DISCOVERY_PIN	       0x4000 /* the application's own PIN */
#define DISCOVERY_GLOBAL_PIN   0x2000 /* the global PIN, too */
#define DISCOVERY_BIOMETRY     0x1000 /* comparison of fingerprints on the card, too */
#define DISCOVERY_GLOBAL_FIRST 0x0020 /* the global PIN is the one to ask for */
struct discovery {
	struct reader application;
	uint16_t pin_usage;
};
/* False for malformed contents. */
bool chuid_parse(const struct buffer *object, struct chuid *chuid);
bool ccc_parse(const struct buffer *object, struct ccc *ccc);
bool discovery_parse(const struct buffer *object, struct discovery *discovery);

#endif

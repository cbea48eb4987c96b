/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parameter of a mechanism, checked and copied from the program's memory. */
#ifndef TESSERA_PKCS11_PARAMETER_H
#define TESSERA_PKCS11_PARAMETER_H

#include "pkcs11/mechanism.h"

#define AES_BLOCK 16 /* bytes */

struct parameter {
	const struct digest *hash, *mgf; /* PSS, OAEP */
	uint32_t salt_length;		 /* PSS */
	uint8_t iv[AES_BLOCK];		 /* CBC; the counter block of CTR */
	uint32_t counter_bits;		 /* CTR: its last bits, which are counted up */
	uint32_t tag_bits;		 /* GCM */
	uint32_t mac_length;		 /* bytes */
	uint32_t kdf;			 /* ECDH: CKD_* */
	struct buffer bytes; /* OAEP's label; GCM's and key wrap's IV; ECDH's shared data */
	struct buffer extra; /* GCM's additional data; what a key is
			      * derived from: the peer's point, or data */
};

/* CKR_MECHANISM_PARAM_INVALID, CKR_HOST_MEMORY. To be cleared whatever it answers. */
CK_RV parameter_read(
	struct parameter *parameter, const struct mechanism *mechanism, const CK_MECHANISM *given);
/* As dbus/org.tessera1.Provider.xml has it. */
CK_RV parameter_write(
	const struct parameter *parameter, const struct mechanism *mechanism, struct buffer *wire);
void parameter_clear(struct parameter *parameter);

#endif

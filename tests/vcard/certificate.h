/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificates that a card makes: of attestation, and of its SCP11 key. */
#ifndef TESSERA_VCARD_CERTIFICATE_H
#define TESSERA_VCARD_CERTIFICATE_H

#include <openssl/x509.h>

#include "common/buffer.h"
#include "common/macros.h"

/*
 * Version 3, random serial number, public key, subject (CN) and a fixed validity: the card has no
 * clock. Issuer and signature are missing. Caller frees; NULL if OpenSSL fails.
 */
X509 *certificate_new(EVP_PKEY *pkey, const char *subject);

/* Puts a CN into a name. */
bool certificate_set_name(X509_NAME *name, const char *common_name);

/* An extension whose value is these bytes, or one by OpenSSL's number and words for it. */
bool certificate_add_extension(
	X509 *certificate, const char *oid, const void *value, size_t length);
bool certificate_add_known_extension(X509 *certificate, int nid, const char *value);

/* Yubico's extension with the device's serial number; 0, a device that tells none, adds nothing. */
bool certificate_add_device_serial(X509 *certificate, uint32_t serial);

/* Appends its DER. */
bool certificate_append(X509 *certificate, struct buffer *out);

static inline void certificate_free(X509 **certificate)
{
	X509_free(*certificate);
}
#define _cleanup_certificate_ _cleanup_(certificate_free)

#endif
